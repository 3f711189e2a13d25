"""The adapters that claim to be a store, for the suites of its contract."""

from pathlib import Path
from typing import Protocol

from scheduler.adapters.memory import MemoryStore
from scheduler.adapters.sqlite import SqliteStore
from scheduler.core.model.task import TaskState
from scheduler.ports.store import SCALING_EVENTS_KEPT, LiveTask, Store

QUEUED, ASSIGNED, STARTING = TaskState.QUEUED, TaskState.ASSIGNED, TaskState.STARTING
RUNNING, STOPPING = TaskState.RUNNING, TaskState.STOPPING
SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED
CANCELLED, EXPIRED = TaskState.CANCELLED, TaskState.EXPIRED


class OpenStore(Protocol):
    """Opens a store that keeps so many scaling events when it is compacted."""

    def __call__(self, directory: Path, *, scaling_events_kept: int = SCALING_EVENTS_KEPT) -> Store: ...


def sqlite(directory: Path, *, scaling_events_kept: int = SCALING_EVENTS_KEPT) -> Store:
    """A store in a file of its own."""
    return SqliteStore(directory / "scheduler.db", scaling_events_kept=scaling_events_kept)


def memory(directory: Path, *, scaling_events_kept: int = SCALING_EVENTS_KEPT) -> Store:
    """A store in memory."""
    return MemoryStore(scaling_events_kept=scaling_events_kept)


ADAPTERS: tuple[OpenStore, ...] = (sqlite, memory)


def live(store: Store) -> list[LiveTask]:
    """What would be loaded now."""
    return list(store.load().live)
