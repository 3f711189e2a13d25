"""Compaction: what the store may forget, forgotten in slices between commits."""

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

    def go_on(self) -> None:
        """Does what is due, at most one slice of it. What fails is tried again when it is due next."""
        try:
            self._compact()
            self._forget_tasks()
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
        # A clock that was set back does not keep us waiting for the time that it showed before.
        if self._forgot_ms is not None and 0 <= now_ms - self._forgot_ms < FORGET_EVERY_MS:
            return
        self._forgot_ms = now_ms
        if self._store.forget_tasks(now_ms - self._task_retention_ms, TASKS_PER_SLICE) == TASKS_PER_SLICE:
            self._forgot_ms = None  # there may be more
