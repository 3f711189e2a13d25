"""The store port's contract: what a commit keeps, and what is loaded of it after a start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.records import AttemptRecorded, FactRecorded, IntentRecorded, IntentState
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState, Timeouts
from scheduler.ports.store import RequestTaken, Store, StoreError, Written
from tests.builders import attempt, cancel_requested, stop_reason, submitted, task_id, transitioned
from tests.contract.store_adapters import (
    ADAPTERS,
    ASSIGNED,
    CANCELLED,
    EXPIRED,
    FAILED,
    QUEUED,
    STARTING,
    STOPPING,
    SUCCEEDED,
    OpenStore,
    live,
)


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: OpenStore = request.param
    made = opened(tmp_path)
    yield made
    made.close()


# --- commit ----------------------------------------------------------------------------------------


def test_new_store_is_empty(store: Store) -> None:
    """A new store has revision 0, nothing to load, and an epoch of 16 hexadecimal characters."""
    state = store.load()
    assert (store.revision(), state.revision, list(state.live)) == (0, 0, [])
    assert (list(state.intents), dict(state.facts), store.events_after(0, 10)) == ([], {}, [])
    assert len(store.epoch) == 16
    assert int(store.epoch, 16)


def test_no_batches_change_nothing(store: Store) -> None:
    """A commit of nothing answers nothing."""
    assert store.commit([]) == []
    assert store.revision() == 0


def test_revisions_are_dense(store: Store) -> None:
    """Every task event takes the next revision, over batches and commits; other records take none."""
    first = store.commit([[submitted(1), FactRecorded(key="k", value="v"), submitted(2)], [submitted(3)]])
    second = store.commit([[FactRecorded(key="k", value="w")], [transitioned(1)]])
    assert first == [Written(first_revision=1), Written(first_revision=3)]
    assert second == [Written(first_revision=4), Written(first_revision=4)]
    assert [event.revision for event in store.events_after(0, 10)] == [1, 2, 3, 4]
    assert store.revision() == 4


def test_taken_request_refuses_its_batch_alone(store: Store) -> None:
    """A second task of the same (tenant, request_id) is refused, naming the first; other batches are kept."""
    store.commit([[submitted(1)]])
    taken, written = store.commit([[submitted(2), submitted(1, task_id=task_id(9))], [submitted(3)]])
    assert taken == RequestTaken(task_id=task_id(1), fingerprint="fingerprint-1")
    assert written == Written(first_revision=2)
    assert (store.get(task_id(2)), store.get(task_id(9))) == (None, None)


def test_refused_batch_leaves_nothing(store: Store) -> None:
    """No record of a refused batch is kept: no fact, intent, attempt, transition or revision."""
    store.commit([[submitted(1)]])
    store.commit(
        [
            [
                FactRecorded(key="k", value="v"),
                IntentRecorded(kind="register", key="d", state=IntentState.OPEN),
                transitioned(1, attempt=attempt(1)),
                submitted(1, task_id=task_id(2)),
            ]
        ]
    )
    state = store.load()
    assert (store.revision(), list(state.intents), dict(state.facts)) == (1, [], {})
    assert [(task.state, task.attempts_made) for task in state.live] == [(QUEUED, 0)]


def test_duplicate_within_one_commit_is_refused(store: Store) -> None:
    """Of two tasks with one request in a single commit, the earlier wins."""
    results = store.commit([[submitted(1)], [submitted(1, task_id=task_id(2), fingerprint="other")]])
    assert results == [
        Written(first_revision=1),
        RequestTaken(task_id=task_id(1), fingerprint="fingerprint-1"),
    ]


def test_duplicate_within_one_batch_is_refused(store: Store) -> None:
    """A batch that asks twice for one request refuses itself."""
    (result,) = store.commit([[submitted(1), submitted(1, task_id=task_id(2))]])
    assert isinstance(result, RequestTaken)
    assert store.revision() == 0


def test_request_of_refused_batch_stays_free(store: Store) -> None:
    """What a refused batch would have taken is free for the next batch of the same commit."""
    results = store.commit([[submitted(1)], [submitted(2), submitted(1)], [submitted(2)]])
    assert results[2] == Written(first_revision=2)


def test_request_ids_are_per_tenant(store: Store) -> None:
    """Two tenants may use the same request id."""
    results = store.commit([[submitted(1)], [submitted(1, tenant="other", task_id=task_id(2))]])
    assert results == [Written(first_revision=1), Written(first_revision=2)]


def test_request_stays_taken_after_the_end(store: Store) -> None:
    """A request is taken for as long as its task is kept, terminal or not."""
    store.commit([[submitted(1)], [transitioned(1, FAILED)]])
    assert isinstance(store.commit([[submitted(1, task_id=task_id(2))]])[0], RequestTaken)


def test_error_refuses_all_batches(store: Store) -> None:
    """A change of a task that is not in the store is an error, and nothing of the commit is kept."""
    with pytest.raises(StoreError, match=task_id(7)):
        store.commit([[submitted(1)], [transitioned(7)]])
    assert (store.revision(), live(store)) == (0, [])
    assert store.commit([[submitted(1)]]) == [Written(first_revision=1)]


# --- cancelling ------------------------------------------------------------------------------------


def test_wish_to_cancel_is_kept(store: Store) -> None:
    """It is kept with its task alone, through changes of state, and asking twice is asking once."""
    store.commit([[submitted(1)], [submitted(2)]])
    store.commit([[cancel_requested(1)], [cancel_requested(1), transitioned(1, STOPPING)]])
    assert [task.cancelled for task in live(store)] == [True, False]


def test_wish_to_cancel_is_no_event(store: Store) -> None:
    """It takes no revision, and the task's state and its time stay what they were."""
    store.commit([[submitted(1, at_ms=5)]])
    before = store.get(task_id(1))
    assert store.commit([[cancel_requested(1, at_ms=9)]]) == [Written(first_revision=2)]
    assert (store.revision(), store.get(task_id(1)), len(store.events_after(0, 10))) == (1, before, 1)
    assert [(task.state, task.updated_ms) for task in live(store)] == [(QUEUED, 5)]


def test_new_task_may_be_cancelled_in_its_own_commit(store: Store) -> None:
    """Group commit may bring both at once, in one batch or in two."""
    store.commit([[submitted(1), cancel_requested(1)], [submitted(2)], [cancel_requested(2)]])
    assert [task.cancelled for task in live(store)] == [True, True]


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_wish_to_cancel_what_has_ended_does_nothing(store: Store, state: TaskState) -> None:
    """Whether it ended long ago or in the same commit, nothing about it changes."""
    store.commit([[submitted(1)], [submitted(2), transitioned(2, state)]])
    before = store.get(task_id(2))
    store.commit([[transitioned(1, state)], [cancel_requested(1), cancel_requested(2)]])
    assert (store.get(task_id(2)), live(store), store.revision()) == (before, [], 4)


def test_wish_to_cancel_an_unknown_task_refuses_all_batches(store: Store) -> None:
    """Like any change of a task that is not in the store; nothing of the commit is kept."""
    with pytest.raises(StoreError, match=task_id(7)):
        store.commit([[submitted(1)], [cancel_requested(7)]])
    assert (store.revision(), live(store)) == (0, [])


def test_change_before_its_own_submission_is_an_error(store: Store) -> None:
    """The records of a batch happen in their order."""
    with pytest.raises(StoreError, match=task_id(1)):
        store.commit([[cancel_requested(1), submitted(1)]])
    assert (store.revision(), live(store)) == (0, [])


def test_wish_of_refused_batch_is_not_kept(store: Store) -> None:
    """A batch is kept wholly or not at all."""
    store.commit([[submitted(1)]])
    store.commit([[cancel_requested(1), submitted(1, task_id=task_id(2))]])
    assert [task.cancelled for task in live(store)] == [False]


def test_attempt_of_an_unknown_task_is_not_kept(store: Store) -> None:
    """A stray may show up after its task is forgotten: that is no error, and leaves nothing."""
    stray = AttemptRecorded(attempt=attempt(1))
    assert store.commit([[stray, FactRecorded(key="k", value="v")], [submitted(1)]]) == [
        Written(first_revision=1),
        Written(first_revision=1),
    ]
    assert [task.attempts_made for task in live(store)] == [0]


# --- load ------------------------------------------------------------------------------------------


def test_load_is_in_queue_order(store: Store) -> None:
    """Higher priority first, then the order of acceptance."""
    store.commit([[submitted(3)], [submitted(1, priority=5)], [submitted(2)], [submitted(4, priority=5)]])
    assert [task.queued.task_id for task in live(store)] == [task_id(n) for n in (1, 4, 3, 2)]


def test_load_leaves_out_what_has_ended(store: Store) -> None:
    """Terminal tasks are not loaded; all others are, in their state."""
    states = (SUCCEEDED, STARTING, FAILED, STOPPING, CANCELLED, EXPIRED)
    store.commit([[submitted(n), transitioned(n, state)] for n, state in enumerate(states)])
    assert [(task.queued.task_id, task.state) for task in live(store)] == [
        (task_id(1), STARTING),
        (task_id(3), STOPPING),
    ]


def test_load_gives_what_the_queue_needs(store: Store) -> None:
    """A loaded task carries everything of its submission that scheduling needs, and its revision."""
    ask = Resources(cpu=1, memory_mib=2, gpus=3)
    timeouts = Timeouts(queue_ms=1, run_ms=2**40)
    record = submitted(
        1,
        priority=-7,
        ask=ask,
        definition_key="d",
        main_container="main",
        timeouts=timeouts,
        may_run_again=True,
        at_ms=5,
    )
    store.commit([[submitted(2)], [record]])
    queued = live(store)[1].queued
    assert (queued.task_id, queued.tenant, queued.priority) == (task_id(1), "bamboo", -7)
    assert (queued.ask, queued.definition_key, queued.main_container) == (ask, "d", "main")
    assert (queued.enqueue_revision, queued.submitted_ms) == (2, 5)
    assert (queued.timeouts, queued.may_run_again) == (timeouts, True)


def test_load_tells_when_a_task_reached_its_state(store: Store) -> None:
    """Timeouts are counted from there; a reading that changed no state does not move it."""
    store.commit([[submitted(1, at_ms=5)], [submitted(2, at_ms=5)]])
    store.commit([[transitioned(1, STARTING, at_ms=9)], [AttemptRecorded(attempt=attempt(1))]])
    assert [task.updated_ms for task in live(store)] == [9, 5]


def test_requeued_task_keeps_its_place(store: Store) -> None:
    """A task that comes back to the queue stands where it stood."""
    store.commit([[submitted(1)], [submitted(2)]])
    store.commit([[transitioned(1)], [transitioned(1, QUEUED, ASSIGNED)]])
    assert [task.queued.task_id for task in live(store)] == [task_id(1), task_id(2)]


def test_open_attempt_is_the_present_one(store: Store) -> None:
    """The last attempt by number is loaded with its latest state; all attempts are counted."""
    store.commit([[submitted(1)]])
    store.commit([[AttemptRecorded(attempt=attempt(1, 2))], [AttemptRecorded(attempt=attempt(1, 1))]])
    present = attempt(1, 2, state=AttemptState.UNKNOWN)
    store.commit([[AttemptRecorded(attempt=present)]])
    assert [(task.attempt, task.attempts_made) for task in live(store)] == [(present, 2)]


@pytest.mark.parametrize("state", [AttemptState.DEFINITE_FAILURE, AttemptState.ABANDONED, AttemptState.ENDED])
def test_closed_attempt_is_not_present(store: Store, state: AttemptState) -> None:
    """A task whose last attempt is closed has none, though the attempt counts as made."""
    closed = attempt(1, 1, state=state, stop_reason=stop_reason())
    store.commit([[submitted(1)], [transitioned(1, QUEUED, ASSIGNED, attempt=closed)]])
    assert [(task.attempt, task.attempts_made) for task in live(store)] == [(None, 1)]


@pytest.mark.parametrize(
    ("closed", "returned_ms"),
    [
        ([(AttemptState.DEFINITE_FAILURE, 5)], None),
        ([(AttemptState.ABANDONED, 5), (AttemptState.DEFINITE_FAILURE, 6), (AttemptState.ABANDONED, 7)], 5),
        ([(AttemptState.ABANDONED, 5), (AttemptState.ENDED, 6), (AttemptState.ABANDONED, 7)], 6),
        ([(AttemptState.ENDED, 5), (AttemptState.ENDED, 6)], 6),
    ],
    ids=["refused", "lost", "failed and lost", "failed"],
)
def test_load_tells_when_a_task_came_back_with_more_time(
    store: Store, closed: list[tuple[AttemptState, int]], returned_ms: int | None
) -> None:
    """From its last launch that ended, or else the first that was lost; an open attempt changes nothing."""
    attempts = [attempt(1, 9)]
    attempts += [attempt(1, at_ms, state=state, stopped_ms=at_ms) for state, at_ms in closed]
    store.commit([[submitted(1), submitted(2)], [AttemptRecorded(attempt=each) for each in attempts]])
    assert [task.returned_ms for task in live(store)] == [returned_ms, None]


def test_open_intents_are_loaded(store: Store) -> None:
    """Of each (kind, key) the latest record counts, and only an open one is loaded."""
    for state in IntentState:
        store.commit([[IntentRecorded(kind="register", key=state, state=IntentState.OPEN, payload="old")]])
        store.commit([[IntentRecorded(kind="register", key=state, state=state, payload="new")]])
    opened = IntentRecorded(kind="register", key="OPEN", state=IntentState.OPEN, payload="new")
    assert list(store.load().intents) == [opened]


def test_last_fact_of_a_key_counts(store: Store) -> None:
    """A fact replaces the one of the same key, within one commit as well."""
    store.commit([[FactRecorded(key="a", value="1"), FactRecorded(key="b", value="b")]])
    store.commit([[FactRecorded(key="a", value="2")], [FactRecorded(key="a", value="3")]])
    assert dict(store.load().facts) == {"a": "3", "b": "b"}


def test_empty_fact_is_forgotten(store: Store) -> None:
    """An empty value forgets what was learned under its key, and nothing is learned by it."""
    store.commit([[FactRecorded(key="a", value="1"), FactRecorded(key="b", value="2")]])
    store.commit([[FactRecorded(key="a", value=""), FactRecorded(key="c", value="")]])
    assert dict(store.load().facts) == {"b": "2"}


def test_fact_may_be_learned_again_in_the_commit_that_forgets_it(store: Store) -> None:
    """The last record of a key counts, whichever it is."""
    forgotten, learned = FactRecorded(key="a", value=""), FactRecorded(key="a", value="2")
    store.commit([[FactRecorded(key="a", value="1")], [forgotten, learned]])
    assert dict(store.load().facts) == {"a": "2"}
    store.commit([[learned], [forgotten]])
    assert dict(store.load().facts) == {}


# --- the end -------------------------------------------------------------------------------------


def test_close_twice_is_safe(store: Store) -> None:
    """Closing a closed store does nothing."""
    store.close()
    store.close()


def test_memory_store_fails_when_told_to() -> None:
    """The fake can fail: one commit raises and changes nothing, the next one works."""
    store = MemoryStore()
    store.fail_next = StoreError("disk full")
    with pytest.raises(StoreError, match="disk full"):
        store.commit([[submitted(1)]])
    assert store.revision() == 0
    assert store.commit([[submitted(1)]]) == [Written(first_revision=1)]


def test_a_request_is_found_by_its_key(store: Store) -> None:
    """(tenant, request_id) leads to the task that it became, and to no other tenant's."""
    record = submitted(1)
    store.commit([[record]])
    found = store.find_request(record.request.tenant, record.request.request_id)
    assert found == RequestTaken(task_id=record.task_id, fingerprint=record.fingerprint)
    assert store.find_request("another", record.request.request_id) is None
