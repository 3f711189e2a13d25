"""The cloud port's contract: stopping an ECS task, over both fronts of the simulated AWS."""

from collections.abc import Iterator

import pytest

from scheduler.ports.cloud import CloudError
from scheduler.simulated_aws.faults import FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.contract.cloud_worlds import RUN_MS, World, worlds

LONG_MS = 10 * RUN_MS
STARTED_WITHIN_MS = 30_000
STOPPED_WITHIN_MS = 40_000


@pytest.fixture(params=["in_process", "http"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Two m4.4xlarge that have been up for a while, over the parameter's front."""
    with worlds(request.param) as make:
        yield make()


def test_a_running_task_stops_with_our_reason(world: World) -> None:
    """After its grace it is seen STOPPED, and ECS tells why in our words."""
    task = world.cloud.start_task(world.launch())
    world.clock.advance_ms(STARTED_WITHIN_MS)
    world.cloud.stop_task(task.arn, "cancelled by its client")
    [stopping], _ = world.cloud.describe_tasks((task.arn,))
    world.clock.advance_ms(STOPPED_WITHIN_MS)
    [stopped], _ = world.cloud.describe_tasks((task.arn,))
    assert (stopping.desired_status, stopping.stop, stopped.last_status) == ("STOPPED", None, "STOPPED")
    assert stopped.stop is not None
    assert (stopped.stop.code, stopped.stop.message) == ("UserInitiated", "cancelled by its client")


def test_stopping_twice_is_stopping_once(world: World) -> None:
    """It may be asked again for as long as the task is seen to go on."""
    task = world.cloud.start_task(world.launch())
    world.cloud.stop_task(task.arn, "first")
    world.cloud.stop_task(task.arn, "second")
    [effect] = world.account.journal.of(Effect.STOP_TASK)
    assert (effect["taskArn"], effect["reason"]) == (task.arn, "first")


def test_a_stopped_task_has_nothing_left_to_stop(world: World) -> None:
    """Its exit stays what it was."""
    task = world.cloud.start_task(world.launch())
    world.clock.advance_ms(LONG_MS)
    before = world.cloud.describe_tasks((task.arn,))
    world.cloud.stop_task(task.arn, "late")
    assert world.cloud.describe_tasks((task.arn,)) == before


def test_a_task_that_ecs_does_not_know_is_no_failure(world: World) -> None:
    """What is not there need not be stopped."""
    arn = world.cloud.start_task(world.launch()).arn
    world.cloud.stop_task(arn[:-4] + "0000", "cancelled")
    assert world.account.journal.calls["StopTask"] == 1
    assert list(world.account.journal.of(Effect.STOP_TASK)) == []


def test_a_throttled_stop_is_definite_and_not_repeated(world: World) -> None:
    """The scheduler's own buckets decide when it is sent again."""
    task = world.cloud.start_task(world.launch())
    world.fault("StopTask", "throttle")
    with pytest.raises(CloudError) as caught:
        world.cloud.stop_task(task.arn, "cancelled")
    assert (caught.value.failure.definite, caught.value.failure.throttled) == (True, True)
    assert world.account.journal.calls["StopTask"] == 1


@pytest.mark.parametrize("kind", ["error_before", "error_after", "dropped_before", "dropped_after"])
def test_a_stop_without_an_answer_is_unknown(world: World, kind: FaultKind) -> None:
    """Whether it was heard is seen by looking at the task."""
    task = world.cloud.start_task(world.launch())
    world.fault("StopTask", kind)
    with pytest.raises(CloudError) as caught:
        world.cloud.stop_task(task.arn, "cancelled")
    assert not caught.value.failure.definite
    assert world.account.journal.calls["StopTask"] == 1


def test_a_long_reason_is_cut(world: World) -> None:
    """A refusal for its length would leave the task running."""
    task = world.cloud.start_task(world.launch())
    world.cloud.stop_task(task.arn, "x" * 300)
    [effect] = world.account.journal.of(Effect.STOP_TASK)
    assert effect["reason"] == "x" * 255
