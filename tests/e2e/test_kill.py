"""A burst of three hundred agents, while the service is killed and halted again and again."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, WatchTasksRequest
from ecs_scheduler.v1.task_pb2 import Task, TaskEvent, TaskState
from ecs_scheduler.v1.task_spec_pb2 import Container, ContainersSpec
from scheduler.client.connection import Connection, connected
from scheduler.client.submission import submit
from scheduler.client.watching import watch_tasks
from tests.e2e.programs import Program, SimulatedAccount, simulated_account, start_service

TASKS = 300
ACCEPTED_BEFORE_FIRST_KILL = 30
KILLS = HALTS = 10
HALT_S = 0.7
PATIENCE_S = 60.0
_POLL_S = 0.002

# Thirty times as fast: agents work for 3 to 6 s of real time, an instance boots in 2 to 4 s and holds eight.
SIMULATION = ("--rate", "30", "--min", "1", "--desired", "1", "--max", "14", "--run-s", "90:180")


class Burst:
    """One simulated AWS, one store, one address, and a service that dies and comes back."""

    def __init__(self, directory: Path, account: SimulatedAccount) -> None:
        self.account = account
        self._directory = directory
        self._service = start_service(directory, account.url)
        self.address = self._service.ready
        self.synced = asyncio.Event()
        self.events: list[TaskEvent] = []
        self.unfinished_at_kills: list[int] = []
        self.halts = 0

    async def halted_once(self, condition: Callable[[], bool]) -> None:
        """SIGSTOP as soon as the condition holds, and SIGCONT a while later."""
        await _until(condition)
        self._service.pause()
        await asyncio.sleep(HALT_S)
        self._service.resume()
        self.halts += 1

    async def killed_once(self, condition: Callable[[], bool]) -> None:
        """SIGKILL as soon as the condition holds, then a new start on the same store and port."""
        await _until(condition)
        self.unfinished_at_kills.append(TASKS - self.stopped())
        self._service.kill()
        self._service = await asyncio.to_thread(self._started)

    async def watched(self, connection: Connection) -> None:
        """Follows every task across all kills until all have succeeded."""
        request = WatchTasksRequest()
        watch = watch_tasks(connection, request, retry_for_s=PATIENCE_S, interrupted=lambda _: None)
        async for message in watch:
            self.events.extend(message.events)
            self.synced.set()
            if Counter(task.state for task in self.tasks().values())[TaskState.TASK_STATE_SUCCEEDED] == TASKS:
                return

    def tasks(self) -> dict[str, Task]:
        """Each task as its last event had it."""
        return {event.task.task_id: event.task for event in self.events}

    def running(self) -> int:
        """How many ECS tasks run just now."""
        changes = Counter(entry["lastStatus"] for entry in self.account.journal("TaskStateChange"))
        return changes["RUNNING"] - changes["STOPPED"]

    def stopped(self) -> int:
        """How many ECS tasks have stopped."""
        return Counter(entry["lastStatus"] for entry in self.account.journal("TaskStateChange"))["STOPPED"]

    def starts(self) -> int:
        """How many ECS tasks AWS has started."""
        return len(self.account.journal("StartTask"))

    def has_started(self, more_than: int) -> bool:
        """Whether AWS has started more ECS tasks than this."""
        return self.starts() > more_than

    def end(self) -> None:
        self._service.end()

    def _started(self) -> Program:
        return start_service(self._directory, self.account.url, listen=self.address)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(_POLL_S)


@pytest.fixture
def burst(tmp_path: Path) -> Iterator[Burst]:
    with simulated_account(tmp_path, *SIMULATION) as account:
        running = Burst(tmp_path, account)
        try:
            yield running
        finally:
            running.end()


def request(number: int) -> ScheduleRequest:
    resources = Resources(cpu_units=2048, memory_mib=8000)
    main = Container(name="agent", image=f"agent:{number % 3}", resources=resources)
    return ScheduleRequest(
        request_id=f"00000000-0000-4000-8000-{number:012}",
        tenant=f"team-{number % 2}",
        containers=ContainersSpec(containers=[main]),
    )


async def accepted(connection: Connection, number: int) -> str:
    return (await submit(connection, request(number), retry_for_s=PATIENCE_S)).task_id


async def survive(burst: Burst) -> list[str]:
    """Submits all requests, kills and halts at points of the burst; the ids of the accepted tasks."""
    async with connected(burst.address) as connection:
        watching = asyncio.create_task(burst.watched(connection))
        await burst.synced.wait()
        first = [await accepted(connection, number) for number in range(ACCEPTED_BEFORE_FIRST_KILL)]
        rest = asyncio.gather(
            *(accepted(connection, number) for number in range(ACCEPTED_BEFORE_FIRST_KILL, TASKS))
        )
        await burst.killed_once(lambda: True)
        ids = [*first, *await rest]
        started = burst.starts()
        await burst.killed_once(lambda: burst.starts() > started)
        await burst.halted_once(lambda: burst.starts() > started + 3)
        await burst.killed_once(lambda: burst.running() > 2)
        for part in range(1, KILLS - 2):
            # At each tenth of the starts: it stands still in the middle of them, and then it dies.
            share = started + (TASKS - started) * part // KILLS
            await burst.halted_once(partial(burst.has_started, share))
            await burst.killed_once(partial(burst.has_started, share + 5))
        while burst.halts < HALTS:
            await burst.halted_once(lambda: True)
        await watching
    return ids


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_kills(burst: Burst) -> None:
    """Killed ten times and halted ten times in a burst, the service starts three hundred agents once each.

    A watch that resumes across all of it misses nothing.
    """
    async with asyncio.timeout(220):
        ids = await survive(burst)
    assert (len(burst.unfinished_at_kills), burst.halts) == (KILLS, HALTS)
    assert min(burst.unfinished_at_kills) > 0, "a kill came too late to hit anything"
    assert burst.account.starts_by_task() == Counter(dict.fromkeys(ids, 1))
    assert len(ids) == TASKS
    assert set(ids) == burst.tasks().keys()
    assert [event.revision for event in burst.events] == list(range(1, len(burst.events) + 1))
