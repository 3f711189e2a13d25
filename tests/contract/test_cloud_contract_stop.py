"""The cloud port's contract: stopping an ECS task."""

import pytest

from scheduler.simulated_aws.faults import FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.contract.cloud_worlds import RUN_MS, SimulatedWorld, World, failure_in, unknown_like

LONG_MS = 10 * RUN_MS
STARTED_WITHIN_MS = 30_000
STOPPED_WITHIN_MS = 40_000


def test_a_running_task_stops_with_our_reason(simulated: SimulatedWorld) -> None:
    """After its grace it is seen STOPPED, and ECS tells why in our words."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.clock.advance_ms(STARTED_WITHIN_MS)
    simulated.cloud.stop_task(task.arn, "cancelled by its client")
    [stopping], _ = simulated.cloud.describe_tasks((task.arn,))
    simulated.clock.advance_ms(STOPPED_WITHIN_MS)
    [stopped], _ = simulated.cloud.describe_tasks((task.arn,))
    assert (stopping.desired_status, stopping.stop, stopped.last_status) == ("STOPPED", None, "STOPPED")
    assert stopped.stop is not None
    assert (stopped.stop.code, stopped.stop.message) == ("UserInitiated", "cancelled by its client")


def test_a_task_that_was_told_to_stop_is_to_stop(world: World) -> None:
    """ECS wants it STOPPED from then on, whatever it still does."""
    task = world.cloud.start_task(world.launch())
    world.cloud.stop_task(task.arn, "cancelled")
    [seen], _ = world.cloud.describe_tasks((task.arn,))
    assert seen.desired_status == "STOPPED"


def test_stopping_twice_is_stopping_once(simulated: SimulatedWorld) -> None:
    """It may be asked again for as long as the task is seen to go on."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.cloud.stop_task(task.arn, "first")
    simulated.cloud.stop_task(task.arn, "second")
    [effect] = simulated.account.journal.of(Effect.STOP_TASK)
    assert (effect["taskArn"], effect["reason"]) == (task.arn, "first")


def test_a_stopped_task_has_nothing_left_to_stop(simulated: SimulatedWorld) -> None:
    """Its exit stays what it was."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.clock.advance_ms(LONG_MS)
    before = simulated.cloud.describe_tasks((task.arn,))
    simulated.cloud.stop_task(task.arn, "late")
    assert simulated.cloud.describe_tasks((task.arn,)) == before


def test_a_task_that_ecs_does_not_know_is_no_failure(simulated: SimulatedWorld) -> None:
    """What is not there need not be stopped."""
    arn = simulated.cloud.start_task(simulated.launch()).arn
    simulated.cloud.stop_task(unknown_like(arn), "cancelled")
    assert simulated.account.journal.calls["StopTask"] == 1
    assert list(simulated.account.journal.of(Effect.STOP_TASK)) == []


def test_a_throttled_stop_is_definite_and_not_repeated(simulated: SimulatedWorld) -> None:
    """The scheduler's own buckets decide when it is sent again."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.fault("StopTask", "throttle")
    failure = failure_in(lambda: simulated.cloud.stop_task(task.arn, "cancelled"))
    assert (failure.definite, failure.throttled) == (True, True)
    assert simulated.account.journal.calls["StopTask"] == 1


@pytest.mark.parametrize("kind", ["error_before", "error_after", "dropped_before", "dropped_after"])
def test_a_stop_without_an_answer_is_unknown(simulated: SimulatedWorld, kind: FaultKind) -> None:
    """Whether it was heard is seen by looking at the task."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.fault("StopTask", kind)
    assert not failure_in(lambda: simulated.cloud.stop_task(task.arn, "cancelled")).definite
    assert simulated.account.journal.calls["StopTask"] == 1


def test_a_long_reason_is_cut(simulated: SimulatedWorld) -> None:
    """A refusal for its length would leave the task running."""
    task = simulated.cloud.start_task(simulated.launch())
    simulated.cloud.stop_task(task.arn, "x" * 300)
    [effect] = simulated.account.journal.of(Effect.STOP_TASK)
    assert effect["reason"] == "x" * 255
