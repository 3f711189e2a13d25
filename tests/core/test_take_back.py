"""Before anything is bought: idle instances that are being removed are taken back, as many as it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.scale_up import Growth, scale_up
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import Capacity, ReturnableInstance
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import Limits
from scheduler.core.placement.packer import pack
from tests.builders import (
    M4_4XLARGE,
    a_backlog,
    a_capacity,
    a_group,
    a_task,
    an_index,
    an_instance,
    ec2_id,
)
from tests.strategies import MODEST

EIGHTH = Resources(cpu=2048, memory_mib=8000)
LARGER = Resources(cpu=16384, memory_mib=64420)


def going(*numbers: int, desired: int = 5, in_flight: int = 0, free: Resources = M4_4XLARGE) -> Capacity:
    """These are being removed and may be taken back; the others of the group are full."""
    return a_capacity(
        group=a_group(desired=desired),
        in_flight=in_flight,
        returnable=tuple(ReturnableInstance(ec2_instance_id=ec2_id(each), free=free) for each in numbers),
        shrinking=len(numbers),
    )


def growth(
    capacity: Capacity,
    count: int,
    ask: Resources = EIGHTH,
    *,
    instances: tuple[ContainerInstance, ...] = (),
    limits: Limits | None = None,
) -> Growth:
    """What so many tasks of one shape make of it."""
    tasks = [a_task(number, ask=ask) for number in range(1, count + 1)]
    return scale_up(capacity, pack(a_backlog(*tasks), an_index(*instances), limit=0), limits)


@pytest.mark.parametrize(
    ("count", "back", "bought"), [(0, 0, 0), (1, 1, 0), (8, 1, 0), (9, 2, 0), (16, 2, 0), (17, 2, 1)]
)
def test_what_is_being_removed_is_taken_back_before_another_is_bought(
    count: int, back: int, bought: int
) -> None:
    """Packed like any other room, the first first: no more of them than it takes."""
    found = growth(going(1, 2), count)
    assert (found.returns, len(found.types)) == ((ec2_id(1), ec2_id(2))[:back], bought)


def test_free_room_and_what_is_in_flight_come_first() -> None:
    """One that goes is left to go while what is there, or is coming, holds all."""
    assert growth(going(1), 8, instances=(an_instance(7),)).returns == ()
    assert growth(going(1, in_flight=1), 8).returns == ()
    assert growth(going(1, in_flight=1), 9).returns == (ec2_id(1),)


def test_one_that_does_not_hold_the_shape_is_not_taken_back() -> None:
    """Others' tasks hold its room, or it is too small."""
    found = growth(going(1, free=EIGHTH), 1, EIGHTH.times(2))
    assert (found.returns, len(found.types)) == ((), 1)


def test_one_that_holds_what_no_type_does_is_taken_back() -> None:
    """It is larger than any that could be bought now: the shape is not hopeless."""
    found = growth(going(1, free=LARGER), 1, LARGER)
    assert (found.returns, found.types, found.never) == ((ec2_id(1),), (), frozenset())


def test_taking_back_is_not_clamped() -> None:
    """A group at its max size has its own instances still."""
    capacity = going(1, desired=50)
    found = growth(capacity, 8)
    assert (found.returns, found.clamped) == ((ec2_id(1),), frozenset())


@pytest.mark.parametrize(
    ("floor", "back", "bought"), [(0, 0, 0), (3, 0, 0), (4, 1, 0), (5, 2, 0), (6, 2, 1), (9, 2, 4)]
)
def test_a_floor_takes_back_before_it_buys(floor: int, back: int, bought: int) -> None:
    """Five are desired, two of them going: without any task the rest is bought, as the smallest type."""
    found = growth(going(1, 2), 0, limits=Limits(floor=floor, ceiling=50))
    assert (len(found.returns), found.types, found.asks) == (
        back,
        ("m4.4xlarge",) * bought,
        (NOTHING,) * bought,
    )


def test_what_tasks_want_counts_for_the_floor() -> None:
    """One is taken back for a task, and is one of those that the floor asks for."""
    found = growth(going(1, 2), 1, limits=Limits(floor=4, ceiling=50))
    assert (found.returns, found.types) == ((ec2_id(1),), ())


@pytest.mark.parametrize(("ceiling", "bought"), [(5, 0), (6, 1), (9, 4)])
def test_a_floor_is_grown_to_within_the_ceiling(ceiling: int, bought: int) -> None:
    """And tasks come first where both want more than there may be."""
    limits = Limits(floor=9, ceiling=ceiling)
    assert len(growth(a_capacity(group=a_group(desired=5)), 0, limits=limits).types) == bought


def test_a_target_is_a_ceiling_for_demand() -> None:
    """Tasks wait, and are told that they are clamped."""
    limits = Limits(floor=5, ceiling=5)
    found = growth(a_capacity(group=a_group(desired=5)), 8, limits=limits)
    assert (found.types, found.clamped) == ((), frozenset({EIGHTH}))


@MODEST
@given(
    count=st.integers(0, 60),
    returnable=st.integers(0, 5),
    in_flight=st.integers(0, 3),
    floor=st.integers(0, 12),
    spread=st.integers(0, 12),
)
def test_growth_to_a_floor_never_passes_the_ceiling(
    count: int, returnable: int, in_flight: int, floor: int, spread: int
) -> None:
    """Nothing is bought while one that goes is left to go, and never more than the ceiling allows."""
    limits = Limits(floor=floor, ceiling=floor + spread)
    capacity = going(*range(1, returnable + 1), desired=5, in_flight=in_flight)
    found = growth(capacity, count, limits=limits)
    assert len(set(found.returns)) == len(found.returns) <= returnable
    assert not found.types or len(found.returns) == returnable
    assert not found.types or 5 + len(found.types) <= limits.ceiling
    settled = 5 - returnable + len(found.returns) + len(found.types)
    assert settled >= min(limits.floor, limits.ceiling)
