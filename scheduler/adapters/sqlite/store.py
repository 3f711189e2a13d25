"""SqliteStore: the store port on one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import finalize

from scheduler.adapters.sqlite import codec, retention, rows
from scheduler.adapters.sqlite.database import open_reader, open_writer, sql
from scheduler.adapters.sqlite.errors import told_as_reading_errors, told_as_store_errors
from scheduler.adapters.sqlite.journal import Journal
from scheduler.adapters.sqlite.known import known_of
from scheduler.adapters.sqlite.lock import FileLock
from scheduler.adapters.sqlite.readers import Readers
from scheduler.core.model.records import IntentRecorded, IntentState, Record
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, StoredScalingEvent
from scheduler.core.model.task import Task, TaskEvent
from scheduler.ports.store import (
    SCALING_EVENTS_KEPT,
    SCALING_EVENTS_RECALLED,
    WISHES_KEPT,
    CommitResult,
    LiveTask,
    RequestTaken,
    RevisionCompacted,
    StoredState,
    TaskFilter,
)

_COMMIT = "INSERT INTO commit_row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# Compaction may have taken every event; the revisions go on from where they were.
_REVISION = "SELECT max(oldest_revision - 1, ifnull((SELECT max(revision) FROM event), 0)) FROM meta"

# Compaction always leaves the last one.
_SEQUENCE = "SELECT ifnull(max(sequence), 0) FROM scaling_event"

_LAST_WISH = "SELECT payload FROM scale_wish ORDER BY number DESC LIMIT 1"

_LAST_SCALING = "SELECT payload FROM scaling_event ORDER BY sequence DESC LIMIT ?"

_FILTERS = {
    "tenant": "AND tenant = :tenant",
    "task_ids": "AND task.task_id IN (SELECT value FROM json_each(:task_ids))",
    "build_key": "AND build_key = :build_key",
    "states": "AND state IN (SELECT value FROM json_each(:states))",
    "labels": """
      AND NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
          SELECT 1 FROM json_each(request.labels) AS label
          WHERE label.key = wanted.value ->> 0 AND label.value = wanted.value ->> 1
        )
      )""",
}
"""What list.sql asks for each field of TaskFilter that is set."""


class SqliteStore:
    """Durable state in the file `path`, which is made if it is missing; `<path>.lock` fences it.

    Commits sync the write-ahead log once each. Readers see the last commit and wait for nobody.
    """

    def __init__(self, path: Path, *, scaling_events_kept: int = SCALING_EVENTS_KEPT) -> None:
        """Opens the file. Raises StoreLocked, StoreCorrupt or StoreError."""
        self._path = path
        self._scaling_events_kept = scaling_events_kept
        self._closed = False
        with told_as_store_errors(path):
            self._lock = FileLock(path)
            try:
                self._writer = open_writer(path)
                self._epoch: str = self._writer.execute("SELECT epoch FROM meta").fetchone()[0]
                self._revision: int = self._writer.execute(_REVISION).fetchone()[0]
                self._sequence: int = self._writer.execute(_SEQUENCE).fetchone()[0]
            except BaseException:
                self._lock.release()
                raise
        self._readers = Readers(path)
        self._writing = threading.Lock()

    @property
    def epoch(self) -> str:
        """Identity of this store, made with the file."""
        return self._epoch

    def commit(self, batches: Sequence[Sequence[Record]]) -> list[CommitResult]:
        """Makes the batches durable: two statements and one sync, however many they are."""
        with told_as_store_errors(self._path), self._writing:
            known = known_of(self._writer, batches)
            journal = Journal(known, revision=self._revision, sequence=self._sequence)
            results = [journal.add(batch) for batch in batches]
            self._writer.execute(_COMMIT, journal.parameters())
            self._revision, self._sequence = journal.revision, journal.sequence
        return results

    def load(self) -> StoredState:
        """Everything that is not terminal, as of now: the tasks are read while they are taken."""
        with told_as_store_errors(self._path):
            connection = open_reader(self._path)
            live = self._live(connection)
            finalize(live, connection.close)  # for a reader that never takes the tasks
            connection.execute("BEGIN")
            (revision,) = connection.execute(_REVISION).fetchone()
            return StoredState(
                revision=revision,
                live=live,
                intents=_open_intents(connection),
                facts=dict(connection.execute("SELECT key, value FROM fact")),
                wish=_last_wish(connection),
                scaling=_last_scaling(connection),
            )

    def revision(self) -> int:
        """The last revision that was committed."""
        return self._revision

    def get(self, task_id: str) -> Task | None:
        """One whole task."""
        with told_as_reading_errors(self._path), self._readers.lent() as connection:
            row = connection.execute(sql("get.sql"), (task_id,)).fetchone()
            return None if row is None else rows.whole_task(row)

    def find_request(self, tenant: str, request_id: str) -> RequestTaken | None:
        """The task that a request has become, if it has."""
        with told_as_reading_errors(self._path), self._readers.lent() as connection:
            row = connection.execute(sql("find.sql"), (tenant, request_id)).fetchone()
            return None if row is None else RequestTaken(task_id=row[0], fingerprint=row[1])

    def list_tasks(self, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        """Tasks after `after_task_id`, in order of id."""
        values: dict[str, Any] = {
            "tenant": wanted.tenant,
            "task_ids": list(wanted.task_ids),
            "build_key": wanted.build_key,
            "states": list(wanted.states),
            "labels": wanted.labels,
        }
        chosen = {name: value for name, value in values.items() if value}
        statement = sql("list.sql").replace("/*filters*/", "\n".join(_FILTERS[name] for name in chosen))
        parameters = {n: v if isinstance(v, str) else codec.text(v) for n, v in chosen.items()}
        with told_as_reading_errors(self._path), self._readers.lent() as connection:
            page = connection.execute(
                statement, {**parameters, "after_task_id": after_task_id, "limit": limit}
            )
            return rows.listed_tasks(page.fetchone()[0])

    def events_after(self, revision: int, limit: int) -> list[TaskEvent]:
        """Events of later revisions."""
        with told_as_reading_errors(self._path), self._readers.lent() as connection:
            page = connection.execute(sql("events.sql"), (revision, limit)).fetchone()
            # Asked afterwards, so that a compaction between the two cannot make a gap.
            (oldest,) = connection.execute("SELECT oldest_revision FROM meta").fetchone()
            if revision + 1 < oldest:
                raise RevisionCompacted(oldest)
            return rows.task_events(page[0])

    def scaling_sequence(self) -> int:
        """The sequence of the last scaling event."""
        return self._sequence

    def scaling_events_after(self, sequence: int, limit: int) -> list[StoredScalingEvent]:
        """Later scaling events."""
        with told_as_reading_errors(self._path), self._readers.lent() as connection:
            page, oldest = connection.execute(sql("scaling.sql"), (sequence, limit)).fetchone()
            if sequence + 1 < oldest:
                raise RevisionCompacted(oldest)
            return rows.scaling_events(page)

    def compact(self, before_revision: int) -> None:
        """Forgets old events, and trims the logs of scaling events and wishes."""
        with told_as_store_errors(self._path), self._writing:
            retention.compact(
                self._writer,
                oldest_revision=min(before_revision, self._revision + 1),
                scaling_events_kept=self._scaling_events_kept,
                wishes_kept=WISHES_KEPT,
            )

    def forget_tasks(self, stopped_before_ms: int, limit: int) -> int:
        """Forgets stopped tasks and the history up to them."""
        with told_as_store_errors(self._path), self._writing:
            return retention.forget_tasks(self._writer, stopped_before_ms=stopped_before_ms, limit=limit)

    def scrub(self) -> bool:
        """Empties the write-ahead log, and waits only shortly for readers."""
        with told_as_store_errors(self._path), self._writing:
            return retention.scrub(self._writer)

    def close(self) -> None:
        """Releases the file and its lock."""
        self._readers.close()
        with told_as_store_errors(self._path), self._writing:
            if not self._closed:
                self._closed = True
                self._writer.close()
                self._lock.release()

    def _live(self, connection: sqlite3.Connection) -> Iterator[LiveTask]:
        with told_as_reading_errors(self._path), closing(connection):
            yield from rows.live_tasks(connection.execute(sql("load.sql")))


def _open_intents(connection: sqlite3.Connection) -> tuple[IntentRecorded, ...]:
    found = connection.execute(
        "SELECT kind, key, payload FROM intent WHERE state = 'OPEN' ORDER BY kind, key"
    )
    return tuple(
        IntentRecorded(kind=kind, key=key, state=IntentState.OPEN, payload=payload)
        for kind, key, payload in found
    )


def _last_wish(connection: sqlite3.Connection) -> ScaleWish | None:
    found = connection.execute(_LAST_WISH).fetchone()
    return None if found is None else codec.wish_of(found[0])


def _last_scaling(connection: sqlite3.Connection) -> tuple[ScalingEvent, ...]:
    found = connection.execute(_LAST_SCALING, (SCALING_EVENTS_RECALLED,)).fetchall()
    return tuple(codec.scaling_event_of(payload) for (payload,) in reversed(found))
