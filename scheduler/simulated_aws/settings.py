"""Settings of a simulated account: its group, how long things take, and rules that nobody could verify."""

from dataclasses import dataclass
from typing import Literal

from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

RangeMs = tuple[int, int]
"""Least and greatest duration in milliseconds; each use is drawn evenly between them."""

LaunchSourceKind = Literal["launch_template", "mixed_instances", "launch_configuration"]

_MINUTE_MS = 60_000


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
    launch_source: LaunchSourceKind = "launch_template"
    availability_zone_letters: str = "abc"
    new_instances_protected_from_scale_in: bool = True
    capacity_rebalance: bool = False
    default_cooldown_s: int = 300

    # Instances: desired raised -> launch asked of EC2 -> EC2 `running` -> ECS agent registered.
    scaling_reaction_ms: RangeMs = (500, 2_000)
    launch_ms: RangeMs = (15_000, 40_000)
    agent_registration_ms: RangeMs = (30_000, 60_000)
    terminate_ms: RangeMs = (10_000, 40_000)
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

    # Rules that no source settles. Both answers are worth testing against.
    read_visibility_lag_ms: int = 0
    """For how long a started task stays hidden from ListTasks and DescribeTasks."""
    inactive_instance_visible_ms: int = 60 * _MINUTE_MS
    """For how long a deregistered container instance is described as INACTIVE before it is MISSING."""
    started_by_accepts_desired_status: bool = True
    """ListTasks(startedBy, desiredStatus=RUNNING) is answered; documented is startedBy alone."""
    draining_start_failure: str | None = "INACTIVE"
    """The failure reason of StartTask on a DRAINING container instance; None: the task starts."""
    terminated_task_keeps_started_at: bool = False
    """Whether a task whose container instance was terminated still shows its startedAt."""
    inactive_definition_usable_ms: int = 10 * _MINUTE_MS
    """For how long an INACTIVE task definition still starts tasks: "up to 10 minutes"."""
    log_drivers: tuple[str, ...] = ("json-file", "syslog", "awslogs", "none")
    """ECS_AVAILABLE_LOGGING_DRIVERS of the container instances."""

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

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """The group's zones, such as eu-west-1a."""
        return tuple(self.region + letter for letter in self.availability_zone_letters)
