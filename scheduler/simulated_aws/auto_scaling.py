"""Auto Scaling's operations on the account's one group."""

from functools import lru_cache

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.auto_scaling_checks import auto_scaling_page, check_group
from scheduler.simulated_aws.auto_scaling_group import PROCESSES, AutoScalingGroup
from scheduler.simulated_aws.detach_instances import DetachInstances
from scheduler.simulated_aws.errors import ApiError, validation_error
from scheduler.simulated_aws.group_history import GroupHistory
from scheduler.simulated_aws.group_members import Member, instance_shape
from scheduler.simulated_aws.group_plans import GroupPlans
from scheduler.simulated_aws.operations import Service, operation
from scheduler.simulated_aws.paging import cut
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc
from scheduler.simulated_aws.warm_pool_operations import WarmPoolOperations, configuration_shape


class AutoScaling:
    """The Auto Scaling service of the account."""

    def __init__(self, region: Region, group: AutoScalingGroup) -> None:
        self._region = region
        self._group = group
        self._name = region.settings.auto_scaling_group
        self._history = GroupHistory(region.settings.group_read_lag_ms)
        if region.settings.group_read_lag_ms:
            region.after_each.append(self._note)
        self._detach_instances = DetachInstances(group, self._name)
        self.service = Service(
            operations={
                "DescribeAutoScalingGroups": operation(
                    self._describe_groups, "AutoScalingGroupNames MaxRecords NextToken"
                ),
                "DescribeLaunchConfigurations": operation(
                    self._describe_launch_configurations, "LaunchConfigurationNames MaxRecords NextToken"
                ),
                "DescribeScalingActivities": operation(
                    self._describe_activities, "AutoScalingGroupName ActivityIds MaxRecords NextToken"
                ),
                "SetDesiredCapacity": operation(
                    self._set_desired_capacity, "AutoScalingGroupName! DesiredCapacity! HonorCooldown"
                ),
                "DetachInstances": operation(
                    self._detach, "AutoScalingGroupName! InstanceIds ShouldDecrementDesiredCapacity!"
                ),
                "SuspendProcesses": operation(self._suspend, "AutoScalingGroupName! ScalingProcesses"),
                "ResumeProcesses": operation(self._resume, "AutoScalingGroupName! ScalingProcesses"),
                **GroupPlans(region).operations(),
                **WarmPoolOperations(group, self._name).operations(),
            },
            missing=validation_error,
            unknown_operation_code="InvalidAction",
        )

    def _describe_groups(self, params: Shape) -> Shape:
        names = params.get("AutoScalingGroupNames")
        # Unknown names just do not match (Auto Scaling API: DescribeAutoScalingGroups).
        groups = [self._name] if not names or self._name in names else []
        request = auto_scaling_page(params, "DescribeAutoScalingGroups", limits.GROUPS_PAGE, default=50)
        page = cut(groups, lambda name: name, request)
        return present(AutoScalingGroups=[self._shown_group() for _ in page.items], NextToken=page.next_token)

    def _describe_launch_configurations(self, params: Shape) -> Shape:
        found = self._group.launch_source.configurations(params.get("LaunchConfigurationNames", []))
        request = auto_scaling_page(
            params, "DescribeLaunchConfigurations", limits.CONFIGURATIONS_PAGE, default=50
        )
        page = cut(found, lambda shape: str(shape["LaunchConfigurationName"]), request)
        return present(LaunchConfigurations=list(page.items), NextToken=page.next_token)

    def _describe_activities(self, params: Shape) -> Shape:
        check_group(params, self._name)
        wanted = params.get("ActivityIds")
        activities = self._group.activities
        # "sorted by start time", newest first (Auto Scaling API: DescribeScalingActivities).
        newest_first = [a for a in reversed(activities.all) if not wanted or a.activity_id in wanted]
        request = auto_scaling_page(params, "DescribeScalingActivities", limits.ACTIVITIES_PAGE, default=100)
        page = cut(newest_first, lambda activity: -activity.sequence, request)
        return present(Activities=[activities.shape(a) for a in page.items], NextToken=page.next_token)

    def _set_desired_capacity(self, params: Shape) -> Shape:
        check_group(params, self._name)
        desired, group = params["DesiredCapacity"], self._group
        if desired > group.max_size:
            raise validation_error(
                f"New SetDesiredCapacity value {desired} is above max value {group.max_size} "
                "for the AutoScalingGroup."
            )
        if desired < group.min_size:
            raise validation_error(
                f"New SetDesiredCapacity value {desired} is below min value {group.min_size} "
                "for the AutoScalingGroup."
            )
        if params.get("HonorCooldown", False):
            self._check_cooldown()
        self._group.set_desired_capacity(desired)
        return {}

    def _check_cooldown(self) -> None:
        """Only with HonorCooldown, which is false by default (Auto Scaling API: SetDesiredCapacity)."""
        ended_ms = self._group.activities.last_ended_ms()
        cooldown_ms = self._region.settings.default_cooldown_s * 1_000
        if ended_ms is not None and self._region.now_ms < ended_ms + cooldown_ms:
            raise ApiError(
                "ScalingActivityInProgress",
                f"Scaling activity is in progress and blocked by cooldown of group {self._name}.",
            )

    def _detach(self, params: Shape) -> Shape:
        check_group(params, self._name)
        return self._detach_instances(params)

    def _suspend(self, params: Shape) -> Shape:
        check_group(params, self._name)
        self._group.suspend(_processes(params))
        return {}

    def _resume(self, params: Shape) -> Shape:
        check_group(params, self._name)
        self._group.resume(_processes(params))
        return {}

    def _note(self) -> None:
        self._history.note(self._region.now_ms, self._group_shape())

    def _shown_group(self) -> Shape:
        """Whether reads of the group may lag, no source says: a knob."""
        if not self._region.settings.group_read_lag_ms:
            return self._group_shape()
        self._note()
        return self._history.read(self._region.now_ms)

    def _group_shape(self) -> Shape:
        """Auto Scaling API: AutoScalingGroup."""
        group, settings = self._group, self._region.settings
        return {
            "AutoScalingGroupName": self._name,
            "AutoScalingGroupARN": group.arn,
            **group.launch_source.group_members(),
            "MinSize": group.min_size,
            "MaxSize": group.max_size,
            "DesiredCapacity": group.desired_capacity,
            "DefaultCooldown": settings.default_cooldown_s,
            "AvailabilityZones": list(settings.availability_zones),
            "LoadBalancerNames": [],
            "TargetGroupARNs": [],
            "HealthCheckType": settings.health_check_type,
            "HealthCheckGracePeriod": 300,
            "Instances": [self._member_shape(member) for member in group.members.values()],
            "CreatedTime": utc(group.created_ms),
            "SuspendedProcesses": self._suspended_shapes(),
            "EnabledMetrics": [],
            "Tags": [],
            "TerminationPolicies": ["Default"],
            "NewInstancesProtectedFromScaleIn": settings.new_instances_protected_from_scale_in,
            "CapacityRebalance": settings.capacity_rebalance,
            **present(MaxInstanceLifetime=settings.max_instance_lifetime_s),
            **self._warm_pool_shapes(),
        }

    def _warm_pool_shapes(self) -> Shape:
        """Its instances are not among the group's: DescribeWarmPool has them."""
        pool = self._group.warm_pool
        if pool.configuration is None:
            return {}
        return {"WarmPoolConfiguration": configuration_shape(pool), "WarmPoolSize": len(pool.instances)}

    def _suspended_shapes(self) -> list[Shape]:
        return [
            {"ProcessName": name, "SuspensionReason": _suspension(time_ms)}
            for name, time_ms in self._group.suspended.items()
        ]

    def _member_shape(self, member: Member) -> Shape:
        return instance_shape(
            member.instance,
            self._group.launch_source,
            lifecycle_state=member.lifecycle_state,
            health_status=member.health_status,
            protected=member.protected,
        )


@lru_cache(maxsize=1_000)
def _suspension(time_ms: int) -> str:
    """Kept: a group is read far more often than a process is suspended."""
    return f"User suspended at {utc(time_ms):%Y-%m-%dT%H:%M:%SZ}"


def _processes(params: Shape) -> list[str]:
    """Without ScalingProcesses, all of them (Auto Scaling API: SuspendProcesses); bogus names are refused."""
    names = list(params.get("ScalingProcesses") or PROCESSES)
    if unknown := [name for name in names if name not in PROCESSES]:
        raise validation_error(f"{unknown[0]} is not a valid scaling process type.")
    return names
