"""Compaction: what the store may forget, forgotten in slices between commits, and taken off the disk."""

import structlog

from scheduler.ports.clock import Clock
from scheduler.ports.store import Store, StoreError

HISTORY = 1_000_000
"""Revisions that watches can resume from, unless their tasks are forgotten before: some 500 MB of events."""

COMPACT_EVERY = 10_000
"""Events between two compactions of the history: each deletes a few milliseconds' worth of rows."""

TASKS_PER_SLICE = 100
"""Stopped tasks that are forgotten at once: a commit that comes meanwhile waits some 5 ms."""

FORGET_EVERY_MS = 60_000
"""Pause after which stopped tasks are looked for again, once all that were due are forgotten."""

SCRUB_EVERY_MS = 10_000
"""How long environment values may still be on the disk after their task has ended, unless a reader is in the
way. It costs a thousandth of the writer's time: 3 to 30 ms, for pages that SQLite copies sooner or later."""

log = structlog.get_logger()


class Compaction:
    """Keeps the store from growing for ever. Lives on the writer's thread: the store has one writer.

    The history is bounded by number, and by age through its tasks: `forget_tasks` takes their events along.
    """

    def __init__(self, store: Store, clock: Clock, *, task_retention_ms: int, history: int = HISTORY) -> None:
        """The first `go_on` compacts: a service that is restarted often would else never come to it."""
        self._store = store
        self._clock = clock
        self._task_retention_ms = task_retention_ms
        self._history = history
        self._compacted: int | None = None
        self._forgot_ms: int | None = None
        self._scrubbed: int | None = None
        self._tried_to_scrub_ms: int | None = None

    def go_on(self) -> None:
        """Does what is due, at most one slice of it. What fails is tried again when it is due next."""
        try:
            self._compact()
            self._forget_tasks()
            self._scrub()
        except StoreError as error:
            # What is old only stays longer than it must.
            log.warning("store.not_compacted", reason=str(error))

    def _compact(self) -> None:
        written = self._store.revision() + self._store.scaling_sequence()
        if self._compacted is not None and written - self._compacted < COMPACT_EVERY:
            return
        self._compacted = written
        self._store.compact(max(0, self._store.revision() - self._history))

    def _forget_tasks(self) -> None:
        now_ms = self._clock.now_ms()
        if _soon_after(self._forgot_ms, now_ms, FORGET_EVERY_MS):
            return
        self._forgot_ms = now_ms
        if self._store.forget_tasks(now_ms - self._task_retention_ms, TASKS_PER_SLICE) == TASKS_PER_SLICE:
            self._forgot_ms = None  # there may be more

    def _scrub(self) -> None:
        """After every revision with which a task may have ended; the first one is for an earlier process."""
        revision, now_ms = self._store.revision(), self._clock.now_ms()
        if revision == self._scrubbed or _soon_after(self._tried_to_scrub_ms, now_ms, SCRUB_EVERY_MS):
            return
        self._tried_to_scrub_ms = now_ms
        if self._store.scrub():
            self._scrubbed = revision


def _soon_after(last_ms: int | None, now_ms: int, pause_ms: int) -> bool:
    # A clock that was set back does not keep us waiting for the time that it showed before.
    return last_ms is not None and 0 <= now_ms - last_ms < pause_ms
