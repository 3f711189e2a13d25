"""Attributes that a task needs and instances lack: who is asked, and when nobody is left."""

from scheduler.core.model.answers import Failure, GroupSeen, InstancesSeen, Outcome
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.calls import Call, DescribeContainerInstances, DescribeGroup
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from tests.builders import a_group, a_member, an_instance, instance_arn, stop_reason
from tests.core.clusters import POLICY, a_cluster, answer, launched, state_of
from tests.core.steps import Steps

LACKS = Failure(
    definite=True, code="ATTRIBUTE", message="", reason=stop_reason(category=StopCategory.ATTRIBUTE)
)


def see(steps: Steps, *instances: ContainerInstance) -> None:
    """Two readings show these as members; the rest after a refusal is over."""
    group = a_group(*(a_member(ec2_instance_id=each.ec2_instance_id) for each in instances))
    readings: tuple[tuple[Call, InstancesSeen | GroupSeen], ...] = (
        (DescribeContainerInstances(), InstancesSeen(instances=instances)),
        (DescribeGroup(group="ci"), GroupSeen(group=group)),
    )
    for call, seen in readings * 2:
        steps.now_ms += POLICY.cluster_poll_ms
        steps.world.hear(Outcome(call=call, answer=seen, sent_ms=steps.now_ms), steps.now_ms)


def test_a_task_fails_for_an_attribute_when_nobody_is_left_to_ask() -> None:
    """An instance that lacked it, and is gone, does not stand for one that has not been asked."""
    steps = a_cluster(1, 2)
    first = launched(steps)
    answer(steps, first, LACKS)
    full = 2 if first.container_instance_arn == instance_arn(1) else 1
    see(steps, an_instance(full, remaining=Resources(), version=2), an_instance(3))
    answer(steps, launched(steps), LACKS)
    assert state_of(steps) is TaskState.QUEUED
    see(steps, an_instance(full, version=3), an_instance(3))
    answer(steps, launched(steps), LACKS)
    assert steps.world.attempts.tracks == {}
