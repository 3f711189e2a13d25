"""What a commit writes: batches of records folded into the rows of `commit.sql`."""

from collections.abc import Sequence
from typing import Any

from scheduler.adapters.sqlite import codec
from scheduler.adapters.sqlite.known import Known, Span
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.records import (
    AttemptRecorded,
    CancelRequested,
    FactRecorded,
    IntentRecorded,
    Record,
    ScaleRequested,
    ScalingRecorded,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.task import TERMINAL_STATES, TaskState, TaskStatus
from scheduler.ports.store import CommitResult, Written

Row = tuple[Any, ...]

_BEFORE_RUNNING = frozenset({TaskState.QUEUED, TaskState.ASSIGNED, TaskState.STARTING})


class Journal:
    """The rows of one commit. `revision` and `sequence` (of scaling events) are the last given out so far."""

    def __init__(self, known: Known, *, revision: int, sequence: int) -> None:
        self.revision = revision
        self.sequence = sequence
        self._known = known
        self._tasks: list[Row] = []
        self._requests: list[Row] = []
        self._secrets: list[Row] = []
        self._statuses: dict[str, Row] = {}
        self._ended: list[str] = []
        self._cancels: list[str] = []
        self._attempts: list[Row] = []
        self._intents: list[Row] = []
        self._events: list[Row] = []
        self._facts: list[Row] = []
        self._scaling_events: list[Row] = []
        self._wishes: list[Row] = []

    def add(self, batch: Sequence[Record]) -> CommitResult:
        """Takes the batch in, unless a request or wish of it is taken."""
        refusal = self._known.refusal(batch)
        if refusal is not None:
            return refusal
        first_revision = self.revision + 1
        for record in batch:
            self._add(record)
        return Written(first_revision=first_revision)

    def parameters(self) -> tuple[str, ...]:
        """The columns of `commit_row`, in their order."""
        columns = (
            self._tasks,
            self._requests,
            self._secrets,
            list(self._statuses.values()),
            self._ended,
            self._cancels,
            self._attempts,
            self._intents,
            self._events,
            self._facts,
            self._scaling_events,
            self._wishes,
        )
        return tuple(map(codec.text, columns))

    def _add(self, record: Record) -> None:
        match record:
            case TaskSubmitted():
                self._submitted(record)
            case TaskTransitioned():
                self._transitioned(record)
            case AttemptRecorded():
                self._attempt(record.attempt)
            case CancelRequested():
                self._cancel_requested(record)
            case IntentRecorded():
                self._intents.append((record.kind, record.key, record.state, record.payload))
            case FactRecorded():
                self._facts.append((record.key, record.value))
            case ScaleRequested(wish=wish):
                self._wishes.append((wish.request_id, codec.wish_text(wish)))
            case ScalingRecorded():
                self._scaled(record)

    def _submitted(self, record: TaskSubmitted) -> None:
        request, ask, timeouts = record.request, record.ask, record.request.timeouts
        status = TaskStatus(state=TaskState.QUEUED, revision=self._next_revision(), updated_ms=record.at_ms)
        self._tasks.append(
            (
                record.task_id,
                request.tenant,
                request.request_id,
                record.fingerprint,
                request.priority,
                ask.cpu,
                ask.memory_mib,
                ask.gpus,
                record.build_key,
                record.definition_key,
                record.main_container,
                timeouts.queue_ms,
                timeouts.start_ms,
                timeouts.run_ms,
                request.may_run_again,
                status.revision,
                record.at_ms,
                ask.architecture,
                ask.exclusive,
            )
        )
        spec, secrets = codec.spec_text(request.spec)
        self._requests.append((record.task_id, codec.text(request.labels), spec))
        if secrets:
            self._secrets.append((record.task_id, codec.text(secrets)))
        self._known.keep(record.task_id, Span())
        self._event(record.task_id, codec.Change(previous_state=None, status=status, attempt=None))

    def _transitioned(self, record: TaskTransitioned) -> None:
        status = self._status_after(record)
        reason = codec.stop_reason_text(status.stop_reason)
        self._statuses[record.task_id] = (
            record.task_id,
            status.state,
            status.revision,
            status.updated_ms,
            status.started_ms,
            status.stopped_ms,
            reason,
        )
        if status.stopped_ms is not None:
            self._ended.append(record.task_id)
        if record.attempt is not None:
            self._attempt(record.attempt)
        change = codec.Change(previous_state=record.previous, status=status, attempt=record.attempt)
        self._event(record.task_id, change)

    def _status_after(self, record: TaskTransitioned) -> TaskStatus:
        span = Span(
            started_ms=_started_ms(self._known.span(record.task_id), record),
            stopped_ms=record.at_ms if record.state in TERMINAL_STATES else None,
        )
        self._known.keep(record.task_id, span)
        return TaskStatus(
            state=record.state,
            revision=self._next_revision(),
            updated_ms=record.at_ms,
            started_ms=span.started_ms,
            stopped_ms=span.stopped_ms,
            stop_reason=record.stop_reason,
        )

    def _cancel_requested(self, record: CancelRequested) -> None:
        if self._known.span(record.task_id).stopped_ms is None:
            self._cancels.append(record.task_id)

    def _attempt(self, attempt: Attempt) -> None:
        if not self._known.has(attempt.task_id):
            return  # a stray of a task that is forgotten: its row would stay for ever
        payload = codec.attempt_text(attempt)
        self._attempts.append((attempt.attempt_id, attempt.task_id, attempt.number, payload))

    def _scaled(self, record: ScalingRecorded) -> None:
        self.sequence += 1
        self._scaling_events.append((self.sequence, codec.scaling_event_text(record.event)))

    def _event(self, task_id: str, change: codec.Change) -> None:
        self._events.append((change.status.revision, task_id, codec.change_text(change)))

    def _next_revision(self) -> int:
        self.revision += 1
        return self.revision


def _started_ms(before: Span, record: TaskTransitioned) -> int | None:
    if record.state in _BEFORE_RUNNING:
        return None  # the attempt that ran is not the present one any more
    if record.state is TaskState.RUNNING and before.started_ms is None:
        return record.at_ms
    return before.started_ms
