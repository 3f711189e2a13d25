"""The adapters that claim to be a store, for the suites of its contract."""

from collections.abc import Callable
from pathlib import Path

from scheduler.adapters.memory import MemoryStore
from scheduler.adapters.sqlite import SqliteStore
from scheduler.core.model.task import TaskState
from scheduler.ports.store import LiveTask, Store

QUEUED, ASSIGNED, STARTING = TaskState.QUEUED, TaskState.ASSIGNED, TaskState.STARTING
RUNNING, STOPPING = TaskState.RUNNING, TaskState.STOPPING
SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED
CANCELLED, EXPIRED = TaskState.CANCELLED, TaskState.EXPIRED

OpenStore = Callable[[Path], Store]


def sqlite(directory: Path) -> Store:
    """A store in a file of its own."""
    return SqliteStore(directory / "scheduler.db")


def memory(directory: Path) -> Store:
    """A store in memory."""
    return MemoryStore()


ADAPTERS: tuple[OpenStore, ...] = (sqlite, memory)


def live(store: Store) -> list[LiveTask]:
    """What would be loaded now."""
    return list(store.load().live)
