"""Bench `watch`: what 2,000 open watches cost those who schedule, and how soon an event has reached them.

Subject of the first: the whole service with 2,000 watches, each on a task of its own. Baseline: the same
service with as many tasks and no watch, in the same run. The second is absolute.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks import schedule_client, watch_client
from benchmarks.measure import Ratio, at_most, medians, tell
from benchmarks.processes import CLIENT_CORE, SERVER_CORE, address_of, heard, running
from benchmarks.schedule import ROUNDS, Subject
from benchmarks.schedule_servers import serve_schedule

WATCHES = 2_000
EVENTS = 10

GOAL_SLOWED = 1.2
GOAL_REACH_S = 1.0


def run() -> list[Ratio]:
    """How many times slower Schedule is; seconds until the last watcher has heard."""
    return [
        at_most(GOAL_SLOWED, "schedule_slowed_by_watches", _slowed()),
        at_most(GOAL_REACH_S, "event_to_all_watchers_s", _reach_s()),
    ]


def _slowed() -> float:
    with (
        running(schedule_client.call, core=CLIENT_CORE) as client,
        _audience() as watched,
        _audience() as quiet,
    ):
        watched.told("watch own", WATCHES)
        quiet.told("accept", WATCHES)
        subjects = {
            "watched": Subject("with watches", watched.address, server=watched.service, client=client),
            "quiet": Subject("without", quiet.address, server=quiet.service, client=client),
        }
        rates = medians(ROUNDS, {name: each.calls_per_s for name, each in subjects.items()})
    return rates["quiet"] / rates["watched"]


def _reach_s() -> float:
    """The slowest of some events, on a service that has nothing else to do."""
    with _audience() as audience:
        audience.told("watch all", WATCHES)
        seconds: list[float] = audience.told("reach", EVENTS)
    listed = ", ".join(f"{each:.2f}" for each in seconds)
    tell(f"watch: {EVENTS} events reached {WATCHES:,} watchers each; the last of them after {listed} s")
    return max(seconds)


class Audience(NamedTuple):
    """A service of its own, and the process of those who watch it."""

    service: Connection
    address: str
    watchers: Connection

    def told(self, verb: str, count: int) -> Any:
        """Has the watchers do what they know under this verb, and hears what came of it."""
        self.watchers.send((verb, count))
        return heard(self.watchers)


@contextmanager
def _audience() -> Iterator[Audience]:
    with (
        TemporaryDirectory(prefix="ecs-scheduler-bench-") as directory,
        running(serve_schedule, Path(directory) / "store.sqlite3", core=SERVER_CORE) as service,
        running(watch_client.attend, core=CLIENT_CORE) as watchers,
    ):
        address = address_of(service)
        watchers.send(address)
        yield Audience(service, address, watchers)
