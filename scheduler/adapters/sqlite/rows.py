"""Rows of the readers' `.sql` files as nouns."""

from collections.abc import Iterable, Iterator, Sequence
from sys import intern
from typing import Any

from scheduler.adapters.sqlite import codec
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask, Task, TaskEvent, TaskSpec, TaskState, TaskStatus
from scheduler.ports.store import LiveTask

Row = tuple[Any, ...]


def live_tasks(rows: Iterable[Row]) -> Iterator[LiveTask]:
    """Rows of load.sql. Equal asks are one object, equal words one string: a long queue has few of each."""
    asks: dict[Row, Resources] = {}
    for row in rows:
        size = row[7:10]
        ask = asks.get(size)
        if ask is None:
            ask = asks[size] = _ask(size)
        yield _live_task(row, ask)


def whole_task(row: Row) -> Task:
    """The row of get.sql."""
    *head, spec, secrets, newest_first = row
    values = None if secrets is None else codec.plain(secrets)
    attempts = codec.attempts_of(newest_first)[::-1]
    return _task(head[:10], _status(head[10:]), attempts, codec.spec_of(spec, values))


def listed_tasks(rows: str) -> list[Task]:
    """The JSON array of list.sql."""
    return [_listed_task(row) for row in codec.plain(rows)]


def task_events(rows: str) -> list[TaskEvent]:
    """The JSON array of events.sql."""
    return [_event(row) for row in codec.plain(rows)]


def _live_task(row: Row, ask: Resources) -> LiveTask:
    task_id, tenant, priority, definition_key, main_container, enqueue_revision, submitted_ms = row[:7]
    state, attempts_made, launches, last_attempt = row[10:]
    queued = QueuedTask(
        task_id=task_id,
        tenant=intern(tenant),
        priority=priority,
        ask=ask,
        definition_key=intern(definition_key),
        main_container=intern(main_container),
        enqueue_revision=enqueue_revision,
        submitted_ms=submitted_ms,
    )
    attempt = None if last_attempt is None else codec.attempt_of(last_attempt)
    present = attempt if attempt is not None and attempt.holds_room else None
    return LiveTask(
        queued=queued,
        state=TaskState(state),
        attempt=present,
        attempts_made=attempts_made,
        launches=launches,
    )


def _listed_task(row: list[Any]) -> Task:
    attempts = () if row[16] is None else (codec.attempt_of(row[16]),)
    return _task(row[:10], _status(row[10:16]), attempts)


def _event(row: list[Any]) -> TaskEvent:
    change = codec.change_of(row[10])
    attempts = () if change.attempt is None else (change.attempt,)
    task = _task(row[:10], change.status, attempts)
    return TaskEvent(revision=change.status.revision, previous_state=change.previous_state, task=task)


def _status(columns: list[Any]) -> TaskStatus:
    state, revision, updated_ms, started_ms, stopped_ms, stop_reason = columns
    return TaskStatus(
        state=TaskState(state),
        revision=revision,
        updated_ms=updated_ms,
        started_ms=started_ms,
        stopped_ms=stopped_ms,
        stop_reason=codec.stop_reason_of(stop_reason),
    )


def _task(
    columns: list[Any], status: TaskStatus, attempts: tuple[Attempt, ...], spec: TaskSpec | None = None
) -> Task:
    task_id, request_id, tenant, priority, labels, build_key, *size, submitted_ms = columns
    return Task(
        task_id=task_id,
        request_id=request_id,
        tenant=tenant,
        priority=priority,
        labels=codec.plain(labels),
        build_key=build_key,
        ask=_ask(size),
        submitted_ms=submitted_ms,
        status=status,
        spec=spec,
        attempts=attempts,
    )


def _ask(size: Sequence[int]) -> Resources:
    cpu, memory_mib, gpus = size
    return Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus)
