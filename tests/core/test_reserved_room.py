"""Room that is held in a decision: from whom, for how long in the queue, and what growth makes of it."""

from typing import Any

from scheduler.core.autoscaling.scale_up import scale_up
from scheduler.core.model.reservation import Pieces, Reserved
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.packer import PackingResult, pack
from tests.builders import (
    M4_4XLARGE,
    REGULAR,
    a_backlog,
    a_capacity,
    a_group,
    a_task,
    an_index,
    an_instance,
    task_id,
)

HALF = Resources(cpu=M4_4XLARGE.cpu // 2, memory_mib=M4_4XLARGE.memory_mib // 2)
MOST = Resources(cpu=M4_4XLARGE.cpu - 10, memory_mib=M4_4XLARGE.memory_mib - 10)


def reserved(place: int, count: int = 1, ask: Resources = HALF, **changes: Any) -> Reserved:
    """Room for tasks that came right after the one of this revision."""
    fields: dict[str, Any] = {"rank": (0, place, "~bamboo/PLAN"), "ask": ask, "count": count}
    return Reserved(**(fields | changes))


def packed(*tasks: QueuedTask, holds: tuple[Reserved, ...], instances: int = 1) -> PackingResult:
    index = an_index(*(an_instance(number + 1) for number in range(instances)))
    return pack(a_backlog(*tasks), index, limit=100, reserved=holds)


def places(packing: PackingResult) -> list[str]:
    return [task.task_id for task, _ in packing.placed]


def test_a_task_behind_it_does_not_get_the_room() -> None:
    """What is left beside it the task may have."""
    assert places(packed(a_task(5, ask=MOST), holds=(reserved(4),))) == []
    assert places(packed(a_task(5, ask=HALF), holds=(reserved(4),))) == [task_id(5)]


def test_the_pieces_of_one_reservation_are_held_in_their_order() -> None:
    """The remainder comes last: held first, it would break up what the large ones need."""
    small = Resources(cpu=1, memory_mib=1)
    tasks = [a_task(number, ask=Resources(cpu=HALF.cpu // 2, memory_mib=1)) for number in (5, 6, 7)]
    packing = packed(*tasks, holds=(reserved(4, count=2), reserved(4, ask=small)))
    assert places(packing) == []
    assert packing.unheld == (Pieces(ask=small, count=1),)


def test_a_task_before_it_does() -> None:
    """Then the room is looked for elsewhere, by growth."""
    packing = packed(a_task(4, ask=MOST), holds=(reserved(4),))
    assert places(packing) == [task_id(4)]
    assert scale_up(a_capacity(), packing).asks == (HALF,)
    assert packing.unheld == (Pieces(ask=HALF, count=1),)


def test_a_higher_priority_goes_before_it_and_a_lower_one_behind() -> None:
    """A reservation has the ordinary one."""
    urgent, idle = a_task(5, ask=MOST, priority=1), a_task(3, ask=MOST, priority=-1)
    assert places(packed(urgent, holds=(reserved(4),))) == [task_id(5)]
    assert places(packed(idle, holds=(reserved(4),))) == []


def test_what_is_held_takes_no_slot() -> None:
    """As many tasks may start beside it as without it."""
    tasks = [a_task(number, ask=REGULAR) for number in range(5, 9)]
    assert len(places(packed(*tasks, holds=(reserved(4, 2, REGULAR),)))) == 4


def test_room_for_a_waiting_task_is_its_own() -> None:
    """Once it is placed, nothing more is held for it; if it cannot be, growth has not to look for room."""
    rank = (0, 5, f"{task_id(5)}~")
    own = reserved(5, rank=rank, task_id=task_id(5))
    came = packed(a_task(5, ask=HALF), a_task(6, ask=HALF), holds=(own,))
    assert places(came) == [task_id(5), task_id(6)]
    aside = packed(a_task(6, ask=HALF), a_task(7, ask=HALF), holds=(own,))
    assert places(aside) == [task_id(6)]
    assert aside.awaited == {HALF: 1}
    assert scale_up(a_capacity(), aside).asks == ()


def test_instances_with_held_room_are_told() -> None:
    """They are not idle, whatever runs there."""
    packing = packed(a_task(5, ask=REGULAR), holds=(reserved(4, 3),), instances=2)
    assert len(packing.holding) == 2


def test_growth_buys_for_reservations_after_tasks() -> None:
    """Within the limits, and told apart."""
    packing = packed(a_task(3, ask=MOST), a_task(4, ask=MOST), holds=(reserved(4, 6),))
    growth = scale_up(a_capacity(group=a_group(desired=1, max_size=3)), packing)
    assert growth.asks == (MOST, HALF)
    assert growth.for_reservations == 1
    assert growth.clamped == frozenset()


def test_a_reservation_that_nothing_holds_any_more_fails_nobody() -> None:
    """It was admitted when the group had larger types; it ends when it expires."""
    packing = packed(holds=(reserved(4, ask=M4_4XLARGE.times(2)),))
    growth = scale_up(a_capacity(), packing)
    assert (growth.asks, growth.never) == ((), frozenset())


def test_without_waiting_tasks_nothing_is_held_and_all_is_counted() -> None:
    """Growth finds the room by itself, and keeps the instances on which it did."""
    packing = packed(holds=(reserved(4, 3),), instances=2)
    growth = scale_up(a_capacity(), packing)
    assert (packing.holding, growth.asks, len(growth.used)) == (frozenset(), (), 2)
