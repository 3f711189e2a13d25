"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


Address = Annotated[
    str,
    typer.Option(
        "--address", envvar="ECS_SCHEDULER_ADDRESS", metavar="HOST:PORT", help="Where the service listens."
    ),
]
OutputFormat = Annotated[Output, typer.Option("--output", help="`json` writes one object a line.")]
RetryFor = Annotated[
    float,
    typer.Option("--retry-for", metavar="SECONDS", min=0, help="How long to try while nobody answers."),
]

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_RETRY_S = 30.0


def labels(pairs: list[str]) -> dict[str, str]:
    """`key=value` pairs as a map. Raises typer.BadParameter."""
    return dict(_pair(each) for each in pairs)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"expected KEY=VALUE, not {text!r}")
    return key, value
