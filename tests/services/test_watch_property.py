"""Bad things that never happen to a watch: a change that is lost, repeated or out of order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.task import TaskEvent
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import WatchLagging
from scheduler.services.task_watch import TaskWatch, WatchPosition
from scheduler.services.watch import WatchHub
from tests.builders import submitted, task_id, transitioned

PRESENT = 3
"""Tasks, and so revisions, that there are when the watch begins."""


class Watching(RuleBasedStateMachine):
    """Commits, reads and resumptions in any order, with small pages and buffers that are soon full."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.hub = WatchHub(self.store, buffer_size=3, rows_per_read=2)
        self.tasks = 0
        for _ in range(PRESENT):
            self.submit()
        self.told: list[TaskEvent] = []
        self.tokens: list[tuple[WatchPosition, int]] = []
        self.resume_at(None)

    def resume_at(self, position: WatchPosition | None) -> None:
        self.watch = TaskWatch(self.store, self.hub, TaskFilter(), position=position, notify=lambda: None)
        self.tokens.append((self.watch.position, len(self.told)))

    @rule()
    def submit(self) -> None:
        self.store.commit([[submitted(self.tasks)]])
        self.tasks += 1

    @rule(task=st.integers(min_value=0, max_value=10))
    def move(self, task: int) -> None:
        self.store.commit([[transitioned(task % self.tasks)]])

    @rule()
    def advance(self) -> None:
        self.hub.advance()

    @rule()
    def read(self) -> None:
        try:
            batch = self.watch.read()
        except WatchLagging:
            self.resume_at(self.watch.position)
        else:
            self.told += [watched.event for watched in batch.events]
            self.tokens.append((batch.end, len(self.told)))

    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """The client forgets what it saw after some earlier token, and comes back with it."""
        self.watch.close()
        number = data.draw(st.integers(min_value=0, max_value=len(self.tokens) - 1))
        position, seen = self.tokens[number]
        del self.told[seen:], self.tokens[number:]
        self.resume_at(position)

    @invariant()
    def changes_are_dense_and_in_order(self) -> None:
        """After the snapshot each revision follows the one before; of the snapshot none comes twice."""
        revisions = [event.revision for event in self.told]
        listed = [revision for revision in revisions if revision <= PRESENT]
        changes = [revision for revision in revisions if revision > PRESENT]
        assert len(listed) == len(set(listed))
        assert changes == list(range(PRESENT + 1, PRESENT + 1 + len(changes)))

    @invariant()
    def synced_watch_knows_every_task(self) -> None:
        """At the border, and from there on, no task that was there at the beginning is missing."""
        if self.watch.position.synced:
            known = {event.task.task_id for event in self.told}
            assert known >= {task_id(number) for number in range(PRESENT)}

    def teardown(self) -> None:
        """Left alone, the watch ends with all there is."""
        self.resume_at(self.watch.position)
        while self.hub.advance() or not self.watch.waits:
            self.read()
        self.changes_are_dense_and_in_order()
        assert self.watch.position.revision == self.store.revision()
        changes = [event.revision for event in self.told if event.revision > PRESENT]
        assert len(changes) == self.store.revision() - PRESENT


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
