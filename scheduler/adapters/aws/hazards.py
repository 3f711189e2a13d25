"""Hazards: features of the group and the cluster that end busy instances or fight this service, as a table.

Auto Scaling ends busy instances whenever it has a reason of its own. Protection from scale-in keeps them from
a lowered desired capacity, not from the rest (Auto Scaling User Guide: Use instance scale-in protection).
"""

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.adapters.aws.operations import Shape
from scheduler.core.model.group import Hazard


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What AWS answers of the group and of what acts on it; the names are those of its API."""

    group: Shape
    scaling_policies: tuple[Shape, ...] = ()
    scheduled_actions: tuple[Shape, ...] = ()
    instance_refreshes: tuple[Shape, ...] = ()
    capacity_providers: tuple[Shape, ...] = ()

    def is_suspended(self, process: str) -> bool:
        """True if the group does not run this process."""
        return any(each["ProcessName"] == process for each in self.group.get("SuspendedProcesses", ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A hazard, and whether the features show it."""

    shows: Callable[[Features], bool]
    reason: str
    message: str
    stops_scaling: bool = False

    @property
    def hazard(self) -> Hazard:
        """The hazard as the core knows it."""
        return Hazard(reason=self.reason, message=self.message, stops_scaling=self.stops_scaling)


# Auto Scaling API: InstanceRefresh, Status; in the others it has ended.
_REFRESHING = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})


def _has_acting_policy(features: Features) -> bool:
    """Dynamic policies act by alarms; predictive ones do not, and may be there only to forecast."""
    by_alarm = not features.is_suspended("AlarmNotification")
    return any(
        _forecasts_and_scales(policy) if policy.get("PolicyType") == "PredictiveScaling" else by_alarm
        for policy in features.scaling_policies
        if policy.get("Enabled", True)
    )


def _forecasts_and_scales(policy: Shape) -> bool:
    mode = policy.get("PredictiveScalingConfiguration", {}).get("Mode", "ForecastOnly")
    return bool(mode == "ForecastAndScale")


def _replaces_unhealthy(features: Features) -> bool:
    """EC2's own checks end what is dead anyhow. The type is a list: "EC2,ELB" (Auto Scaling API)."""
    checks = {each.strip() for each in features.group.get("HealthCheckType", "EC2").split(",")}
    return checks != {"EC2"} and not features.is_suspended("ReplaceUnhealthy")


def _is_scaled_by_ecs(features: Features) -> bool:
    """A capacity provider names its group by ARN or by name (ECS API: AutoScalingGroupProvider)."""
    names = {features.group["AutoScalingGroupName"], features.group.get("AutoScalingGroupARN")}
    providers = (each.get("autoScalingGroupProvider", {}) for each in features.capacity_providers)
    return any(
        provider.get("autoScalingGroupArn") in names
        and provider.get("managedScaling", {}).get("status") == "ENABLED"
        for provider in providers
    )


def _counts_units(features: Features) -> bool:
    """Desired capacity is then a sum of weights, vCPUs or MiB; a weight of 1 is an instance."""
    mixed = features.group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    weights = {override.get("WeightedCapacity", "1") for override in mixed.get("Overrides", ())}
    unit = features.group.get("DesiredCapacityType", "units")
    return unit != "units" or bool(weights - {"1"})


TABLE: tuple[Row, ...] = (
    Row(
        shows=lambda features: bool(features.group.get("MaxInstanceLifetime")),
        reason="MAX_INSTANCE_LIFETIME",
        message="The group replaces instances of a certain age, busy or not: set MaxInstanceLifetime to 0.",
    ),
    Row(
        shows=lambda features: bool(features.group.get("CapacityRebalance")),
        reason="CAPACITY_REBALANCE",
        message="The group replaces Spot Instances at risk, busy or not: switch CapacityRebalance off.",
    ),
    Row(
        shows=_has_acting_policy,
        reason="SCALING_POLICIES",
        message="The group has scaling policies, which set desired capacity too: delete or disable them, or "
        "suspend AlarmNotification.",
    ),
    Row(
        shows=lambda features: (
            bool(features.scheduled_actions) and not features.is_suspended("ScheduledActions")
        ),
        reason="SCHEDULED_ACTIONS",
        message="The group has scheduled actions, which set desired capacity too: delete them, or suspend "
        "ScheduledActions.",
    ),
    Row(
        shows=lambda features: any(each["Status"] in _REFRESHING for each in features.instance_refreshes),
        reason="INSTANCE_REFRESH",
        message="An instance refresh replaces the group's instances, busy or not: cancel it.",
    ),
    Row(
        shows=_replaces_unhealthy,
        reason="REPLACE_UNHEALTHY",
        message="The group ends instances that something else than EC2 calls unhealthy, busy or not: set "
        "HealthCheckType to EC2, or suspend ReplaceUnhealthy.",
    ),
    Row(
        shows=_is_scaled_by_ecs,
        reason="MANAGED_SCALING",
        message="An ECS capacity provider scales the group: disable its managed scaling. Until then this "
        "service does not scale.",
        stops_scaling=True,
    ),
    Row(
        shows=_counts_units,
        reason="WEIGHTED_CAPACITY",
        message="The group's capacity does not count instances but weights: remove WeightedCapacity from its "
        "overrides, and any other unit. Until then this service does not scale.",
        stops_scaling=True,
    ),
    Row(
        shows=lambda features: not features.group.get("NewInstancesProtectedFromScaleIn"),
        reason="NOT_PROTECTED_FROM_SCALE_IN",
        message="Whoever lowers desired capacity ends busy instances: set NewInstancesProtectedFromScaleIn.",
    ),
    Row(
        shows=lambda features: features.is_suspended("Launch"),
        reason="LAUNCHES_SUSPENDED",
        message="The group launches nothing that it is asked for, and no activity fails: resume its process "
        "Launch.",
    ),
)
"""In this order they are told."""


def hazards_of(features: Features, unreadable: tuple[str, ...] = ()) -> tuple[Hazard, ...]:
    """The hazards that the features show, and one for the actions that IAM does not allow."""
    shown = tuple(row.hazard for row in TABLE if row.shows(features))
    return shown + ((_unreadable(unreadable),) if unreadable else ())


def _unreadable(actions: tuple[str, ...]) -> Hazard:
    message = f"IAM does not allow {', '.join(actions)}: what it would show is not known. Allow it."
    return Hazard(reason="HAZARDS_UNREADABLE", message=message)
