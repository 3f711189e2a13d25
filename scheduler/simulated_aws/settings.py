"""Settings of a simulated account: its group, how long things take, and rules that nobody could verify."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scheduler.simulated_aws.buckets import BUCKET_NAMES
from scheduler.simulated_aws.group_features import (
    FARGATE_PROVIDERS,
    CapacityProvider,
    InstanceRefresh,
    ScalingPolicy,
    ScheduledAction,
    WarmPoolConfiguration,
)
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

RangeMs = tuple[int, int]
"""Least and greatest duration in milliseconds; each use is drawn evenly between them."""

LaunchSourceKind = Literal[
    "launch_template",
    "mixed_instances",
    "requirements_in_overrides",
    "requirements_in_template",
    "launch_configuration",
]
"""Those with requirements are mixed-instances groups that name no types: they launch what matches."""

CLIENT_EXCEPTION = "ClientException"
"""ECS's refusal of an action that the state of a resource does not allow (ECS API: StartTask, Errors)."""

_MINUTE_MS = 60_000
_DAY_S = 86_400
_GREATEST_WEIGHT = 999  # Auto Scaling API: LaunchTemplateOverrides, WeightedCapacity


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """One ECS cluster, one Auto Scaling group, and their habits."""

    region: str = "eu-west-1"
    account_id: str = "123456789012"
    cluster: str = "ci"
    auto_scaling_group: str = "ci-agents"
    seed: int = 0

    min_size: int = 0
    max_size: int = 10
    desired_capacity: int = 2
    booted_at_start: bool = True
    instance_types: tuple[str, ...] = ("m4.4xlarge",)
    """What the group launches; of a group that goes by requirements, all that match them."""
    launch_source: LaunchSourceKind = "launch_template"
    availability_zone_letters: str = "abc"
    new_instances_protected_from_scale_in: bool = True
    capacity_rebalance: bool = False
    default_cooldown_s: int = 300
    health_check_type: str = "EC2"
    max_instance_lifetime_s: int | None = None
    weighted_capacities: tuple[int, ...] = ()
    """One per instance type of a mixed-instances group; the group's sizes are then in their unit."""
    scaling_policies: tuple[ScalingPolicy, ...] = ()
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    instance_refreshes: tuple[InstanceRefresh, ...] = ()
    warm_pool: WarmPoolConfiguration | None = None
    warm_pool_agents_wait: bool = True
    """ECS_WARM_POOLS_CHECK: agents register once their instance is in service, and not in the pool."""
    capacity_providers: tuple[CapacityProvider, ...] = ()
    daemon_services: tuple[str, ...] = ()
    """Names of the cluster's services with the DAEMON scheduling strategy; it has no others."""
    default_capacity_providers: tuple[str, ...] = ()
    """The cluster's defaultCapacityProviderStrategy by name, each with weight 1."""

    # Instances: desired raised -> launch asked of EC2 -> EC2 `running` -> ECS agent registered.
    scaling_reaction_ms: RangeMs = (500, 2_000)
    launch_ms: RangeMs = (15_000, 40_000)
    agent_registration_ms: RangeMs = (30_000, 60_000)
    terminate_ms: RangeMs = (10_000, 40_000)
    # A warm one: from running to at rest in the pool, and from there to running and to its agent.
    warm_up_ms: RangeMs = (60_000, 120_000)
    warm_start_ms: RangeMs = (3_000, 10_000)
    # Members stay listed as Detaching for "tens of seconds": seen in logs, no source names a number.
    detach_ms: RangeMs = (10_000, 40_000)
    launch_retry_ms: RangeMs = (60_000, 300_000)
    replace_unhealthy_ms: RangeMs = (30_000, 120_000)

    # Tasks: PENDING -> RUNNING is the pull, once per image and container instance, and the creation.
    pull_ms: RangeMs = (8_000, 20_000)
    create_ms: RangeMs = (500, 2_000)
    run_ms: RangeMs = (1 * _MINUTE_MS, 10 * _MINUTE_MS)
    exit_code: int = 0
    stop_ms: RangeMs = (500, 5_000)
    # ECS_CONTAINER_STOP_TIMEOUT, the time between SIGTERM and SIGKILL (ECS API: StopTask).
    container_stop_timeout_ms: int = 30_000

    # "at least one hour" (ECS API: DescribeTasks); EC2: Terminate instances, "about one hour".
    stopped_task_visible_ms: int = 60 * _MINUTE_MS
    terminated_instance_visible_ms: int = 60 * _MINUTE_MS

    # Logs: groups that are there, and from ingestion to what GetLogEvents shows.
    log_groups: tuple[str, ...] = ("ci-agents",)
    log_visibility_lag_ms: int = 1_000
    console_output_ms: int = 180_000
    """From a launch until its console output is posted: "shortly after", says EC2, and names no number."""

    # Throttling by AWS's token buckets (buckets.py), which the whole account and region shares.
    throttling: bool = False
    foreign_calls_per_s: Mapping[str, float] = field(default_factory=dict)
    """What others of the account call, by the name of the bucket that they take it from."""
    auto_scaling_bucket: tuple[float, float] = (100, 10)
    """Burst and calls per second of Auto Scaling, which publishes neither."""

    # Rules that no source settles. Both answers are worth testing against.
    read_visibility_lag_ms: int = 0
    """For how long a started task stays hidden from ListTasks and DescribeTasks."""
    group_read_lag_ms: int = 0
    """For how long DescribeAutoScalingGroups shows the group as it was."""
    container_instance_gap_share: float = 0.0
    """Of the container instances, the share that each List leaves out and each Describe calls MISSING."""
    inactive_instance_visible_ms: int = 60 * _MINUTE_MS
    """For how long a deregistered container instance is described as INACTIVE before it is MISSING."""
    started_by_accepts_desired_status: bool = True
    """ListTasks(startedBy, desiredStatus=RUNNING) is answered; documented is startedBy alone."""
    draining_start_failure: str | None = "INACTIVE"
    """The failure reason of StartTask on a DRAINING container instance; None: the task starts. With
    CLIENT_EXCEPTION the whole call is refused."""
    terminated_task_keeps_started_at: bool = False
    """Whether a task whose container instance was terminated still shows its startedAt."""
    inactive_definition_usable_ms: int = 10 * _MINUTE_MS
    """For how long an INACTIVE task definition still starts tasks: "up to 10 minutes"."""
    detach_removes_group_tag: bool = True
    """Whether a detached instance loses the tag aws:autoscaling:groupName."""
    spot_stop_code: str = "SpotInterruption"
    """The stopCode of what ran on a Spot instance that EC2 took back; TerminationNotice is seen too."""
    orphaned_task_stop_code: str | None = None
    """The stopCode of a task whose container instance was deregistered by force; its reason is documented."""
    log_page_events: int = 10_000
    """Most events of a GetLogEvents page: AWS may answer fewer than were asked for, and more follow."""
    empty_log_pages: bool = False
    """Whether each page of events comes after an empty one: "an operation can return empty results"."""
    log_drivers: tuple[str, ...] = ("json-file", "syslog", "awslogs", "none")
    """ECS_AVAILABLE_LOGGING_DRIVERS of the container instances."""
    custom_attributes: Mapping[str, str] = field(default_factory=dict)
    """ECS_INSTANCE_ATTRIBUTES of the container instances."""

    def __post_init__(self) -> None:
        """Refuse what no account could be."""
        if not 0 <= self.min_size <= self.desired_capacity <= self.max_size:
            raise ValueError("sizes must satisfy 0 <= min_size <= desired_capacity <= max_size")
        unknown = set(self.instance_types) - INSTANCE_TYPES.keys()
        if unknown or not self.instance_types:
            raise ValueError(
                f"instance_types must be some of {sorted(INSTANCE_TYPES)}, not {sorted(unknown)}"
            )
        if not self.availability_zone_letters:
            raise ValueError("availability_zone_letters must name at least one zone")
        self._check_features()

    def _check_features(self) -> None:
        weights = self.weighted_capacities
        if weights and (self.launch_source != "mixed_instances" or len(weights) != len(self.instance_types)):
            raise ValueError("weighted_capacities must be one per type of a mixed-instances group")
        if not all(1 <= weight <= _GREATEST_WEIGHT for weight in weights):
            raise ValueError(f"weighted_capacities must be from 1 to {_GREATEST_WEIGHT}")
        # "either 0 or a number equal to or greater than 86,400 seconds" (API: CreateAutoScalingGroup).
        if 0 < (self.max_instance_lifetime_s or 0) < _DAY_S:
            raise ValueError(f"max_instance_lifetime_s must be 0 or at least {_DAY_S}")
        if unknown := self.foreign_calls_per_s.keys() - BUCKET_NAMES:
            raise ValueError(f"foreign_calls_per_s must be of {sorted(BUCKET_NAMES)}, not {sorted(unknown)}")
        known = {*FARGATE_PROVIDERS, *(provider.name for provider in self.capacity_providers)}
        if unknown := set(self.default_capacity_providers) - known:
            raise ValueError(f"default_capacity_providers must be capacity providers, not {sorted(unknown)}")

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """The group's zones, such as eu-west-1a."""
        return tuple(self.region + letter for letter in self.availability_zone_letters)
