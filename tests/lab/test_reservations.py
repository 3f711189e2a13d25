"""Reservations on a whole service: room that is held, by whom it is used, and what a crash leaves of it."""

from dataclasses import replace

import pytest

from scheduler.core.model.resources import Resources
from scheduler.core.model.task import ContainerSize, TaskState
from tests.conformance.reserving import REGULAR, amount, ask_for, come, left, reserve, standing
from tests.conformance.sick import PATIENT, a_service
from tests.lab.worlds import MINUTE_MS, MOST, VirtualService

TWO_REGULAR = amount(4_096, 16_008)
SMALL = amount(1_024, 4_000)
SEVEN_REGULAR = Resources(cpu=14_336, memory_mib=56_028)
"""One more agent of size REGULAR fits beside it."""


def states(service: VirtualService) -> dict[str, TaskState]:
    """The state of each task, by its tenant and its build."""
    return {f"{each.tenant} {each.build_key}".strip(): each.status.state for each in service.tasks()}


def a_fixed_service(size: int = 1) -> VirtualService:
    """It cannot grow: what is held is told by who waits."""
    return a_service(size, max_size=size)


def test_tasks_that_come_later_do_not_get_the_room() -> None:
    """Its own build's do, at once; the others when it has expired."""
    service = a_fixed_service()
    reserve(service, TWO_REGULAR, "R1", "R2", expiry_ms=20 * MINUTE_MS)
    service.submit(1, SEVEN_REGULAR, tenant="others")
    service.let_pass(2)
    assert service.states() == {TaskState.QUEUED: 1}
    come(service, "R1", size=ContainerSize.REGULAR)
    service.let_pass(2)
    assert service.states() == {TaskState.QUEUED: 1, TaskState.RUNNING: 1}
    service.let_pass(18)
    assert service.states() == {TaskState.RUNNING: 2}


def test_a_task_that_came_before_is_not_held_up() -> None:
    """The reservation stands behind it in the queue."""
    service = a_fixed_service()
    service.submit(1, MOST, tenant="first")
    service.let_pass(1)
    service.submit(1, MOST, tenant="others")
    reserve(service, TWO_REGULAR)
    service.cancel(service.tasks()[0].task_id)
    service.let_pass(3)
    assert states(service)["others"] is TaskState.RUNNING


def test_its_own_task_goes_first_of_those_that_came_later() -> None:
    """It takes the place that was kept for it, although others have waited for longer than it."""
    service = a_fixed_service()
    service.submit(1, MOST, tenant="first")
    service.let_pass(1)
    reserve(service, MOST, tasks=())
    service.submit(1, MOST, tenant="others")
    come(service, "AAA-BBB-CCC-1", size=ContainerSize.LARGE_4X)
    service.cancel(service.tasks()[0].task_id)
    service.let_pass(3)
    assert states(service)["bamboo 111-222"] is TaskState.RUNNING
    assert states(service)["others"] is TaskState.QUEUED


def test_the_room_is_kept_while_its_task_waits_for_a_registration() -> None:
    """Nobody gets it in the second in which AWS registers the task's definition."""
    service = a_service(1, max_size=1, policy=replace(PATIENT, max_starting_per_instance=10))
    service.submit(1, REGULAR, tenant="others")
    service.let_pass(1)
    reserve(service, REGULAR, "R1")
    ask_for(service, "R1", size=ContainerSize.REGULAR)
    service.submit(7, REGULAR, tenant="others")
    service.let_pass(3)
    assert states(service)["bamboo 111-222"] is TaskState.RUNNING
    assert service.states() == {TaskState.RUNNING: 8, TaskState.QUEUED: 1}


def test_room_that_is_held_for_a_waiting_task_is_not_bought_again() -> None:
    """The task is demand or its room is held, never both."""
    service = a_service(1)
    service.submit(1, SMALL, tenant="others")
    service.let_pass(1)
    reserve(service, SEVEN_REGULAR, *(f"R{number}" for number in range(7)))
    for number in range(7):
        ask_for(service, f"R{number}", size=ContainerSize.REGULAR)
    service.submit(1, SMALL, tenant="others")
    service.let_pass(2)
    assert service.states() == {TaskState.RUNNING: 9}
    assert service.desired == 1


def test_a_crash_leaves_what_is_reserved() -> None:
    """What is used up stays so, and the rest is held for as long as it was to be."""
    service = a_fixed_service()
    reserve(service, TWO_REGULAR, "R1", "R2", expiry_ms=20 * MINUTE_MS)
    come(service, "R1", size=ContainerSize.REGULAR)
    before = standing(service)
    service.driver.crash()
    service.let_pass(10)
    assert standing(service) == before
    service.let_pass(10)
    assert standing(service) == []


@pytest.mark.parametrize("spare_ms", [0, 20, 200])
def test_a_crash_right_after_a_task_has_come(spare_ms: int) -> None:
    """Its part is used up all the same, whether or not that was written down before the crash."""
    service = a_fixed_service()
    reserve(service, TWO_REGULAR, "R1", "R2")
    ask_for(service, "R1")
    service.let_pass(spare_ms / MINUTE_MS)
    service.driver.crash()
    service.let_pass(1)
    assert left(service) == 1


def test_a_task_that_is_cancelled_has_used_its_part() -> None:
    """Its result was to come once, and it has."""
    service = a_fixed_service()
    reserve(service, TWO_REGULAR, "R1", "R2")
    come(service, "R1")
    service.cancel(service.tasks()[0].task_id)
    service.let_pass(1)
    assert left(service) == 1


def test_what_the_group_may_not_have_is_not_bought() -> None:
    """Tasks go first where the group may not grow for both."""
    service = a_service(1, max_size=2)
    reserve(service, SEVEN_REGULAR.times(3))
    service.submit(1, MOST, tenant="others")
    service.let_pass(5)
    assert service.desired == 2
    assert states(service)["others"] is TaskState.QUEUED
