"""The Auto Scaling group: its members, and how it keeps as many as are desired."""

from collections import Counter
from functools import partial

from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.group_members import Member
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.launches import GROUP_TAG, Launches
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.scaling_activities import Activity, ScalingActivities
from scheduler.simulated_aws.warm_pool import WarmPool

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


class AutoScalingGroup:
    """The account's one group. It reacts to a change after a delay, never within the call that made it."""

    def __init__(self, region: Region, ec2_instances: Ec2Instances, launch_source: LaunchSource) -> None:
        self._region = region
        self._ec2 = ec2_instances
        self.launch_source = launch_source
        self.group_id = region.ids.uuid()
        self.arn = region.arns.group(region.settings.auto_scaling_group, self.group_id)
        self.created_ms = region.now_ms
        self.min_size = region.settings.min_size
        self.max_size = region.settings.max_size
        self.desired_capacity = 0
        self.members: dict[str, Member] = {}
        self.suspended: dict[str, int] = {}
        self.activities = ScalingActivities(region)
        self.launches = Launches(region, ec2_instances, launch_source, self.activities)
        self.warm_pool = WarmPool(region, ec2_instances, self.launches, self._react)
        self._retry_due = False
        ec2_instances.on_running.append(self._in_service)
        ec2_instances.on_shutting_down.append(self._shutting_down)
        ec2_instances.on_terminated.append(self._terminated)

    def set_desired_capacity(self, desired_capacity: int) -> None:
        """Change the desired capacity; the caller has checked it against the group's sizes."""
        previous, self.desired_capacity = self.desired_capacity, desired_capacity
        self._region.record(Effect.SET_DESIRED_CAPACITY, previous=previous, desiredCapacity=desired_capacity)
        self._react()

    def set_limits(self, min_size: int, max_size: int) -> None:
        """Change the sizes; a desired capacity outside them moves (API: UpdateAutoScalingGroup)."""
        self.min_size, self.max_size = min_size, max_size
        self._region.record(Effect.SET_GROUP_LIMITS, minSize=min_size, maxSize=max_size)
        within = min(max(self.desired_capacity, min_size), max_size)
        if within != self.desired_capacity:
            self.set_desired_capacity(within)

    def detach(self, members: list[Member], *, decrement: bool) -> list[Activity]:
        """Let members go; the caller has checked that they may. Without `decrement` they are replaced.

        Sizes are in units of weight where instance types have weights (User Guide: instance weighting).
        """
        previous = self.desired_capacity
        self.desired_capacity -= sum(member.weight for member in members) if decrement else 0
        self._region.record(
            Effect.DETACH_INSTANCES,
            ec2InstanceIds=[member.instance.instance_id for member in members],
            decrement=decrement,
            previous=previous,
            desiredCapacity=self.desired_capacity,
        )
        for member in members:
            self._begin_detaching(member)
        self._react()
        return [member.activity for member in members]

    def _begin_detaching(self, member: Member) -> None:
        """Listed as Detaching for a while, its protection lost (User Guide: Detach instances)."""
        instance = member.instance
        member.lifecycle_state, member.protected = "Detaching", False
        member.activity = self.activities.begin(
            f"Detaching EC2 instance: {instance.instance_id}",
            f"instance {instance.instance_id} was detached in response to a user request.",
            instance.availability_zone,
        )
        self._region.after(
            self._region.draw_ms(self._region.settings.detach_ms), partial(self._detached, member)
        )

    def _detached(self, member: Member) -> None:
        """From now on nothing owns the instance: it runs until somebody terminates it."""
        instance_id = member.instance.instance_id
        member.lifecycle_state = "Detached"
        self.activities.end(member.activity)
        del self.members[instance_id]
        if self._region.settings.detach_removes_group_tag:
            member.instance.tags.pop(GROUP_TAG, None)
        self._region.record(Effect.INSTANCE_DETACHED, ec2InstanceId=instance_id)

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

    def set_unhealthy(self, instance_id: str) -> None:
        """A health check fails although the instance runs (User Guide: Health checks).

        Scale-in protection does not keep it (User Guide: instance scale-in protection).
        """
        member = self.members.get(instance_id)
        if member is not None:
            self._health_check(member)

    def rebalance_zones(self) -> None:
        """AZRebalance: "launches new instances before terminating the old ones" (User Guide: zone balancing).

        Whether scale-in protection keeps its victim, no source says: here it does not, the worse of the two.
        """
        suspended = {"AZRebalance", "Launch", "Terminate"} & self.suspended.keys()
        used = Counter(m.instance.availability_zone for m in self.members.values() if m.counts)
        fullest = max(used, key=lambda zone: (used[zone], zone), default=None)
        emptiest = self._emptiest_zone()
        if suspended or fullest is None or used[fullest] - used[emptiest] < 2:
            return
        victim = next(
            m for m in self.members.values() if m.counts and m.instance.availability_zone == fullest
        )
        self._region.record(Effect.ZONES_REBALANCED, ec2InstanceId=victim.instance.instance_id)
        added = self.launches.begin(emptiest, have=used.total())
        if added is not None:
            added.beyond = True
            self.members[added.instance.instance_id] = added
            delay_ms = self._region.settings.launch_ms[1]
            self._region.after(delay_ms, partial(self._end_rebalancing, added, victim))

    def _end_rebalancing(self, added: Member, victim: Member) -> None:
        added.beyond = False
        if victim.counts:
            self._terminate(victim, "instances were launched to balance the zones of the group.")
        self._react()

    def _react(self) -> None:
        self._region.after(self._region.draw_ms(self._region.settings.scaling_reaction_ms), self._reconcile)

    def _reconcile(self) -> None:
        """Replace unhealthy members, then launch or terminate until as many are there as are desired."""
        if "ReplaceUnhealthy" not in self.suspended and "Terminate" not in self.suspended:
            self._remove_unhealthy()
        capacity = sum(member.weight for member in self.members.values() if member.counts)
        if "Launch" not in self.suspended:
            self._scale_out(capacity)
        if "Terminate" not in self.suspended:
            while capacity > self.desired_capacity and (weight := self._scale_in(capacity)):
                capacity -= weight
        if "Launch" not in self.suspended:
            self.warm_pool.fill(self._emptiest_zone(), desired=self.desired_capacity, max_size=self.max_size)

    def _scale_out(self, capacity: int) -> None:
        """The last launch may overshoot by its weight; a failed one is tried again after a pause."""
        while capacity < self.desired_capacity:
            member = self._begin_launch(self._emptiest_zone(), have=capacity)
            if member is None:
                self._retry_later()
            else:
                self.members[member.instance.instance_id] = member
            capacity += member.weight if member else 1

    def _begin_launch(self, zone: str, *, have: int) -> Member | None:
        """From the warm pool, and cold when that has none (User Guide: warm pools)."""
        warm = self.warm_pool.take(zone)
        if warm is not None:
            return self.launches.from_pool(warm, have=have)
        return self.launches.begin(zone, have=have)

    def _retry_later(self) -> None:
        """Auto Scaling tries until it succeeds; no source names the pause in between."""
        if not self._retry_due:
            self._retry_due = True
            self._region.after(self._region.draw_ms(self._region.settings.launch_retry_ms), self._retry)

    def _retry(self) -> None:
        self._retry_due = False
        self._reconcile()

    def _emptiest_zone(self) -> str:
        """Launches balance the zones (EC2 Auto Scaling User Guide: Availability Zone balancing)."""
        used = Counter(m.instance.availability_zone for m in self.members.values() if m.counts)
        return min(self._region.settings.availability_zones, key=lambda zone: (used[zone], zone))

    def _scale_in(self, have: int) -> int:
        """The weight of the victim that the group chooses, busy or not; 0 if none may go."""
        surplus = have - self.desired_capacity
        members = self.members.values()
        candidates = [m for m in members if m.counts and not m.protected and m.weight <= surplus]
        if not candidates:
            return 0
        # Default termination policy: the zone with the most instances, then the one closest to the next
        # billing hour (EC2 Auto Scaling User Guide: Default termination policy).
        used = Counter(m.instance.availability_zone for m in self.members.values() if m.counts)
        victim = max(candidates, key=lambda m: (used[m.instance.availability_zone], self._into_hour_ms(m)))
        cause = (
            "an instance was taken out of service in response to a difference between desired and actual "
            f"capacity, shrinking the capacity from {have} to {have - victim.weight}."
        )
        self._terminate(victim, cause)
        return victim.weight

    def _into_hour_ms(self, member: Member) -> int:
        return (self._region.now_ms - member.instance.launched_ms) % _HOUR_MS

    def _terminate(self, member: Member, cause: str) -> None:
        instance = member.instance
        # A launch that never came InService is Cancelled, in these words: seen in activities that others
        # published (FAQ of the KNFSD proxy for AWS).
        self.activities.cancel(
            member.activity,
            "Instance became unhealthy while waiting for instance to be in InService state. Termination "
            f"Reason: {instance.termination_reason}",
        )
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
        if member is not None and not member.leaving:
            delay_ms = self._region.draw_ms(self._region.settings.replace_unhealthy_ms)
            self._region.after(delay_ms, partial(self._health_check, member))

    def _health_check(self, member: Member) -> None:
        """A terminated member is replaced, desired capacity unchanged (User Guide: Health checks)."""
        if "HealthCheck" in self.suspended or member.leaving:
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
            if not member.leaving:
                self._terminate(member, cause)
            if member.instance.state == "terminated":
                self._terminated(member.instance)

    def _terminated(self, instance: Ec2Instance) -> None:
        member = self.members.get(instance.instance_id)
        if member is not None and member.lifecycle_state == "Terminating":
            self.activities.end(member.activity)
            del self.members[instance.instance_id]
