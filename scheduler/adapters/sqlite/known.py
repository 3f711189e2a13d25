"""What the store already holds of the requests and tasks that a commit names."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.adapters.sqlite import codec
from scheduler.adapters.sqlite.database import sql
from scheduler.core.model.records import CancelRequested, Record, TaskSubmitted, TaskTransitioned
from scheduler.ports.store import RequestTaken, StoreError

RequestKey = tuple[str, str]
"""(tenant, request_id)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When a task's present attempt began to run, and when the task became terminal."""

    started_ms: int | None = None
    stopped_ms: int | None = None


class Known:
    """Requests that are taken, and how far tasks have come. Grows as batches are let in."""

    def __init__(self, taken: dict[RequestKey, RequestTaken], spans: dict[str, Span]) -> None:
        self._taken = taken
        self._spans = spans

    def refusal(self, batch: Sequence[Record]) -> RequestTaken | None:
        """Why the batch is refused; if it is not, its requests are taken from now on."""
        own: dict[RequestKey, RequestTaken] = {}
        for record in batch:
            if not isinstance(record, TaskSubmitted):
                continue
            key = _key(record)
            taken = self._taken.get(key) or own.get(key)
            if taken is not None:
                return taken
            own[key] = RequestTaken(task_id=record.task_id, fingerprint=record.fingerprint)
        self._taken.update(own)
        return None

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
    changed = {record.task_id for record in records if isinstance(record, TaskTransitioned | CancelRequested)}
    parameters = (codec.text(asked), codec.text(list(changed)))
    requests, tasks = connection.execute(sql("known.sql"), parameters).fetchone()
    taken = {
        (tenant, request_id): RequestTaken(task_id=task_id, fingerprint=fingerprint)
        for tenant, request_id, task_id, fingerprint in codec.plain(requests)
    }
    spans = {
        task_id: Span(started_ms=started_ms, stopped_ms=stopped_ms)
        for task_id, started_ms, stopped_ms in codec.plain(tasks)
    }
    return Known(taken, spans)


def _key(record: TaskSubmitted) -> RequestKey:
    return record.request.tenant, record.request.request_id
