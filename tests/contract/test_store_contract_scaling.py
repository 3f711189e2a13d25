"""The store port's contract: what was done to capacity, and what operators wish of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.records import FactRecorded, Record, ScaleRequested, ScalingRecorded
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, ScalingKind, StoredScalingEvent, WishKind
from scheduler.ports.store import (
    WISHES_KEPT,
    RequestTaken,
    RevisionCompacted,
    Store,
    StoreError,
    WishTaken,
    Written,
)
from tests.builders import a_scaling_event, a_wish, submitted, task_id, transitioned
from tests.contract.store_adapters import ADAPTERS, OpenStore

KEPT = 5
"""Scaling events that the stores of this suite keep."""


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: OpenStore = request.param
    made = opened(tmp_path, scaling_events_kept=KEPT)
    yield made
    made.close()


def scaled(*numbers: int) -> list[ScalingRecorded]:
    return [ScalingRecorded(event=a_scaling_event(number)) for number in numbers]


def stored(*numbers: int) -> list[StoredScalingEvent]:
    return [StoredScalingEvent(sequence=number, event=a_scaling_event(number)) for number in numbers]


def wished(number: int = 1, **changes: object) -> ScaleRequested:
    return ScaleRequested(wish=a_wish(number, **changes))


# --- scaling events --------------------------------------------------------------------------------


def test_new_store_has_no_scaling_log(store: Store) -> None:
    """Nothing was done, and nobody wishes anything."""
    assert (store.scaling_sequence(), store.scaling_events_after(0, 10)) == (0, [])
    assert store.load().wish is None


def test_sequences_are_dense(store: Store) -> None:
    """Scaling events are numbered from 1 in the order of their records, over batches and commits."""
    store.commit([scaled(1, 2), scaled(3)])
    store.commit([scaled(4)])
    assert store.scaling_events_after(0, 10) == stored(1, 2, 3, 4)
    assert store.scaling_sequence() == 4


def test_sequences_are_apart_from_revisions(store: Store) -> None:
    """A scaling event takes no revision, and a task event no sequence."""
    results = store.commit([[*scaled(1), submitted(1), *scaled(2)], [transitioned(1)], scaled(3)])
    assert results == [Written(first_revision=each) for each in (1, 2, 3)]
    assert (store.revision(), store.scaling_sequence()) == (2, 3)
    assert store.scaling_events_after(0, 10) == stored(1, 2, 3)


@pytest.mark.parametrize(
    "event",
    [
        ScalingEvent(kind=ScalingKind.WISHED, group="ci", at_ms=2**40, code="CLEAR", message=""),
        a_scaling_event(
            kind=ScalingKind.DETACH,
            message="idle since 'ü\"\n",
            ec2_instance_id="i-1",
            container_instance_arn="arn",
            desired_before=None,
            desired_after=0,
            held="OBSERVE_ONLY",
        ),
    ],
)
def test_scaling_event_comes_back_as_it_was(store: Store, event: ScalingEvent) -> None:
    """Every field is kept, and what is not set stays so."""
    store.commit([[ScalingRecorded(event=event)]])
    assert store.scaling_events_after(0, 1) == [StoredScalingEvent(sequence=1, event=event)]


def test_scaling_events_page_by_sequence(store: Store) -> None:
    """Reading goes on after the last sequence seen; at the end there is nothing."""
    store.commit([scaled(1, 2, 3, 4, 5)])
    assert store.scaling_events_after(1, 2) == stored(2, 3)
    assert store.scaling_events_after(3, 10) == stored(4, 5)
    assert (store.scaling_events_after(5, 10), store.scaling_events_after(9, 10)) == ([], [])


def test_a_start_reads_the_end_of_the_scaling_log(store: Store) -> None:
    """What was done to capacity a moment ago still counts in the next life."""
    store.commit([scaled(1, 2), scaled(3)])
    assert store.load().scaling == tuple(map(a_scaling_event, (1, 2, 3)))


def test_refused_batch_leaves_no_scaling_event(store: Store) -> None:
    """Neither the event nor its sequence: those that follow it are as dense as ever."""
    store.commit([[submitted(1)]])
    refused, written = store.commit([[*scaled(1), submitted(1, task_id=task_id(2))], scaled(1)])
    assert (type(refused), type(written)) == (RequestTaken, Written)
    assert store.scaling_events_after(0, 10) == stored(1)


def test_error_leaves_no_scaling_event(store: Store) -> None:
    """An error refuses the whole commit, and takes no sequence."""
    with pytest.raises(StoreError):
        store.commit([scaled(1), [wished()], [transitioned(7)]])
    assert (store.scaling_sequence(), store.load().wish) == (0, None)
    store.commit([scaled(1)])
    assert store.scaling_events_after(0, 10) == stored(1)


def test_compaction_leaves_the_last_scaling_events(store: Store) -> None:
    """Asking for one that is gone says from where they are kept; the sequence goes on."""
    store.commit([scaled(*range(1, KEPT + 3))])
    store.compact(0)
    with pytest.raises(RevisionCompacted) as refused:
        store.scaling_events_after(1, 10)
    assert refused.value.oldest == 3
    store.commit([scaled(KEPT + 3)])
    assert store.scaling_events_after(2, 10) == stored(*range(3, KEPT + 4))


def test_compaction_of_a_short_log_takes_nothing(store: Store) -> None:
    """What is not above the number that is kept stays."""
    store.commit([scaled(1, 2)])
    store.compact(100)
    assert store.scaling_events_after(0, 10) == stored(1, 2)


# --- wishes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish",
    [a_wish(1), a_wish(1, kind=WishKind.TARGET, size=0, expires_ms=2**40), a_wish(kind=WishKind.CLEAR)],
)
def test_last_wish_is_loaded(store: Store, wish: ScaleWish) -> None:
    """The one that was committed last, as it was, expired or not; it takes no revision."""
    assert (
        store.commit([[wished(8)], [wished(9), ScaleRequested(wish=wish)]]) == [Written(first_revision=1)] * 2
    )
    assert (store.load().wish, store.revision()) == (wish, 0)


def test_order_of_wishes_is_that_of_their_commits(store: Store) -> None:
    """Neither their times nor their request ids: a clock may jump, and ids are the clients'."""
    store.commit([[wished(9, at_ms=9)]])
    store.commit([[wished(5, at_ms=5)]])
    assert store.load().wish == a_wish(5, at_ms=5)


def test_taken_wish_refuses_its_batch_alone(store: Store) -> None:
    """A second wish of the same request id is refused, naming the first; other batches are kept."""
    store.commit([[wished(1)]])
    again: list[Record] = [FactRecorded(key="k", value="v"), wished(1, size=9), *scaled(1)]
    assert store.commit([again, [wished(2)]]) == [WishTaken(wish=a_wish(1)), Written(first_revision=1)]
    state = store.load()
    assert (dict(state.facts), state.wish, store.scaling_sequence()) == ({}, a_wish(2), 0)


def test_same_wish_again_is_refused_too(store: Store) -> None:
    """Whether it is the same is for the caller to see: the store tells which it has."""
    store.commit([[wished(1)]])
    assert store.commit([[wished(1)]]) == [WishTaken(wish=a_wish(1))]


def test_of_two_wishes_in_one_commit_the_earlier_wins(store: Store) -> None:
    """Within one call a duplicate is refused like an older one, and so is one within a batch."""
    results = store.commit([[wished(1)], [wished(1, size=9)], [wished(2), wished(2)], [wished(2, size=7)]])
    assert results == [
        Written(first_revision=1),
        WishTaken(wish=a_wish(1)),
        WishTaken(wish=a_wish(2)),
        Written(first_revision=1),
    ]
    assert store.load().wish == a_wish(2, size=7)


def test_wishes_and_tasks_may_share_a_request_id(store: Store) -> None:
    """They are different requests: neither takes the other's id."""
    shared = "request-1"
    assert store.commit([[submitted(1)], [wished(1, request_id=shared)]]) == [
        Written(first_revision=1),
        Written(first_revision=2),
    ]
    assert store.commit([[wished(2, request_id=shared)]]) == [WishTaken(wish=a_wish(1, request_id=shared))]


def test_first_refusal_of_a_batch_is_told(store: Store) -> None:
    """A batch with a taken wish and a taken request names the one that it met first."""
    store.commit([[submitted(1), wished(1)]])
    wish_first, task_first = store.commit([[wished(1), submitted(1)], [submitted(1), wished(1)]])
    assert (type(wish_first), type(task_first)) == (WishTaken, RequestTaken)


def test_compaction_leaves_the_last_wishes(store: Store) -> None:
    """The request ids of older ones are free again."""
    store.commit([[wished(number)] for number in range(WISHES_KEPT + 1)])
    store.compact(0)
    free, taken = store.commit([[wished(0)], [wished(1)]])
    assert (type(free), type(taken)) == (Written, WishTaken)
    assert store.load().wish == a_wish(0)
