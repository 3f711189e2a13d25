"""What the store already holds of the requests and tasks that a commit names."""

import sqlite3
from collections.abc import Sequence

from scheduler.adapters.sqlite import codec
from scheduler.adapters.sqlite.database import sql
from scheduler.core.model.records import Record, TaskSubmitted, TaskTransitioned
from scheduler.ports.store import RequestTaken

RequestKey = tuple[str, str]
"""(tenant, request_id)"""


class Known:
    """Requests that are taken, and when present attempts began to run. Grows as batches are let in."""

    def __init__(self, taken: dict[RequestKey, RequestTaken], started_ms: dict[str, int | None]) -> None:
        self._taken = taken
        self.started_ms = started_ms

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


def known_of(connection: sqlite3.Connection, batches: Sequence[Sequence[Record]]) -> Known:
    """Asks the store once for everything that the batches name."""
    records = [record for batch in batches for record in batch]
    asked = [_key(record) for record in records if isinstance(record, TaskSubmitted)]
    changed = {record.task_id for record in records if isinstance(record, TaskTransitioned)}
    parameters = (codec.text(asked), codec.text(list(changed)))
    requests, started_ms = connection.execute(sql("known.sql"), parameters).fetchone()
    taken = {
        (tenant, request_id): RequestTaken(task_id=task_id, fingerprint=fingerprint)
        for tenant, request_id, task_id, fingerprint in codec.plain(requests)
    }
    return Known(taken, codec.plain(started_ms))


def _key(record: TaskSubmitted) -> RequestKey:
    return record.request.tenant, record.request.request_id
