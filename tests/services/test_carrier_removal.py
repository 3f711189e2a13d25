"""The carrier: calls that take instances out, and those that decide whether they may go."""

import pytest

from scheduler.core.model.answers import (
    NOT_A_MEMBER,
    Accepted,
    ConsoleSaved,
    FailedLaunchesSeen,
    Failure,
    GroupSeen,
    HazardsSeen,
    InstanceInspected,
    InstancesSeen,
    Started,
)
from scheduler.core.model.calls import (
    ActivateInstances,
    DeregisterInstance,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeHazards,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    SaveConsole,
    TerminateInstances,
)
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.removal import RemovalCause
from scheduler.simulated_aws.faults import FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.lab.worlds import GROUP
from tests.services.test_carrier import ATTEMPT, Shell


@pytest.fixture
def shell() -> Shell:
    return Shell()


def first_instance(shell: Shell) -> ContainerInstance:
    return shell.ask(DescribeContainerInstances(), InstancesSeen).instances[0]


def test_instances_are_drained_and_taken_back(shell: Shell) -> None:
    """Whom ECS refuses by itself is in the answer; the others are done."""
    arn = first_instance(shell).arn
    unknown = arn[:-4] + "0000"
    drained = shell.ask(DrainInstances(arns=(arn, unknown)), Accepted)
    assert (drained.refused, first_instance(shell).status) == (((unknown, "MISSING"),), "DRAINING")
    assert shell.ask(ActivateInstances(arns=(arn,)), Accepted).refused == ()
    assert first_instance(shell).status == "ACTIVE"


def test_an_instance_is_inspected(shell: Shell) -> None:
    """It and its tasks, in one answer."""
    started = shell.ask(shell.start(), Started).task
    seen = shell.ask(InspectInstance(arn=started.container_instance_arn), InstanceInspected)
    assert seen.instance is not None
    assert [each.started_by for each in seen.tasks] == [ATTEMPT]


def test_a_detached_instance_leaves_a_smaller_group(shell: Shell) -> None:
    """The answer shows the group after the act."""
    victim = first_instance(shell).ec2_instance_id
    call = DetachInstances(group=GROUP, ec2_instance_ids=(victim,), decrement=True)
    assert shell.ask(call, GroupSeen).group.desired == 1


@pytest.mark.parametrize("kind", ["throttle", "error_before", "dropped_before"])
def test_a_detachment_stands_although_the_reading_after_it_fails(shell: Shell, kind: FaultKind) -> None:
    """It was accepted: a reading that fails afterwards must not call it a failure."""
    victim = first_instance(shell).ec2_instance_id
    shell.fault("DescribeAutoScalingGroups", kind)
    shell.ask(DetachInstances(group=GROUP, ec2_instance_ids=(victim,), decrement=True), Accepted)
    assert len(shell.effects(Effect.DETACH_INSTANCES)) == 1


def test_a_refused_detachment_says_why(shell: Shell) -> None:
    """By a code that decides what is done next."""
    call = DetachInstances(group=GROUP, ec2_instance_ids=("i-0123456789abcdef0",), decrement=True)
    failure = shell.ask(call, Failure)
    assert (failure.definite, failure.code) == (True, NOT_A_MEMBER)


def test_an_instance_is_terminated_and_forgotten(shell: Shell) -> None:
    """In EC2 and in ECS."""
    instance = first_instance(shell)
    shell.ask(DeregisterInstance(arn=instance.arn), Accepted)
    shell.ask(TerminateInstances(ec2_instance_ids=(instance.ec2_instance_id,)), Accepted)
    assert first_instance(shell).arn != instance.arn
    (entry,) = shell.effects(Effect.INSTANCE_TERMINATING)
    assert entry["ec2InstanceId"] == instance.ec2_instance_id


def test_what_goes_wrong_with_the_group_is_read(shell: Shell) -> None:
    """Nothing does: both readings say so."""
    assert shell.ask(DescribeHazards(group=GROUP), HazardsSeen).hazards == ()
    assert shell.ask(DescribeFailedLaunches(group=GROUP), FailedLaunchesSeen).launches == ()


def test_a_console_is_saved_by_name(shell: Shell) -> None:
    """Where nobody reads consoles the answer says so, and nothing fails."""
    saved = shell.ask(SaveConsole(ec2_instance_id="i-1", cause=RemovalCause.NEVER_JOINED), ConsoleSaved)
    assert (saved.output, saved.stream) == ("", "")
    assert "i-1" in saved.problem
