"""The free index: best fit by brute force, and what must never happen to it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import FreeIndex, Room
from tests.builders import M4_4XLARGE, an_index, an_instance, instance_arn
from tests.strategies import MODEST, SIZES, Spare, asks, fleets, index_of, put, spare_rooms

changes = st.lists(spare_rooms(st.integers(1, 6)) | st.integers(1, 6).map(instance_arn), max_size=30)
avoided = st.frozensets(st.integers(1, 30).map(instance_arn), max_size=6)


def score(spare: Spare, ask: Resources) -> Fraction:
    """Max over dimensions of (free - ask) / registered, exactly."""
    left, whole = spare.free - ask, spare.registered
    pairs = ((left.cpu, whole.cpu), (left.memory_mib, whole.memory_mib), (left.gpus, whole.gpus))
    return max(Fraction(amount, of) for amount, of in pairs if of)


def brute_force(spares: list[Spare], ask: Resources, avoid: frozenset[str] = frozenset()) -> str | None:
    """The best fit by looking at every instance: best score, then the older, then the smaller ARN."""
    fitting = (each for each in spares if each.slots and ask.fits_in(each.free) and each.arn not in avoid)
    best = min(fitting, key=lambda each: (score(each, ask), each.launched_ms, each.arn), default=None)
    return best.arn if best else None


def best_arn(index: FreeIndex, ask: Resources, avoid: frozenset[str] = frozenset()) -> str | None:
    spot = index.best(ask, avoid)
    return spot[1].arn if spot else None


def rooms_of(index: FreeIndex) -> list[tuple[Resources, Room]]:
    return sorted(((size.registered, room) for size, room in index.spots()), key=lambda each: each[1].arn)


@MODEST
@given(changes=changes, ask=asks)
def test_maintained_index_equals_a_rebuilt_one(changes: list[Spare | str], ask: Resources) -> None:
    """Whatever was put and discarded before, only what holds now counts."""
    maintained, model = FreeIndex(), dict[str, Spare]()
    for change in changes:
        if isinstance(change, Spare):
            model[change.arn] = change
            put(maintained, change)
        else:
            model.pop(change, None)
            maintained.discard(change)
    rebuilt = index_of(list(model.values()))
    assert rooms_of(maintained) == rooms_of(rebuilt)
    assert len(maintained) == len(model)
    assert best_arn(maintained, ask) == best_arn(rebuilt, ask)


@MODEST
@given(spares=fleets, ask=asks, avoid=avoided)
def test_best_is_the_best_of_all(spares: list[Spare], ask: Resources, avoid: frozenset[str]) -> None:
    """The search that sees few instances finds what a look at every one finds, ties included."""
    assert best_arn(index_of(spares), ask, avoid) == brute_force(spares, ask, avoid)


@MODEST
@given(spares=fleets, ask=asks)
def test_what_some_instance_holds_is_never_denied(spares: list[Spare], ask: Resources) -> None:
    """The quick answer errs on one side only."""
    index = index_of(spares)
    assert index.may_hold(ask) or best_arn(index, ask) is None


@MODEST
@given(spares=fleets, wanted=st.lists(asks, max_size=8))
def test_takings_from_a_fork_leave_the_original_alone(spares: list[Spare], wanted: list[Resources]) -> None:
    """A decision works on its fork; the World's index is as it was."""
    index = index_of(spares)
    before = rooms_of(index)
    fork = index.fork()
    for ask in wanted:
        if (spot := fork.best(ask)) is not None:
            fork.take(spot, ask)
    assert rooms_of(index) == before


@MODEST
@given(spares=fleets, wanted=st.lists(asks, max_size=12))
def test_a_fork_stays_the_best_of_all_while_it_is_taken_from(
    spares: list[Spare], wanted: list[Resources]
) -> None:
    """Each taking leaves less room and one slot less, and the next search sees both."""
    fork = index_of(spares).fork()
    model = {each.arn: each for each in spares}
    for ask in wanted:
        spot = fork.best(ask)
        assert (spot[1].arn if spot else None) == brute_force(list(model.values()), ask)
        if spot is not None:
            fork.take(spot, ask)
            model[spot[1].arn] = less(model[spot[1].arn], ask)


def less(spare: Spare, ask: Resources) -> Spare:
    return Spare(
        arn=spare.arn,
        registered=spare.registered,
        free=spare.free - ask,
        launched_ms=spare.launched_ms,
        slots=spare.slots - 1,
    )


@given(size=st.sampled_from(SIZES))
def test_an_equal_ask_fits(size: Resources) -> None:
    """An empty instance holds a task that asks for all of it, whatever rounding makes of the shares."""
    assert best_arn(an_index(an_instance(registered=size)), size) == instance_arn(1)


def test_an_instance_without_slots_takes_nothing_now() -> None:
    """It has room, but enough tasks are starting there."""
    assert best_arn(an_index(an_instance(), slots=0), Resources(cpu=1, memory_mib=1)) is None


def percent(of: int) -> Resources:
    return Resources(cpu=M4_4XLARGE.cpu * of // 100, memory_mib=M4_4XLARGE.memory_mib * of // 100)


@pytest.mark.parametrize(("need", "expected"), [(5, 1), (65, 3), (75, 4), (85, 5)])
def test_the_fullest_instance_that_fits_is_taken(need: int, expected: int) -> None:
    """Of instances used to 50, 40, 30, 20 and 10 %, the fullest one that still fits."""
    instances = (an_instance(n, remaining=percent(40 + 10 * n)) for n in range(1, 6))
    assert best_arn(an_index(*instances), percent(need)) == instance_arn(expected)


def test_among_equals_the_oldest_is_taken() -> None:
    """Its caches are the warmest."""
    ages_s = {1: 10, 2: 5, 3: 15, 4: 0}
    instances = (an_instance(n, launched_ms=-1000 * age_s) for n, age_s in ages_s.items())
    assert best_arn(an_index(*instances), percent(10)) == instance_arn(3)


def test_among_equals_of_one_age_the_smaller_arn_is_taken() -> None:
    """Same view, same plan: every tie ends at an id."""
    instances = (an_instance(n) for n in (3, 1, 2))
    assert best_arn(an_index(*instances), percent(10)) == instance_arn(1)
