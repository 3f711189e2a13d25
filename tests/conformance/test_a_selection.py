"""Cases A: which instance a task gets.

A04 and A05 are properties of a hundred drawn lists of instances of any size and load. They are asked of the
function that the loop asks: a simulated group has instances of EC2's types, and boots them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.free_room import FreeRoom
from scheduler.core.model.policy import Placement
from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.orders import SIZE_CLASSES
from tests.builders import instance_arn
from tests.conformance.scenes import Scene, Used, percent
from tests.strategies import MODEST, Spare, put

FIVE = tuple(Used(used, used) for used in (50, 40, 30, 20, 10))
BEYOND_ALL = percent(95, 95)
"""It fits on an instance, and on none of these."""


def spare(number: int, registered: Resources, free: Resources, age_s: int) -> Spare:
    return Spare(
        arn=instance_arn(number), registered=registered, free=free, launched_ms=-1_000 * age_s, slots=4
    )


def index_of(*spares: Spare) -> FreeIndex:
    index = FreeIndex(SIZE_CLASSES[Placement.SEED])
    for each in spares:
        put(index, each)
    return index


@pytest.mark.parametrize(("need", "expected"), [(5, 1), (65, 3), (75, 4), (85, 5)])
def test_A01_the_fullest_that_fits_is_taken(need: int, expected: int) -> None:
    """So that others empty out."""
    assert Scene(FIVE).play(percent(need, need)).where() == [expected]


@pytest.mark.parametrize("need", [5, 65, 75])
def test_A02_while_demand_overflows_the_emptiest_is_taken(need: int) -> None:
    """Nothing will empty out now, and tasks that start together start faster apart."""
    assert Scene(FIVE, max_size=5).play(BEYOND_ALL, percent(need, need)).where() == [None, 5]


def test_A03_among_equals_the_oldest_is_taken() -> None:
    """Its caches are the warmest. Ages in minutes, not in seconds: no two instances boot as one."""
    instances = tuple(Used(0, 0, age) for age in (10, 5, 15, 0))
    assert Scene(instances).play(percent(10, 10)).where() == [3]


@st.composite
def any_spares(draw: st.DrawFn) -> list[Spare]:
    """Instances of any size, each of it free or not."""
    spares = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        cpu, memory_mib = draw(st.integers(1, 40 * 1024)), draw(st.integers(1, 244 * 1024))
        free = Resources(cpu=draw(st.integers(0, cpu)), memory_mib=draw(st.integers(0, memory_mib)))
        spares.append(spare(number, Resources(cpu=cpu, memory_mib=memory_mib), free, draw(st.integers(0, 9))))
    return spares


@MODEST
@given(spares=any_spares(), cpu=st.integers(1, 40 * 1024), memory_mib=st.integers(1, 244 * 1024))
def test_A04_the_one_with_least_left_of_those_that_can_run_it(
    spares: list[Spare], cpu: int, memory_mib: int
) -> None:
    """The seed's property in its corrected form: a smaller one that cannot run the request may exist."""
    ask = Resources(cpu=cpu, memory_mib=memory_mib)
    spot = index_of(*spares).best(ask)
    able = [each for each in spares if ask.fits_in(each.free)]
    first = min(able, key=lambda each: (*left(each), each.launched_ms, each.arn), default=None)
    assert (spot[1].arn if spot else None) == (first.arn if first else None)


def left(spare: Spare) -> tuple[int, int]:
    return (spare.free.memory_mib, spare.free.cpu)


@MODEST
@given(spares=any_spares())
def test_A05_the_share_that_is_free_is_from_nothing_to_all(spares: list[Spare]) -> None:
    """The seed's helper counted what is used. Differs from it where nobody is left: then nothing is lacking,
    and `keep_last_instance` decides.
    """
    room = FreeRoom(index_of(*spares))
    assert all(0 <= room.share_without(each.arn) <= 1 for each in spares)
    assert FreeRoom(index_of()).share_without(instance_arn(1)) == 1
