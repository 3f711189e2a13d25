"""MemoryStore: the store port without a disk."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import nsmallest
from threading import Lock

from scheduler.adapters.memory.requests import Requests
from scheduler.adapters.memory.scaling import ScalingLog
from scheduler.adapters.memory.secrets import masked
from scheduler.core.model.attempt import Attempt, returned_ms
from scheduler.core.model.records import (
    AttemptRecorded,
    CancelRequested,
    FactRecorded,
    IntentRecorded,
    IntentState,
    Record,
    ScaleRequested,
    ScalingRecorded,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.reservation import reservation_prefix
from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.core.model.task import (
    TERMINAL_STATES,
    QueuedTask,
    Task,
    TaskEvent,
    TaskState,
    TaskStatus,
)
from scheduler.ports.store import (
    SCALING_EVENTS_KEPT,
    SCALING_EVENTS_RECALLED,
    CommitResult,
    LiveTask,
    RequestTaken,
    RevisionCompacted,
    StoredState,
    StoreError,
    TaskFilter,
    Written,
)

_ATTEMPTS_SHOWN = 10


class MemoryStore:
    """Durable for as long as the object lives, so a virtual crash keeps it and drops everything else.

    `fail_next`, when set, is raised by the next commit, which then has changed nothing, as a full disk
    would have it.
    """

    def __init__(
        self, *, epoch: str = "00000000c0ffee00", scaling_events_kept: int = SCALING_EVENTS_KEPT
    ) -> None:
        self.fail_next: StoreError | None = None
        self._epoch = epoch
        self._lock = Lock()
        self._revision = 0
        self._oldest = 1
        self._tasks: dict[str, Task] = {}
        self._queued: dict[str, QueuedTask] = {}
        self._cancelled: set[str] = set()
        self._requests = Requests()
        self._attempts: defaultdict[str, dict[str, Attempt]] = defaultdict(dict)
        self._events: list[TaskEvent] = []
        self._intents: dict[tuple[str, str], IntentRecorded] = {}
        self._facts: dict[str, str] = {}
        self._scaling = ScalingLog(scaling_events_kept)

    @property
    def epoch(self) -> str:
        """Identity of this store, as it was made."""
        return self._epoch

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        """Applies the batches in order. Refusals are settled first, so that an error changes nothing."""
        with self._lock:
            if self.fail_next is not None:
                error, self.fail_next = self.fail_next, None
                raise error
            refusals = self._requests.refusals(batches)
            self._check_changes(
                record
                for batch, refusal in zip(batches, refusals, strict=True)
                if refusal is None
                for record in batch
            )
            return [refusal or self._apply(batch) for batch, refusal in zip(batches, refusals, strict=True)]

    def load(self) -> StoredState:
        """Everything that is not terminal."""
        with self._lock:
            live = [self._live(task_id) for task_id, task in self._tasks.items() if not _ended(task)]
            live.sort(key=lambda task: (-task.queued.priority, task.queued.enqueue_revision))
            return StoredState(
                revision=self._revision,
                live=iter(live),
                intents=tuple(self._intents[key] for key in sorted(self._intents)),
                facts=dict(self._facts),
                wish=self._requests.last_wish(),
                scaling=self._scaling.last(SCALING_EVENTS_RECALLED),
            )

    def revision(self) -> int:
        """The last revision that was committed."""
        return self._revision

    def get(self, task_id: str) -> Task | None:
        """One whole task."""
        with self._lock:
            task = self._tasks.get(task_id)
            if task is None:
                return None
            return replace(task, attempts=self._attempts_of(task_id)[-_ATTEMPTS_SHOWN:])

    def find_request(self, tenant: str, request_id: str) -> RequestTaken | None:
        """The task that a request has become, if it has."""
        with self._lock:
            return self._requests.find(tenant, request_id)

    def list_tasks(self, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        """Tasks after `after_task_id`, in order of id."""
        with self._lock:
            ids = sorted(
                task_id
                for task_id, task in self._tasks.items()
                if task_id > after_task_id and wanted.matches(task)
            )
            return [
                replace(self._tasks[task_id], spec=None, attempts=self._attempts_of(task_id)[-1:])
                for task_id in ids[:limit]
            ]

    def events_after(self, revision: int, limit: int) -> list[TaskEvent]:
        """Events of later revisions."""
        with self._lock:
            if revision + 1 < self._oldest:
                raise RevisionCompacted(self._oldest)
            first = revision + 1 - self._oldest
            return self._events[first : first + limit]

    def scaling_sequence(self) -> int:
        """The sequence of the last scaling event."""
        return self._scaling.sequence

    def scaling_events_after(self, sequence: int, limit: int) -> list[StoredScalingEvent]:
        """Later scaling events."""
        with self._lock:
            return self._scaling.after(sequence, limit)

    def compact(self, before_revision: int) -> None:
        """Forgets old events, and trims the logs of scaling events and wishes."""
        with self._lock:
            self._keep_from(min(before_revision, self._revision + 1))
            self._scaling.compact()
            self._requests.compact()

    def forget_tasks(self, stopped_before_ms: int, limit: int) -> int:
        """Forgets stopped tasks and the history up to them."""
        with self._lock:
            stopped = (
                (stopped_ms, task.status.revision, task)
                for task in self._tasks.values()
                if (stopped_ms := task.status.stopped_ms) is not None and stopped_ms < stopped_before_ms
            )
            forgotten = nsmallest(limit, stopped)  # no two have one revision, so no tasks are compared
            for _, revision, task in forgotten:
                self._keep_from(revision + 1)
                self._forget(task)
            return len(forgotten)

    def scrub(self) -> bool:
        """There are no files."""
        return True

    def close(self) -> None:
        """Nothing is held."""

    def _keep_from(self, oldest: int) -> None:
        oldest = max(self._oldest, oldest)
        del self._events[: oldest - self._oldest]
        self._oldest = oldest

    def _forget(self, task: Task) -> None:
        del self._tasks[task.task_id], self._queued[task.task_id]
        self._requests.forget(task)
        self._attempts.pop(task.task_id, None)
        self._cancelled.discard(task.task_id)

    def _check_changes(self, records: Iterable[Record]) -> None:
        """Raises when a task that is not here is to change."""
        task_ids: set[str] = set()
        for record in records:
            match record:
                case TaskSubmitted(task_id=task_id):
                    task_ids.add(task_id)
                case TaskTransitioned(task_id=task_id) | CancelRequested(task_id=task_id):
                    if task_id not in self._tasks and task_id not in task_ids:
                        raise StoreError(f"task {task_id} is not in the store and cannot change")

    def _apply(self, batch: Sequence[Record]) -> Written:
        first_revision = self._revision + 1
        for record in batch:
            match record:
                case TaskSubmitted():
                    self._submit(record)
                case TaskTransitioned():
                    self._transition(record)
                case AttemptRecorded():
                    self._record_attempt(record.attempt)
                case CancelRequested():
                    self._request_cancel(record.task_id)
                case IntentRecorded():
                    self._record_intent(record)
                case FactRecorded():
                    self._record_fact(record)
                case ScaleRequested():
                    self._requests.take(record)
                case ScalingRecorded(event=event):
                    self._scaling.add(event)
        return Written(first_revision=first_revision)

    def _submit(self, record: TaskSubmitted) -> None:
        self._revision += 1
        self._requests.take(record)
        self._queued[record.task_id] = replace(record.queued(self._revision), image="")
        status = TaskStatus(state=TaskState.QUEUED, revision=self._revision, updated_ms=record.at_ms)
        self._keep(_new_task(record, status), None, None)

    def _transition(self, record: TaskTransitioned) -> None:
        task = self._tasks[record.task_id]
        ended = record.state in TERMINAL_STATES
        self._revision += 1
        status = TaskStatus(
            state=record.state,
            revision=self._revision,
            updated_ms=record.at_ms,
            started_ms=_started_ms(task.status, record),
            stopped_ms=record.at_ms if ended else None,
            stop_reason=record.stop_reason,
        )
        if ended:
            task = replace(task, spec=masked(task.spec))
        if record.attempt is not None:
            self._record_attempt(record.attempt)
        self._keep(replace(task, status=status), record.previous, record.attempt)

    def _keep(self, task: Task, previous: TaskState | None, attempt: Attempt | None) -> None:
        self._tasks[task.task_id] = task
        shown = replace(task, spec=None, attempts=() if attempt is None else (attempt,))
        self._events.append(TaskEvent(revision=self._revision, previous_state=previous, task=shown))

    def _request_cancel(self, task_id: str) -> None:
        if not _ended(self._tasks[task_id]):
            self._cancelled.add(task_id)

    def _record_attempt(self, attempt: Attempt) -> None:
        if attempt.task_id in self._tasks:
            self._attempts[attempt.task_id][attempt.attempt_id] = attempt

    def _record_intent(self, intent: IntentRecorded) -> None:
        if intent.state is IntentState.OPEN:
            self._intents[intent.kind, intent.key] = intent
        else:
            self._intents.pop((intent.kind, intent.key), None)

    def _record_fact(self, fact: FactRecorded) -> None:
        if fact.value:
            self._facts[fact.key] = fact.value
        else:
            self._facts.pop(fact.key, None)

    def _attempts_of(self, task_id: str) -> tuple[Attempt, ...]:
        return tuple(sorted(self._attempts[task_id].values(), key=lambda attempt: attempt.number))

    def _live(self, task_id: str) -> LiveTask:
        attempts, status = self._attempts_of(task_id), self._tasks[task_id].status
        queued = self._queued[task_id]
        prefix = reservation_prefix(queued.tenant, queued.build_key)
        if not any(key.startswith(prefix) for key in self._facts):
            queued = replace(queued, result_id="")
        return LiveTask(
            queued=queued,
            state=status.state,
            attempt=attempts[-1] if attempts and attempts[-1].holds_room else None,
            attempts_made=len(attempts),
            launches=sum(attempt.counted for attempt in attempts),
            cancelled=task_id in self._cancelled,
            updated_ms=status.updated_ms,
            returned_ms=returned_ms(attempts),
        )


def _ended(task: Task) -> bool:
    return task.status.state in TERMINAL_STATES


def _started_ms(before: TaskStatus, record: TaskTransitioned) -> int | None:
    """When the present attempt was first seen to run; a requeued task has none."""
    if record.state is TaskState.RUNNING:
        return before.started_ms if before.started_ms is not None else record.at_ms
    over = record.state is TaskState.STOPPING or record.state in TERMINAL_STATES
    return before.started_ms if over else None


def _new_task(record: TaskSubmitted, status: TaskStatus) -> Task:
    request = record.request
    return Task(
        task_id=record.task_id,
        request_id=request.request_id,
        tenant=request.tenant,
        priority=request.priority,
        labels=dict(request.labels),
        build_key=record.build_key,
        ask=record.ask,
        submitted_ms=record.at_ms,
        status=status,
        timeouts=request.timeouts,
        may_run_again=request.may_run_again,
        spec=request.spec,
    )
