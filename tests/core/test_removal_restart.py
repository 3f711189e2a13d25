"""Removals in a new life: each step goes on, nothing begins twice, and downtime is no evidence."""

import pytest

from scheduler.core.model.calls import (
    ActivateInstances,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    TerminateInstances,
)
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.records import IntentRecorded
from scheduler.core.model.removal import RemovalStep
from tests.builders import M4_4XLARGE, ec2_id, instance_arn
from tests.core.region import Region

ACT = {
    RemovalStep.DRAINING: DrainInstances,
    RemovalStep.DETACHING: DetachInstances,
    RemovalStep.TERMINATING: TerminateInstances,
    RemovalStep.RETURNING: ActivateInstances,
}


def at(step: RemovalStep) -> Region:
    """Two instances, of which the first is being removed, just after this step became durable."""
    region = Region(2)
    region.run(1, ask=M4_4XLARGE)
    busy = next(iter(region.truth.tasks.values())).container_instance_arn
    assert busy == instance_arn(1)
    for _ in range(500):
        removal = region.removal(2)
        if removal is not None and removal.step is step:
            return region
        if step is RemovalStep.RETURNING and removal is not None and region.awaited(InspectInstance):
            region.truth.foreign[instance_arn(2)] = M4_4XLARGE
        region.turn()
    raise AssertionError("the step was not reached")


@pytest.mark.parametrize("step", RemovalStep)
def test_each_step_goes_on_after_a_restart(step: RemovalStep) -> None:
    """The same removal, with the time at which it began; it ends as it would have ended."""
    region = at(step)
    before = region.removals()
    region.restart(downtime_ms=60_000)
    assert region.removals() == before
    region.minutes(2 if step is RemovalStep.RETURNING else 1)
    assert region.removals() == []
    assert (ec2_id(2) in region.truth.launched) is (step is RemovalStep.RETURNING)
    assert region.truth.desired == (2 if step is RemovalStep.RETURNING else 1)


def test_a_drain_of_an_earlier_life_may_still_come() -> None:
    """What is taken back is looked after while a lost drain may have its effect, and made ACTIVE again."""
    region = at(RemovalStep.RETURNING)
    region.restart()
    region.minutes(0.8)
    region.truth.answer(DrainInstances(arns=(instance_arn(2),)))
    region.minutes(1.2)
    assert region.removals() == []
    assert instance_arn(2) not in region.truth.drained


@pytest.mark.parametrize("step", ACT)
def test_the_act_of_a_step_is_sent_again(step: RemovalStep) -> None:
    """It may have been sent and not have been, or the other way round: none of them does harm twice."""
    region = at(step)
    region.restart()
    for _ in range(15):  # what is to be detached is looked at once more
        region.turn()
        if region.awaited(ACT[step]):
            return
    raise AssertionError("it was not sent")


@pytest.mark.parametrize("step", [RemovalStep.DETACHING, RemovalStep.TERMINATING])
def test_an_act_that_had_its_effect_before_the_restart_is_found_out(step: RemovalStep) -> None:
    """Nobody was told of it: the group or EC2 shows it."""
    region = at(step)
    region.steps.step()
    (act,) = region.awaited(ACT[step])
    region.truth.answer(act)
    region.restart()
    region.minutes(1)
    assert region.removals() == []
    assert ec2_id(2) not in region.truth.launched
    assert region.truth.desired == 1


def test_nothing_is_sent_before_the_cluster_was_read() -> None:
    """What was decided in the last life is gone on with, but not blindly."""
    region = at(RemovalStep.DETACHING)
    region.restart()
    region.steps.step()
    assert region.awaited(DetachInstances) == []


def test_an_instance_that_is_being_removed_is_claimed_at_once() -> None:
    """No task is placed on it in the first decision of the new life."""
    region = at(RemovalStep.DRAINING)
    region.restart()
    region.turn()
    region.turn()
    assert region.world.fleet.health[instance_arn(2)] is InstanceHealth.LEAVING


def test_no_removal_begins_twice() -> None:
    """One intent for each instance, however often the process dies on the way."""
    region = Region(3)
    for _ in range(60):
        region.turn(3_000)
        region.turn(3_000)
        region.restart()
    region.minutes(5)
    assert (region.truth.desired, len(region.truth.launched)) == (1, 1)
    intents = [each for each in region.steps.committed if isinstance(each, IntentRecorded)]
    drained = [each.key for each in intents if each.payload.startswith(RemovalStep.DRAINING)]
    assert len(drained) == len(set(drained))


def silent_for(minutes: float) -> Region:
    """Three instances at work; the agent of the first has been away for so long."""
    region = Region(3)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.go_silent(1)
    region.minutes(minutes)
    return region


def test_a_spell_survives_a_restart() -> None:
    """It is twenty minutes old after all, but must be seen for two minutes of this life."""
    region = silent_for(15)
    region.restart(downtime_ms=5 * 60_000)
    region.minutes(1.7)
    assert region.removal(1) is None
    region.minutes(0.7)
    assert region.removal(1) is not None


def test_downtime_is_no_evidence() -> None:
    """The agent was back when we were dead: the spell that was remembered is over."""
    region = silent_for(10)
    region.come_back(1)
    region.restart(downtime_ms=3_600_000)
    region.minutes(5)
    region.go_silent(1)
    region.minutes(5)
    assert region.removals() == []


def test_a_lost_one_that_was_being_detached_goes_on() -> None:
    """Its agent is still away; the group is told again."""
    region = silent_for(19.5)
    while not region.awaited(DetachInstances):
        region.turn(5_000)
    region.restart()
    region.minutes(1)
    assert ec2_id(1) not in region.truth.launched


def test_idle_time_begins_anew() -> None:
    """What happened while nobody looked is not known."""
    region = Region(2)
    region.minutes(1.5)
    region.restart()
    region.minutes(1.5)
    assert region.removals() == []
    region.minutes(1)
    assert [each.ec2_instance_id for each in region.removals()] == [ec2_id(1)]
