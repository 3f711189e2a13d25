"""Placements other than best fit: the same as looking at every instance."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.policy import Placement
from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.orders import SIZE_CLASSES
from scheduler.core.placement.packer import pack
from scheduler.core.placement.remainder import Remainder
from tests.builders import M4_4XLARGE, a_backlog, a_task, instance_arn
from tests.strategies import MODEST, Spare, asks, fleets, put

avoided = st.frozensets(st.integers(1, 30).map(instance_arn), max_size=6)


def index_of(placement: Placement, spares: list[Spare]) -> FreeIndex:
    index = FreeIndex(SIZE_CLASSES[placement])
    for each in spares:
        put(index, each)
    return index


def candidates(spares: list[Spare], ask: Resources, avoid: frozenset[str]) -> list[Spare]:
    return [each for each in spares if each.slots and ask.fits_in(each.free) and each.arn not in avoid]


def best_arn(index: FreeIndex, ask: Resources, avoid: frozenset[str], *, overflows: bool) -> str | None:
    spot = index.best(ask, avoid, overflows=overflows)
    return spot[1].arn if spot else None


def share_free(spare: Spare) -> Fraction:
    free, whole = spare.free, spare.registered
    pairs = ((free.cpu, whole.cpu), (free.memory_mib, whole.memory_mib), (free.gpus, whole.gpus))
    return max(Fraction(amount, of) for amount, of in pairs if of)


@MODEST
@given(spares=fleets, ask=asks, avoid=avoided, overflows=st.booleans())
def test_spread_takes_the_emptiest(
    spares: list[Spare], ask: Resources, avoid: frozenset[str], overflows: bool
) -> None:
    """No other that holds the task has a greater share free, whatever else waits."""
    found = best_arn(index_of(Placement.SPREAD, spares), ask, avoid, overflows=overflows)
    fitting = candidates(spares, ask, avoid)
    emptiest = max(map(share_free, fitting), default=None)
    if found is None:
        assert not fitting
    else:
        assert found in {each.arn for each in fitting if share_free(each) == emptiest}


@MODEST
@given(spares=fleets, ask=asks, avoid=avoided, overflows=st.booleans())
def test_the_seeds_order_is_memory_then_cpu_and_turns_round(
    spares: list[Spare], ask: Resources, avoid: frozenset[str], overflows: bool
) -> None:
    """The least left without overflow, the most with it, compared as amounts and over all sizes."""
    found = best_arn(index_of(Placement.SEED, spares), ask, avoid, overflows=overflows)
    fitting = candidates(spares, ask, avoid)
    left = {each.arn: (each.free.memory_mib, each.free.cpu) for each in fitting}
    wanted = (max if overflows else min)(left.values(), default=None)
    if found is None:
        assert not fitting
    else:
        assert found in {arn for arn, amounts in left.items() if amounts == wanted}


@pytest.mark.parametrize("overflows", [False, True])
@pytest.mark.parametrize("placement", Placement)
def test_among_equals_the_oldest_is_taken_and_then_the_smaller_arn(
    placement: Placement, overflows: bool
) -> None:
    """Its caches are the warmest; the same view gives the same plan."""
    spares = [empty(number, launched_ms) for number, launched_ms in ((4, 7), (2, 5), (3, 5), (1, 9))]
    index = index_of(placement, spares)
    ask = Resources(cpu=1, memory_mib=1)
    assert best_arn(index, ask, frozenset(), overflows=overflows) == instance_arn(2)
    assert best_arn(index, ask, frozenset({instance_arn(2)}), overflows=overflows) == instance_arn(3)


@MODEST
@given(spares=fleets, wanted=st.lists(asks, max_size=8), placement=st.sampled_from(Placement))
def test_how_much_fits_is_the_same_whatever_the_placement_of_one(
    spares: list[Spare], wanted: list[Resources], placement: Placement
) -> None:
    """What one shape finds of room, now and for growth, depends on no order."""
    for ask in wanted:
        tasks = [a_task(number, ask=ask) for number in range(1, 9)]
        packed = {each: pack(a_backlog(*tasks), index_of(each, spares), limit=9) for each in Placement}
        assert len(packed[placement].placed) == len(packed[Placement.BEST_FIT].placed)
        rest = {each: Remainder(result.index).fill(ask, 99) for each, result in packed.items()}
        assert rest[placement] == rest[Placement.BEST_FIT]


@pytest.mark.parametrize(("big", "expected"), [(None, 1), (1, 2), (3, 1)])
@pytest.mark.parametrize("fits_an_empty_one", [False, True])
def test_a_task_that_fits_nowhere_turns_the_seeds_order_round_for_those_behind_it(
    big: int | None, expected: int, fits_an_empty_one: bool
) -> None:
    """In the same decision; what stands before it is placed as ever."""
    spares = [used(1, 50), used(2, 10), used(3, 100)]
    large = percent(95) if fits_an_empty_one else percent(100)
    tasks = [a_task(2, ask=percent(5)), *([a_task(big, ask=large)] if big else [])]
    (placed,) = pack(a_backlog(*tasks), index_of(Placement.SEED, spares), limit=9).placed
    assert placed == (tasks[0], instance_arn(expected))


def percent(of: int) -> Resources:
    return Resources(cpu=M4_4XLARGE.cpu * of // 100, memory_mib=M4_4XLARGE.memory_mib * of // 100)


def empty(number: int, launched_ms: int) -> Spare:
    return used(number, 0, launched_ms)


def used(number: int, share: int, launched_ms: int = 0) -> Spare:
    """Instance `number`, with so many per cent of it taken."""
    return Spare(
        arn=instance_arn(number),
        registered=M4_4XLARGE,
        free=percent(100 - share),
        launched_ms=launched_ms,
        slots=4,
    )
