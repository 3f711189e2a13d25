"""Options that several commands share, and what is made of their texts."""

import re
from enum import StrEnum
from math import isfinite
from typing import Annotated, cast

import typer
from google.protobuf.duration_pb2 import Duration

from ecs_scheduler.v1.task_pb2 import TaskState
from scheduler.cli import words


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


def finite(number: float) -> float:
    """An infinite number, or none at all, passes every comparison with a bound. Raises typer.BadParameter."""
    if not isfinite(number):
        raise typer.BadParameter(f"expected a number, not {number}")
    return number


OutputFormat = Annotated[Output, typer.Option("--output", help="`json` writes one object a line.")]
RetryFor = Annotated[
    float,
    typer.Option(
        "--retry-for",
        metavar="SECONDS",
        min=0,
        callback=finite,
        help="How long to try while nobody answers.",
    ),
]

DEFAULT_RETRY_S = 30.0

_DURATION = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def labels(pairs: list[str]) -> dict[str, str]:
    """`key=value` pairs as a map. Raises typer.BadParameter."""
    return dict(_pair(each, f"--label: expected KEY=VALUE, not {each!r}") for each in pairs)


def environment(pairs: list[str]) -> dict[str, str]:
    """`NAME=value` pairs as a map. Raises typer.BadParameter, which quotes none: one may be a bare secret."""
    return dict(_pair(each, "--env: expected NAME=VALUE") for each in pairs)


def duration(text: str) -> Duration:
    """`90s`, `10m`, `2h`, `7d`. Raises typer.BadParameter."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"expected a duration such as 90s, 10m, 2h or 7d, not {text!r}")
    return Duration(seconds=int(match["count"]) * _UNIT_S[match["unit"]])


def states(names: list[str]) -> list[TaskState]:
    """States by their names, in upper or lower case. Raises typer.BadParameter."""
    return [_state(each) for each in names]


def _state(name: str) -> TaskState:
    if name.upper() not in words.STATES:
        raise typer.BadParameter(f"--state: one of {', '.join(words.STATES)}, not {name}")
    # The cast: `Value` is typed as int, a message's constructor wants the enum's own type.
    return cast("TaskState", TaskState.Value(f"TASK_STATE_{name.upper()}"))


def _pair(text: str, complaint: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(complaint)
    return key, value
