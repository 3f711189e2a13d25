"""The command: sets the stage, plays, and judges."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from scheduler.cli.complaint import ExitCode, complain, give_up
from scheduler.cli.demo.books import Books, read_journal
from scheduler.cli.demo.cast import agents
from scheduler.cli.demo.children import ChildFailed, Children
from scheduler.cli.demo.plot import Plot
from scheduler.cli.demo.stage import DISCONNECTED_AFTER_MS, MIN_SIZE, Stage, set_stage
from scheduler.cli.demo.story import Story
from scheduler.cli.demo.summary import summary, usage
from scheduler.cli.demo.tellers import LiveScreen, PlainLines, Teller
from scheduler.cli.demo.verdict import Finding, findings, findings_so_far
from scheduler.cli.options import finite
from scheduler.cli.simulation import SimulationUnreachable, shared_clock
from scheduler.client.patience import Unreachable
from scheduler.client.refusal import Refused

SUMMARY_WIDTH = 80

FEWEST = 12
"""Fewer agents would not make the group grow in the second push, and no launch could fail."""


def demo(
    *,
    agents_: Annotated[
        int, typer.Option("--agents", metavar="NUMBER", min=FEWEST, help="How many agents are asked for.")
    ] = 60,
    rate: Annotated[
        float, typer.Option(min=1, callback=finite, help="How many times as fast as real time.")
    ] = 15.0,
    within: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, callback=finite, help="Real time after which it is given up."),
    ] = 90.0,
) -> None:
    """Play the service against a simulated AWS: sixty agents, a group that grows and shrinks, four mishaps.

    Needs no account and no credentials. On the way the answer of a StartTask is lost, a launch fails, and an
    agent disconnects. Exits with 0 only if every agent succeeded and, by the journal of the simulated AWS,
    each was started exactly once, no busy container instance was terminated, and the group is back at its
    min size.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with TemporaryDirectory(prefix="ecs-scheduler-demo-") as directory:
            _demo(Path(directory), agents_, rate, within)
    except (ChildFailed, SimulationUnreachable, Refused, Unreachable) as error:
        give_up(str(error), ExitCode.REFUSED)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _demo(directory: Path, number: int, rate: float, within_s: float) -> None:
    requests = agents(number)
    story = Story(len(requests))
    console = Console()
    with Children(directory) as children:
        stage = set_stage(children, directory, rate)
        clock = shared_clock(stage.simulation.url)
        print(_beginning(number, stage, rate), flush=True)
        teller: Teller = LiveScreen(story, clock, console) if console.is_terminal else PlainLines(story)
        with teller:
            is_complete = asyncio.run(Plot(stage, story, teller, clock).play(requests, within_s))
        now_ms = clock.now_ms()
        books = Books(read_journal(stage.journal))
    _show_figures(story, books, now_ms)
    tasks = story.tasks.values()
    if is_complete:
        _show_findings(findings(tasks, story.expected, books, MIN_SIZE))
    else:
        complain(f"given up after {within_s:g} s; --within gives it more")
        _show_findings(findings_so_far(tasks, story.expected, books))
        raise typer.Exit(ExitCode.REFUSED)


def _beginning(number: int, stage: Stage, rate: float) -> str:
    minutes = DISCONNECTED_AFTER_MS // 60_000
    return (
        f"{number} agents for {stage.address}, on a simulated AWS at {rate:g}x time.\n"
        f"An ECS agent that is away for {minutes} minutes is lost here; as a rule it has 20."
    )


def _show_figures(story: Story, books: Books, now_ms: int) -> None:
    console = _console()
    console.print()
    console.print(summary(story, books, now_ms))
    console.print(f"\n{usage(story, books, now_ms)}\n")


def _show_findings(found: Iterable[Finding]) -> None:
    """Exit code 1 unless all are good."""
    console = _console()
    told = list(found)
    for each in told:
        if each.good:
            console.print(f"[green]ok[/]  {each.text}")
        else:
            complain(each.text)
    if not all(each.good for each in told):
        raise typer.Exit(ExitCode.REFUSED)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=SUMMARY_WIDTH, highlight=False)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the demo as Ctrl-C does: the children are ended first."""
    raise KeyboardInterrupt
