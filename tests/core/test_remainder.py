"""The remainder: exactly the room there is, slots or none, and nothing else touched."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.placement.remainder import Remainder
from tests.builders import an_index, an_instance, instance_arn
from tests.strategies import MODEST, SIZES, Spare, asks, fleets, index_of

counts = st.integers(0, 40)
wanted = st.lists(st.tuples(asks.filter(lambda ask: ask.on(Architecture.ANY) != NOTHING), counts), max_size=6)


def frees(remainder: Remainder, spares: list[Spare]) -> dict[str, Resources]:
    architectures = {each.arn: each.registered.architecture for each in spares}
    return {room.arn: room.free.on(architectures[room.arn]) for room in remainder.rooms()}


@MODEST
@given(spares=fleets, wanted=wanted, avoid=st.frozensets(st.integers(1, 30).map(instance_arn), max_size=6))
def test_fill_takes_exactly_what_there_is(
    spares: list[Spare], wanted: list[tuple[Resources, int]], avoid: frozenset[str]
) -> None:
    """Ask after ask it finds room for all that the instances hold, but where it is not to be, and no more."""
    remainder = Remainder(index_of(spares))
    for ask, count in wanted:
        before = frees(remainder, spares)
        filled = remainder.fill(ask, count, avoid)
        assert filled == min(count, sum(ask.times_that_fit(before[arn]) for arn in before.keys() - avoid))
        taken = [before[arn] - free for arn, free in frees(remainder, spares).items()]
        assert sum(taken, start=NOTHING) == NOTHING + ask.times(filled)
        assert all(NOTHING.fits_in(free) for free in frees(remainder, spares).values())


@MODEST
@given(spares=fleets, wanted=wanted)
def test_filled_are_those_whose_room_was_taken(
    spares: list[Spare], wanted: list[tuple[Resources, int]]
) -> None:
    """And no others: an idle instance that is not among them may go."""
    remainder = Remainder(index_of(spares))
    for ask, count in wanted:
        remainder.fill(ask, count)
    after = frees(remainder, spares)
    assert remainder.filled() == {each.arn for each in spares if each.free != after[each.arn]}


@MODEST
@given(spares=fleets, wanted=wanted)
def test_the_index_is_left_alone(spares: list[Spare], wanted: list[tuple[Resources, int]]) -> None:
    """Growth is a thought experiment."""
    index = index_of(spares)
    before = list(index.spots())
    remainder = Remainder(index)
    for ask, count in wanted:
        remainder.fill(ask, count)
    assert list(index.spots()) == before


@MODEST
@given(spares=fleets)
def test_sizes_are_those_of_present_instances(spares: list[Spare]) -> None:
    """Each once, and none of instances that are gone."""
    index = index_of(spares)
    for each in spares[::2]:
        index.discard(each.arn)
    assert sorted(Remainder(index).sizes()) == sorted({each.registered for each in spares[1::2]})


@given(size=st.sampled_from(SIZES))
def test_an_ask_as_large_as_the_instance_is_filled(size: Resources) -> None:
    """Whatever rounding makes of the shares."""
    assert Remainder(an_index(an_instance(registered=size))).fill(size, 2) == 1


def test_the_fullest_are_filled_first() -> None:
    """What is empty stays empty, and may go, as long as others have room."""
    half, empty = an_instance(1, remaining=SIZES[0] - Resources(cpu=8192, memory_mib=32000)), an_instance(2)
    remainder = Remainder(an_index(empty, half))
    remainder.fill(Resources(cpu=1024, memory_mib=4000), 8)
    assert remainder.filled() == {half.arn}
