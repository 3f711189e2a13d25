"""Watches of the scaling log: each reads the store at its own pace, and is rung when there may be more.

Nothing is buffered for a watch, so a slow one costs nobody anything: what it did not read yet is in the log.
Changes of tasks come by the hundred a second and are fanned out from one reading (`services/watch.py`);
capacity changes a few times a minute.

Threading: everything runs on one thread, the edge's event loop.
"""

from collections.abc import Callable, Sequence

from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.ports.store import RevisionCompacted, Store
from scheduler.services.errors import ResumeTokenCompacted, ResumeTokenForeign, ServiceStopping

EVENTS_PER_READ = 250
"""As many as one read of the store may bring without holding up the loop that answers every call."""


class ScalingWatch:
    """One client's watch: a cursor that is pulled. `sequence` is the last event that it has given out."""

    def __init__(self, store: Store, sequence: int | None, notify: Callable[[], None]) -> None:
        """Starts behind `sequence`, or behind all there is. `notify` is called when a `read` is due."""
        last = store.scaling_sequence()
        if sequence is not None and sequence > last:
            raise ResumeTokenForeign
        self.sequence = last if sequence is None else sequence
        self.waits = False
        self._border = last
        self._closed = False
        self._store = store
        self._notify = notify

    @property
    def synced(self) -> bool:
        """True once everything that was there when the watch began has been given out."""
        return self.sequence >= self._border

    def read(self) -> Sequence[StoredScalingEvent]:
        """The next events, maybe none; then it `waits` until it is notified. Raises what ends the watch."""
        if self._closed:
            raise ServiceStopping
        try:
            events = self._store.scaling_events_after(self.sequence, EVENTS_PER_READ)
        except RevisionCompacted as gone:
            raise ResumeTokenCompacted(gone.oldest) from gone
        if events:
            self.sequence = events[-1].sequence
        self.waits = len(events) < EVENTS_PER_READ
        return events

    def ring(self) -> None:
        """There may be more to read."""
        self.waits = False
        self._notify()

    def end(self) -> None:
        """The next `read` raises ServiceStopping."""
        self._closed = True
        self.ring()


class ScalingWatches:
    """All open watches of the log."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watches: set[ScalingWatch] = set()
        self._rung_for = 0
        self._closed = False

    def open(self, sequence: int | None, notify: Callable[[], None]) -> ScalingWatch:
        """A watch of what comes after `sequence`, or from now on. It must be given to `close`."""
        watch = ScalingWatch(self._store, sequence, notify)
        self._watches.add(watch)
        if self._closed:
            watch.end()
        return watch

    def close(self, watch: ScalingWatch) -> None:
        """Nobody reads it any more. Safe to call twice."""
        self._watches.discard(watch)

    def committed(self) -> None:
        """Something was committed; the watches are rung if it was of theirs."""
        if not self._watches:
            return
        last = self._store.scaling_sequence()
        if last != self._rung_for:
            self._rung_for = last
            for watch in self._watches:
                watch.ring()

    def end(self) -> None:
        """The server is stopping: every watch ends when it reads next, which is now."""
        self._closed = True
        for watch in self._watches:
            watch.end()
