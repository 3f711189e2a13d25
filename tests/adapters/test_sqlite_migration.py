"""A file of an earlier schema is brought to the present one when it is opened, and loses nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from scheduler.adapters.sqlite import SqliteStore
from scheduler.adapters.sqlite.database import SCHEMA_VERSION, sql
from scheduler.core.model.records import IntentRecorded, IntentState, ScaleRequested, ScalingRecorded
from scheduler.ports.store import StoredState, StoreError, Written
from tests.builders import a_scaling_event, a_wish, attempt, containers_spec, submitted, task_id, transitioned

SCHEMA_2 = Path(__file__).with_name("sqlite_schema_2.sql").read_text("utf-8")

TABLES = ("task", "request", "secret", "attempt", "event")

OPEN = IntentRecorded(kind="register", key="open", state=IntentState.OPEN, payload="p")

KEPT_BY_SCHEMA_2 = """
INSERT INTO intent VALUES ('register', 'open', 'OPEN', 'p'), ('register', 'closed', 'DONE', 'p');
INSERT INTO fact VALUES ('known', 'arn'), ('forgotten', '');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.db"


def fill_present(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(1, spec=containers_spec(PASSWORD="hunter2"))], [submitted(2)]])
        store.commit([[transitioned(1, attempt=attempt(1))]])


def fill_2(path: Path) -> None:
    """The same tasks in a file of schema 2. Their tables have only got columns since, at the end."""
    present = path.with_name("present.db")
    fill_present(present)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(SCHEMA_2 + KEPT_BY_SCHEMA_2)
        old.execute("ATTACH ? AS present", (str(present),))
        for table in TABLES:
            columns = ", ".join(f'"{row[1]}"' for row in old.execute(f"PRAGMA main.table_info({table})"))
            old.execute(f"INSERT INTO {table} SELECT {columns} FROM present.{table}")
        old.commit()


def fill_3(path: Path) -> None:
    """The same in a file of schema 3."""
    fill_2(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(sql("migrate_2.sql"))


def fill_4(path: Path) -> None:
    """The same in a file of schema 4."""
    fill_3(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(sql("migrate_3.sql"))


earlier_files = pytest.mark.parametrize("fill", [fill_2, fill_3, fill_4])


def schema(path: Path) -> set[tuple[str, str]]:
    """Every table and index, without comments and spacing."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {(name, _bare(text)) for name, text in rows}


def _bare(text: str) -> str:
    return " ".join(" ".join(line.split("--")[0] for line in text.splitlines()).split())


@earlier_files
def test_migrated_file_is_like_a_new_one(path: Path, fill: Callable[[Path], None]) -> None:
    """Table by table and index by index; only the data is older."""
    fill(path)
    SqliteStore(path).close()
    fresh = path.with_name("fresh.db")
    SqliteStore(fresh).close()
    assert schema(path) == schema(fresh)


@earlier_files
def test_migration_keeps_what_counts(path: Path, fill: Callable[[Path], None]) -> None:
    """Tasks, secrets, attempts, events, epoch, open intents and known facts are there as before."""
    fill(path)
    with closing(sqlite3.connect(path)) as old:
        (epoch,) = old.execute("SELECT epoch FROM meta").fetchone()
    with closing(SqliteStore(path.with_name("present.db"))) as present, closing(SqliteStore(path)) as store:
        state: StoredState = store.load()
        assert (store.epoch, store.revision(), store.scaling_sequence(), state.wish) == (epoch, 3, 0, None)
        assert list(state.live) == list(present.load().live)
        assert store.get(task_id(1)) == present.get(task_id(1))
        assert store.events_after(0, 10) == present.events_after(0, 10)
        assert (list(state.intents), dict(state.facts)) == ([OPEN], {"known": "arn"})


def test_migrated_store_takes_everything(path: Path) -> None:
    """New records are kept as in a new file, and a second opening migrates nothing."""
    fill_2(path)
    with closing(SqliteStore(path)) as store:
        results = store.commit(
            [[ScalingRecorded(event=a_scaling_event(1)), ScaleRequested(wish=a_wish(1)), submitted(3)]]
        )
        assert results == [Written(first_revision=4)]
    with closing(SqliteStore(path)) as store:
        assert (store.revision(), store.scaling_sequence(), store.load().wish) == (4, 1, a_wish(1))


def test_migration_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    """It is one transaction: the last statement but one fails here, and schema 2 is whole."""
    fill_2(path)
    before = schema(path)
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TRIGGER broken BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(StoreError):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("DROP TRIGGER broken")
        assert old.execute("SELECT schema_version FROM meta").fetchone() == (2,)
        assert old.execute("SELECT count(*) FROM fact").fetchone() == (2,)
    assert schema(path) == before
    SqliteStore(path).close()


def test_every_new_file_has_the_present_schema(path: Path) -> None:
    """The number in schema.sql is the one that the code reads."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT schema_version FROM meta").fetchone() == (SCHEMA_VERSION,)
    assert f"VALUES (1, {SCHEMA_VERSION}," in sql("schema.sql")
