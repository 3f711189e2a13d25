"""What the store already holds of the requests, tasks and wishes that a commit names."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.adapters.sqlite import codec
from scheduler.adapters.sqlite.database import sql
from scheduler.core.model.records import (
    AttemptRecorded,
    CancelRequested,
    Record,
    ScaleRequested,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.ports.store import RequestTaken, StoreError, WishTaken

Key = tuple[str, ...]
"""(tenant, request_id) of a task's request, (request_id,) of a wish."""

Refusal = RequestTaken | WishTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When a task's present attempt began to run, and when the task became terminal."""

    started_ms: int | None = None
    stopped_ms: int | None = None


class Known:
    """Requests and wishes that are taken, and how far tasks have come. Grows as batches are let in."""

    def __init__(self, taken: dict[Key, Refusal], spans: dict[str, Span]) -> None:
        self._taken = taken
        self._spans = spans

    def refusal(self, batch: Sequence[Record]) -> Refusal | None:
        """Why the batch is refused; if it is not, what it asks for is taken from now on."""
        own: dict[Key, Refusal] = {}
        for record in batch:
            if not isinstance(record, TaskSubmitted | ScaleRequested):
                continue
            key = _key(record)
            taken = self._taken.get(key) or own.get(key)
            if taken is not None:
                return taken
            own[key] = _taken_by(record)
        self._taken.update(own)
        return None

    def has(self, task_id: str) -> bool:
        """True when the task is in the store, or came earlier in this commit."""
        return task_id in self._spans

    def span(self, task_id: str) -> Span:
        """The span of a task that is to change. Raises when it is not in the store."""
        if task_id not in self._spans:
            raise StoreError(f"task {task_id} is not in the store and cannot change")
        return self._spans[task_id]

    def keep(self, task_id: str, span: Span) -> None:
        """What the commit makes of a task, for the records that follow."""
        self._spans[task_id] = span


def known_of(connection: sqlite3.Connection, batches: Sequence[Sequence[Record]]) -> Known:
    """Asks the store once for everything that the batches name."""
    records = [record for batch in batches for record in batch]
    asked = [_key(record) for record in records if isinstance(record, TaskSubmitted)]
    changed = {task_id for record in records if (task_id := _changed(record))}
    wished = [record.wish.request_id for record in records if isinstance(record, ScaleRequested)]
    parameters = (codec.text(asked), codec.text(list(changed)), codec.text(wished))
    requests, tasks, wishes = connection.execute(sql("known.sql"), parameters).fetchone()
    taken: dict[Key, Refusal] = {
        (tenant, request_id): RequestTaken(task_id=task_id, fingerprint=fingerprint)
        for tenant, request_id, task_id, fingerprint in codec.plain(requests)
    }
    for wish in map(codec.wish_of, codec.plain(wishes)):
        taken[wish.request_id,] = WishTaken(wish=wish)
    spans = {
        task_id: Span(started_ms=started_ms, stopped_ms=stopped_ms)
        for task_id, started_ms, stopped_ms in codec.plain(tasks)
    }
    return Known(taken, spans)


def _changed(record: Record) -> str:
    """The task that must be there for the record to be kept; empty for none."""
    match record:
        case TaskTransitioned(task_id=task_id) | CancelRequested(task_id=task_id):
            return task_id
        case AttemptRecorded(attempt=attempt):
            return attempt.task_id
        case _:
            return ""


def _key(record: TaskSubmitted | ScaleRequested) -> Key:
    if isinstance(record, ScaleRequested):
        return (record.wish.request_id,)
    return record.request.tenant, record.request.request_id


def _taken_by(record: TaskSubmitted | ScaleRequested) -> Refusal:
    if isinstance(record, ScaleRequested):
        return WishTaken(wish=record.wish)
    return RequestTaken(task_id=record.task_id, fingerprint=record.fingerprint)
