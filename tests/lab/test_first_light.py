"""The whole service on a virtual clock: from requests to ended tasks, through bad luck of many kinds."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import REGULAR, VirtualService

SMALL_GROUP = SimulationSettings(min_size=1, max_size=12, desired_capacity=1)
BRIEF = replace(SMALL_GROUP, run_ms=(10_000, 60_000))
HALF_AND_A_BIT = Resources(cpu=8400, memory_mib=33_000)


def a_service(*faults: Fault, seed: int = 0, simulation: SimulationSettings = SMALL_GROUP) -> VirtualService:
    return VirtualService(seed=seed, simulation=simulation, faults=faults)


def assert_all_ran_once(service: VirtualService, count: int) -> None:
    """Every task succeeded, and AWS started exactly one ECS task for each."""
    assert service.states() == {TaskState.SUCCEEDED: count}
    assert set(service.starts().values()) == {1}
    assert len(service.starts()) == count


def test_a_burst_runs_to_its_end_once_each() -> None:
    """Forty tasks on one instance: the group grows once, by what packing needs, and all succeed."""
    service = a_service()
    service.submit(40)
    assert service.finish()
    assert_all_ran_once(service, 40)
    # The first entry is the group's own beginning.
    desired = [entry["desiredCapacity"] for entry in service.account.journal.of(Effect.SET_DESIRED_CAPACITY)]
    assert desired == [1, 5]


def test_growth_is_asked_for_within_a_second_of_the_demand() -> None:
    """The first decision that sees group, instances and demand asks; it does not wait for a cycle."""
    service = a_service()
    service.run_until(lambda: service.engine.loop.digest.group is not None)
    before_ms = service.clock.now_ms()
    service.submit(3, HALF_AND_A_BIT)
    asked = service.account.journal.of
    assert service.run_until(lambda: len(list(asked(Effect.SET_DESIRED_CAPACITY))) == 2, limit_minutes=1)
    assert service.clock.now_ms() - before_ms <= 1_000


def test_the_group_never_grows_past_its_max_and_everything_still_runs() -> None:
    """Thirty tasks of more than half an instance on at most twelve: clamped, told, and worked off."""
    service = a_service()
    service.submit(30, HALF_AND_A_BIT)
    assert service.run_until(lambda: bool(service.engine.loop.digest.conditions), limit_minutes=5)
    assert service.engine.loop.digest.conditions[0].reason == "GROUP_AT_MAX_SIZE"
    assert any(each.clamped for each in service.engine.loop.digest.unplaced)
    assert service.finish(limit_minutes=120)
    assert_all_ran_once(service, 30)


def test_a_higher_priority_goes_first() -> None:
    """With one instance and no growth, the task of higher priority starts before the many older ones."""
    service = VirtualService(simulation=SimulationSettings(min_size=1, max_size=1, desired_capacity=1))
    service.submit(6, HALF_AND_A_BIT)
    service.submit(1, HALF_AND_A_BIT, priority=5)
    assert service.finish(limit_minutes=120)
    first = next(service.account.journal.of(Effect.START_TASK))
    assert first["tags"]["ecs-scheduler:task"] == service.tasks()[-1].task_id


def test_a_lost_answer_is_found_and_adopted() -> None:
    """StartTask applied, answer lost: the task is looked for by startedBy, found, and never started again."""
    service = a_service(Fault(operation="StartTask", kind="dropped_after", count=5))
    service.submit(8)
    assert service.finish()
    assert_all_ran_once(service, 8)


def test_a_lost_request_is_started_again_after_the_window() -> None:
    """StartTask lost before it was applied: after the visibility window a new attempt is made."""
    service = a_service(Fault(operation="StartTask", kind="dropped_before", count=3))
    service.submit(8)
    assert service.finish()
    assert_all_ran_once(service, 8)


def test_a_throttled_start_waits_with_the_same_intent() -> None:
    """Throttling blames no instance and makes no new attempt."""
    service = a_service(Fault(operation="StartTask", kind="throttle", count=6))
    service.submit(4)
    assert service.finish()
    assert_all_ran_once(service, 4)
    assert {task.attempts[-1].number for task in service.tasks()} == {1}


def test_a_throttled_registration_is_waited_out() -> None:
    """RegisterTaskDefinition is repeated later; no request fails for it."""
    service = a_service(Fault(operation="RegisterTaskDefinition", kind="throttle", count=4))
    service.submit(4)
    assert service.finish()
    assert_all_ran_once(service, 4)


def test_one_configuration_is_registered_once() -> None:
    """Fifty tasks of one configuration make one revision."""
    service = a_service()
    service.submit(50)
    assert service.finish()
    assert len(list(service.account.journal.of(Effect.REGISTER_TASK_DEFINITION))) == 1


def test_a_task_that_could_not_be_started_is_launched_on_another_instance() -> None:
    """One instance of two cannot start containers: everything ends well on the other, none fails."""
    service = VirtualService(simulation=SimulationSettings(min_size=2, max_size=2, desired_capacity=2))
    service.run_until(lambda: len(service.engine.loop.digest.health) > 0)
    broken = next(iter(service.engine.loop.digest.group.members)) if service.engine.loop.digest.group else ""
    service.account.set_start_failure(broken, "CannotStartContainerError: no space left on device")
    service.submit(6)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 6}
    retried = [task.attempts for task in service.tasks() if task.attempts[-1].number > 1]
    assert retried
    assert all(attempts[-1].ec2_instance_id != broken for attempts in retried)


def test_a_task_that_never_starts_fails_after_three_launches() -> None:
    """The retries are bounded, and the reason is kept."""
    service = VirtualService(simulation=SimulationSettings(min_size=1, max_size=1, desired_capacity=1))
    service.run_until(lambda: len(service.engine.loop.digest.health) > 0)
    for ec2_id in service.engine.loop.digest.group.members if service.engine.loop.digest.group else ():
        service.account.set_start_failure(ec2_id, "CannotStartContainerError: no such device")
    service.submit(1)
    assert service.finish()
    (task,) = service.tasks()
    assert task.status.state is TaskState.FAILED
    assert task.status.stop_reason is not None
    assert task.status.stop_reason.category is StopCategory.CANNOT_START
    assert service.starts().total() == 3


def test_an_image_that_cannot_be_pulled_is_tried_twice() -> None:
    """It is usually the user's typo: one other instance, then the end."""
    service = VirtualService(simulation=SimulationSettings(min_size=2, max_size=2, desired_capacity=2))
    service.run_until(lambda: len(service.engine.loop.digest.health) > 0)
    for ec2_id in service.engine.loop.digest.group.members if service.engine.loop.digest.group else ():
        service.account.set_start_failure(ec2_id, "CannotPullContainerError: manifest unknown")
    service.submit(1)
    assert service.finish()
    (task,) = service.tasks()
    assert task.status.state is TaskState.FAILED
    assert service.starts().total() == 2


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), crashes=st.lists(st.integers(1, 60_000), min_size=1, max_size=5))
def test_crashes_lose_nothing_and_start_nothing_twice(seed: int, crashes: list[int]) -> None:
    """Whenever the process dies, between any two commits or calls, every task ends once."""
    service = a_service(seed=seed, simulation=BRIEF)
    now_ms = service.clock.now_ms()
    for after_ms in crashes:
        service.driver.at(now_ms + after_ms, service.driver.crash)
    service.submit(12, REGULAR)
    assert service.finish(limit_minutes=120)
    assert_all_ran_once(service, 12)
