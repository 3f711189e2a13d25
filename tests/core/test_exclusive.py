"""Exclusive tasks: alone on their container instances, and bought for so, neither more nor less."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.scale_up import Growth, scale_up
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import ReturnableInstance, SilentInstance
from scheduler.core.model.policy import Placement
from scheduler.core.model.reservation import Reserved
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.images import Holder
from scheduler.core.placement.orders import SIZE_CLASSES
from scheduler.core.placement.packer import PackingResult, RejectCounter, pack
from scheduler.core.placement.remainder import Remainder
from tests.builders import (
    M4_4XLARGE,
    a_backlog,
    a_capacity,
    a_group,
    a_task,
    a_type,
    an_index,
    an_instance,
    instance_arn,
    task_id,
)
from tests.strategies import MODEST, SHAPES, Spare, fleets, put

EIGHTH = Resources(cpu=2048, memory_mib=8006)
ALONE = EIGHTH.alone()
M4_XLARGE = Resources(cpu=4096, memory_mib=15800)

shapes = st.sampled_from([*SHAPES, *(each.alone() for each in SHAPES)])
waiting = st.lists(shapes, max_size=12).map(
    lambda asks: [a_task(number, ask=ask) for number, ask in enumerate(asks, start=1)]
)
eighths = st.lists(st.integers(0, 8), max_size=4)
orders = st.lists(st.booleans(), max_size=24)


def index_of(spares: list[Spare], placement: Placement) -> FreeIndex:
    index = FreeIndex(SIZE_CLASSES[placement])
    for each in spares:
        put(index, each)
    return index


def eighths_free(*eighths: int) -> list[ContainerInstance]:
    """Instances with so many eighths free; with eight nobody is on them."""
    return [
        an_instance(number, remaining=EIGHTH.times(free) if free < 8 else M4_4XLARGE)
        for number, free in enumerate(eighths, start=1)
    ]


def grown(packing: PackingResult, **changes: Any) -> Growth:
    return scale_up(a_capacity(group=a_group(max_size=99), **changes), packing)


def packed(*tasks: QueuedTask, instances: list[ContainerInstance], slots: int = 100) -> PackingResult:
    return pack(a_backlog(*tasks), an_index(*instances, slots=slots), limit=1_000)


@MODEST
@given(spares=fleets, tasks=waiting, held=st.lists(shapes, max_size=3), placement=st.sampled_from(Placement))
def test_nothing_is_ever_put_beside_an_exclusive_task(
    spares: list[Spare], tasks: list[QueuedTask], held: list[Resources], placement: Placement
) -> None:
    """It gets an instance that nobody was on, alone, and no room is held there; in every placement."""
    reserved = [Reserved(rank=(0, at, "~"), ask=ask, count=1) for at, ask in enumerate(held)]
    packing = pack(a_backlog(*tasks), index_of(spares, placement), limit=99, reserved=reserved)
    by_arn = {each.arn: each for each in spares}
    places = [arn for _, arn in packing.placed]
    for task, arn in packing.placed:
        if task.ask.exclusive:
            assert by_arn[arn].empty
            assert task.ask.fits_in(by_arn[arn].free)
            assert places.count(arn) == 1
            assert arn not in packing.holding


@MODEST
@given(spares=fleets, tasks=waiting)
def test_an_exclusive_task_waits_only_where_no_instance_is_left(
    spares: list[Spare], tasks: list[QueuedTask]
) -> None:
    """One that found no place has no empty instance with a slot that would hold it."""
    packing = pack(a_backlog(*tasks), index_of(spares, Placement.BEST_FIT), limit=99)
    left = [(size.registered, room) for size, room in packing.index.spots() if room.empty and room.slots]
    for group, _ in packing.left:
        if group.ask.exclusive:
            assert not [room for size, room in left if group.ask.fits_in(room.free.on(size.architecture))]


@MODEST
@given(eighths=eighths, order=orders)
def test_what_is_bought_suffices_and_nothing_is_bought_again(eighths: list[int], order: list[bool]) -> None:
    """Once it has come everything finds its place, with one instance fewer something would not."""
    tasks = [a_task(at, ask=ALONE if alone else EIGHTH) for at, alone in enumerate(order, start=1)]
    there = eighths_free(*eighths)
    growth = grown(packed(*tasks, instances=there))
    assert not growth.never
    come = [an_instance(100 + number) for number in range(len(growth.types))]
    packing = packed(*tasks, instances=[*there, *come])
    assert not packing.left
    assert not grown(packing).types
    assert not come or packed(*tasks, instances=[*there, *come[1:]]).left


def test_each_needs_an_instance_for_itself() -> None:
    """However little it asks for; what is shared goes beside nobody of them."""
    tasks = [a_task(1, ask=ALONE), a_task(2, ask=ALONE), a_task(3, ask=EIGHTH)]
    assert len(grown(packed(*tasks, instances=[])).types) == 3


def test_an_empty_instance_counts() -> None:
    """One that only waits for a slot is not bought for, and the instance is to stay for it."""
    growth = grown(packed(a_task(ask=ALONE), instances=[an_instance()], slots=0))
    assert (growth.types, growth.used) == ((), frozenset({instance_arn(1)}))
    assert len(grown(packed(a_task(ask=ALONE), instances=eighths_free(7))).types) == 1


def test_what_is_in_flight_counts_once() -> None:
    """For one of them each, and for nothing that is shared with it."""
    tasks = [a_task(1, ask=ALONE), a_task(2, ask=EIGHTH)]
    assert len(grown(packed(*tasks, instances=[]), in_flight=1).types) == 1
    assert len(grown(packed(*tasks, instances=[]), in_flight=2).types) == 0


@pytest.mark.parametrize("empty", [True, False])
def test_a_silent_instance_counts_if_nobody_is_on_it(empty: bool) -> None:
    """Its agent blinks: it will be there again, with whatever it had."""
    silent = (SilentInstance(registered=M4_4XLARGE, free=EIGHTH.times(7), empty=empty),)
    growth = grown(packed(a_task(ask=ALONE), instances=[]), silent=silent)
    assert len(growth.types) == (0 if empty else 1)


def test_an_idle_instance_is_taken_back_before_one_is_bought() -> None:
    """For one of them alone."""
    returnable = (ReturnableInstance(ec2_instance_id="i-1", free=M4_4XLARGE),)
    tasks = [a_task(1, ask=ALONE), a_task(2, ask=ALONE)]
    growth = grown(packed(*tasks, instances=[]), returnable=returnable, shrinking=1)
    assert (growth.returns, len(growth.types)) == (("i-1",), 1)


def test_the_smallest_size_is_taken_then_the_oldest() -> None:
    """All of the instance is lost to others, so that shares say nothing."""
    index = an_index(
        an_instance(1, launched_ms=1),
        an_instance(2, registered=M4_XLARGE, remaining=M4_XLARGE, launched_ms=3),
        an_instance(3, registered=M4_XLARGE, remaining=M4_XLARGE, launched_ms=2),
    )
    placed = pack(a_backlog(*(a_task(each, ask=ALONE) for each in (1, 2, 3))), index, limit=3).placed
    assert [arn for _, arn in placed] == [instance_arn(3), instance_arn(2), instance_arn(1)]


def test_layers_decide_between_equals() -> None:
    """As for any task, but never in favour of an instance that somebody is on."""
    index = an_index(*(an_instance(each, launched_ms=each) for each in (1, 2)))
    whole = M4_4XLARGE
    index.put(instance_arn(3), registered=whole, free=whole, launched_ms=3, slots=4, empty=False)
    for number in (2, 3):
        index.images.note("agent:1", Holder(number, instance_arn(number)))
    [(_, arn)] = pack(a_backlog(a_task(ask=ALONE, image="agent:1")), index, limit=1).placed
    assert arn == instance_arn(2)


def test_tasks_before_it_may_have_the_instance() -> None:
    """The queue's order is as for all: whoever is before it shares what there is, and it waits."""
    tasks = [a_task(1, ask=EIGHTH), a_task(2, ask=ALONE), a_task(3, ask=EIGHTH)]
    packing = packed(*tasks, instances=[an_instance()])
    assert [task.task_id for task, _ in packing.placed] == [task_id(1), task_id(3)]


def test_room_that_is_reserved_for_one_is_a_whole_instance() -> None:
    """Nobody who comes later gets any of it, and growth buys one for each piece that found none."""
    reserved = (Reserved(rank=(0, 1, "~"), ask=ALONE, count=2),)
    packing = pack(a_backlog(a_task(2, ask=EIGHTH)), an_index(an_instance()), limit=9, reserved=reserved)
    assert packing.placed == ()
    assert len(grown(packing).types) == 2


def test_rejects_tell_that_somebody_is_there() -> None:
    """Before any lack: an instance that is not empty is of no use, however much of it is free."""
    index = an_index(*eighths_free(7, 1), an_instance(3, registered=M4_XLARGE, remaining=M4_XLARGE))
    assert RejectCounter(index).count(M4_4XLARGE.alone()) == [("not empty", 2), ("not enough memory", 1)]
    assert RejectCounter(index).count(M4_4XLARGE) == [("not enough memory", 3)]


def test_growth_fills_an_instance_with_one() -> None:
    """Nothing else fits where it is, and it fits nowhere else."""
    remainder = Remainder(an_index(*eighths_free(8, 4)))
    assert remainder.fill(ALONE, 3) == 1
    assert remainder.fill(EIGHTH, 99) == 4


def test_one_that_no_type_holds_never_fits() -> None:
    """What it needs is an amount like any other's, and the largest type is enough for itself."""
    types = (a_type(allocatable=M4_4XLARGE),)
    growth = grown(packed(a_task(1, ask=M4_4XLARGE.alone()), instances=[]), types=types)
    assert (len(growth.types), growth.never) == (1, frozenset())
    more = (M4_4XLARGE + Resources(cpu=1)).alone()
    assert grown(packed(a_task(1, ask=more), instances=[]), types=types).never == {more}


def test_amounts_are_counted_as_ever() -> None:
    """It fits once into what it fits into, and what is calculated is as the left operand says."""
    assert (ALONE.times_that_fit(M4_4XLARGE), ALONE.times_that_fit(NOTHING)) == (1, 0)
    assert NOTHING + ALONE == EIGHTH
    assert (ALONE.times(2), ALONE - EIGHTH) == (EIGHTH.times(2).alone(), NOTHING.alone())
