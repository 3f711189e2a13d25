"""What is forgotten, in one transaction each time: events, stopped tasks, scaling events and wishes.

And how what was dropped leaves the disk (`scrub`).
"""

import sqlite3

from scheduler.adapters.sqlite.database import BUSY_TIMEOUT_MS

SCRUB_TIMEOUT_MS = 50
"""How long a scrub, and with it the next commit, waits for readers: one reads a page in a few ms."""

_KEEP_FROM = "UPDATE meta SET oldest_revision = max(oldest_revision, ?)"

_FORGET_EVENTS = "DELETE FROM event WHERE revision < (SELECT oldest_revision FROM meta)"

_FORGET_SCALING = "DELETE FROM scaling_event WHERE sequence <= (SELECT max(sequence) FROM scaling_event) - ?"

_FORGET_WISHES = "DELETE FROM scale_wish WHERE number <= (SELECT max(number) FROM scale_wish) - ?"

# A task that has ended changes no more: its revision is that of its last event.
_STOPPED = """
SELECT count(*), json_group_array(task_id), max(revision)
FROM (SELECT task_id, revision FROM task WHERE stopped_ms < ? ORDER BY stopped_ms, revision LIMIT ?)
"""

_FORGET_TASKS = tuple(
    f"DELETE FROM {table} WHERE task_id IN (SELECT value FROM json_each(?))"
    for table in ("attempt", "request", "task")
)
"""Their secrets went when they ended."""


def compact(
    connection: sqlite3.Connection, *, oldest_revision: int, scaling_events_kept: int, wishes_kept: int
) -> None:
    """Forgets events before `oldest_revision`, and all but so many scaling events and wishes."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        _keep_from(connection, oldest_revision)
        connection.execute(_FORGET_SCALING, (scaling_events_kept,))
        connection.execute(_FORGET_WISHES, (wishes_kept,))


def forget_tasks(connection: sqlite3.Connection, *, stopped_before_ms: int, limit: int) -> int:
    """Forgets at most `limit` stopped tasks, and the history up to them: no event is without its task."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        count, task_ids, revision = connection.execute(_STOPPED, (stopped_before_ms, limit)).fetchone()
        if count:
            _keep_from(connection, revision + 1)
            for statement in _FORGET_TASKS:
                connection.execute(statement, (task_ids,))
    return int(count)


def scrub(connection: sqlite3.Connection) -> bool:
    """Empties the log, which still holds earlier versions of pages: dropped secrets among them.

    The file itself has none: `secure_delete` is on. False when a reader is in the way; nothing is lost then
    (SQLite docs: PRAGMA wal_checkpoint).
    """
    connection.execute(f"PRAGMA busy_timeout = {SCRUB_TIMEOUT_MS}")
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return not busy


def _keep_from(connection: sqlite3.Connection, oldest_revision: int) -> None:
    connection.execute(_KEEP_FROM, (oldest_revision,))
    connection.execute(_FORGET_EVENTS)
