"""Bench `schedule`: durable `Schedule` calls of 64 callers, beside a server that does nothing.

Subject: the whole service, every answer given after its task is on disk, while the cluster is full and AWS is
quiet. Baseline: an empty grpc.aio server on uvloop with the same messages. Both are asked by the same client
in a process of its own; servers have one core, the client the other.
"""

from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks import schedule_client
from benchmarks.measure import Ratio, at_least, at_most, medians, tell
from benchmarks.processes import CLIENT_CORE, SERVER_CORE, address_of, heard, running
from benchmarks.schedule_client import Round
from benchmarks.schedule_servers import serve_echo, serve_schedule
from scheduler.adapters.sqlite.store import SqliteStore

ROUNDS = 5
ROUND_S = 3.0
WARM_UP_S = 1.0

GOAL_OF_ECHO = 0.5
GOAL_P99_OF_ECHO = 5.0


class Subject:
    """One of the servers, as the client sees it."""

    def __init__(self, name: str, address: str, *, server: Connection, client: Connection) -> None:
        """Lets the server warm up."""
        self._name = name
        self._address = address
        self._server = server
        self._client = client
        self.answers = 0
        self.p99s_ms: list[float] = []
        self._ask(WARM_UP_S)

    def calls_per_s(self) -> float:
        """One round."""
        before_s = self._cpu_s()
        seen = self._ask(ROUND_S)
        cpu_us = (self._cpu_s() - before_s) / seen.answers * 1e6
        rate = seen.answers / seen.seconds
        centiles_ms = [each * 1_000 for each in quantiles(seen.latencies_s, n=100)]
        self.p99s_ms.append(centiles_ms[98])
        tell(
            f"schedule: {self._name}: {rate:,.0f} calls/s, {cpu_us:,.0f} us of CPU a call, "
            f"p50 {centiles_ms[49]:.1f} ms, p99 {centiles_ms[98]:.1f} ms"
        )
        return rate

    def _ask(self, seconds: float) -> Round:
        self._client.send((self._address, seconds))
        seen: Round = heard(self._client)
        self.answers += seen.answers
        return seen

    def _cpu_s(self) -> float:
        self._server.send("cpu")
        used_s: float = heard(self._server)
        return used_s


def run() -> list[Ratio]:
    """The service's rate as a share of the echo's, and its p99 as a multiple."""
    with TemporaryDirectory(prefix="ecs-scheduler-bench-") as directory:
        store = Path(directory) / "store.sqlite3"
        with (
            running(schedule_client.call, core=CLIENT_CORE) as client,
            running(serve_echo, core=SERVER_CORE) as echo,
            running(serve_schedule, store, core=SERVER_CORE) as service,
        ):
            subjects = {
                "service": Subject("service", address_of(service), server=service, client=client),
                "echo": Subject("echo", address_of(echo), server=echo, client=client),
            }
            rates = medians(ROUNDS, {name: each.calls_per_s for name, each in subjects.items()})
        _check_kept(store, subjects["service"].answers)
    slower = median(subjects["service"].p99s_ms) / median(subjects["echo"].p99s_ms)
    return [
        at_least(GOAL_OF_ECHO, "schedule_of_echo", rates["service"] / rates["echo"]),
        at_most(GOAL_P99_OF_ECHO, "schedule_p99_of_echo", slower),
    ]


def _check_kept(path: Path, answers: int) -> None:
    """Every OK is a promise: the store, opened anew, has as many tasks as there were answers."""
    store = SqliteStore(path)
    kept = sum(1 for _ in store.load().live)
    store.close()
    if kept != answers:
        raise AssertionError(f"{answers:,} answers, but {kept:,} tasks in the store")
    tell(f"schedule: {answers:,} answers, and as many tasks in the store")
