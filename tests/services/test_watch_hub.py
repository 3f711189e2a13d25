"""The watch hub: who is told of which event, and who is ended."""

import pytest

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.task import TaskState
from scheduler.ports.store import TaskFilter
from scheduler.services.watch import ROWS_PER_READ, Subscription, WatchHub
from tests.builders import submitted, task_id, transitioned


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def hub(store: MemoryStore) -> WatchHub:
    return WatchHub(store, buffer_size=10)


def subscribed(hub: WatchHub, wanted: TaskFilter | None = None, bell: Bell | None = None) -> Subscription:
    place = hub.subscribe(wanted or TaskFilter(), hub.revision, (bell or Bell()).ring)
    assert place is not None
    return place


def seen(place: Subscription) -> list[int]:
    return [watched.event.revision for watched in place.take(100)]


@pytest.mark.parametrize(
    ("wanted", "revisions"),
    [
        (TaskFilter(), [1, 2, 3]),
        (TaskFilter(tenant="bamboo"), [1, 3]),
        (TaskFilter(task_ids=frozenset({task_id(2), task_id(3)})), [2, 3]),
        (TaskFilter(build_key="OTHER"), [2]),
        (TaskFilter(build_key="OTHER", tenant="bamboo"), []),
        (TaskFilter(labels=(("branch", "main"),)), [3]),
        (TaskFilter(task_ids=frozenset({task_id(1)}), tenant="jenkins"), []),
    ],
)
def test_event_reaches_whoever_it_concerns(
    store: MemoryStore, hub: WatchHub, wanted: TaskFilter, revisions: list[int]
) -> None:
    """A subscription gets the events that match all of its filter, under whatever key it is indexed."""
    place = subscribed(hub, wanted)
    store.commit([[submitted(1)], [submitted(2, tenant="jenkins", build_key="OTHER")]])
    store.commit([[submitted(3, labels={"branch": "main"})]])
    hub.advance()
    assert seen(place) == revisions


def test_task_that_leaves_the_filtered_states_is_shown_once_more(store: MemoryStore, hub: WatchHub) -> None:
    """A watch on QUEUED sees a task enter and leave, and nothing of what comes after."""
    place = subscribed(hub, TaskFilter(states=frozenset({TaskState.QUEUED})))
    store.commit([[submitted()], [transitioned(state=TaskState.ASSIGNED)]])
    store.commit([[transitioned(state=TaskState.RUNNING, previous=TaskState.ASSIGNED)]])
    hub.advance()
    assert [(one.event.revision, one.left_filter) for one in place.take(10)] == [(1, False), (2, True)]


def test_full_buffer_ends_the_watch(store: MemoryStore, hub: WatchHub) -> None:
    """One event more than the buffer holds marks the watch as lagging, frees its buffer and its place."""
    bell = Bell()
    place = subscribed(hub, bell=bell)
    store.commit([[submitted(number)] for number in range(11)])
    hub.advance()
    assert place.lagging
    assert place.drained
    rung = bell.rung
    store.commit([[submitted(99)]])
    hub.advance()
    assert bell.rung == rung


def test_lagging_watch_does_not_hinder_others(store: MemoryStore, hub: WatchHub) -> None:
    """A watcher that reads sees everything beside one that does not."""
    asleep, awake = subscribed(hub), subscribed(hub)
    revisions = []
    for number in range(20):
        store.commit([[submitted(number)]])
        hub.advance()
        revisions += seen(awake)
    assert asleep.lagging
    assert revisions == list(range(1, 21))


def test_who_is_behind_must_read_the_log_first(store: MemoryStore, hub: WatchHub) -> None:
    """A place in the fan-out is given only to who has seen all that was already handed out."""
    store.commit([[submitted(1)]])
    hub.advance()
    assert hub.subscribe(TaskFilter(), 0, Bell().ring) is None
    assert hub.subscribe(TaskFilter(), 1, Bell().ring) is not None


def test_who_is_ahead_gets_nothing_twice(store: MemoryStore, hub: WatchHub) -> None:
    """A watcher that has read further than the hub is not shown those events again."""
    store.commit([[submitted(1)], [submitted(2)]])
    place = hub.subscribe(TaskFilter(), 1, Bell().ring)
    hub.advance()
    assert place is not None
    assert seen(place) == [2]


def test_commits_are_coalesced(store: MemoryStore, hub: WatchHub) -> None:
    """Many commits schedule one advance, and a commit after it schedules the next."""
    bell = Bell()
    hub.attach(bell.ring)
    hub.advance()
    bell.rung = 0
    for _ in range(5):
        hub.revision_committed()
    assert bell.rung == 1
    hub.advance()
    hub.revision_committed()
    assert bell.rung == 2


def test_commits_before_anyone_listens_are_not_forgotten(hub: WatchHub) -> None:
    """A hub that heard of commits before it was attached schedules when it is."""
    bell = Bell()
    hub.revision_committed()
    hub.attach(bell.ring)
    assert bell.rung == 1


def test_log_is_read_in_slices(store: MemoryStore) -> None:
    """One advance reads a bounded slice and says that there is more."""
    hub = WatchHub(store)
    subscribed(hub)
    store.commit([[submitted(number)] for number in range(ROWS_PER_READ + 1)])
    assert hub.advance()
    assert not hub.advance()
    assert hub.revision == ROWS_PER_READ + 1


def test_nobody_is_told_without_subscriptions(store: MemoryStore, hub: WatchHub) -> None:
    """With no watcher the hub only notes how far the log is."""
    store.commit([[submitted(number)] for number in range(ROWS_PER_READ + 1)])
    assert not hub.advance()
    assert hub.revision == store.revision()


def test_tail_that_is_overtaken_by_compaction_ends_every_watch(store: MemoryStore, hub: WatchHub) -> None:
    """If the log was compacted past the hub, every watch is ended and must resume."""
    place = subscribed(hub)
    store.commit([[submitted(1)], [submitted(2)]])
    store.compact(3)
    hub.advance()
    assert place.lagging
    assert hub.revision == 2


def test_rest_between_messages_grows_with_the_watchers(hub: WatchHub) -> None:
    """A single watcher gets its messages at once; 2,000 get at most five a second each."""
    subscribed(hub)
    assert hub.pause_s < 0.001
    for _ in range(1_999):
        subscribed(hub)
    assert hub.pause_s == pytest.approx(0.2)


def test_place_can_be_given_up_twice(store: MemoryStore, hub: WatchHub) -> None:
    """Unsubscribing ends the events, and doing it again is harmless."""
    place = subscribed(hub, TaskFilter(task_ids=frozenset({task_id(1), task_id(2)})))
    hub.unsubscribe(place)
    hub.unsubscribe(place)
    store.commit([[submitted(1)]])
    hub.advance()
    assert place.drained
