"""The policy's part of the settings: every field of `Policy` is a variable, read by the field's type."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin

from pydantic import (
    AfterValidator,
    Field,
    FiniteFloat,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.model.policy import ForeignInstances, Placement, Policy, Range, ScaleDown, Share
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import ContainerSize


def read_policy(environment: Mapping[str, str], prefix: str, problems: list[str]) -> Policy:
    """The policy with everything of it that is set; lists are comma-separated."""
    given: dict[str, Any] = {}
    wrong: set[str] = set()
    for each in fields(Policy):
        name = prefix + each.name.upper()
        if name not in environment:
            continue
        text, kind = environment[name], TypeAdapter(_checked(each.type))
        several = get_origin(each.type) is tuple
        try:
            given[each.name] = kind.validate_python(text.split(",") if several else text)
        except ValidationError:
            wrong.add(each.name)
            problems.append(complaint(name, text, kind.json_schema()))
    policy = Policy(**given)
    problems += _contradictions(policy, prefix, wrong)
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Two settings, of which `less`, so many `times`, is not to be above `more`; else what `why` says."""

    less: str
    more: str
    why: str
    times: int = 1

    def words(self, prefix: str) -> str:
        """What is to be so."""
        portion = "half of " if self.times == 2 else ""
        return f"{prefix}{self.less.upper()} must not be above {portion}{prefix}{self.more.upper()}"


ORDERS = (
    Order(
        less="never_joined_after_ms",
        more="never_joined_until_ms",
        why="a member would be left alone before it may count as one that never joined",
    ),
    Order(
        less="disconnected_after_ms",
        more="blink_window_ms",
        times=2,
        why="an agent that is away for more than half of the window counts as lost before",
    ),
    Order(
        less="disconnected_readings_ms",
        more="disconnected_after_ms",
        why="an instance could not be replaced when its time has come",
    ),
    Order(
        less="purchase_grace_ms",
        more="disconnected_after_ms",
        why="an instance would count as capacity after it was replaced",
    ),
    Order(
        less="eager_poll_ms",
        more="cluster_poll_ms",
        why="readings would be rarer while instances are expected",
    ),
    Order(
        less="cluster_poll_ms",
        more="stale_after_ms",
        why="each reading would be stale before the next",
    ),
    Order(
        less="task_poll_ms",
        more="unseen_ms",
        why="no task of a lost instance would have been read recently enough to be launched again",
    ),
    Order(
        less="census_poll_ms",
        more="rival_window_ms",
        why="a second scheduler's marks would be too old when they are read",
    ),
    Order(
        less="start_timeout_ms",
        more="start_window_ms",
        why="a start that hangs would be forgotten when the next one fails",
    ),
    Order(
        less="black_hole_configurations",
        more="black_hole_failures",
        why="so few failures cannot be of so many configurations",
    ),
)
"""What would set a rule out of force without a word."""


def _contradictions(policy: Policy, prefix: str, wrong: Collection[str]) -> Iterator[str]:
    """One line for each; nothing of what is wrong by itself."""
    for each in ORDERS:
        less, more = getattr(policy, each.less), getattr(policy, each.more)
        if less * each.times > more and not {each.less, each.more} & set(wrong):
            yield f"{each.words(prefix)}, but is {less} and that is {more}: {each.why}"


def _pieces(text: str) -> Pieces:
    """`SIZE:COUNT`, or `CPU:MEMORY:COUNT` in CPU units and MiB."""
    *shape, count = text.split(":")
    if len(shape) == 1:
        return Pieces(ask=MAIN_SIZES[ContainerSize(shape[0])] + SIDEKICK, count=int(count))
    cpu, memory_mib = map(int, shape)
    return Pieces(ask=Resources(cpu=cpu, memory_mib=memory_mib), count=int(count))


_SIZES = "|".join(ContainerSize)
_NUMBER = "[1-9][0-9]{0,8}"

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Pieces = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=f"^({_SIZES}|{_NUMBER}:{_NUMBER}):{_NUMBER}$"),
    AfterValidator(_pieces),
]

_CHECKED: dict[Any, Any] = {
    float: Annotated[FiniteFloat, Field(gt=0, le=1)],
    Share: Annotated[FiniteFloat, Field(ge=0, le=1)],
    str: _Name,
    Pieces: _Pieces,
    **{each: each for each in (bool, ForeignInstances, Placement, ScaleDown)},
}


def _checked(kind: Any) -> Any:
    """The type of a field as it is read from text: a number in its range, a share, a word; or several."""
    if kind in _CHECKED:
        return _CHECKED[kind]
    if get_origin(kind) is tuple:
        return GenericAlias(tuple, (_checked(get_args(kind)[0]), ...))
    number, within = get_args(kind)
    assert isinstance(within, Range), "a number of the policy has a range"
    return Annotated[number, Field(ge=within.least, le=within.most)]


def complaint(name: str, text: str, schema: dict[str, Any]) -> str:
    """What was expected of a variable, by its JSON schema, and what it is."""
    return f"{name}: expected {_expected(schema)}, got {text[:_LONGEST]!r}"


def _expected(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "array":
        return f"one or more, separated by commas, of {_expected(schema['items'])}"
    if "minimum" in schema and "maximum" in schema:
        return f"{_KINDS[schema['type']]} from {schema['minimum']} to {schema['maximum']}"
    limits = [words.format(schema[key]) for key, words in _LIMITS.items() if key in schema]
    return " ".join([_KINDS[schema["type"]], " and ".join(limits)]).strip()


_KINDS = {"integer": "an integer", "number": "a number", "boolean": "true or false", "string": "text"}
_LIMITS = {
    "exclusiveMinimum": "above {}",
    "minimum": "of at least {}",
    "maximum": "of at most {}",
    "minLength": "of at least {} character",
    "maxLength": "of at most {} characters",
    "pattern": "that matches {}",
}
_LONGEST = 60
"""Of a text that is quoted, so many characters."""
