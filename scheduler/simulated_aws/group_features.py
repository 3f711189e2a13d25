"""Features of the group and the cluster that act beside whoever scales the group: all off by default."""

from dataclasses import dataclass
from typing import Literal

WarmPoolState = Literal["Stopped", "Running", "Hibernated"]
PolicyType = Literal["SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"]

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""Every account has them, and any cluster may use them (ECS Developer Guide: Fargate capacity providers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy:
    """A policy that changes the desired capacity by itself (Auto Scaling API: ScalingPolicy)."""

    name: str
    policy_type: PolicyType = "TargetTrackingScaling"
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAction:
    """Sizes that the group gets at set times (Auto Scaling API: ScheduledUpdateGroupAction)."""

    name: str
    recurrence: str = "0 20 * * *"
    min_size: int | None = None
    max_size: int | None = None
    desired_capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRefresh:
    """A replacement of all instances (Auto Scaling API: InstanceRefresh, Status)."""

    status: str = "InProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProvider:
    """A capacity provider of the cluster; without a group's name it is the account's group that it scales."""

    name: str
    auto_scaling_group: str | None = None
    managed_scaling: bool = True
    managed_termination_protection: bool = False
    managed_draining: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPoolConfiguration:
    """A warm pool of the group (Auto Scaling API: WarmPoolConfiguration)."""

    min_size: int = 0
    max_group_prepared_capacity: int | None = None
    pool_state: WarmPoolState = "Stopped"
