"""Breakers: configurations whose tasks rest, because they fail to start wherever they go.

    closed -> RESTING -> TRYING -> RELEASED -> forgotten after a window without a failure
                 ^          |         |
                 |__________|_________|   it failed again: a longer rest
    any of them -> closed: it started well

When the rest is over the task that has waited longest tries first; the others follow a while later unless it
fails. What rests is no demand: nothing is bought for it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from scheduler.core.model.backlog import RestingGroup
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import QueuedTask
from scheduler.core.world.starts import FailedStart


class _Phase(Enum):
    RESTING = auto()
    TRYING = auto()
    RELEASED = auto()


@dataclass(slots=True)
class _Breaker:
    """`since_ms` is when it tripped last: what was begun before is no news. `shelf` are its waiting tasks."""

    since_ms: int
    due_ms: int
    trips: int
    name: str
    message: str
    phase: _Phase = _Phase.RESTING
    shelf: dict[str, QueuedTask] = field(default_factory=dict)


class Breakers:
    """By definition key."""

    def __init__(self, policy: Policy) -> None:
        """All are closed."""
        self._policy = policy
        self._tripped: dict[str, _Breaker] = {}

    def trip(self, failure: FailedStart, now_ms: int) -> bool:
        """The configuration fails everywhere, or failed again; False if that is no news of it."""
        breaker = self._tripped.get(failure.key)
        if breaker is not None and failure.begun_ms < breaker.since_ms:
            return False
        trips = breaker.trips + 1 if breaker else 1
        pauses = self._policy.breaker_pauses_ms
        due_ms = now_ms + pauses[min(trips, len(pauses)) - 1]
        shelf = breaker.shelf if breaker else {}
        self._tripped[failure.key] = _Breaker(
            now_ms, due_ms, trips, failure.name, failure.message, shelf=shelf
        )
        return True

    def close(self, key: str, at_ms: int) -> tuple[QueuedTask, ...]:
        """It started well at that time; returns the tasks that rested.

        One that started before it tripped, and is heard of again, says nothing.
        """
        breaker = self._tripped.get(key)
        if breaker is None or at_ms < breaker.since_ms:
            return ()
        del self._tripped[key]
        return tuple(breaker.shelf.values())

    def is_tripped(self, key: str) -> bool:
        """Whether one more failure makes its tasks rest."""
        return key in self._tripped

    def rests(self, key: str) -> bool:
        """Whether its tasks are to rest."""
        breaker = self._tripped.get(key)
        return breaker is not None and breaker.phase is not _Phase.RELEASED

    def shelve(self, task: QueuedTask) -> None:
        """A task of a resting configuration waits here and not in the backlog."""
        self._tripped[task.definition_key].shelf[task.task_id] = task

    def leave(self, task: QueuedTask) -> bool:
        """A task waits no longer; True if it waited here."""
        breaker = self._tripped.get(task.definition_key)
        return breaker is not None and breaker.shelf.pop(task.task_id, None) is not None

    def holds(self, task: QueuedTask) -> bool:
        """Whether the task waits here."""
        breaker = self._tripped.get(task.definition_key)
        return breaker is not None and task.task_id in breaker.shelf

    def release(self, now_ms: int) -> list[QueuedTask]:
        """The tasks that may try now: of each configuration the first, and later the others."""
        released: list[QueuedTask] = []
        for key, breaker in list(self._tripped.items()):
            if now_ms < breaker.due_ms:
                continue
            waiting = sorted(breaker.shelf.values(), key=lambda each: each.enqueue_revision)
            if breaker.phase is _Phase.RESTING:
                waiting = waiting[:1]
                breaker.phase, pause_ms = _Phase.TRYING, self._policy.breaker_trial_ms
            elif breaker.phase is _Phase.TRYING:
                breaker.phase, pause_ms = _Phase.RELEASED, self._policy.start_window_ms
            else:
                del self._tripped[key]
                continue
            breaker.due_ms = now_ms + pause_ms
            for task in waiting:
                del breaker.shelf[task.task_id]
            released += waiting
        return released

    def next_ms(self) -> int | None:
        """When the next rest is over."""
        return min((each.due_ms for each in self._tripped.values()), default=None)

    def resting(self) -> Iterator[RestingGroup]:
        """The tasks that wait here."""
        for breaker in self._tripped.values():
            shapes = Counter((each.tenant, each.priority, each.ask) for each in breaker.shelf.values())
            why = f"its configuration {breaker.name} fails to start and rests"
            for (tenant, priority, ask), count in shapes.items():
                yield RestingGroup(tenant=tenant, priority=priority, ask=ask, count=count, why=why)

    def message(self) -> str:
        """The condition that stands while tasks rest."""
        standing = [each for each in self._tripped.values() if each.phase is not _Phase.RELEASED]
        if not standing:
            return ""
        named = "; ".join(
            f"{each.name} ({len(each.shelf)} tasks wait, the last failed with {each.message!r})"
            for each in standing[:_NAMED]
        )
        others = f"; and {len(standing) - _NAMED} others" if len(standing) > _NAMED else ""
        return (
            "these configurations fail to start wherever they go while others start well there: their tasks "
            f"rest and are tried again: {named}{others}; correct the image, the entry point or the roles"
        )


_NAMED = 5
"""Configurations that a condition names."""
