"""The command: sets the stage, plays, and judges."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated, NoReturn

import typer
from google.protobuf import json_format
from grpc import aio
from rich.console import Console

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, WatchTasksRequest
from scheduler.cli.complaint import ExitCode, complain, give_up
from scheduler.cli.demo.children import ChildFailed, Children
from scheduler.cli.demo.story import Story
from scheduler.cli.demo.tellers import LiveScreen, PlainLines, Teller
from scheduler.cli.demo.verdict import each_started_once, starts_by_task, summary
from scheduler.cli.options import finite
from scheduler.cli.simulation import SimulationUnreachable, shared_clock
from scheduler.client.connection import Connection, connected
from scheduler.client.patience import Unreachable
from scheduler.client.refusal import Refused
from scheduler.client.submission import submit
from scheduler.client.watching import watch_tasks

PATIENCE_S = 10.0
CLUSTER_PAUSE_S = 0.2
SUMMARY_WIDTH = 80
INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended: 128 + SIGINT."""


def demo(
    *,
    rate: Annotated[
        float, typer.Option(min=1, callback=finite, help="How many times as fast as real time.")
    ] = 10.0,
    within: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, callback=finite, help="Real time after which it is given up."),
    ] = 60.0,
) -> None:
    """Play the service against a simulated AWS: twenty agents, a group that grows, exactly one start each.

    Needs no account and no credentials. Exits with 0 only if every agent succeeded and, by the journal of
    the simulated AWS, was started exactly once.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with TemporaryDirectory(prefix="ecs-scheduler-demo-") as directory:
            _demo(Path(directory), rate, within)
    except (ChildFailed, SimulationUnreachable, Refused, Unreachable) as error:
        give_up(str(error), ExitCode.REFUSED)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _demo(directory: Path, rate: float, within_s: float) -> None:
    journal = directory / "journal.jsonl"
    requests = agents()
    story = Story(len(requests))
    console = Console()
    with Children(directory) as children:
        url, address = _set_up(children, directory, journal, rate)
        clock = shared_clock(url)
        print(f"{len(requests)} agents for {address}, on a simulated AWS at {rate:g}x time", flush=True)
        teller: Teller = (
            LiveScreen(story, clock, console) if console.is_terminal else PlainLines(story, clock)
        )
        with teller:
            asyncio.run(_play(address, requests, story, teller, within_s))
        starts = starts_by_task(journal)
        now_ms = clock.now_ms()
    _judge(story, starts, now_ms)


def agents() -> list[ScheduleRequest]:
    """The demo's cast, from the file that comes with the program."""
    text = files("scheduler.cli").joinpath("examples", "agents.jsonl").read_text("utf-8")
    return [json_format.Parse(line, ScheduleRequest()) for line in text.splitlines()]


def _set_up(children: Children, directory: Path, journal: Path, rate: float) -> tuple[str, str]:
    """The simulation's URL and the service's address."""
    url = children.start(
        "aws-sim", "--listen", "127.0.0.1:0", "--rate", str(rate), "--journal", str(journal),
        "--min", "1", "--desired", "1", "--max", "8", "--run-s", "60:150",
        ready=r"http://\S+",
    )  # fmt: skip
    address = children.start(
        "serve", "--listen", "127.0.0.1:0", "--store", str(directory / "store.sqlite3"),
        "--simulated-aws", url,
        ready=r"(?<=listening on )\S+",
        environment={"ECS_SCHEDULER_DRAIN_DELAY_S": "0"},
    )  # fmt: skip
    return url, address


async def _play(
    address: str, requests: Sequence[ScheduleRequest], story: Story, teller: Teller, within_s: float
) -> None:
    """Ends when every task has ended, or after `within_s`."""
    async with connected(address) as connection:
        looking = asyncio.create_task(_look(connection, story, teller))
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for request in requests:
                    await submit(connection, request, retry_for_s=PATIENCE_S)
                await _listen(connection, story, teller)
        looking.cancel()
        await asyncio.wait([looking])


async def _listen(connection: Connection, story: Story, teller: Teller) -> None:
    messages = watch_tasks(
        connection, WatchTasksRequest(), retry_for_s=PATIENCE_S, interrupted=lambda _: None
    )
    async for message in messages:
        for event in message.events:
            story.hear(event)
            teller.task_changed(event)
        if story.over:
            return


async def _look(connection: Connection, story: Story, teller: Teller) -> None:
    """A reading that fails is left out: if the service is gone for good, `_listen` says so."""
    while True:
        with suppress(aio.AioRpcError):
            answer = await connection.scaling.GetCluster(GetClusterRequest(), timeout=PATIENCE_S)
            if story.see(answer.cluster):
                teller.capacity_changed()
        await asyncio.sleep(CLUSTER_PAUSE_S)


def _judge(story: Story, starts: Counter[str], now_ms: int) -> None:
    """The summary, and exit code 1 unless all went as it should."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(width=SUMMARY_WIDTH, highlight=False)
    console.print()
    console.print(summary(story, starts, now_ms))
    console.print(f"\npeak: {story.peak_instances} container instances able to work")
    once = each_started_once(story, starts)
    if once:
        console.print(f"exactly once: {len(story.tasks)} agents, {starts.total()} starts in AWS's journal")
    else:
        complain(f"not exactly once: {len(story.tasks)} agents, {starts.total()} starts in AWS's journal")
    if not story.succeeded:
        complain(f"not all succeeded: {dict(story.by_state())}")
    if not (once and story.succeeded):
        raise typer.Exit(ExitCode.REFUSED)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the demo as Ctrl-C does: the children are ended first."""
    raise KeyboardInterrupt
