"""The Auto Scaling group: found by its name, read into the core's noun."""

from collections.abc import Mapping

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.paging import pages
from scheduler.adapters.aws.texts import milliseconds, scrubbed
from scheduler.core.model.answers import Failure
from scheduler.core.model.group import FailedLaunch, GroupMember, InstanceGroup
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


def instance_group(group: Shape, launched_ms: Mapping[str, int]) -> InstanceGroup:
    """An AutoScalingGroup of DescribeAutoScalingGroups, members in every lifecycle state included."""
    members = (_member(each, launched_ms.get(each["InstanceId"])) for each in group["Instances"])
    return InstanceGroup(
        name=group["AutoScalingGroupName"],
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        desired=group["DesiredCapacity"],
        members={member.ec2_instance_id: member for member in members},
        suspended_processes=frozenset(each["ProcessName"] for each in group.get("SuspendedProcesses", ())),
        has_warm_pool="WarmPoolConfiguration" in group,
    )


def failed_launches(clients: AwsClients, name: str) -> tuple[FailedLaunch, ...]:
    """Among the last 100 activities, oldest first: Auto Scaling answers the newest first and forgets none for
    six weeks (Auto Scaling API: DescribeScalingActivities), so one page is what is of late.
    """
    answer = clients.autoscaling.describe_scaling_activities(AutoScalingGroupName=name)
    failed = (_failed_launch(each) for each in reversed(answer["Activities"]) if _launch_failed(each))
    return tuple(sorted(failed, key=lambda each: each.at_ms))


def _launch_failed(activity: Shape) -> bool:
    """Cancelled is a launch too that came to nothing: a Spot request, or a lifecycle hook that abandoned it.

    Only the description tells a launch ("Launching a new EC2 instance…") from a termination.
    """
    failed = activity["StatusCode"] in ("Failed", "Cancelled")
    return failed and activity.get("Description", "").startswith("Launching")


def _failed_launch(activity: Shape) -> FailedLaunch:
    """By when it failed: by its start, one that fails late would seem to have been told already."""
    return FailedLaunch(
        activity_id=activity["ActivityId"],
        at_ms=milliseconds(activity["EndTime"] if "EndTime" in activity else activity["StartTime"]),
        message=scrubbed(activity.get("StatusMessage", "")),
    )


def _member(instance: Shape, launched_ms: int | None) -> GroupMember:
    return GroupMember(
        ec2_instance_id=instance["InstanceId"],
        lifecycle_state=instance["LifecycleState"],
        instance_type=instance.get("InstanceType", ""),
        launched_ms=launched_ms,
    )


def _failure(code: str, message: str) -> CloudError:
    return CloudError(Failure(definite=True, code=code, message=message))
