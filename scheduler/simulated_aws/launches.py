"""Launches: how the group gets its instances, and how that fails."""

from functools import partial

from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.group_members import Member
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.scaling_activities import Activity, ScalingActivities

GROUP_TAG = "aws:autoscaling:groupName"
"""The EC2 tag of an instance that a group launched (User Guide: Tag Auto Scaling groups and instances)."""

TEMPLATE_TAG = "ecs-scheduler:group"
"""A tag that the launch source gives each instance: unlike the group's own it outlasts a detachment."""


class Launches:
    """Launches of one group. EC2 refuses those that it was told to."""

    def __init__(
        self,
        region: Region,
        ec2_instances: Ec2Instances,
        source: LaunchSource,
        activities: ScalingActivities,
    ) -> None:
        self._region = region
        self._ec2 = ec2_instances
        self._source = source
        self._activities = activities
        self._failures_left = 0
        self._failure = ""

    def fail_next(self, count: int, message: str) -> None:
        """The next `count` launches fail with this message, whatever was told before; 0 heals."""
        self._failures_left, self._failure = count, message

    def begin(self, zone: str, *, have: int) -> Member | None:
        """Launch an instance in a zone, or note as a Failed activity that EC2 refused."""
        if self._failures_left:
            self._failures_left -= 1
            self._fail(zone, have)
            return None
        instance = self._ec2_launch(zone)
        weight = self._source.weight(instance.instance_type)
        activity = self._activity(
            f"Launching a new EC2 instance: {instance.instance_id}", zone, have, have + weight
        )
        self._boot_later(instance)
        return self._member(instance, activity)

    def from_pool(self, instance: Ec2Instance, *, have: int) -> Member:
        """A member that was in the warm pool until now."""
        description = f"Launching a new EC2 instance from warm pool: {instance.instance_id}"
        then = have + self._source.weight(instance.instance_type)
        activity = self._activity(description, instance.availability_zone, have, then)
        return self._member(instance, activity)

    def warm(self, zone: str) -> Ec2Instance | None:
        """Launch an instance for the warm pool; None if EC2 refused it."""
        if self._failures_left:
            self._failures_left -= 1
            self._fail(zone, 0)
            return None
        instance = self._ec2_launch(zone)
        self._boot_later(instance)
        return instance

    def _ec2_launch(self, zone: str) -> Ec2Instance:
        tags = dict.fromkeys((GROUP_TAG, TEMPLATE_TAG), self._region.settings.auto_scaling_group)
        return self._ec2.launch(self._source.draw_type(), zone, tags)

    def _boot_later(self, instance: Ec2Instance) -> None:
        self._region.after(
            self._region.draw_ms(self._region.settings.launch_ms), partial(self._ec2.boot, instance)
        )

    def _member(self, instance: Ec2Instance, activity: Activity) -> Member:
        protected = self._region.settings.new_instances_protected_from_scale_in
        return Member(instance, activity, protected, self._source.weight(instance.instance_type))

    def _fail(self, zone: str, have: int) -> None:
        """A failed launch is seen in the activities alone (Auto Scaling API: DescribeScalingActivities)."""
        text = f"{self._failure.rstrip('.')}. Launching EC2 instance failed."
        activity = self._activity("Launching a new EC2 instance", zone, have, have + 1)
        self._activities.fail(activity, text)
        self._region.record(Effect.LAUNCH_FAILED, message=text)

    def _activity(self, description: str, zone: str, have: int, then: int) -> Activity:
        return self._activities.begin(
            description,
            "an instance was started in response to a difference between desired and actual capacity, "
            f"increasing the capacity from {have} to {then}.",
            zone,
        )
