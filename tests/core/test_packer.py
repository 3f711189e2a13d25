"""The packer: what must never happen to the queue or to an instance."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.packer import PackingResult, RejectCounter, pack
from tests.builders import M4_4XLARGE, a_backlog, a_task, an_index, an_instance, instance_arn
from tests.strategies import MODEST, SHAPES, Spare, asks, fleets, index_of, queues, suspicions

limits = st.integers(0, 30)
LONG = SHAPES[3]
TALL = SHAPES[4]


def numbers(packing: PackingResult) -> list[int]:
    return [task.enqueue_revision for task, _ in packing.placed]


def in_queue_order(tasks: list[QueuedTask]) -> list[QueuedTask]:
    return sorted(tasks, key=lambda each: (-each.priority, each.enqueue_revision))


@MODEST
@given(spares=fleets, tasks=queues(), limit=limits)
def test_no_instance_is_given_more_than_it_has(
    spares: list[Spare], tasks: list[QueuedTask], limit: int
) -> None:
    """In no dimension, and never more tasks than it has slots."""
    packing = pack(a_backlog(*tasks), index_of(spares), limit=limit)
    starts = Counter(arn for _, arn in packing.placed)
    for spare in spares:
        taken = sum((task.ask for task, arn in packing.placed if arn == spare.arn), start=NOTHING)
        assert taken.fits_in(spare.free)
        assert starts[spare.arn] <= spare.slots


@MODEST
@given(spares=fleets, tasks=queues(), limit=limits)
def test_tasks_are_placed_in_queue_order(spares: list[Spare], tasks: list[QueuedTask], limit: int) -> None:
    """Higher priority first, then who came first, whichever tenant's; nobody is passed over by his like."""
    placed = [task for task, _ in pack(a_backlog(*tasks), index_of(spares), limit=limit).placed]
    assert placed == in_queue_order(placed)
    for shape in SHAPES:
        alike = in_queue_order([task for task in tasks if task.ask == shape])
        placed_alike = [task for task in placed if task.ask == shape]
        assert placed_alike == alike[: len(placed_alike)]


def test_who_lacks_something_everywhere_is_passed_over_alone() -> None:
    """It is left over, its shape is not blocked, and who comes behind it is placed."""
    first, second = a_task(1), a_task(2)
    lacking = {first.task_id: frozenset({instance_arn(1)})}
    packing = pack(a_backlog(first, second), an_index(an_instance(1)), limit=9, lacking=lacking)
    assert packing.placed == ((second, instance_arn(1)),)
    assert (packing.blocked, [count for _, count in packing.left]) == (frozenset(), [1])


@MODEST
@given(spares=fleets, tasks=queues(), suspects=suspicions)
def test_who_is_left_over_fits_nowhere(
    spares: list[Spare], tasks: list[QueuedTask], suspects: frozenset[tuple[str, Resources]]
) -> None:
    """A shape without room blocks itself and no other; a suspect pair is not tried."""
    packing = pack(a_backlog(*tasks), index_of(spares), limit=1000, suspects=suspects)
    assert not {(arn, task.ask) for task, arn in packing.placed} & suspects
    assert {group.ask for group, _ in packing.left} == packing.blocked
    for ask in packing.blocked:
        assert packing.index.best(ask, frozenset(arn for arn, each in suspects if each == ask)) is None


@MODEST
@given(spares=fleets, tasks=queues(), limit=limits, aside=st.integers(0, 3))
def test_placed_and_left_add_up(spares: list[Spare], tasks: list[QueuedTask], limit: int, aside: int) -> None:
    """Every waiting task is placed once or left over, those that are aside too."""
    backlog = tuple(replace(group, count=group.count + aside) for group in a_backlog(*tasks))
    packing = pack(backlog, index_of(spares), limit=limit)
    assert len(packing.placed) <= limit
    assert len(set(numbers(packing))) == len(packing.placed)
    assert all(count > 0 for _, count in packing.left)
    left = sum(count for _, count in packing.left)
    assert left + len(packing.placed) == len(tasks) + aside * len(backlog)


@MODEST
@given(spares=fleets, tasks=queues(), limit=limits, order=st.randoms(use_true_random=False))
def test_same_queue_and_room_same_placements(
    spares: list[Spare], tasks: list[QueuedTask], limit: int, order: Random
) -> None:
    """Neither the order of instances nor that of groups decides anything."""
    shuffled, backlog = spares.copy(), list(a_backlog(*tasks))
    order.shuffle(shuffled)
    order.shuffle(backlog)
    first = pack(a_backlog(*tasks), index_of(spares), limit=limit)
    second = pack(backlog, index_of(shuffled), limit=limit)
    assert first.placed == second.placed
    assert first.blocked == second.blocked


@MODEST
@given(spares=fleets, tasks=queues())
def test_every_instance_is_counted_under_one_reject(spares: list[Spare], tasks: list[QueuedTask]) -> None:
    """For a shape that fits nowhere the rejects sum to the number of instances."""
    packing = pack(a_backlog(*tasks), index_of(spares), limit=1000)
    counter = RejectCounter(packing.index)
    for ask in packing.blocked:
        rejects = counter.count(ask)
        assert sum(count for _, count in rejects) == len(spares)
        assert all(count > 0 for _, count in rejects)


@MODEST
@given(spares=fleets, ask=asks)
def test_rejects_name_the_first_lack(spares: list[Spare], ask: Resources) -> None:
    """Architecture, memory, then CPU, then GPUs; who lacks nothing has too many tasks starting."""
    no_slots = [replace(each, slots=0) for each in spares]
    expected = Counter(lack(each.free, ask) for each in no_slots)
    assert dict(RejectCounter(index_of(no_slots)).count(ask)) == expected


def lack(free: Resources, ask: Resources) -> str:
    if not ask.suits(free):
        return "not the architecture"
    if free.memory_mib < ask.memory_mib:
        return "not enough memory"
    if free.cpu < ask.cpu:
        return "not enough cpu"
    return "not enough gpus" if free.gpus < ask.gpus else "too many tasks starting"


def test_an_instance_that_waits_for_its_daemons_has_a_reject_of_its_own() -> None:
    """Nothing starts on it, and nobody is told that too much does."""
    index = an_index()
    for number, awaits in ((1, True), (2, False)):
        index.put(
            instance_arn(number),
            registered=M4_4XLARGE,
            free=M4_4XLARGE,
            launched_ms=0,
            slots=0,
            awaits_daemons=awaits,
        )
    expected = [("its daemons are awaited", 1), ("too many tasks starting", 1)]
    assert RejectCounter(index).count(LONG) == expected


def test_a_blocked_shape_lets_the_others_pass() -> None:
    """A task that no instance has room for stands before one that fits."""
    backlog = a_backlog(a_task(1, ask=M4_4XLARGE.times(2)), a_task(2, ask=LONG))
    packing = pack(backlog, an_index(an_instance()), limit=10)
    assert numbers(packing) == [2]
    assert packing.blocked == {M4_4XLARGE.times(2)}


def test_an_older_task_of_another_tenant_goes_first() -> None:
    """Within a priority, first come first served, across tenants and shapes."""
    tasks = (
        a_task(1, tenant="other"),
        a_task(2),
        a_task(3, tenant="other"),
        a_task(4, ask=LONG),
        a_task(5, priority=9),
    )
    packing = pack(a_backlog(*tasks), an_index(an_instance(), slots=4), limit=10)
    assert numbers(packing) == [5, 1, 2, 3]


def test_long_and_tall_tasks_share_an_instance() -> None:
    """Room is a vector: what one leaves of each dimension is enough for the other."""
    tasks = (a_task(1, ask=LONG), a_task(2, ask=TALL))
    packing = pack(a_backlog(*tasks), an_index(an_instance(1), an_instance(2)), limit=10)
    assert [arn for _, arn in packing.placed] == [instance_arn(1), instance_arn(1)]


def test_a_long_queue_is_not_walked() -> None:
    """Ten thousand wait, four find a slot: five were looked at."""
    looked_at = []

    def heads() -> Iterator[QueuedTask]:
        for number in range(10_000):
            looked_at.append(number)
            yield a_task(number)

    (group,) = a_backlog(a_task())
    pack((replace(group, count=10_000, heads=heads()),), an_index(an_instance(), slots=4), limit=100)
    assert len(looked_at) == 5
