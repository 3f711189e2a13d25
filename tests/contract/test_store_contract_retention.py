"""The store port's contract: stopped tasks that are forgotten, and what goes with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.records import AttemptRecorded
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.ports.store import RevisionCompacted, Store, TaskFilter, Written
from tests.builders import attempt, containers_spec, submitted, task_id, transitioned
from tests.contract.store_adapters import ADAPTERS, FAILED, QUEUED, RUNNING, OpenStore, live


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: OpenStore = request.param
    made = opened(tmp_path)
    yield made
    made.close()


def ended(store: Store, number: int, at_ms: int) -> None:
    store.commit([[submitted(number)], [transitioned(number, FAILED, at_ms=at_ms, attempt=attempt(number))]])


def kept(store: Store) -> list[str]:
    return [task.task_id for task in store.list_tasks(TaskFilter(), "", 100)]


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_task_that_ended_before_is_forgotten(store: Store, state: TaskState) -> None:
    """No reader knows it any more, however it ended."""
    store.commit([[submitted(1, labels={"a": "b"}, spec=containers_spec(A="a"))]])
    store.commit([[transitioned(1, state, at_ms=9, attempt=attempt(1))]])
    assert store.forget_tasks(10, 100) == 1
    assert (store.get(task_id(1)), kept(store), live(store)) == (None, [], [])
    assert store.find_request("bamboo", "request-1") is None


def test_task_that_ended_later_stays(store: Store) -> None:
    """The time itself is not before it; and what is forgotten is counted."""
    ended(store, 1, at_ms=10)
    assert store.forget_tasks(10, 100) == 0
    assert store.get(task_id(1)) is not None
    assert (store.forget_tasks(11, 100), store.forget_tasks(11, 100)) == (1, 0)


def test_task_that_has_not_ended_stays(store: Store) -> None:
    """However old it is."""
    store.commit([[submitted(1, at_ms=1)], [submitted(2, at_ms=1), transitioned(2, RUNNING, at_ms=2)]])
    assert store.forget_tasks(10**15, 100) == 0
    assert kept(store) == [task_id(1), task_id(2)]
    assert [event.revision for event in store.events_after(0, 10)] == [1, 2, 3]


def test_first_that_ended_are_forgotten_first(store: Store) -> None:
    """In slices, so that nobody waits long; of those that ended at once the earlier revision goes first."""
    for number, at_ms in ((1, 7), (2, 5), (3, 5), (4, 6)):
        ended(store, number, at_ms)
    assert store.forget_tasks(10, 1) == 1
    assert kept(store) == [task_id(1), task_id(3), task_id(4)]
    assert store.forget_tasks(10, 2) == 2
    assert kept(store) == [task_id(1)]


def test_its_request_is_free_again(store: Store) -> None:
    """A request is idempotent for as long as its task is kept; then it makes a new one, without a past."""
    ended(store, 1, at_ms=9)
    store.forget_tasks(10, 100)
    assert store.commit([[submitted(1)]]) == [Written(first_revision=3)]
    task = store.get(task_id(1))
    assert task is not None
    assert (task.status.state, task.attempts) == (QUEUED, ())
    assert [(each.attempt, each.attempts_made, each.cancelled) for each in live(store)] == [(None, 0, False)]


def test_history_up_to_its_end_goes_along(store: Store) -> None:
    """No event is left without its task, and none is missing between two that are kept."""
    store.commit([[submitted(1)], [submitted(2)], [submitted(3)]])
    store.commit([[transitioned(2, FAILED, at_ms=9)], [transitioned(1)], [transitioned(3)]])
    store.forget_tasks(10, 100)
    with pytest.raises(RevisionCompacted) as refused:
        store.events_after(3, 10)
    assert refused.value.oldest == 5
    assert [event.task.task_id for event in store.events_after(4, 10)] == [task_id(1), task_id(3)]


def test_forgetting_brings_no_history_back(store: Store) -> None:
    """A compaction that went further stays."""
    ended(store, 1, at_ms=9)
    store.commit([[submitted(2)], [submitted(3)]])
    store.compact(4)
    store.forget_tasks(10, 100)
    with pytest.raises(RevisionCompacted) as refused:
        store.events_after(0, 10)
    assert refused.value.oldest == 4


def test_revisions_go_on_when_everything_is_forgotten(store: Store) -> None:
    """The last revision is not forgotten with its event."""
    ended(store, 1, at_ms=9)
    store.forget_tasks(10, 100)
    assert (store.revision(), store.load().revision, store.events_after(2, 10)) == (2, 2, [])
    assert store.commit([[submitted(2)]]) == [Written(first_revision=3)]


def test_stray_of_a_forgotten_task_leaves_nothing(store: Store) -> None:
    """Its attempt may be looked out for longer than the task is kept."""
    ended(store, 1, at_ms=9)
    store.forget_tasks(10, 100)
    store.commit([[AttemptRecorded(attempt=attempt(1))]])
    store.commit([[submitted(1)]])
    assert [task.attempts_made for task in live(store)] == [0]
