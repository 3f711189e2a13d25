"""What SQLite and the operating system say, as one line for an operator."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scheduler.ports.store import StoreCorrupt, StoreError

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def told_as_store_errors(path: Path) -> Iterator[None]:
    """Turns what goes wrong inside into a StoreError that names the store and the cause."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary result code (SQLite docs: Result and Error Codes).
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = StoreCorrupt if code in _DAMAGE else StoreError
        raise kind(f"store {path}: {error}") from error
    except OSError as error:
        raise StoreError(f"store {path}: {error.strerror or error}") from error


@contextmanager
def told_as_reading_errors(path: Path) -> Iterator[None]:
    """The same, and a row that is not the JSON it should be is damage."""
    with told_as_store_errors(path):
        try:
            yield
        except ValueError as error:
            # pydantic's own message has many lines, and quotes the row with its secrets: not even a traceback
            # in the log may have it.
            raise StoreCorrupt(f"store {path}: a row cannot be read ({type(error).__name__})") from None
