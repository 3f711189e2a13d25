"""One watch of tasks: present state, border, changes, resumption."""

from collections.abc import Callable

import pytest

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.records import Record
from scheduler.core.model.task import Task, TaskState
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import (
    ResumeTokenCompacted,
    ResumeTokenForeign,
    ServiceStopping,
    WatchLagging,
)
from scheduler.services.task_watch import TaskWatch, WatchPosition
from scheduler.services.watch import ROWS_PER_READ, WatchHub
from tests.builders import submitted, task_id, transitioned

EVERYTHING = TaskFilter()


class InterruptedStore(MemoryStore):
    """Something is committed between two pages of a listing."""

    between: Callable[[], None] | None = None

    def list_tasks(self, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        page = super().list_tasks(wanted, after_task_id, limit)
        if self.between is not None:
            interruption, self.between = self.between, None
            interruption()
        return page


def watch(
    store: MemoryStore,
    hub: WatchHub,
    wanted: TaskFilter = EVERYTHING,
    position: WatchPosition | None = None,
) -> TaskWatch:
    return TaskWatch(store, hub, wanted, position=position, notify=lambda: None)


def commit(store: MemoryStore, *records: Record) -> None:
    store.commit([[record] for record in records])


def read_all(one: TaskWatch) -> list[tuple[int, bool]]:
    """Revisions until there is nothing more to read, each with whether its batch ended synced."""
    found = []
    while not one.waits:
        batch = one.read()
        found += [(watched.event.revision, batch.end.synced) for watched in batch.events]
    return found


def test_present_state_comes_first_then_changes() -> None:
    """A watch without a position lists the tasks, then tells of each change."""
    store = MemoryStore()
    hub = WatchHub(store)
    store.commit([[submitted(1)], [submitted(2)], [transitioned(1)]])
    one = watch(store, hub)
    assert read_all(one) == [(3, True), (2, True)]
    store.commit([[submitted(3)]])
    hub.advance()
    assert read_all(one) == [(4, True)]


def test_empty_present_state_is_synced() -> None:
    """With no task at all the first batch says so, because it ends synced."""
    store = MemoryStore()
    batch = watch(store, WatchHub(store)).read()
    assert batch.says_something
    assert batch.end.synced


def test_listing_goes_page_by_page() -> None:
    """A long present state comes in pages, and only the last one is synced."""
    store = MemoryStore()
    store.commit([[submitted(number)] for number in range(ROWS_PER_READ + 1)])
    one = watch(store, WatchHub(store))
    first, second = one.read(), one.read()
    assert (len(first.events), first.end.synced) == (ROWS_PER_READ, False)
    assert (len(second.events), second.end.synced) == (1, True)


def test_task_that_changes_during_the_listing_comes_once() -> None:
    """A change between two pages is told by the log alone, before the border."""
    store = InterruptedStore()
    count = ROWS_PER_READ + 1
    store.commit([[submitted(number)] for number in range(count)])
    store.between = lambda: commit(store, transitioned(0), transitioned(count - 1))
    one = watch(store, WatchHub(store))
    told = read_all(one)
    assert [revision for revision, _ in told] == [*range(1, count), count + 1, count + 2]
    assert [synced for _, synced in told[-3:]] == [False, True, True]


def test_watch_resumes_in_the_middle_of_the_listing() -> None:
    """A position inside the listing continues after its task, as of the same snapshot."""
    store = MemoryStore()
    store.commit([[submitted(1)], [submitted(2)]])
    position = WatchPosition(revision=2, after_task_id=task_id(1))
    store.commit([[submitted(3)]])
    assert read_all(watch(store, WatchHub(store), position=position)) == [(2, False), (3, True)]


def test_border_survives_a_resumption() -> None:
    """A watch resumed between listing and border is synced only at the border."""
    store = MemoryStore()
    store.commit([[submitted(1)], [submitted(2)]])
    resumed = watch(store, WatchHub(store), position=WatchPosition(revision=1, border=2))
    assert not resumed.position.synced
    assert read_all(resumed) == [(2, True)]


def test_state_filter_shows_who_leaves_during_catching_up() -> None:
    """The log is filtered like the fan-out: a task that leaves the states comes once more."""
    store = MemoryStore()
    store.commit([[submitted(1)], [transitioned(1)]])
    queued = TaskFilter(states=frozenset({TaskState.QUEUED}))
    batch = watch(store, WatchHub(store), queued, WatchPosition(revision=1)).read()
    assert [(one.event.revision, one.left_filter) for one in batch.events] == [(2, True)]


def test_position_moves_on_when_nothing_matches() -> None:
    """A watch that wants nothing of what happens still moves on, or its token would be compacted."""
    store = MemoryStore()
    hub = WatchHub(store)
    one = watch(store, hub, TaskFilter(tenant="nobody"))
    read_all(one)
    other = watch(store, hub, TaskFilter(tenant="bamboo"))
    read_all(other)
    store.commit([[submitted(1)]])
    hub.advance()
    assert not one.read().says_something
    assert one.position.revision == 1


def test_compacted_position_is_refused() -> None:
    """A position whose changes are gone is refused with the oldest revision that is kept."""
    store = MemoryStore()
    store.commit([[submitted(1)], [submitted(2)], [submitted(3)]])
    store.compact(3)
    one = watch(store, WatchHub(store), position=WatchPosition(revision=1))
    with pytest.raises(ResumeTokenCompacted) as refused:
        one.read()
    assert refused.value.oldest_revision == 3


def test_position_in_the_future_is_refused() -> None:
    """A position beyond the log's end is of another history, such as that of a store from a backup."""
    store = MemoryStore()
    with pytest.raises(ResumeTokenForeign):
        watch(store, WatchHub(store), position=WatchPosition(revision=1))


def test_lagging_watch_is_ended() -> None:
    """A watch whose buffer is full raises, and its position is the last one that was read."""
    store = MemoryStore()
    hub = WatchHub(store, buffer_size=1)
    one = watch(store, hub)
    read_all(one)
    store.commit([[submitted(1)], [submitted(2)]])
    hub.advance()
    with pytest.raises(WatchLagging):
        one.read()
    assert one.position.revision == 0


def test_closed_hub_ends_the_watch() -> None:
    """When the server stops, a watch is ended at its next read, wherever it is."""
    store = MemoryStore()
    hub = WatchHub(store)
    one = watch(store, hub)
    hub.close()
    assert not one.waits
    with pytest.raises(ServiceStopping):
        one.read()
