"""Cancelling and timeouts of the whole service on a virtual clock."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState, Timeouts
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import VirtualService

ONE_INSTANCE = SimulationSettings(min_size=1, max_size=1, desired_capacity=1, run_ms=(600_000, 900_000))
MOST_OF_IT = Resources(cpu=12_000, memory_mib=40_000)


def in_state(service: VirtualService, state: TaskState) -> bool:
    return service.states()[state] > 0


def reason(service: VirtualService) -> StopCategory:
    (task,) = service.tasks()
    assert task.status.stop_reason is not None
    return task.status.stop_reason.category


@pytest.mark.parametrize(
    "state", [TaskState.QUEUED, TaskState.ASSIGNED, TaskState.STARTING, TaskState.RUNNING]
)
def test_a_cancelled_task_is_cancelled_from_every_state(state: TaskState) -> None:
    """What waits ends at once; what was sent is stopped by us and ends when ECS says so."""
    service = VirtualService(simulation=ONE_INSTANCE)
    service.submit(1)
    assert service.run_until(lambda: in_state(service, state), limit_minutes=10)
    service.cancel(service.tasks()[0].task_id)
    assert service.finish(limit_minutes=10)
    assert service.states() == {TaskState.CANCELLED: 1}
    assert reason(service) is StopCategory.CANCELLED


def test_a_stop_that_is_ignored_or_throttled_is_repeated() -> None:
    """StopTask is harmless to repeat: it is sent until the task was seen STOPPED."""
    faults = (Fault(operation="StopTask", kind="throttle"), Fault(operation="StopTask", kind="error_before"))
    service = VirtualService(simulation=ONE_INSTANCE, faults=faults)
    service.submit(1)
    assert service.run_until(lambda: in_state(service, TaskState.RUNNING), limit_minutes=10)
    service.cancel(service.tasks()[0].task_id)
    assert service.finish(limit_minutes=10)
    assert service.states() == {TaskState.CANCELLED: 1}


def test_a_task_that_finds_no_room_expires() -> None:
    """After 32 minutes unless it asked otherwise, and it is never started then."""
    service = VirtualService(simulation=ONE_INSTANCE)
    service.submit(1, MOST_OF_IT)
    assert service.run_until(lambda: in_state(service, TaskState.RUNNING), limit_minutes=10)
    service.submit(1, MOST_OF_IT, timeouts=Timeouts(queue_ms=60_000))
    assert service.run_until(lambda: in_state(service, TaskState.EXPIRED), limit_minutes=2)
    assert service.starts().total() == 1


def test_a_task_whose_starts_are_never_answered_expires() -> None:
    """Looking for each takes the visibility window; that gives it more time once, and not each time."""
    policy = Policy()
    service = VirtualService(simulation=ONE_INSTANCE)
    service.account.faults.add(Fault(operation="StartTask", kind="error_before", count=1_000))
    service.submit(1, timeouts=Timeouts(queue_ms=60_000))
    once_ms = 60_000 + policy.requeue_grace_ms + 2 * policy.visibility_window_ms
    assert service.run_until(lambda: in_state(service, TaskState.EXPIRED), limit_minutes=once_ms // 60_000)
    assert service.account.journal.calls["StartTask"] > 2


def test_a_task_that_runs_too_long_fails() -> None:
    """It is stopped after its run timeout; others have none."""
    service = VirtualService(simulation=ONE_INSTANCE)
    service.submit(1, timeouts=Timeouts(run_ms=120_000))
    assert service.finish(limit_minutes=10)
    assert service.states() == {TaskState.FAILED: 1}
    assert reason(service) is StopCategory.RUN_TIMEOUT


def test_a_task_that_ecs_does_not_run_in_time_is_launched_elsewhere() -> None:
    """A first pull takes for ever: the attempt is stopped after the start timeout, and another one made."""
    slow = SimulationSettings(min_size=2, max_size=2, desired_capacity=2, pull_ms=(7_200_000, 7_200_001))
    service = VirtualService(simulation=slow)
    service.submit(1)
    assert service.finish(limit_minutes=120)
    (task,) = service.tasks()
    whole = service.store.get(task.task_id)
    assert whole is not None
    first, second, third = whole.attempts
    assert [each.stop_reason and each.stop_reason.category for each in (first, second)] == [
        StopCategory.START_TIMEOUT,
        StopCategory.START_TIMEOUT,
    ]
    assert first.ec2_instance_id != second.ec2_instance_id
    # By the third launch the image is there.
    assert third.number == 3
    assert task.status.state is TaskState.SUCCEEDED


def test_a_task_of_a_lost_instance_runs_again_only_if_it_may() -> None:
    """A build that its server fails must not run twice; one that may be repeated is."""
    service = VirtualService(simulation=ONE_INSTANCE)
    service.submit(1)
    service.submit(1, may_run_again=True)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=10)
    instance = service.tasks()[0].attempts[-1].ec2_instance_id
    service.account.call("ec2", "TerminateInstances", {"InstanceIds": [instance]})
    assert service.finish()
    first, second = service.tasks()
    assert first.status.state is TaskState.FAILED
    assert second.status.state is TaskState.SUCCEEDED
    assert service.starts() == {first.task_id: 1, second.task_id: 2}


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    cancel_ms=st.lists(st.integers(0, 90_000), min_size=1, max_size=6),
    crash_ms=st.lists(st.integers(1, 120_000), max_size=3),
    lost=st.integers(0, 3),
)
def test_cancelling_at_any_moment_ends_everything_once(
    seed: int, cancel_ms: list[int], crash_ms: list[int], lost: int
) -> None:
    """With crashes and lost answers in between: every task ends, none is started twice or left behind."""
    faults = (Fault(operation="StartTask", kind="dropped_after", count=lost),) if lost else ()
    service = VirtualService(seed=seed, simulation=ONE_INSTANCE, faults=faults)
    now_ms = service.clock.now_ms()
    service.submit(len(cancel_ms))
    for task, after_ms in zip(service.tasks(), cancel_ms, strict=True):
        service.driver.at(now_ms + after_ms, partial(service.cancel, task.task_id))
    for after_ms in crash_ms:
        service.driver.at(now_ms + after_ms, service.driver.crash)
    assert service.finish(limit_minutes=120)
    assert set(service.states()) <= {TaskState.CANCELLED, TaskState.SUCCEEDED}
    assert not service.starts() or max(service.starts().values()) == 1
    running = [entry["lastStatus"] for entry in service.account.journal.of(Effect.TASK_STATE_CHANGE)]
    assert running.count("STOPPED") == service.starts().total()
