"""What the SQLite store forgets leaves no row behind, and what it keeps can be read by hand."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scheduler.adapters.sqlite import SqliteStore, retention
from scheduler.core.model.records import (
    FactRecorded,
    IntentRecorded,
    IntentState,
    ScaleRequested,
    ScalingRecorded,
)
from scheduler.core.model.task import TaskState
from scheduler.ports.store import StoreError, TaskFilter
from tests.builders import (
    a_scaling_event,
    a_wish,
    attempt,
    containers_spec,
    submitted,
    transitioned,
)

TABLES = ("task", "request", "secret", "attempt", "event", "intent", "fact")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        yield opened


def rows(path: Path, statement: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def full_tables(path: Path) -> list[str]:
    return [table for table in TABLES if rows(path, f"SELECT 1 FROM {table} LIMIT 1")]


def end(store: SqliteStore, *numbers: int) -> None:
    store.commit([[submitted(number, spec=containers_spec(A="a"))] for number in numbers])
    store.commit(
        [
            [transitioned(number, TaskState.FAILED, at_ms=number, attempt=attempt(number))]
            for number in numbers
        ]
    )


def test_forgotten_tasks_leave_no_row(store: SqliteStore, path: Path) -> None:
    """Neither of themselves nor of their requests, attempts and events."""
    end(store, 1, 2)
    assert full_tables(path) == ["task", "request", "attempt", "event"]
    assert store.forget_tasks(10, 10) == 2
    assert full_tables(path) == []


def test_no_event_is_left_without_its_task(store: SqliteStore, path: Path) -> None:
    """Slice by slice, whatever the order in which tasks ended."""
    end(store, 3, 1, 2)
    store.commit([[submitted(4)]])
    while store.forget_tasks(10, 1):
        assert rows(path, "SELECT revision FROM event WHERE task_id NOT IN (SELECT task_id FROM task)") == []
    assert [task.task_id for task in store.list_tasks(TaskFilter(), "", 10)] == [submitted(4).task_id]


def test_forgetting_is_one_transaction(store: SqliteStore, path: Path) -> None:
    """If it fails halfway, nothing is forgotten, and the next attempt does it all."""
    end(store, 1)
    store._writer.execute(
        "CREATE TEMP TRIGGER broken BEFORE DELETE ON main.task BEGIN SELECT raise(ABORT, 'no'); END"
    )
    with pytest.raises(StoreError):
        store.forget_tasks(10, 10)
    assert full_tables(path) == ["task", "request", "attempt", "event"]
    assert len(store.events_after(0, 10)) == 2
    store._writer.execute("DROP TRIGGER broken")
    assert store.forget_tasks(10, 10) == 1


def test_nothing_to_forget_writes_nothing(store: SqliteStore, path: Path) -> None:
    """It is asked once a minute, for ever."""
    store.commit([[submitted(1)]])
    log = path.with_name(path.name + "-wal")
    before = log.stat().st_size
    assert store.forget_tasks(10, 10) == 0
    assert log.stat().st_size == before


def test_stopped_tasks_are_found_by_index(store: SqliteStore) -> None:
    """However many tasks are kept, the first that ended is found without looking at them."""
    steps = store._writer.execute(f"EXPLAIN QUERY PLAN {retention._STOPPED}", (10, 10)).fetchall()
    assert [step[-1] for step in steps if "task" in step[-1]] == [
        "SEARCH task USING INDEX task_by_end (stopped_ms<?)"
    ]


def test_closed_intents_and_empty_facts_leave_no_row(store: SqliteStore, path: Path) -> None:
    """What is done need not be remembered: the tables stay as small as what is open."""
    store.commit(
        [
            [IntentRecorded(kind="k", key="1", state=IntentState.OPEN), FactRecorded(key="f", value="v")],
            [IntentRecorded(kind="k", key="2", state=IntentState.ABANDONED)],
        ]
    )
    assert full_tables(path) == ["intent", "fact"]
    store.commit(
        [[IntentRecorded(kind="k", key="1", state=IntentState.DONE), FactRecorded(key="f", value="")]]
    )
    assert full_tables(path) == []


def test_scaling_can_be_read_by_hand(store: SqliteStore, path: Path) -> None:
    """Events and wishes are JSON objects with the names of their fields."""
    store.commit([[ScalingRecorded(event=a_scaling_event(2)), ScaleRequested(wish=a_wish(3))]])
    ((event,),) = rows(path, "SELECT payload FROM scaling_event")
    ((wish,),) = rows(path, "SELECT payload FROM scale_wish")
    assert json.loads(event).items() >= {"kind": "GROW", "desired_after": 2, "held": ""}.items()
    assert json.loads(wish).items() >= {"kind": "FLOOR", "size": 3, "expires_ms": None}.items()
