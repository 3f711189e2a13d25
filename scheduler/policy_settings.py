"""The policy's part of the settings: every field of `Policy` is a variable, read by the field's type."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.model.policy import ForeignInstances, Placement, Policy, ScaleDown, Share
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import ContainerSize


def read_policy(environment: Mapping[str, str], prefix: str, problems: list[str]) -> Policy:
    """The policy with everything of it that is set; lists are comma-separated."""
    given: dict[str, Any] = {}
    for each in fields(Policy):
        name = prefix + each.name.upper()
        if name not in environment:
            continue
        text, several = environment[name], each.type not in _SINGLE
        kind = _SEVERAL[each.type] if several else _SINGLE[each.type]
        try:
            given[each.name] = kind.validate_python(text.split(",") if several else text)
        except ValidationError:
            problems.append(complaint(name, text, kind.json_schema()))
    return Policy(**given)


def _pieces(text: str) -> Pieces:
    """`SIZE:COUNT`, or `CPU:MEMORY:COUNT` in CPU units and MiB."""
    *shape, count = text.split(":")
    if len(shape) == 1:
        return Pieces(ask=MAIN_SIZES[ContainerSize(shape[0])] + SIDEKICK, count=int(count))
    cpu, memory_mib = map(int, shape)
    return Pieces(ask=Resources(cpu=cpu, memory_mib=memory_mib), count=int(count))


_SIZES = "|".join(ContainerSize)
_NUMBER = "[1-9][0-9]{0,8}"

# A number above zero, a share of something or of nothing, yes or no, or a word; else several of them.
_SINGLE: dict[Any, TypeAdapter[Any]] = {
    int: TypeAdapter(PositiveInt),
    float: TypeAdapter(Annotated[FiniteFloat, Field(gt=0, le=1)]),
    Share: TypeAdapter(Annotated[FiniteFloat, Field(ge=0, le=1)]),
    bool: TypeAdapter(bool),
    **{each: TypeAdapter(each) for each in (ForeignInstances, Placement, ScaleDown)},
}
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Pieces = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=f"^({_SIZES}|{_NUMBER}:{_NUMBER}):{_NUMBER}$"),
    AfterValidator(_pieces),
]
_SEVERAL: dict[Any, TypeAdapter[Any]] = {
    tuple[int, ...]: TypeAdapter(tuple[PositiveInt, ...]),
    tuple[str, ...]: TypeAdapter(tuple[_Name, ...]),
    tuple[Pieces, ...]: TypeAdapter(tuple[_Pieces, ...]),
}


def complaint(name: str, text: str, schema: dict[str, Any]) -> str:
    """What was expected of a variable, by its JSON schema, and what it is."""
    return f"{name}: expected {_expected(schema)}, got {text[:_LONGEST]!r}"


def _expected(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "array":
        return f"one or more, separated by commas, of {_expected(schema['items'])}"
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
