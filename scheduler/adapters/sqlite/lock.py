"""The lock that makes this process the only writer of a store."""

import fcntl
import os
from errno import EISDIR
from pathlib import Path

from scheduler.ports.store import StoreLocked


class FileLock:
    """An exclusive lock on a file of its own beside the store, held until `release` or the process's death.

    Its own file, because SQLite's locks on the store vanish when this process closes any other descriptor
    of the same file (SQLite docs: How To Corrupt, 2.2). `flock` belongs to the open file, so that a second
    store in one process is refused like one in another process.
    """

    def __init__(self, store: Path) -> None:
        """Locks `<store>.lock` at once or raises StoreLocked; OSError when the file cannot be made."""
        if store.is_dir():  # `/` and `.` have no name to put a lock beside
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(store))
        path = store.with_name(f"{store.name}.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StoreLocked(f"store {store} is held by process {holder or 'unknown'}") from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Gives the lock up. The file stays: removing it could unlink the lock of the next holder."""
        os.close(self._descriptor)
