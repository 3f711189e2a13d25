"""The definitions: which configurations are registered, and who waits for one that is not.

A revision is registered once per content hash: while one registration is under way nobody asks again
(single flight), and tasks of known configurations never wait for it.
"""

from itertools import chain, islice

from scheduler.core.model.answers import Failure
from scheduler.core.model.backlog import WantedDefinition
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import QueuedTask

_OFFERED = 20
"""Unregistered definitions shown to one decision: RegisterTaskDefinition's burst (ECS request throttling)."""


class Definitions:
    """Content hashes by what is known of them."""

    def __init__(self, policy: Policy) -> None:
        """Nothing is registered."""
        self._policy = policy
        self.registered: dict[str, str] = {}
        self._waiting: dict[str, dict[str, QueuedTask]] = {}
        self._under_way: set[str] = set()
        self._rejected: dict[str, Failure] = {}
        self._rejected_tasks: dict[str, tuple[QueuedTask, Failure]] = {}
        self._rests: dict[str, tuple[int, int]] = {}

    def wait(self, task: QueuedTask) -> None:
        """A task waits for its definition."""
        self._waiting.setdefault(task.definition_key, {})[task.task_id] = task

    def leave(self, task: QueuedTask) -> None:
        """A task waits no longer, for whatever reason."""
        waiting = self._waiting.get(task.definition_key, {})
        waiting.pop(task.task_id, None)
        self._rejected_tasks.pop(task.task_id, None)
        if not waiting:
            self._waiting.pop(task.definition_key, None)
            self._rejected.pop(task.definition_key, None)

    def begin(self, key: str) -> None:
        """A registration is under way."""
        self._under_way.add(key)

    def expect(self, key: str) -> bool:
        """A revision of it was found; False if it has one already, or one is being registered.

        Until the finding is durable nobody asks for another one.
        """
        if key in self.registered or key in self._under_way:
            return False
        self._under_way.add(key)
        return True

    def register(self, key: str, arn: str) -> tuple[QueuedTask, ...]:
        """The definition is registered; returns the tasks that waited for it, oldest first."""
        self.registered[key] = arn
        self._under_way.discard(key)
        self._rests.pop(key, None)
        return tuple(self._waiting.pop(key, {}).values())

    def withdraw(self, key: str) -> None:
        """The registered revision cannot be used any more."""
        self.registered.pop(key, None)

    def finish(self, key: str) -> None:
        """The registration is no longer under way, however it ended."""
        self._under_way.discard(key)

    def rest(self, key: str, now_ms: int) -> None:
        """The registration did not succeed for now: throttled, collided, or its answer was lost."""
        _, failures = self._rests.get(key, (0, 0))
        pauses = self._policy.registration_pauses_ms
        self._rests[key] = (now_ms + pauses[min(failures, len(pauses) - 1)], failures + 1)

    def reject(self, key: str, failure: Failure) -> None:
        """AWS refused the definition for good."""
        if key in self._waiting:
            self._rejected[key] = failure

    def reject_task(self, key: str, task_id: str, failure: Failure) -> None:
        """The definition could not be made from this task; another one may still give it."""
        task = self._waiting.get(key, {}).get(task_id)
        if task is not None:
            self._rejected_tasks[task_id] = (task, failure)

    def wanted(self, now_ms: int) -> tuple[WantedDefinition, ...]:
        """Definitions to register now, the one that was needed first at the front."""
        ready = (
            WantedDefinition(definition_key=key, task_id=next(iter(tasks)))
            for key, tasks in self._waiting.items()
            if key not in self._under_way
            and key not in self._rejected
            and self._rests.get(key, (0, 0))[0] <= now_ms
        )
        return tuple(islice(ready, _OFFERED))

    def rejected(self, limit: int) -> tuple[tuple[QueuedTask, Failure], ...]:
        """At most `limit` tasks that will never have a definition, with the answer that says so."""
        doomed = (
            (task, failure)
            for key, failure in self._rejected.items()
            for task in self._waiting.get(key, {}).values()
        )
        return tuple(islice(chain(self._rejected_tasks.values(), doomed), limit))

    def next_ms(self) -> int | None:
        """When the next rest of a wanted definition is over; outcomes of calls are not waited for here."""
        rests = (
            until
            for key, (until, _) in self._rests.items()
            if key in self._waiting and key not in self._under_way and key not in self._rejected
        )
        return min(rests, default=None)
