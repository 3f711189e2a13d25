"""The watcher: a client that watches every task as the API lets it, breaks off now and then, and resumes."""

from collections.abc import Mapping

from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.stage import Broken
from scheduler.ports.store import Store, TaskFilter
from scheduler.services.task_watch import TaskWatch, WatchPosition
from scheduler.services.watch import WatchHub

_BREAKS_AFTER = 7
"""A connection lasts for so many looks."""

_FORGETS_AFTER = 3
"""One connection in so many begins anew, with the present state, as a client without a token does."""


class Watcher:
    """Sees every revision once, in order, through the hub of each life, and so what each task is now."""

    def __init__(self) -> None:
        """It begins with the present state."""
        self._hub: WatchHub | None = None
        self._watch: TaskWatch | None = None
        self._position: WatchPosition | None = None
        self._looks = 0
        self._states: dict[str, TaskState] = {}
        """What it was told of each task."""

    @property
    def hub(self) -> WatchHub | None:
        """That of the present life of the service."""
        return self._hub

    def follow(self, store: Store, durable: Mapping[str, TaskState]) -> None:
        """The service began: its hub is a new one."""
        self._hub, self._watch = WatchHub(store), None
        self.look(store, durable)

    def forget(self) -> None:
        """The store is another one, and says so: the watcher begins anew, with the present state."""
        self._hub = self._watch = self._position = None
        self._states.clear()

    def look(self, store: Store, durable: Mapping[str, TaskState]) -> None:
        """Takes all that there is, which leads to what is `durable`; resumes when its connection breaks."""
        if self._hub is None:
            return
        self._looks += 1
        if self._watch is None or self._looks % _BREAKS_AFTER == 0:
            self._connect(store, self._hub)
        assert self._watch is not None
        self._hub.revision_committed()
        while self._hub.advance():
            pass
        while not self._watch.waits:
            self._take(self._watch)
        if self._states != durable:
            wrong = dict(self._states.items() ^ durable.items())
            raise Broken("a_watch_sees_every_event_once", f"it leads to another state of {wrong}")

    def _connect(self, store: Store, hub: WatchHub) -> None:
        if self._watch is not None:
            self._watch.close()
            if self._looks % (_BREAKS_AFTER * _FORGETS_AFTER) == 0:
                self._position = None
                self._states.clear()
        self._watch = TaskWatch(store, hub, TaskFilter(), position=self._position, notify=lambda: None)

    def _take(self, watch: TaskWatch) -> None:
        listing = watch.position.after_task_id is not None
        last = watch.position.revision
        for each in watch.read().events:
            event, last = each.event, last + 1
            if not listing and event.revision != last:
                message = f"revision {event.revision} of {event.task.task_id} comes after {last - 1}"
                raise Broken("a_watch_sees_every_event_once", message)
            self._states[event.task.task_id] = event.task.status.state
        self._position = watch.position
