"""Bench `start`: from Schedule to StartTask while there is room.

Subject: the whole service, from the request that a client sends to the call of StartTask on the cloud port.
No baseline: the goal is absolute. What AWS and the network to it would take is not in it.
"""

from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import sleep

from benchmarks import start_client
from benchmarks.measure import Ratio, at_most, tell
from benchmarks.processes import CLIENT_CORE, SERVER_CORE, address_of, heard, running
from benchmarks.schedule_servers import serve_starts
from benchmarks.start_client import Sent

ROUNDS = 3
TASKS_PER_ROUND = 300
PER_S = 20.0
"""What is offered, below the 40 StartTask a second that AWS lets through (ECS: Request throttling)."""

WARM_UP_TASKS = 40
LAST_START_S = 2.0
"""How long to wait for the start of the last task of a round."""

GOAL_MS = 100.0


def run() -> list[Ratio]:
    """The p99 in milliseconds: the median of some rounds."""
    with TemporaryDirectory(prefix="ecs-scheduler-bench-") as directory:
        store = Path(directory) / "store.sqlite3"
        with (
            running(start_client.offer, core=CLIENT_CORE) as client,
            running(serve_starts, store, core=SERVER_CORE) as service,
        ):
            address = address_of(service)
            _offered(client, service, address, WARM_UP_TASKS)
            p99s_ms = [_p99_ms(client, service, address) for _ in range(ROUNDS)]
    return [at_most(GOAL_MS, "schedule_to_start_p99_ms", median(p99s_ms))]


def _p99_ms(client: Connection, service: Connection, address: str) -> float:
    sent, starts_s = _offered(client, service, address, TASKS_PER_ROUND)
    waits_ms = [(starts_s[each.task_id] - each.asked_s) * 1_000 for each in sent]
    answers_ms = [(each.answered_s - each.asked_s) * 1_000 for each in sent]
    started, answered = quantiles(waits_ms, n=100), quantiles(answers_ms, n=100)
    tell(
        f"start: {len(sent)} tasks at {PER_S:g}/s: "
        f"answered p50 {answered[49]:.1f} ms, p99 {answered[98]:.1f} ms; "
        f"StartTask p50 {started[49]:.1f} ms, p99 {started[98]:.1f} ms, max {max(waits_ms):.1f} ms"
    )
    return started[98]


def _offered(
    client: Connection, service: Connection, address: str, count: int
) -> tuple[list[Sent], dict[str, float]]:
    """What was sent, and when each task was started. Every one of them must have been."""
    client.send((address, count, PER_S))
    sent: list[Sent] = heard(client)
    sleep(LAST_START_S)
    service.send("starts")
    starts_s: dict[str, float] = heard(service)
    if missing := sum(each.task_id not in starts_s for each in sent):
        raise AssertionError(f"{missing} of {count} tasks were not started within {LAST_START_S:g} s")
    return sent, starts_s
