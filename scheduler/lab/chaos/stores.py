"""The stores of one service: opened, lost, copied and restored."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Literal

from scheduler.adapters.memory.store import MemoryStore
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.core.model.records import Record
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.process import MortalStore, OnCommit
from scheduler.ports.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A store as it was: its commits, the file that it was copied to, and what they made true."""

    epoch: str
    history: tuple[Sequence[Sequence[Record]], ...]
    path: Path
    book: Book


class Stores:
    """Opens a service's stores, one after the other."""

    def __init__(
        self, kind: Literal["memory", "sqlite"], directory: Path, name: str, committed: OnCommit
    ) -> None:
        """Files are made in `directory`; `name` keeps those of two services apart."""
        self._kind = kind
        self._directory = directory
        self._name = name
        self._committed = committed
        self._made = 0
        self._copies = 0
        self.epochs: list[str] = []

    def new(self) -> MortalStore:
        """An empty store."""
        self._made += 1
        store = self._open(f"{self._made:x}{self._name}".rjust(16, "0"))
        self.epochs.append(store.epoch)
        return MortalStore(store, self._committed)

    def reopen(self, store: MortalStore) -> None:
        """What a new process does: a file's lock ended with the process that held it."""
        if self._kind == "sqlite":
            store.inner.close()
            store.inner = self._open(store.epoch)

    def back_up(self, store: MortalStore, book: Book) -> Backup:
        """A copy, made as the operations page says: with SQLite's own means."""
        self._copies += 1
        path = self._path(f"backup-{self._copies}")
        if self._kind == "sqlite":
            with closing(sqlite3.connect(self._path())) as connection:
                connection.execute("VACUUM INTO ?", (str(path),))
        return Backup(epoch=store.epoch, history=tuple(store.history), path=path, book=deepcopy(book))

    def restore(self, store: MortalStore, backup: Backup) -> MortalStore:
        """The store as it was copied. In memory what was committed until then is committed again."""
        store.inner.close()
        self._made += 1
        if self._kind == "sqlite":
            copyfile(backup.path, self._path())
        restored = MortalStore(self._open(backup.epoch), self._committed)
        restored.history = list(backup.history)
        for batches in restored.history if self._kind == "memory" else ():
            restored.inner.commit(batches)
        return restored

    def _path(self, about: str = "") -> Path:
        return self._directory / f"{self._name}-{about or self._made}.sqlite3"

    def _open(self, epoch: str) -> Store:
        return SqliteStore(self._path()) if self._kind == "sqlite" else MemoryStore(epoch=epoch)
