"""Checks: what may hold for one value, each with the words that tell a client what was expected."""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

# Unicode's category Cc. Such characters have no place in names that people read in logs and consoles. They
# are only searched for in texts that are not printable, which is known in a third of the time.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Check:
    """`holds` is truthy for a good value; `expected` ends the sentence "expected ..."."""

    holds: Callable[[Any], object]
    expected: str


def matches(pattern: str, expected: str) -> Check:
    """The whole value matches the pattern."""
    return Check(re.compile(pattern).fullmatch, expected)


# Absolute, without `.` and `..`, and without the colon that ends a path in Docker's own notation.
PATH = r"(?=.{1,1024}\Z)(/(?!\.{1,2}(/|\Z))[^/:\x00-\x1f\x7f-\x9f]+)+"
PATH_EXPECTED = "an absolute path of at most 1,024 characters without `.`, `..`, `:` and a `/` at its end"


def between(low: int, high: int) -> Check:
    """A number, both ends included."""
    return Check(lambda number: low <= number <= high, f"a number from {low:,} to {high:,}")


def lasting(days: int) -> Check:
    """A duration in milliseconds, from one second to so many days."""
    unit = "day" if days == 1 else "days"
    return Check(lambda ms: 1_000 <= ms <= days * _DAY_MS, f"a duration from 1 s to {days} {unit}")


def seconds(low: int, high: int) -> Check:
    """A duration in whole seconds, both ends included."""
    return Check(lambda number: low <= number <= high, f"whole seconds, from {low} s to {high} s")


def unset_or(check: Check) -> Check:
    """No value, or one for which the check holds."""
    return Check(lambda value: value is None or check.holds(value), f"not set, or {check.expected}")


def text(at_most: int) -> Check:
    """A text without control characters; it may be empty."""
    return Check(
        lambda value: len(value) <= at_most and (value.isprintable() or not _CONTROL.search(value)),
        f"at most {at_most:,} characters, no control characters",
    )


def not_blank(at_most: int) -> Check:
    """A text that says something. White space around it does not matter, but counts."""

    def holds(value: str) -> bool:
        bare = value.strip()
        return bool(bare) and len(value) <= at_most and (bare.isprintable() or not _CONTROL.search(bare))

    return Check(holds, f"1 to {at_most:,} characters, not blank, no control characters")


def payload(at_most: int) -> Check:
    """A text for a process. Line breaks are common in scripts and certificates; NUL ends a C string."""
    return Check(
        lambda value: len(value) <= at_most and "\0" not in value,
        f"at most {at_most:,} characters, none of them NUL",
    )


PAYLOAD = payload(8_192)
"""Beyond this the overrides could not hold it (ECS API: StartTask, overrides)."""


def one_of(known: Container[Any], expected: str) -> Check:
    """A value that the container holds."""
    return Check(known.__contains__, expected)
