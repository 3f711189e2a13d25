"""Complaints: how a command says in one line that it cannot go on, and with which exit code."""

from enum import IntEnum
from typing import NoReturn

import grpc
import typer

from scheduler.client.refusal import Refusal


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    REFUSED = 1
    """The service, AWS or the machine said no."""
    USAGE = 2
    """The arguments or the settings are wrong."""
    UNREACHABLE = 3
    """Nobody answered, or nobody could serve, for as long as was asked to try."""
    INTERRUPTED = 130
    """What a shell reports of a program that Ctrl-C ended: 128 + SIGINT."""


def complain(line: str) -> None:
    """One line on stderr."""
    typer.echo(f"ecs-scheduler: {line}", err=True)


def give_up(line: str, code: ExitCode) -> NoReturn:
    """One line on stderr, then the end of the program."""
    complain(" ".join(line.split()))
    raise typer.Exit(code)


def give_up_on(address: str, refusal: Refusal, problem: str) -> NoReturn:
    """After all tries: who answered, though without a result, is told from who did not answer at all.

    `problem`: what is wrong with the handshake, if it is that.
    """
    if refusal.reason:
        what = "answered"
    elif refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        what = "did not answer in time"
    else:
        what = f"cannot be reached ({problem})" if problem else "cannot be reached"
    give_up(f"{address} {what}: {refusal}", ExitCode.UNREACHABLE)
