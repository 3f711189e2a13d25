"""The file: made with its schema, opened with its guarantees, refused when it is not ours."""

import os
import sqlite3
from functools import cache
from importlib.resources import files
from pathlib import Path

from scheduler.ports.store import StoreCorrupt, StoreError

SCHEMA_VERSION = 5
"""Of schema.sql. A file of a later one is refused: its meaning is not known here."""

MIGRATED_VERSIONS = (2, 3, 4)
"""Earlier ones, which opening brings to the present one, step by step: n to n + 1 by `migrate_n.sql`. 1 was
never released."""

APPLICATION_ID = 0x45435353
"""As in schema.sql."""

BUSY_TIMEOUT_MS = 1_000
"""The lock leaves no other writer; what may be waited for is a backup or a shell that reads the file."""

MIN_SQLITE = (3, 38, 0)
"""The first with `->>` and JSON built in (SQLite docs: release history)."""

_PRAGMAS = f"""
PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
PRAGMA journal_mode = WAL;   -- readers go on while the writer commits
PRAGMA synchronous = FULL;   -- in WAL, only FULL syncs at each commit (SQLite docs: PRAGMA synchronous)
PRAGMA secure_delete = ON;   -- dropped secrets are overwritten, not only unlinked
"""


@cache
def sql(name: str) -> str:
    """The text of a `.sql` file of this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes, on a file that exists and is ours.

    Raises StoreCorrupt, sqlite3.Error or OSError. The lock must be held.
    """
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is older than 3.38")
    # Made here for its mode; SQLite gives -wal and -shm the mode of the file that they belong to.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for one thread at a time."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes, checks or migrates the schema, and sets the guarantees: a foreign file is refused untouched."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    version = _checked_version(connection, path) if tables else None
    connection.executescript(_PRAGMAS)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise StoreError(f"store {path}: its file system cannot hold a write-ahead log")
    if version is None:
        connection.executescript(sql("schema.sql"))
    for earlier in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        connection.executescript(sql(f"migrate_{earlier}.sql"))
    path.chmod(0o600)
    connection.executescript(sql("commit.sql"))


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's version. Refuses a file that is not a store, of a schema not known here, or damaged."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise StoreCorrupt(f"{path} is a SQLite file, but not a store of ecs-scheduler")
    (version,) = connection.execute("SELECT schema_version FROM meta").fetchone()
    if version not in (*MIGRATED_VERSIONS, SCHEMA_VERSION):
        known = ", ".join(map(str, (*MIGRATED_VERSIONS, SCHEMA_VERSION)))
        raise StoreCorrupt(f"store {path} has schema {version}; this version reads schemas {known}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreCorrupt(f"store {path} is damaged: {' '.join(verdict.split())}")
    return int(version)
