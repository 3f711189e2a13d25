"""The Auto Scaling group: found by its name, read into the core's noun."""

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import pages
from scheduler.core.model.calls import Failure
from scheduler.core.model.group import GroupMember, InstanceGroup
from scheduler.ports.cloud import CloudError


def find_group(clients: AwsClients, name: str) -> Shape:
    """The one group of that name; anything else is a definite Failure with a sentence for an operator."""
    answers = pages(
        clients.autoscaling.describe_auto_scaling_groups, token="NextToken", AutoScalingGroupNames=[name]
    )
    found: list[Shape] = [group for answer in answers for group in answer["AutoScalingGroups"]]
    if not found:
        raise _failure("GROUP_NOT_FOUND", f"No Auto Scaling group with the name {name} in {clients.region}")
    if len(found) > 1:
        raise _failure(
            "GROUP_AMBIGUOUS", f"More than one Auto Scaling group with the name {name} in {clients.region}"
        )
    return found[0]


def instance_group(group: Shape) -> InstanceGroup:
    """An AutoScalingGroup of DescribeAutoScalingGroups, members in every lifecycle state included."""
    members = (_member(instance) for instance in group["Instances"])
    return InstanceGroup(
        name=group["AutoScalingGroupName"],
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        desired=group["DesiredCapacity"],
        members={member.ec2_instance_id: member for member in members},
        suspended_processes=frozenset(each["ProcessName"] for each in group.get("SuspendedProcesses", ())),
    )


def _member(instance: Shape) -> GroupMember:
    return GroupMember(
        ec2_instance_id=instance["InstanceId"],
        lifecycle_state=instance["LifecycleState"],
        instance_type=instance.get("InstanceType", ""),
    )


def _failure(code: str, message: str) -> CloudError:
    return CloudError(Failure(definite=True, code=code, message=message))
