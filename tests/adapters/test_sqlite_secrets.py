"""Environment values in the SQLite store's files: there until their task ends, and gone soon after."""

import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.adapters.sqlite import SqliteStore
from scheduler.adapters.sqlite.retention import SCRUB_TIMEOUT_MS
from scheduler.core.model.task import TaskState
from scheduler.ports.store import StoreCorrupt, Written
from tests.builders import containers_spec, submitted, task_id, transitioned

SECRET = "hunter2-hunter2"

# From a few bytes to values that fill pages of their own (SQLite docs: Database File Format, overflow pages).
LENGTHS = st.sampled_from([1, 30, 300, 1_200, 3_000, 8_000])

TASKS = st.lists(st.tuples(LENGTHS, st.integers(0, 20)), min_size=1, max_size=60)
"""The length of each one's secret, and which of those that live ends with its coming."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        yield opened


def submit(store: SqliteStore, number: int, secret: str = SECRET) -> None:
    store.commit([[submitted(number, spec=containers_spec(PASSWORD=secret))]])


def end(store: SqliteStore, *numbers: int) -> None:
    store.commit([[transitioned(number, TaskState.FAILED)] for number in numbers])


def on_disk(path: Path) -> int:
    """How often the secret is in any file beside the store."""
    return sum(file.read_bytes().count(SECRET.encode()) for file in path.parent.iterdir())


def test_secrets_leave_the_disk(path: Path, store: SqliteStore) -> None:
    """After the end of its task and a scrub, a secret is in no file of the store."""
    submit(store, 1)
    end(store, 1)
    assert on_disk(path)
    assert store.scrub()
    assert not on_disk(path)


@settings(max_examples=15, deadline=None)
@given(tasks=TASKS)
def test_no_page_keeps_a_secret(tasks: list[tuple[int, int]]) -> None:
    """Whatever was moved between pages while secrets of many sizes came and went in any order."""
    with TemporaryDirectory() as directory, closing(SqliteStore(Path(directory) / "scheduler.db")) as store:
        living: list[int] = []
        for number, (length, ending) in enumerate(tasks):
            submit(store, number, SECRET + "x" * length)
            living.append(number)
            if ending < len(living):
                end(store, living.pop(ending))
        end(store, *living)
        assert store.scrub()
        assert not on_disk(Path(directory) / "scheduler.db")


def test_a_reader_holds_a_scrub_up_and_no_commit(path: Path, store: SqliteStore) -> None:
    """A backup may read for minutes: the scrub gives way, and goes well after it."""
    submit(store, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM task").fetchone()
        end(store, 1)
        assert not store.scrub()
        assert store.commit([[submitted(2)]]) == [Written(first_revision=3)]
    assert store.scrub()
    assert not on_disk(path)


def test_a_scrub_waits_shortly(store: SqliteStore) -> None:
    """And commits after it are as patient as before."""
    before = store._writer.execute("PRAGMA busy_timeout").fetchone()
    store.scrub()
    assert store._writer.execute("PRAGMA busy_timeout").fetchone() == before
    assert before[0] > SCRUB_TIMEOUT_MS


def test_the_end_of_the_process_scrubs(path: Path) -> None:
    """A store that is closed leaves no log behind."""
    with closing(SqliteStore(path)) as store:
        submit(store, 1)
        end(store, 1)
    assert not on_disk(path)


def test_a_row_that_cannot_be_read_is_quoted_nowhere(path: Path) -> None:
    """Nor in the traceback that the log would have, for the parser's own error quotes the row."""
    with closing(SqliteStore(path)) as store:
        submit(store, 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        path_of_name = "$.containers[0].environment[0].name"
        connection.execute("UPDATE request SET spec = json_remove(spec, ?)", (path_of_name,))
    with closing(SqliteStore(path)) as store, pytest.raises(StoreCorrupt) as error:
        store.get(task_id(1))
    assert SECRET not in "".join(traceback.format_exception(error.value))
