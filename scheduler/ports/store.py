"""The store port: durable state, with one writer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.records import IntentRecorded, Record
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, StoredScalingEvent
from scheduler.core.model.task import QueuedTask, Task, TaskEvent, TaskState

SCALING_EVENTS_KEPT = 100_000
"""Scaling events that a compaction leaves. At one a minute that is ten weeks of them, in some 40 MB."""

SCALING_EVENTS_RECALLED = 5_000
"""Scaling events that a start reads: some five a removal, so that an hour of them has a thousand removals."""

WISHES_KEPT = 1_000
"""Wishes that a compaction leaves, so that a client may repeat one. A human makes a few a day."""


class StoreError(Exception):
    """The store cannot do its work; the message is one line for an operator. Nothing was changed."""


class StoreLocked(StoreError):
    """Another process holds the store."""


class StoreCorrupt(StoreError):
    """The file is not a store of ours, of another schema, or damaged."""


class RevisionCompacted(Exception):
    """The events asked for are no longer kept; `oldest` is the first revision that is."""

    def __init__(self, oldest: int) -> None:
        """`oldest` is the first revision that can still be read."""
        super().__init__(f"revisions before {oldest} are compacted")
        self.oldest = oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The records are on disk; revisions of their task events are `first_revision`, +1, +2..."""

    first_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTaken:
    """A TaskSubmitted met an earlier one of the same (tenant, request_id); nothing of its batch is kept."""

    task_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WishTaken:
    """A ScaleRequested met an earlier one of the same request id, `wish`; nothing of its batch is kept."""

    wish: ScaleWish


CommitResult = Written | RequestTaken | WishTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTask:
    """A task that is not terminal, with its present attempt if it has one.

    `attempts_made` counts all of its attempts, `launches` those that used up its retries. `cancelled`: a
    client wants it cancelled. `updated_ms` is when it reached its state, `returned_ms` when it last came back
    to the queue in a way that gives it more time (`core/model/attempt.py:returned_ms`).
    """

    queued: QueuedTask
    state: TaskState
    attempt: Attempt | None
    attempts_made: int
    launches: int
    cancelled: bool
    updated_ms: int
    returned_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """Everything the World is rebuilt from after a start. `live` is in queue order and may be long.

    `wish` is the last one that was committed, expired or not. `scaling` is the end of the scaling log in its
    order, at most SCALING_EVENTS_RECALLED events.
    """

    revision: int
    live: Iterator[LiveTask]
    intents: Sequence[IntentRecorded]
    facts: Mapping[str, str]
    wish: ScaleWish | None = None
    scaling: Sequence[ScalingEvent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks; what is set must all match."""

    tenant: str = ""
    task_ids: frozenset[str] = frozenset()
    build_key: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    states: frozenset[TaskState] = frozenset()

    def matches(self, task: Task) -> bool:
        """True when everything that is set matches, the state included."""
        return self.matches_apart_from_state(task) and (not self.states or task.status.state in self.states)

    def matches_apart_from_state(self, task: Task) -> bool:
        """True when everything but the state matches."""
        return (
            (not self.tenant or task.tenant == self.tenant)
            and (not self.task_ids or task.task_id in self.task_ids)
            and (not self.build_key or task.build_key == self.build_key)
            and all(task.labels.get(key) == value for key, value in self.labels)
        )


class Store(Protocol):
    """Durable state of one scheduler.

    Who calls: `commit` the writer's thread alone; `load` the start alone; the readers any thread.
    Opening raises StoreLocked or StoreCorrupt. Every method may raise StoreError. A store has an `epoch`,
    made when it is created and never again: tokens that name another epoch are not of this store.
    """

    @property
    def epoch(self) -> str:
        """Identity of this store: 16 hexadecimal characters."""
        ...

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        """Makes the batches durable in one sync of the disk, in order; each batch wholly or not at all.

        Only a taken request or wish refuses a batch; any error refuses all of them. A duplicate within one
        call is refused like an older one. At return the records survive power loss.
        """
        ...

    def load(self) -> StoredState:
        """Everything that is not terminal, read once at the start."""
        ...

    def revision(self) -> int:
        """The last revision that was committed; 0 for an empty store."""
        ...

    def get(self, task_id: str) -> Task | None:
        """One whole task with its spec and its last 10 attempts."""
        ...

    def find_request(self, tenant: str, request_id: str) -> RequestTaken | None:
        """The task that a request has become, if it has and the task is not forgotten."""
        ...

    def list_tasks(self, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        """Tasks with ids after `after_task_id`, in order of id, without spec and with their last attempt."""
        ...

    def events_after(self, revision: int, limit: int) -> list[TaskEvent]:
        """Events of later revisions in order. Raises RevisionCompacted when the next one is gone."""
        ...

    def scaling_sequence(self) -> int:
        """The sequence of the last scaling event; 0 for an empty log."""
        ...

    def scaling_events_after(self, sequence: int, limit: int) -> list[StoredScalingEvent]:
        """Later scaling events in order; raises RevisionCompacted when the next one is gone.

        The last SCALING_EVENTS_KEPT at least are kept.
        """
        ...

    def compact(self, before_revision: int) -> None:
        """Forgets events of revisions below `before_revision`; tasks stay.

        Of scaling events and wishes it leaves the last SCALING_EVENTS_KEPT and WISHES_KEPT.
        """
        ...

    def forget_tasks(self, stopped_before_ms: int, limit: int) -> int:
        """Forgets at most `limit` tasks that ended before then, the first first; returns how many.

        With them go their attempts, their requests, which are free again, and all events up to the last of
        theirs: the log has no gaps, and no event is without its task. A later attempt of theirs is not kept.
        """
        ...

    def scrub(self) -> bool:
        """Takes what was dropped out of all files: environment values of tasks that have ended.

        False when somebody still reads an earlier version: ask again later. A commit waits for it.
        """
        ...

    def close(self) -> None:
        """Releases the file and its lock. Safe to call twice."""
        ...
