"""The feed: requests sent when each is due, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, WatchTasksRequest
from scheduler.cli import words
from scheduler.cli.demo.story import waited
from scheduler.client.connection import Connection
from scheduler.client.refusal import Refusal, Refused
from scheduler.client.submission import submit
from scheduler.client.watching import Interruption, watch_tasks

CALLS_AT_ONCE = 64
"""A push of a hundred jobs comes at one moment; the server commits what comes together together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A request, and when it is to be sent: real seconds after the beginning."""

    at_s: float
    row: int
    request: ScheduleRequest


@dataclass(slots=True)
class Tally:
    """What came of the requests so far."""

    accepted: set[str] = field(default_factory=set)
    """Ids of tasks."""

    refused: Counter[str] = field(default_factory=Counter)
    """How many, by reason."""

    first_refused: dict[str, tuple[int, Refusal]] = field(default_factory=dict)
    """Of each reason the first row, and what was said of it."""

    late_s: list[float] = field(default_factory=list)
    """How long after its time each request was sent, in real seconds."""

    @property
    def answered(self) -> int:
        """Requests with an answer, whichever."""
        return len(self.accepted) + self.refused.total()

    def refuse(self, row: int, refusal: Refusal) -> None:
        """The service will not have it."""
        reason = refusal.reason or refusal.code.name
        self.refused[reason] += 1
        # Answers overtake each other.
        if row < self.first_refused.get(reason, (row + 1, refusal))[0]:
            self.first_refused[reason] = (row, refusal)


@dataclass(slots=True)
class Endings:
    """How tasks ended, and how long they had waited."""

    states: Counter[str] = field(default_factory=Counter)
    waited_s: list[float] = field(default_factory=list)
    """From acceptance until it ran, or ended without; the service's time."""


class Feed:
    """Sends each request when it is due, or as soon after as there is room for one more call."""

    def __init__(
        self, connection: Connection, *, retry_for_s: float, answered: Callable[[Tally], None]
    ) -> None:
        """`answered` is told after every answer."""
        self._connection = connection
        self._retry_for_s = retry_for_s
        self._answered = answered
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self._tally = Tally()

    async def send(self, requests: Iterable[Due]) -> Tally:
        """What came of them. Raises Unreachable after `retry_for_s` without an answer."""
        lost: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as calls:
                await self._send_all(requests, calls)
        except* Exception as group:
            # All calls wait for the same server: what the first one says is what they all would say.
            lost += group.exceptions
        if lost:
            raise lost[0]
        return self._tally

    async def _send_all(self, requests: Iterable[Due], calls: asyncio.TaskGroup) -> None:
        real_time_s = asyncio.get_running_loop().time
        beginning_s = real_time_s()
        for due in requests:
            await asyncio.sleep(beginning_s + due.at_s - real_time_s())
            await self._room.acquire()
            self._tally.late_s.append(real_time_s() - beginning_s - due.at_s)
            calls.create_task(self._send(due))

    async def _send(self, due: Due) -> None:
        try:
            task = await submit(self._connection, due.request, retry_for_s=self._retry_for_s)
            self._tally.accepted.add(task.task_id)
        except Refused as error:
            self._tally.refuse(due.row, error.refusal)
        finally:
            self._room.release()
        self._answered(self._tally)


async def until_ended(
    connection: Connection,
    request: WatchTasksRequest,
    task_ids: Collection[str],
    *,
    retry_for_s: float,
    interrupted: Callable[[Interruption], None],
    ended: Callable[[Endings], None],
) -> Endings:
    """How these tasks ended, once all have. `ended` is told with every message of the watch.

    Raises Refused, or Unreachable after `retry_for_s` without a message.
    """
    missing, endings = set(task_ids), Endings()
    messages = watch_tasks(connection, request, retry_for_s=retry_for_s, interrupted=interrupted)
    async for message in messages:
        for event in message.events:
            if event.task.state in words.TERMINAL and event.task.task_id in missing:
                missing.discard(event.task.task_id)
                endings.states[words.state(event.task.state)] += 1
                endings.waited_s.append(waited(event.task, 0).total_seconds())
        ended(endings)
        if not missing:
            break
    return endings
