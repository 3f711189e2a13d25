"""One watch of tasks, from the present state to the changes: a cursor that is pulled, and can be resumed.

Three stages, each of which a resume token can name (`WatchPosition`):

1. *Listing*: tasks by id, as of a snapshot revision S that was read first. A task that changed since S is
   left out, because the log after S tells of it; so every revision is delivered once, by one of the two.
2. *Catching up*: the log after S. The present state is whole at the border B, the store's last revision when
   the listing ended: every task that the listing left out changed between S and B. From there on: synced.
3. *Live*: what the hub hands out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scheduler.core.model.task import Task, TaskEvent
from scheduler.ports.store import RevisionCompacted, Store, TaskFilter
from scheduler.services.errors import (
    ResumeTokenCompacted,
    ResumeTokenForeign,
    ServiceStopping,
    WatchLagging,
)
from scheduler.services.watch import Subscription, WatchedEvent, WatchHub, seen_through

EVENTS_PER_BATCH = 500
"""Upper bound of events in one batch, and so in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPosition:
    """How far a watch has come: all that a resume token says.

    `revision` is the last one delivered (the snapshot's while listing); `border` is where the present state
    is whole, once known; `after_task_id` is the last task listed, and None when listing is over.
    """

    revision: int
    border: int = 0
    after_task_id: str | None = None

    @property
    def synced(self) -> bool:
        """True once the present state has been delivered whole."""
        return self.after_task_id is None and self.revision >= self.border

    def after(self, event: TaskEvent) -> "WatchPosition":
        """The position right after an event that followed this one."""
        if self.after_task_id is not None:
            return replace(self, after_task_id=event.task.task_id)
        return replace(self, revision=event.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBatch:
    """What one pull found: `events` after the position `start`, and the position `end` behind them."""

    start: WatchPosition
    events: Sequence[WatchedEvent]
    end: WatchPosition

    @property
    def says_something(self) -> bool:
        """False when a client would learn nothing from it."""
        return bool(self.events) or self.end.synced != self.start.synced


class TaskWatch:
    """One client's watch. It lives on the hub's thread, apart from a `read` that `searches`."""

    def __init__(
        self,
        store: Store,
        hub: WatchHub,
        wanted: TaskFilter,
        *,
        position: WatchPosition | None,
        notify: Callable[[], None],
    ) -> None:
        """Starts at `position`, or with the present state. `notify` is called when a `read` is due."""
        last = store.revision()
        if position is not None and position.revision > last:
            raise ResumeTokenForeign
        # The snapshot's revision is read before its first page: what changes in between is in the log.
        self.position = position or WatchPosition(revision=last, after_task_id="")
        self._store = store
        self._hub = hub
        self._wanted = wanted
        self._notify = notify
        self._subscription: Subscription | None = None

    @property
    def waits(self) -> bool:
        """True when the next `read` finds nothing before `notify` is called."""
        place = self._subscription
        return place is not None and place.drained and not place.lagging and not self._hub.closed

    @property
    def searches(self) -> bool:
        """True while it lists: the next `read` lasts as long as the store has to look for tasks that match,
        and as it touches nothing but the store, any thread may make it, one at a time."""
        return self.position.after_task_id is not None

    def read(self) -> WatchBatch:
        """The next batch, maybe an empty one. Raises what ends the watch."""
        if self._hub.closed:
            raise ServiceStopping
        start = self.position
        if start.after_task_id is not None:
            events, self.position = self._listed(start, start.after_task_id)
        elif self._subscription is None:
            events, self.position = self._logged(start)
        else:
            events, self.position = self._pushed(start, self._subscription)
        return WatchBatch(start=start, events=events, end=self.position)

    def close(self) -> None:
        """Gives the watch's place in the fan-out up."""
        if self._subscription is not None:
            self._hub.unsubscribe(self._subscription)

    def _listed(
        self, start: WatchPosition, after_task_id: str
    ) -> tuple[Sequence[WatchedEvent], WatchPosition]:
        page = self._store.list_tasks(self._wanted, after_task_id, self._hub.rows_per_read)
        events = [_as_listed(task) for task in page if task.status.revision <= start.revision]
        if len(page) == self._hub.rows_per_read:
            return events, replace(start, after_task_id=page[-1].task_id)
        return events, WatchPosition(revision=start.revision, border=self._store.revision())

    def _logged(self, start: WatchPosition) -> tuple[Sequence[WatchedEvent], WatchPosition]:
        try:
            events = self._store.events_after(start.revision, self._hub.rows_per_read)
        except RevisionCompacted as gone:
            raise ResumeTokenCompacted(gone.oldest) from gone
        end = start.after(events[-1]) if events else start
        self._subscription = self._hub.subscribe(self._wanted, end.revision, self._notify)
        seen = (seen_through(self._wanted, event) for event in events)
        return [watched for watched in seen if watched is not None], end

    def _pushed(
        self, start: WatchPosition, place: Subscription
    ) -> tuple[Sequence[WatchedEvent], WatchPosition]:
        if place.lagging:
            raise WatchLagging(self._hub.buffer_size)
        events = place.take(EVENTS_PER_BATCH)
        if place.drained:
            # Nothing up to the hub's revision is missing: the token moves on even if nothing matched, or it
            # would be compacted under a quiet watch.
            return events, replace(start, revision=max(start.revision, self._hub.revision))
        return events, start.after(events[-1].event)


def _as_listed(task: Task) -> WatchedEvent:
    return WatchedEvent(event=TaskEvent(revision=task.status.revision, previous_state=None, task=task))
