"""The Auto Scaling group: its members, and how it keeps as many as are desired."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.scaling_activities import Activity, ScalingActivities

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
"""Auto Scaling API: SuspendProcesses, ScalingProcesses."""

_HOUR_MS = 3_600_000


@dataclass(slots=True, eq=False)
class Member:
    """One instance of the group, from launch to the end of its termination."""

    instance: Ec2Instance
    activity: Activity
    protected: bool
    lifecycle_state: str = "Pending"
    health_status: str = "Healthy"

    @property
    def counts(self) -> bool:
        """Whether it is part of the capacity that the group compares with the desired one.

        An unhealthy member is, until its replacement begins: with ReplaceUnhealthy suspended nothing comes.
        """
        return self.lifecycle_state in ("Pending", "InService")


class AutoScalingGroup:
    """The account's one group. It reacts to a change after a delay, never within the call that made it."""

    def __init__(self, region: Region, ec2_instances: Ec2Instances, launch_source: LaunchSource) -> None:
        self._region = region
        self._ec2 = ec2_instances
        self.launch_source = launch_source
        self.group_id = region.ids.uuid()
        self.created_ms = region.now_ms
        self.desired_capacity = 0
        self.members: dict[str, Member] = {}
        self.suspended: dict[str, int] = {}
        self.activities = ScalingActivities(region)
        ec2_instances.on_running.append(self._in_service)
        ec2_instances.on_shutting_down.append(self._shutting_down)
        ec2_instances.on_terminated.append(self._terminated)

    def set_desired_capacity(self, desired_capacity: int) -> None:
        """Change the desired capacity; the caller has checked it against the group's sizes."""
        previous, self.desired_capacity = self.desired_capacity, desired_capacity
        self._region.record(Effect.SET_DESIRED_CAPACITY, previous=previous, desiredCapacity=desired_capacity)
        self._react()

    def suspend(self, processes: list[str]) -> None:
        """Stop processes from now on; what they began goes on."""
        for process in processes:
            self.suspended.setdefault(process, self._region.now_ms)
        self._region.record(Effect.SUSPEND_PROCESSES, processes=processes)

    def resume(self, processes: list[str]) -> None:
        """Let processes go on; the group catches up with what it missed."""
        for process in processes:
            self.suspended.pop(process, None)
        for member in list(self.members.values()):
            if member.instance.state in ("shutting-down", "terminated"):
                self._health_check(member)
        self._region.record(Effect.RESUME_PROCESSES, processes=processes)
        self._react()

    def _react(self) -> None:
        self._region.after(self._region.draw_ms(self._region.settings.scaling_reaction_ms), self._reconcile)

    def _reconcile(self) -> None:
        """Replace unhealthy members, then launch or terminate until as many are there as are desired."""
        if "ReplaceUnhealthy" not in self.suspended and "Terminate" not in self.suspended:
            self._remove_unhealthy()
        capacity = sum(member.counts for member in self.members.values())
        if "Launch" not in self.suspended:
            for have in range(capacity, self.desired_capacity):
                self._launch(have)
        if "Terminate" not in self.suspended:
            for have in range(capacity, self.desired_capacity, -1):
                self._scale_in(have)

    def _launch(self, have: int) -> None:
        zone = self._emptiest_zone()
        tags = {"aws:autoscaling:groupName": self._region.settings.auto_scaling_group}
        instance = self._ec2.launch(self.launch_source.draw_type(), zone, tags)
        activity = self.activities.begin(
            f"Launching a new EC2 instance: {instance.instance_id}",
            "an instance was started in response to a difference between desired and actual capacity, "
            f"increasing the capacity from {have} to {have + 1}.",
            zone,
        )
        protected = self._region.settings.new_instances_protected_from_scale_in
        self.members[instance.instance_id] = Member(instance, activity, protected)
        self._region.after(
            self._region.draw_ms(self._region.settings.launch_ms), partial(self._ec2.boot, instance)
        )

    def _emptiest_zone(self) -> str:
        """Launches balance the zones (EC2 Auto Scaling User Guide: Availability Zone balancing)."""
        used = Counter(m.instance.availability_zone for m in self.members.values() if m.counts)
        return min(self._region.settings.availability_zones, key=lambda zone: (used[zone], zone))

    def _scale_in(self, have: int) -> None:
        """Lowering the desired capacity makes the group choose a victim, busy or not; protected ones stay."""
        candidates = [m for m in self.members.values() if m.counts and not m.protected]
        if not candidates:
            return
        # Default termination policy: the zone with the most instances, then the one closest to the next
        # billing hour (EC2 Auto Scaling User Guide: Default termination policy).
        used = Counter(m.instance.availability_zone for m in self.members.values() if m.counts)
        victim = max(candidates, key=lambda m: (used[m.instance.availability_zone], self._into_hour_ms(m)))
        cause = (
            "an instance was taken out of service in response to a difference between desired and actual "
            f"capacity, shrinking the capacity from {have} to {have - 1}."
        )
        self._terminate(victim, cause)

    def _into_hour_ms(self, member: Member) -> int:
        return (self._region.now_ms - member.instance.launched_ms) % _HOUR_MS

    def _terminate(self, member: Member, cause: str) -> None:
        instance = member.instance
        member.lifecycle_state = "Terminating"
        member.activity = self.activities.begin(
            f"Terminating EC2 instance: {instance.instance_id}", cause, instance.availability_zone
        )
        self._ec2.terminate(instance)

    def _in_service(self, instance: Ec2Instance) -> None:
        member = self.members.get(instance.instance_id)
        if member is not None and member.lifecycle_state == "Pending":
            member.lifecycle_state = "InService"
            self.activities.end(member.activity)
            self._region.record(Effect.INSTANCE_IN_SERVICE, ec2InstanceId=instance.instance_id)

    def _shutting_down(self, instance: Ec2Instance) -> None:
        """Somebody else terminates a member: the group notices with its next health check."""
        member = self.members.get(instance.instance_id)
        if member is not None and member.lifecycle_state != "Terminating":
            delay_ms = self._region.draw_ms(self._region.settings.replace_unhealthy_ms)
            self._region.after(delay_ms, partial(self._health_check, member))

    def _health_check(self, member: Member) -> None:
        """A terminated member is replaced, desired capacity unchanged (User Guide: Health checks)."""
        if "HealthCheck" in self.suspended or member.lifecycle_state == "Terminating":
            return
        member.health_status = "Unhealthy"
        self._region.record(Effect.INSTANCE_UNHEALTHY, ec2InstanceId=member.instance.instance_id)
        self._react()

    def _remove_unhealthy(self) -> None:
        cause = (
            "an instance was taken out of service in response to an EC2 health check indicating it has been "
            "terminated or stopped."
        )
        for member in [m for m in self.members.values() if m.health_status == "Unhealthy"]:
            if member.lifecycle_state != "Terminating":
                self._terminate(member, cause)
            if member.instance.state == "terminated":
                self._terminated(member.instance)

    def _terminated(self, instance: Ec2Instance) -> None:
        member = self.members.get(instance.instance_id)
        if member is not None and member.lifecycle_state == "Terminating":
            self.activities.end(member.activity)
            del self.members[instance.instance_id]
