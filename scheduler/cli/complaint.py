"""Complaints: how a command says in one line that it cannot go on, and with which exit code."""

from enum import IntEnum
from typing import NoReturn

import typer


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    REFUSED = 1
    """The service, AWS or the machine said no."""
    USAGE = 2
    """The arguments or the settings are wrong."""
    UNREACHABLE = 3
    """Nobody answered for as long as was asked to try."""


def complain(line: str) -> None:
    """One line on stderr."""
    typer.echo(f"ecs-scheduler: {line}", err=True)


def give_up(line: str, code: ExitCode) -> NoReturn:
    """One line on stderr, then the end of the program."""
    complain(" ".join(line.split()))
    raise typer.Exit(code)
