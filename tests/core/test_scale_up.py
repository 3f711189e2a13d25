"""Growth: enough for everything, never more than it takes, and never a sum of lacks."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.scale_up import Growth, scale_up
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import Capacity, InstanceType, ReturnableInstance, SilentInstance
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.model.scaling import Limits
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.packer import PackingResult, pack
from tests.builders import M4_4XLARGE, a_backlog, a_capacity, a_group, a_task, a_type, an_index, an_instance
from tests.strategies import G4DN_12XLARGE, M6G_4XLARGE, MODEST, Spare, fleets, index_of, queues

SMALL = Resources(cpu=1024, memory_mib=4006)
LARGE_4X = Resources(cpu=10240, memory_mib=40006)
HALF_AND_A_BIT = Resources(cpu=16384 * 51 // 100, memory_mib=64419 * 51 // 100)
FULL = an_instance(remaining=Resources())

TYPES = (
    a_type("m4.xlarge", Resources(cpu=4096, memory_mib=15800)),
    a_type("m4.4xlarge", M4_4XLARGE),
    a_type("m6g.4xlarge", M6G_4XLARGE),
    a_type("g4dn.12xlarge", G4DN_12XLARGE),
)

few_rooms = fleets.map(lambda spares: spares[:3])
capacities = st.builds(
    lambda desired, spare, in_flight, types: a_capacity(
        group=a_group(desired=desired, max_size=desired + spare),
        in_flight=in_flight,
        in_flight_types=tuple(types[:in_flight]),
        types=TYPES,
    ),
    desired=st.integers(0, 5),
    spare=st.integers(0, 8),
    in_flight=st.integers(0, 2),
    types=st.lists(st.sampled_from([each.name for each in TYPES]), max_size=2),
)


def growth_for(
    ask: Resources, count: int, *instances: ContainerInstance, capacity: Capacity | None = None
) -> Growth:
    """What `count` tasks of one shape make the group grow by."""
    tasks = [a_task(number, ask=ask) for number in range(1, count + 1)]
    packing = pack(a_backlog(*tasks), an_index(*instances), limit=1000)
    return scale_up(capacity or a_capacity(), packing)


def all_fit(wanted: Sequence[Resources], bins: list[Resources]) -> bool:
    """True when some assignment gives every task room: tries them all."""
    if not wanted:
        return True
    ask, rest = wanted[0], wanted[1:]
    for at, free in enumerate(bins):
        if free not in bins[:at] and ask.fits_in(free):
            left = [*bins[:at], free - ask, *bins[at + 1 :]]
            if all_fit(rest, left):
                return True
    return False


def bins_of(packing: PackingResult, capacity: Capacity, bought: Sequence[str]) -> list[Resources]:
    """All room there will be: free, in flight and bought."""
    free = [room.free.on(size.registered.architecture) for size, room in packing.index.spots()]
    unnamed = capacity.in_flight - len(capacity.in_flight_types)
    names = [TYPES[0].name] * unnamed + [*capacity.in_flight_types, *bought]
    sizes = {each.name: each.allocatable for each in TYPES}
    return free + [sizes[name] for name in names]


def left_over(packing: PackingResult, without: frozenset[Resources]) -> list[Resources]:
    left = ((group.ask, count) for group, count in packing.left if group.ask not in without)
    return [ask for ask, count in left for _ in range(count)]


@MODEST
@given(spares=few_rooms, tasks=queues(max_size=6), capacity=capacities)
def test_growth_holds_everything_that_is_left(
    spares: list[Spare], tasks: list[QueuedTask], capacity: Capacity
) -> None:
    """Unless max size or the types forbid it, there is a place for every task on what there will be."""
    packing = pack(a_backlog(*tasks), index_of(spares), limit=3)
    left = left_over(packing, frozenset())
    growth = scale_up(capacity, packing)
    if not growth.clamped:
        wanted = left_over(packing, growth.never)
        assert all_fit(wanted, bins_of(pack((), packing.index, limit=0), capacity, growth.types))
    assert len(growth.types) <= len(left)


@MODEST
@given(spares=few_rooms, tasks=queues(), capacity=capacities)
def test_growth_never_passes_max_size(
    spares: list[Spare], tasks: list[QueuedTask], capacity: Capacity
) -> None:
    """Never above it, and a shape is only called clamped when it was reached."""
    growth = scale_up(capacity, pack(a_backlog(*tasks), index_of(spares), limit=3))
    assert capacity.group is not None
    reached = capacity.group.desired + len(growth.types)
    assert reached <= capacity.group.max_size
    assert not growth.clamped or reached == capacity.group.max_size


@MODEST
@given(spares=few_rooms, tasks=queues(), capacity=capacities)
def test_growth_leaves_the_packing_alone(
    spares: list[Spare], tasks: list[QueuedTask], capacity: Capacity
) -> None:
    """The rejects that are told afterwards are those of the placement, not of a thought experiment."""
    packing = pack(a_backlog(*tasks), index_of(spares), limit=3)
    before = list(packing.index.spots())
    scale_up(capacity, packing)
    assert list(packing.index.spots()) == before


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 10])
def test_each_task_of_51_percent_needs_its_own_instance(count: int) -> None:
    """Fragmented demand is not a sum: n tasks of 51 % need n instances."""
    half_used = an_instance(remaining=M4_4XLARGE - HALF_AND_A_BIT)
    assert len(growth_for(HALF_AND_A_BIT, count, half_used).types) == count


def test_ten_large_tasks_are_asked_for_at_once() -> None:
    """Ten tasks of 10240/40006 on full instances: ten more, in one decision."""
    assert len(growth_for(LARGE_4X, 10, FULL).types) == 10


def test_sixteen_small_tasks_share_one_instance() -> None:
    """Sixteen of 1024/4006 fill an m4.4xlarge: one more, not two."""
    assert growth_for(SMALL, 16, FULL).types == ("m4.4xlarge",)


@pytest.mark.parametrize("memory_mib", [64418, 64419])
def test_a_task_as_large_as_an_instance_needs_exactly_one(memory_mib: int) -> None:
    """An exact fit is a fit, in CPU and in memory."""
    growth = growth_for(Resources(cpu=16384, memory_mib=memory_mib), 1, FULL)
    assert growth.types == ("m4.4xlarge",)


@pytest.mark.parametrize(
    "ask",
    [
        Resources(cpu=16385, memory_mib=1000),
        Resources(cpu=1000, memory_mib=64420),
        Resources(cpu=1, memory_mib=1, gpus=1),
    ],
)
def test_what_no_type_holds_buys_nothing(ask: Resources) -> None:
    """One dimension too large is enough, however idle the cluster is; the shape is named."""
    assert growth_for(ask, 3, an_instance()) == Growth(never=frozenset({ask}))


def test_a_shape_that_a_present_instance_holds_is_never_hopeless() -> None:
    """Its type once registered less, and is not bought for it; the task waits for this instance."""
    capacity = a_capacity(types=(a_type(allocatable=SMALL),))
    busy = an_instance(remaining=SMALL)
    assert growth_for(LARGE_4X, 1, busy, capacity=capacity).types == ()
    silent = (SilentInstance(registered=M4_4XLARGE, free=SMALL),)
    assert growth_for(LARGE_4X, 1, capacity=replace(capacity, silent=silent)) == Growth()


@pytest.mark.parametrize(("too_much_mib", "never"), [(0, set()), (1, {LARGE_4X})])
def test_a_present_instance_must_hold_a_shape_beside_its_daemons(
    too_much_mib: int, never: set[Resources]
) -> None:
    """To the MiB: whoever fits nowhere beside them would wait for nothing."""
    daemons = M4_4XLARGE - LARGE_4X + Resources(memory_mib=too_much_mib)
    capacity = a_capacity(types=(a_type(allocatable=SMALL),), daemons=daemons)
    assert growth_for(LARGE_4X, 1, an_instance(remaining=SMALL), capacity=capacity).never == never
    silent = (SilentInstance(registered=M4_4XLARGE, free=SMALL),)
    assert growth_for(LARGE_4X, 1, capacity=replace(capacity, silent=silent)).never == never


def test_what_no_type_holds_does_not_stop_the_others() -> None:
    """A shape that never fits stands first in the queue; the next one still gets its instance."""
    tasks = (a_task(1, ask=M4_4XLARGE.times(2)), a_task(2))
    growth = scale_up(a_capacity(), pack(a_backlog(*tasks), an_index(), limit=10))
    assert (growth.types, growth.never) == (("m4.4xlarge",), frozenset({M4_4XLARGE.times(2)}))


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (SMALL, "m4.xlarge"),
        (LARGE_4X, "m4.4xlarge"),
        (Resources(cpu=1024, memory_mib=1000, gpus=1), "g4dn.12xlarge"),
    ],
)
def test_the_smallest_type_that_holds_the_shape_is_expected(ask: Resources, expected: str) -> None:
    """Which type arrives is the group's choice; the hypothetical one is the smallest that can serve."""
    assert growth_for(ask, 1, capacity=a_capacity(types=TYPES)).types == (expected,)


def test_nothing_is_bought_when_what_is_in_flight_holds_all() -> None:
    """Twenty small tasks fit on the two instances that EC2 still owes."""
    capacity = a_capacity(group=a_group(desired=3), in_flight=2)
    assert growth_for(SMALL, 20, FULL, capacity=capacity) == Growth()


def test_every_instance_is_bought_for_a_shape() -> None:
    """The first shape that needs it, whoever else finds room on it."""
    tasks = (a_task(1, ask=LARGE_4X), a_task(2, ask=SMALL), a_task(3, ask=M4_4XLARGE))
    growth = scale_up(a_capacity(), pack(a_backlog(*tasks), an_index(), limit=10))
    assert growth.asks == (LARGE_4X, M4_4XLARGE)


def test_free_room_on_a_silent_instance_buys_nothing() -> None:
    """Its agent blinks: what is free there will be there in a moment. What is not free is bought."""
    silent = SilentInstance(registered=M4_4XLARGE, free=SMALL.times(3))
    capacity = a_capacity(group=a_group(desired=1), silent=(silent,))
    assert growth_for(SMALL, 3, capacity=capacity) == Growth()
    assert growth_for(SMALL, 4, capacity=capacity).types == ("m4.4xlarge",)


def going(*numbers: int, free: Resources = M4_4XLARGE) -> tuple[ReturnableInstance, ...]:
    """Idle instances that are being removed."""
    return tuple(ReturnableInstance(ec2_instance_id=f"i-{each}", free=free) for each in numbers)


def test_what_is_being_removed_is_taken_back_before_anything_is_bought() -> None:
    """An empty instance that still drains serves at once; the second one that is needed is bought."""
    growth = growth_for(M4_4XLARGE, 2, FULL, capacity=a_capacity(returnable=going(7)))
    assert (growth.returns, growth.types) == (("i-7",), ("m4.4xlarge",))


def test_nothing_is_taken_back_while_what_is_in_flight_holds_all() -> None:
    """Whatever the shapes: room that is left on the one in flight goes before one that is to go."""
    capacity = a_capacity(group=a_group(desired=2), in_flight=1, returnable=going(7, 8))
    tasks = (a_task(1, ask=LARGE_4X), a_task(2, ask=SMALL))
    growth = scale_up(capacity, pack(a_backlog(*tasks), an_index(FULL), limit=10))
    assert growth == Growth()


def test_no_more_is_taken_back_than_is_needed() -> None:
    """Sixteen small ones fill one of them; the other goes its way."""
    growth = growth_for(SMALL, 16, FULL, capacity=a_capacity(returnable=going(7, 8)))
    assert (growth.returns, growth.types) == (("i-7",), ())


def test_a_shape_that_only_a_going_instance_holds_is_not_hopeless() -> None:
    """Its type once registered less; this one has the room, and is taken back for it."""
    capacity = a_capacity(types=(a_type(allocatable=SMALL),), returnable=going(7))
    assert growth_for(LARGE_4X, 1, capacity=capacity) == Growth(returns=("i-7",))


def test_a_floor_is_reached_by_taking_back_and_then_by_buying() -> None:
    """For nobody: two of the five are missing, one of them is on its way out."""
    capacity = a_capacity(group=a_group(desired=4, max_size=9), returnable=going(7), shrinking=1)
    growth = scale_up(capacity, pack((), an_index(), limit=0), Limits(floor=5, ceiling=9))
    assert (growth.returns, growth.types, growth.asks) == (("i-7",), ("m4.4xlarge",), (NOTHING,))


@pytest.mark.parametrize(("floor", "bought"), [(0, 0), (4, 0), (6, 2)])
def test_of_a_futile_ask_only_the_floor_is_left(floor: int, bought: int) -> None:
    """For nobody; what max size clamps and what can be taken back is as ever."""
    group = a_group(desired=4, max_size=7)
    capacity = a_capacity(group=group, returnable=going(7), shrinking=1, futile=True)
    packing = pack(a_backlog(*(a_task(each, ask=M4_4XLARGE) for each in range(1, 6))), an_index(), limit=9)
    headroom = [Pieces(ask=M4_4XLARGE, count=1)]
    growth = scale_up(capacity, packing, Limits(floor=floor, ceiling=7), headroom=headroom)
    assert growth.types == ("m4.4xlarge",) * bought
    assert growth.asks == (NOTHING,) * bought
    assert (growth.for_reservations, growth.for_headroom) == (0, 0)
    assert (growth.returns, growth.clamped) == (("i-7",), frozenset({M4_4XLARGE}))


def test_room_where_a_start_failed_is_no_room_for_that_shape() -> None:
    """Another instance is bought for it; for other shapes the room is as good as any."""
    capacity = a_capacity(suspects=frozenset({(an_instance().arn, SMALL)}))
    assert growth_for(SMALL, 9, an_instance(), capacity=capacity).types == ("m4.4xlarge",)
    others = growth_for(SMALL.times(2), 5, an_instance(), capacity=capacity)
    assert others == Growth(used=frozenset({an_instance().arn}))


def test_a_disappointing_shape_buys_nothing_and_stops_nobody() -> None:
    """What was bought for it did not hold it; the next shape still gets its instance."""
    capacity = a_capacity(disappointing=frozenset({LARGE_4X}))
    growth = scale_up(
        capacity, pack(a_backlog(a_task(1, ask=LARGE_4X), a_task(2, ask=SMALL)), an_index(), limit=10)
    )
    assert growth == Growth(types=("m4.4xlarge",), asks=(SMALL,))


def test_a_task_that_only_waits_for_a_slot_buys_nothing() -> None:
    """Four tasks start on the instance, and it has room for more: they wait seconds, not minutes."""
    assert growth_for(SMALL, 12, an_instance()).types == ()


def test_max_size_clamps_and_says_for_whom() -> None:
    """Ten are needed, three are allowed."""
    capacity = a_capacity(group=a_group(desired=1, max_size=4))
    growth = growth_for(LARGE_4X, 10, FULL, capacity=capacity)
    assert (growth.types, growth.clamped) == (("m4.4xlarge",) * 3, frozenset({LARGE_4X}))


def test_what_max_size_leaves_goes_to_the_front_of_the_queue() -> None:
    """The one instance that may still be bought is for the higher priority."""
    tasks = (a_task(1, ask=SMALL.times(2)), a_task(2, ask=Resources(cpu=1, memory_mib=1, gpus=1), priority=1))
    capacity = a_capacity(group=a_group(desired=0, max_size=1), types=TYPES)
    growth = scale_up(capacity, pack(a_backlog(*tasks), an_index(), limit=10))
    assert growth.types == ("g4dn.12xlarge",)


@pytest.mark.parametrize("types", [(), None])
def test_nothing_is_bought_before_group_and_types_are_known(types: tuple[InstanceType, ...] | None) -> None:
    """Growth without a reading would be a guess."""
    capacity = a_capacity(group=None) if types is None else a_capacity(types=types)
    assert growth_for(SMALL, 1, capacity=capacity) == Growth()


def test_an_architecture_buys_its_own() -> None:
    """The smaller type is of another, and so is all the room that there is."""
    arm = Resources(cpu=1024, memory_mib=4006, architecture=Architecture.ARM64)
    growth = growth_for(arm, 17, an_instance(), capacity=a_capacity(types=TYPES, in_flight=1))
    assert growth.types == ("m6g.4xlarge", "m6g.4xlarge")
    assert growth.asks == (arm, arm)


def test_an_architecture_that_no_type_has_never_fits() -> None:
    """However much of another there is."""
    x86 = Resources(cpu=1, memory_mib=1, architecture=Architecture.X86_64)
    assert growth_for(x86, 1, an_instance()).never == {x86}


TWO_LARGE = Pieces(ask=Resources(cpu=8192, memory_mib=32_000), count=2)


def with_headroom(*tasks: QueuedTask, instances: tuple[ContainerInstance, ...] = ()) -> Growth:
    """Growth where room for two tasks of half an instance is to stay free."""
    packing = pack(a_backlog(*tasks), an_index(*instances), limit=10)
    return scale_up(a_capacity(), packing, headroom=(TWO_LARGE,))


def test_headroom_is_bought_where_it_is_missing() -> None:
    """Without any task, and told apart from what tasks need."""
    growth = with_headroom()
    assert (growth.types, growth.asks, growth.for_headroom) == (("m4.4xlarge",), (TWO_LARGE.ask,), 1)


def test_headroom_comes_after_what_waits() -> None:
    """The task gets the room that is there, and what is to stay free is bought anew."""
    growth = with_headroom(a_task(1, ask=SMALL), instances=(an_instance(),))
    assert (growth.asks, growth.for_headroom) == ((TWO_LARGE.ask,), 1)


def test_headroom_that_is_there_keeps_its_instances() -> None:
    """Nothing is bought, and the instance is not let go either."""
    instance = an_instance(2)
    growth = with_headroom(instances=(instance, FULL))
    assert growth == Growth(used=frozenset({instance.arn}))


def test_headroom_that_the_group_has_no_place_for_clamps_nobody() -> None:
    """Max size is told to tasks that wait, and none does."""
    capacity = a_capacity(group=a_group(max_size=0))
    growth = scale_up(capacity, pack((), an_index(), limit=0), headroom=(TWO_LARGE,))
    assert (growth.types, growth.clamped) == ((), frozenset())
