"""A replay: the window of a trace, fed to the service as it once came."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scheduler.cli.account import Account, clock, counts
from scheduler.cli.complaint import ExitCode, complain, give_up
from scheduler.cli.feed import Due, Feed, Tally, until_ended
from scheduler.cli.options import Output
from scheduler.cli.progress import progress
from scheduler.cli.server_options import Server
from scheduler.cli.trace import Run, TraceError, Window, busiest_window, read_rows, window_at
from scheduler.client.patience import Unreachable
from scheduler.client.watching import Interruption


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is to be fed, and how."""

    file: Path
    window: Window
    run: Run
    speed: float
    """So many times as fast as it once came."""

    wait: bool
    """Whether to wait for the ends of the tasks."""

    retry_for_s: float

    def requests(self) -> Iterator[Due]:
        """The window's rows, each when it is due."""
        for row in self.window.part_of(read_rows(self.file)):
            at_s = (row.submit_s - self.window.start_s) / self.speed
            yield Due(at_s=at_s, row=row.number, request=self.run.request(row))


def choose_window(file: Path, start_s: float | None, length_s: float) -> Window:
    """The window there, else the busiest one; the end of the program where there is nothing to feed."""
    rows = read_rows(file)
    try:
        window = busiest_window(rows, length_s) if start_s is None else window_at(rows, start_s, length_s)
    except TraceError as error:
        give_up(str(error), ExitCode.USAGE)
    if not window.arrivals:
        give_up(f"{file}: none of its {window.rows:,} rows is in that window", ExitCode.USAGE)
    return window


def play(server: Server, replay: Replay, output: Output) -> ExitCode:
    """Feeds it and tells what came of it. Raises Refused, or Unreachable."""
    if output is Output.TEXT:
        print(*_beginning(replay), sep="\n", flush=True)
    try:
        account = asyncio.run(_play(server, replay))
    except TraceError as error:
        give_up(str(error), ExitCode.USAGE)
    except (Unreachable, KeyboardInterrupt):
        _tell_the_way_on(replay.run)
        raise
    about = {"run": replay.run.run_id, "trace": replay.run.trace}
    print(account.json_line(**about) if output is Output.JSON else "\n".join(account.lines()), flush=True)
    return ExitCode.OK if account.good else ExitCode.REFUSED


async def _play(server: Server, replay: Replay) -> Account:
    async with server.connected() as connection:
        with progress("submitted", replay.window.arrivals) as show:
            feed = Feed(
                connection,
                retry_for_s=replay.retry_for_s,
                answered=lambda tally: show(tally.answered, _said(tally)),
            )
            tally = await feed.send(replay.requests())
        if not replay.wait or not tally.accepted:
            return Account(tally=tally, endings=None)
        with progress("ended", len(tally.accepted)) as show:
            endings = await until_ended(
                connection,
                replay.run.watch(),
                tally.accepted,
                retry_for_s=replay.retry_for_s,
                interrupted=_tell_interruption,
                ended=lambda endings: show(endings.states.total(), counts(endings.states)),
            )
    return Account(tally=tally, endings=endings)


def _beginning(replay: Replay) -> tuple[str, str]:
    window = replay.window
    place = f"{clock(window.start_s)} to {clock(window.end_s)} of {replay.run.trace}"
    return (
        f"window     {place}, {window.arrivals:,} of {window.rows:,} rows, {replay.speed:g} times as fast",
        f"run        {replay.run.run_id}",
    )


def _said(tally: Tally) -> str:
    refused = f"{tally.refused.total():,} refused, " if tally.refused else ""
    return f"{refused}{tally.late_s[-1] * 1_000:,.0f} ms late"


def _tell_the_way_on(run: Run) -> None:
    complain(f"the same command with --run-id {run.run_id} goes on, and submits nothing twice")


def _tell_interruption(interruption: Interruption) -> None:
    complain(f"resuming after {interruption.refusal}")
