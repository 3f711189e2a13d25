"""The SQLite store's file: durable, private, locked, and refused when it is not a whole store of ours."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from scheduler.adapters.sqlite import SqliteStore
from scheduler.core.model.records import FactRecorded, ScaleRequested, ScalingRecorded
from scheduler.core.model.task import TaskState, Timeouts
from scheduler.ports.store import StoreCorrupt, StoreError, StoreLocked, Written
from scheduler.services.writer import PROBE
from tests.builders import (
    a_scaling_event,
    a_wish,
    attempt,
    cancel_requested,
    submitted,
    task_id,
    transitioned,
)

ROOT = Path(__file__).parents[2]

HOLDER = """
import sys
from pathlib import Path
from scheduler.adapters.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
print(store.epoch, flush=True)
sys.stdin.read()
"""
"""Holds a store until its input ends."""

WRITER = """
import itertools, sys
from pathlib import Path
from scheduler.adapters.sqlite import SqliteStore
from scheduler.core.model.records import FactRecorded, ScaleRequested, ScalingRecorded
from tests.builders import submitted
store = SqliteStore(Path(sys.argv[1]))
for n in itertools.count(1):
    batch = [submitted(2 * n - 1), submitted(2 * n), FactRecorded(key=f"batch-{n}", value="kept")]
    store.commit([batch])
    print(n, flush=True)
"""
"""Commits batches of two tasks and a fact without end, and says so after each."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.db"


@contextmanager
def child(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def one_line(error: pytest.ExceptionInfo[StoreError], path: Path) -> bool:
    message = str(error.value)
    return str(path) in message and "\n" not in message and "Traceback" not in message


# --- durable ---------------------------------------------------------------------------------------


def test_reopening_keeps_everything(path: Path) -> None:
    """Tasks, attempts, events, facts, wishes, revision, sequence and epoch are there after a close."""
    with closing(SqliteStore(path)) as store:
        store.commit(
            [
                [submitted(1, timeouts=Timeouts(start_ms=1))],
                [transitioned(1, attempt=attempt(1)), FactRecorded(key="k", value="v")],
                [cancel_requested(1)],
                [ScalingRecorded(event=a_scaling_event(1)), ScaleRequested(wish=a_wish(1))],
            ]
        )
        before = (store.epoch, store.revision(), store.get(task_id(1)), store.events_after(0, 9))
        loaded = list(store.load().live)
    with closing(SqliteStore(path)) as store:
        assert (store.epoch, store.revision(), store.get(task_id(1)), store.events_after(0, 9)) == before
        assert (list(store.load().live), dict(store.load().facts)) == (loaded, {"k": "v"})
        assert loaded[0].cancelled
        assert (store.scaling_sequence(), store.load().wish) == (1, a_wish(1))


def test_reopening_after_compaction_goes_on_counting(path: Path) -> None:
    """A store that has forgotten every event still knows its last revision."""
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(1)], [submitted(2)]])
        store.compact(1000)
    with closing(SqliteStore(path)) as store:
        assert store.commit([[submitted(3)]]) == [Written(first_revision=3)]


def test_each_store_has_its_own_epoch(tmp_path: Path) -> None:
    """Two files never share an epoch."""
    with closing(SqliteStore(tmp_path / "a.db")) as a, closing(SqliteStore(tmp_path / "b.db")) as b:
        assert a.epoch != b.epoch


def test_killed_writer_leaves_whole_batches(path: Path) -> None:
    """After `kill -9` every batch that was acknowledged is there, and no batch in part."""
    with child(WRITER, path) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(40)][-1]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    with closing(SqliteStore(path)) as store:
        batches = len(store.load().facts)
        assert batches >= acknowledged
        assert len(list(store.load().live)) == store.revision() == 2 * batches


def test_every_commit_is_synced(path: Path) -> None:
    """The writer syncs the log at each commit: synchronous is FULL (2) on a write-ahead log."""
    with closing(SqliteStore(path)) as store:
        pragmas = [
            store._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        ]
    assert pragmas == [2, "wal"]


def test_failed_write_changes_nothing(path: Path) -> None:
    """When the disk takes no more, the commit is an error that names the store; with room, it goes on."""
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(1)]])
        with files_no_larger_than(path.with_name("scheduler.db-wal").stat().st_size):
            with pytest.raises(StoreError) as error:
                store.commit([[submitted(2)]])
            assert (store.revision(), store.get(task_id(2))) == (1, None)
        assert one_line(error, path)
        assert store.commit([[submitted(2)]]) == [Written(first_revision=2)]


def test_full_database_is_one_line(path: Path) -> None:
    """SQLite's own "full" is told as such."""
    with closing(SqliteStore(path)) as store:
        store._writer.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="full") as error:
            store.commit([[submitted(n) for n in range(100)]])
        assert one_line(error, path)
        assert store.load().revision == 0


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Writes beyond `size` fail with EFBIG in this process (setrlimit(2)); Python ignores SIGXFSZ."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- private ---------------------------------------------------------------------------------------


def test_only_the_owner_may_read(path: Path) -> None:
    """Every file of the store has mode 0600, however open the process's umask is."""
    before = os.umask(0)
    try:
        with closing(SqliteStore(path)) as store:
            store.commit([[submitted(1)]])
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    names = ("scheduler.db", "scheduler.db-shm", "scheduler.db-wal", "scheduler.db.lock")
    assert modes == dict.fromkeys(names, 0o600)


def test_opening_takes_rights_back(path: Path) -> None:
    """A store whose file was opened up is private again after a start."""
    SqliteStore(path).close()
    path.chmod(0o644)
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


# --- locked ----------------------------------------------------------------------------------------


def test_held_store_is_refused(path: Path) -> None:
    """While another process holds the store, opening fails at once and names the process."""
    with child(HOLDER, path) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreLocked, match=f"held by process {holder.pid}$") as error:
            SqliteStore(path)
    assert one_line(error, path)


def test_lock_dies_with_its_process(path: Path) -> None:
    """A killed holder leaves no lock behind, and the epoch stays."""
    with child(HOLDER, path) as holder:
        assert holder.stdout is not None
        epoch = holder.stdout.readline().strip()
    with closing(SqliteStore(path)) as store:
        assert store.epoch == epoch


def test_second_store_in_one_process_is_refused(path: Path) -> None:
    """The lock holds within a process as well, and closing gives it up."""
    with closing(SqliteStore(path)), pytest.raises(StoreLocked):
        SqliteStore(path)
    SqliteStore(path).close()


# --- refused ---------------------------------------------------------------------------------------


def test_file_that_is_no_database_is_refused(path: Path) -> None:
    """Any other file is refused with one line, and left as it is."""
    path.write_text("not a database\n" * 1000)
    with pytest.raises(StoreCorrupt) as error:
        SqliteStore(path)
    assert one_line(error, path)
    assert path.read_text() == "not a database\n" * 1000


def test_foreign_database_is_refused_untouched(path: Path) -> None:
    """A SQLite file of another application is refused, and not a byte of it changes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (schema_version)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="not a store of ecs-scheduler"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("schema", [1, 99])
def test_other_schema_is_refused(path: Path, schema: int) -> None:
    """A file of a schema that is not known here is refused in one line, naming it and those that are."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET schema_version = ?", (schema,))
    with pytest.raises(StoreCorrupt, match=f"has schema {schema}; this version reads schemas 2, 3") as error:
        SqliteStore(path)
    assert one_line(error, path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_file_is_refused(path: Path, keep: float) -> None:
    """A file that lost its end is damaged."""
    fill(path)
    os.truncate(path, int(path.stat().st_size * keep))
    with pytest.raises(StoreCorrupt) as error:
        SqliteStore(path)
    assert one_line(error, path)


def test_damaged_page_is_refused(path: Path) -> None:
    """A file with garbage in its middle is damaged."""
    fill(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreCorrupt) as error:
        SqliteStore(path)
    assert one_line(error, path)


def test_unreadable_row_is_damage(path: Path) -> None:
    """A row that is no longer what was written is told in one line, without its content."""
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE event SET payload = '{"secret": 1}' WHERE revision = 3""")
    with closing(SqliteStore(path)) as store, pytest.raises(StoreCorrupt) as error:
        store.events_after(0, 10)
    assert one_line(error, path)
    assert "secret" not in str(error.value)


def fill(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(n)] for n in range(200)])


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_unusable_directory_is_told(tmp_path: Path, parent: str) -> None:
    """A directory that cannot hold the store is named, with the cause."""
    (tmp_path / "file").touch()
    path = tmp_path / parent / "scheduler.db"
    with pytest.raises(StoreError, match=r"(No such file or|Not a) directory") as error:
        SqliteStore(path)
    assert one_line(error, path)


@pytest.mark.parametrize("directory", ["/", ".", ".."])
def test_directory_is_no_store(directory: str) -> None:
    """It is told as such, also where it has no name beside which a lock could be."""
    with pytest.raises(StoreError, match="Is a directory") as error:
        SqliteStore(Path(directory))
    assert one_line(error, Path(directory))


def test_refused_file_is_unlocked_again(path: Path) -> None:
    """A refusal leaves no lock: once the file is gone, the same process opens a new store there."""
    path.write_text("not a database\n" * 1000)
    with pytest.raises(StoreCorrupt):
        SqliteStore(path)
    path.unlink()
    SqliteStore(path).close()


def test_name_that_a_uri_would_misread_is_only_a_name(tmp_path: Path) -> None:
    """Characters that mean something in SQLite's URIs are part of the file's name."""
    path = tmp_path / "a?mode=memory#%20.db"
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(1)]])
        assert store.get(task_id(1)) is not None
    assert path.exists()


# --- readers ---------------------------------------------------------------------------------------


def test_closed_store_is_an_error(path: Path) -> None:
    """After closing, commits and readers say that the store is closed."""
    store = SqliteStore(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.commit([[submitted(1)]])
    with pytest.raises(StoreError, match="closed"):
        store.get(task_id(1))


def test_load_is_as_of_its_start(path: Path) -> None:
    """Tasks that are read lazily do not show commits that came after `load`."""
    with closing(SqliteStore(path)) as store:
        store.commit([[submitted(1)], [submitted(2)]])
        state = store.load()
        store.commit([[transitioned(1, TaskState.FAILED)], [submitted(3)]])
        assert [task.queued.task_id for task in state.live] == [task_id(1), task_id(2)]
        assert state.revision == 2


def test_readers_see_no_gap_while_the_writer_commits(path: Path) -> None:
    """Four threads that follow the events each see every revision once, in order."""
    seen: list[list[int]] = [[] for _ in range(4)]

    def follow(revisions: list[int]) -> None:
        while len(revisions) < 300:
            revisions += [event.revision for event in store.events_after(len(revisions), 50)]

    with closing(SqliteStore(path)) as store:
        followers = [Thread(target=follow, args=(revisions,), daemon=True) for revisions in seen]
        for follower in followers:
            follower.start()
        for n in range(100):
            store.commit([[submitted(3 * n + k)] for k in range(3)])
        for follower in followers:
            follower.join(timeout=30)
    assert seen == [list(range(1, 301))] * 4


def test_every_probe_reaches_the_disk(path: Path) -> None:
    """SQLite writes no page that does not change: a probe that repeats itself would prove nothing."""
    log = path.with_name(path.name + "-wal")
    with closing(SqliteStore(path)) as store:
        sizes = [log.stat().st_size for _ in range(3) if store.commit([PROBE])]
    assert sizes[0] < sizes[1] < sizes[2]
