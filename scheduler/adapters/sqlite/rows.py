"""Rows of the readers' `.sql` files as nouns."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from sys import intern
from typing import Any

from scheduler.adapters.sqlite import codec
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.core.model.task import (
    QueuedTask,
    Task,
    TaskEvent,
    TaskSpec,
    TaskState,
    TaskStatus,
    Timeouts,
)
from scheduler.ports.store import LiveTask

Row = tuple[Any, ...]

_HEAD = 16
"""Columns of get.sql, list.sql and events.sql that never change, with which each of them begins."""


def live_tasks(rows: Iterable[Row]) -> Iterator[LiveTask]:
    """Rows of load.sql.

    Equal asks and timeouts are one object, equal words one string: a long queue has few of each.
    """
    ask_of, timeouts_of = cache(_ask), cache(_timeouts)
    for row in rows:
        yield _live_task(row, ask=ask_of((*row[7:10], *row[17:19])), timeouts=timeouts_of(row[10:13]))


def whole_task(row: Row) -> Task:
    """The row of get.sql."""
    *head, spec, secrets, newest_first = row
    values = None if secrets is None else codec.plain(secrets)
    attempts = codec.attempts_of(newest_first)[::-1]
    return _task(head[:_HEAD], _status(head[_HEAD:]), attempts, codec.spec_of(spec, values))


def listed_tasks(rows: str) -> list[Task]:
    """The JSON array of list.sql."""
    return [_listed_task(row) for row in codec.plain(rows)]


def task_events(rows: str) -> list[TaskEvent]:
    """The JSON array of events.sql."""
    return [_event(row) for row in codec.plain(rows)]


def scaling_events(rows: str) -> list[StoredScalingEvent]:
    """The JSON array of scaling.sql."""
    return [
        StoredScalingEvent(sequence=sequence, event=codec.scaling_event_of(payload))
        for sequence, payload in codec.plain(rows)
    ]


def _live_task(row: Row, *, ask: Resources, timeouts: Timeouts) -> LiveTask:
    task_id, tenant, priority, definition_key, main_container, enqueue_revision, submitted_ms = row[:7]
    may_run_again, state, cancelled, updated_ms = row[13:17]
    attempts_made, launches, last_attempt, returned_ms, build_key, result_id = row[19:]
    queued = QueuedTask(
        task_id=task_id,
        tenant=intern(tenant),
        priority=priority,
        ask=ask,
        definition_key=intern(definition_key),
        main_container=intern(main_container),
        enqueue_revision=enqueue_revision,
        submitted_ms=submitted_ms,
        timeouts=timeouts,
        may_run_again=bool(may_run_again),
        build_key=intern(build_key),
        result_id=result_id or "",
    )
    attempt = None if last_attempt is None else codec.attempt_of(last_attempt)
    present = attempt if attempt is not None and attempt.holds_room else None
    return LiveTask(
        queued=queued,
        state=TaskState(state),
        attempt=present,
        attempts_made=attempts_made,
        launches=launches,
        cancelled=bool(cancelled),
        updated_ms=updated_ms,
        returned_ms=returned_ms,
    )


def _listed_task(row: list[Any]) -> Task:
    *head, last_attempt = row
    attempts = () if last_attempt is None else (codec.attempt_of(last_attempt),)
    return _task(head[:_HEAD], _status(head[_HEAD:]), attempts)


def _event(row: list[Any]) -> TaskEvent:
    *head, payload = row
    change = codec.change_of(payload)
    attempts = () if change.attempt is None else (change.attempt,)
    task = _task(head, change.status, attempts)
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
    task_id, request_id, tenant, priority, labels, build_key = columns[:6]
    may_run_again, submitted_ms = columns[14:]
    return Task(
        task_id=task_id,
        request_id=request_id,
        tenant=tenant,
        priority=priority,
        labels=codec.plain(labels),
        build_key=build_key,
        ask=_ask(columns[6:11]),
        submitted_ms=submitted_ms,
        status=status,
        timeouts=_timeouts(columns[11:14]),
        may_run_again=bool(may_run_again),
        spec=spec,
        attempts=attempts,
    )


def _ask(columns: Sequence[Any]) -> Resources:
    cpu, memory_mib, gpus, architecture, exclusive = columns
    return Resources(
        cpu=cpu,
        memory_mib=memory_mib,
        gpus=gpus,
        architecture=Architecture(architecture),
        exclusive=bool(exclusive),
    )


def _timeouts(columns: Sequence[int | None]) -> Timeouts:
    queue_ms, start_ms, run_ms = columns
    return Timeouts(queue_ms=queue_ms, start_ms=start_ms, run_ms=run_ms)
