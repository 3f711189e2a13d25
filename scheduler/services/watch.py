"""The watch hub: one tail of the store's event log, fanned out to bounded buffers.

The log is the truth and the hub only follows it: a watcher that is behind the hub reads the log itself
(`services/task_watch.py`) and subscribes once it has caught up. So a slow or a returning watcher costs the
others nothing, and no event can fall between the two.

Threading: everything runs on one thread, the edge's event loop, except `revision_committed`, which any
thread may call and which only schedules.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scheduler.core.model.task import Task, TaskEvent
from scheduler.ports.store import RevisionCompacted, Store, TaskFilter

ROWS_PER_READ = 250
"""Events or tasks that one read of the store brings. SQLite yields some 60 a millisecond, and the loop that
answers every call should not be held for more than 5 ms."""

MESSAGES_PER_S = 10_000
"""What one core can push to streams (a message costs about 60 us, whatever it carries)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedEvent:
    """An event as one watch sees it. `left_filter`: the task has just left the states filtered on."""

    event: TaskEvent
    left_filter: bool = False


def seen_through(wanted: TaskFilter, event: TaskEvent) -> WatchedEvent | None:
    """The event as a watch with this filter sees it, or None when it does not concern it.

    A task that leaves the filtered states is shown once more: else its watcher would believe for ever
    that it is still in them.
    """
    if not wanted.matches_apart_from_state(event.task):
        return None
    if not wanted.states or event.task.status.state in wanted.states:
        return WatchedEvent(event=event)
    if event.previous_state in wanted.states:
        return WatchedEvent(event=event, left_filter=True)
    return None


class Subscription:
    """One watcher's place in the fan-out: a filter, and a buffer that ends the watch when it is full."""

    def __init__(
        self, wanted: TaskFilter, after_revision: int, buffer_size: int, notify: Callable[[], None]
    ) -> None:
        self.wanted = wanted
        self.lagging = False
        self._after_revision = after_revision
        self._buffer_size = buffer_size
        self._notify = notify
        self._buffer: deque[WatchedEvent] = deque()

    def offer(self, event: TaskEvent) -> None:
        """Buffers the event if it concerns the watch and is new to it."""
        if self.lagging or event.revision <= self._after_revision:
            return
        watched = seen_through(self.wanted, event)
        if watched is None:
            return
        if len(self._buffer) >= self._buffer_size:
            self.fall_behind()
        else:
            self._buffer.append(watched)
        self._notify()

    def fall_behind(self) -> None:
        """Ends the watch and frees its buffer: what was in it is still in the log."""
        self.lagging = True
        self._buffer.clear()
        self._notify()

    def wake(self) -> None:
        """Has the watcher look again."""
        self._notify()

    def take(self, limit: int) -> list[WatchedEvent]:
        """Removes and returns the oldest events."""
        return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    @property
    def drained(self) -> bool:
        """True when nothing is waiting to be taken."""
        return not self._buffer


class _Index:
    """Subscriptions under the most selective thing they ask for, so that an event meets only likely ones.

    Without it every event is matched against every filter: 164 us an event with 2,000 watches.
    """

    def __init__(self) -> None:
        self._by_key: defaultdict[tuple[str, str], dict[Subscription, None]] = defaultdict(dict)

    @staticmethod
    def _keys(wanted: TaskFilter) -> Iterator[tuple[str, str]]:
        if wanted.task_ids:
            yield from (("task_id", task_id) for task_id in wanted.task_ids)
        elif wanted.build_key:
            yield ("build_key", wanted.build_key)
        else:
            yield ("tenant", wanted.tenant)

    def add(self, subscription: Subscription) -> None:
        for key in self._keys(subscription.wanted):
            self._by_key[key][subscription] = None

    def remove(self, subscription: Subscription) -> None:
        for key in self._keys(subscription.wanted):
            found = self._by_key.get(key, {})
            found.pop(subscription, None)
            if not found:
                self._by_key.pop(key, None)

    def likely(self, task: Task) -> Iterator[Subscription]:
        """Subscriptions that may want the task; each at most once, as each is under one kind of key."""
        for key in (
            ("task_id", task.task_id),
            ("build_key", task.build_key),
            ("tenant", task.tenant),
            ("tenant", ""),
        ):
            if key in self._by_key:
                yield from tuple(self._by_key[key])


class WatchHub:
    """Follows the log and hands each event to the subscriptions that it concerns."""

    def __init__(self, store: Store, buffer_size: int = 1_000, rows_per_read: int = ROWS_PER_READ) -> None:
        self.buffer_size = buffer_size
        self.rows_per_read = rows_per_read
        self.closed = False
        self._store = store
        self._revision = store.revision()
        self._index = _Index()
        self._subscriptions: dict[Subscription, None] = {}
        self._schedule: Callable[[], None] = _nowhere
        self._scheduled = False

    @property
    def revision(self) -> int:
        """Every event up to this one has been offered."""
        return self._revision

    @property
    def watchers(self) -> int:
        """How many watches are live."""
        return len(self._subscriptions)

    @property
    def pause_s(self) -> float:
        """How long a watcher rests between two messages, so that all of them together stay within
        MESSAGES_PER_S: 2,000 watchers get at most 5 messages a second each, a few get theirs at once."""
        return self.watchers / MESSAGES_PER_S

    def attach(self, schedule: Callable[[], None]) -> None:
        """`schedule`, called from any thread, must have `advance` called soon on the hub's own thread."""
        self._schedule = schedule
        self._scheduled = False
        self.revision_committed()

    def revision_committed(self) -> None:
        """Any thread: there is something new in the log. Calls are coalesced until the next `advance`."""
        if not self._scheduled:
            self._scheduled = True
            self._schedule()

    def subscribe(
        self, wanted: TaskFilter, after_revision: int, notify: Callable[[], None]
    ) -> Subscription | None:
        """A place in the fan-out for who has seen everything up to `after_revision`; None while that is
        behind the hub, and the log must be read first. `notify` is called when there is something to take."""
        if after_revision < self._revision:
            return None
        subscription = Subscription(wanted, after_revision, self.buffer_size, notify)
        self._subscriptions[subscription] = None
        self._index.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Gives the place up. Safe to call twice."""
        self._subscriptions.pop(subscription, None)
        self._index.remove(subscription)

    def advance(self) -> bool:
        """Reads one slice of the log and fans it out; True when there may be more to read."""
        # Cleared before the read: a commit after this line is either in the slice or schedules again.
        self._scheduled = False
        if not self._subscriptions:
            self._revision = self._store.revision()
            return False
        events = self._slice()
        for event in events:
            self._offer(event)
        return len(events) == self.rows_per_read

    def _slice(self) -> list[TaskEvent]:
        try:
            return self._store.events_after(self._revision, self.rows_per_read)
        except RevisionCompacted:
            # The tail itself was overtaken: everybody resumes, and is told so by the log.
            self._revision = self._store.revision()
            for subscription in tuple(self._subscriptions):
                self._drop(subscription)
            return []

    def _offer(self, event: TaskEvent) -> None:
        self._revision = event.revision
        for subscription in self._index.likely(event.task):
            subscription.offer(event)
            if subscription.lagging:
                self.unsubscribe(subscription)

    def _drop(self, subscription: Subscription) -> None:
        subscription.fall_behind()
        self.unsubscribe(subscription)

    def close(self) -> None:
        """The server is stopping: every watch finds the hub closed when it looks next, which is now."""
        self.closed = True
        self._schedule = _nowhere
        for subscription in tuple(self._subscriptions):
            subscription.wake()


def _nowhere() -> None:
    """Before a loop is attached, and after the hub is closed, nobody needs to be told."""
