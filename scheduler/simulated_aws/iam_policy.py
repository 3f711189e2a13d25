"""An IAM policy: read from JSON, refused where it holds what is not understood, and asked for its word.

Facts: IAM User Guide, "IAM JSON policy elements" and "Policy evaluation logic". Actions are compared without
case, resources with it; `*` stands for any characters and `?` for one; an explicit deny wins over any allow.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from string import Template
from typing import Any

_MEMBERS = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})


class PolicyError(ValueError):
    """Not a policy, or one with something in it that is not evaluated here; the message is one line."""


class Verdict(Enum):
    """What a policy says of a request."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """One action on one resource; `context` has the values of condition keys that the service sends along."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A condition key and the values of which one must match; several conditions must all hold."""

    key: str
    matches: Callable[[str, str], bool]
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        """False too for a request that lacks the key (IAM User Guide: condition operators)."""
        found = context.get(self.key)
        return found is not None and any(self.matches(value, found) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Actions on resources, allowed or denied under conditions."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[_Condition, ...]

    def names(self, action: str) -> bool:
        """Whether the statement is about this action."""
        return any(_like(each.lower(), action.lower()) for each in self.actions)

    def holds_for(self, request: AccessRequest) -> bool:
        """Whether a statement that names the action is about the request."""
        return any(_like(each, request.resource) for each in self.resources) and all(
            each.holds(request.context) for each in self.conditions
        )


class IamPolicy:
    """One identity-based policy."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._statements = tuple(statements)
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    @property
    def asked(self) -> set[str]:
        """The actions that it was asked about so far."""
        return set(self._by_action)

    def verdict(self, request: AccessRequest) -> Verdict:
        """What is nowhere allowed is not allowed."""
        effects = {each.allows for each in self._naming(request.action) if each.holds_for(request)}
        if not effects:
            return Verdict.NOT_ALLOWED
        return Verdict.ALLOWED if all(effects) else Verdict.DENIED

    def _naming(self, action: str) -> tuple[Statement, ...]:
        """Found once an action: a reading of a large cluster asks about hundreds of resources at a time."""
        if action not in self._by_action:
            self._by_action[action] = tuple(each for each in self._statements if each.names(action))
        return self._by_action[action]


def parse_policy(text: str, names: Mapping[str, str] | None = None) -> IamPolicy:
    """The policy in `text`, its placeholders such as `${CLUSTER}` filled with `names`. Raises PolicyError."""
    try:
        document = json.loads(Template(text).substitute(names or {}))
    except KeyError as error:
        raise PolicyError(f"unknown placeholder ${{{error.args[0]}}}") from error
    except ValueError as error:
        # JSON that is none, or a policy variable such as ${aws:username}, which is not evaluated here.
        raise PolicyError(f"not a policy: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("not a policy: it has no Statement")
    return IamPolicy(map(_statement, _several(document["Statement"])))


def _statement(shape: Any) -> Statement:
    if not isinstance(shape, dict):
        raise PolicyError("not a policy: a Statement is an object")
    sid = str(shape.get("Sid", "a statement without Sid"))
    if unknown := shape.keys() - _MEMBERS:
        raise PolicyError(f"{sid}: {', '.join(sorted(unknown))} is not evaluated here")
    if missing := {"Effect", "Action", "Resource"} - shape.keys():
        raise PolicyError(f"{sid}: {', '.join(sorted(missing))} is missing")
    if shape["Effect"] not in ("Allow", "Deny"):
        raise PolicyError(f"{sid}: Effect is Allow or Deny, not {shape['Effect']!r}")
    return Statement(
        sid=sid,
        allows=shape["Effect"] == "Allow",
        actions=_texts(sid, shape["Action"]),
        resources=_texts(sid, shape["Resource"]),
        conditions=tuple(_conditions(sid, shape.get("Condition", {}))),
    )


def _conditions(sid: str, shape: Any) -> Iterable[_Condition]:
    if not isinstance(shape, dict) or not all(isinstance(keys, dict) for keys in shape.values()):
        raise PolicyError(f"{sid}: Condition is an object of objects")
    for operator, keys in shape.items():
        if operator not in _OPERATORS:
            known = ", ".join(_OPERATORS)
            raise PolicyError(f"{sid}: condition operator {operator} is not evaluated here, but {known} are")
        for key, values in keys.items():
            yield _Condition(key=key, matches=_OPERATORS[operator], values=_texts(sid, values))


def _several(shape: Any) -> list[Any]:
    """Wherever there may be several, one may stand without its list."""
    return shape if isinstance(shape, list) else [shape]


def _texts(sid: str, shape: Any) -> tuple[str, ...]:
    texts = tuple(_several(shape))
    if not texts or not all(isinstance(each, str) for each in texts):
        raise PolicyError(f"{sid}: a text or a list of texts is expected, not {shape!r:.60}")
    return texts


def _equal(pattern: str, text: str) -> bool:
    return pattern == text


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


def _arn_like(pattern: str, text: str) -> bool:
    """Each of the six parts by itself (IAM User Guide: ARN condition operators)."""
    patterns, parts = pattern.split(":", 5), text.split(":", 5)
    return len(patterns) == len(parts) and all(map(_like, patterns, parts))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each, re.escape(each)) for each in pattern), re.DOTALL)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringLike": _like,
    "ArnEquals": _arn_like,  # "ArnEquals and ArnLike behave identically" (IAM User Guide)
    "ArnLike": _arn_like,
}
