"""Calls that a plan asks for."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.resources import Resources


class Lane(StrEnum):
    """One token bucket each, so that reads never starve acts (AWS: request throttling by bucket)."""

    TASK_MODIFY = "task_modify"
    READ = "read"
    SWEEP = "sweep"
    DEFINITIONS = "definitions"
    DEFINITION_READ = "definition_read"
    GROUP = "group"
    EC2 = "ec2"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTask:
    """Act: `ecs:StartTask` of one attempt, sent once; again only after a throttle, which had no effect.

    `storage_driver` is what the container instance names for docker-in-docker; empty for nothing.
    """

    attempt_id: str
    task_id: str
    container_instance_arn: str
    task_definition_arn: str
    storage_driver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTask:
    """Act: stop an ECS task of ours; harmless to repeat. `reason` becomes its stoppedReason."""

    ecs_task_arn: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTaskDefinition:
    """Act: register the revision that `task_id` needs; `definition_key` is its content hash."""

    definition_key: str
    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisterTaskDefinition:
    """Act: make a revision of ours INACTIVE that was of no use for long. Harmless to repeat."""

    task_definition_arn: str
    definition_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDesiredCapacity:
    """Act: raise the group's desired capacity. Dropped by the caller if it is not above the fresh one.

    `types` are the types that the additional instances are expected to be, `asks` the shapes that they are
    bought for, one each.
    """

    group: str
    desired: int
    types: tuple[str, ...]
    asks: tuple[Resources, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendAZRebalance:
    """Act: keep the group from moving instances between zones; that terminates busy ones."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainInstances:
    """Act: at most 10 container instances take no new tasks; those that run go on. Harmless to repeat."""

    arns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateInstances:
    """Act: at most 10 container instances that were drained take tasks again. Harmless to repeat."""

    arns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachInstances:
    """Act: the group lets at most 20 of its members go. Harmless to repeat: they go by name, once.

    `decrement`: desired capacity shrinks with them, else the group launches replacements.
    """

    group: str
    ec2_instance_ids: tuple[str, ...]
    decrement: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateInstances:
    """Act: EC2 ends these instances. Harmless to repeat."""

    ec2_instance_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveConsole:
    """Act: an instance's console output is written to the log group. Repeated, it is there twice.

    `cause` is why the instance goes, for whoever hears of it when its removal is over already.
    """

    ec2_instance_id: str
    cause: RemovalCause


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisterInstance:
    """Act: ECS forgets a container instance whose EC2 instance is gone or registered anew."""

    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectInstance:
    """Read: one container instance, then every task on it that has not stopped."""

    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCensus:
    """Read: every task of the cluster that is to run, with the marks of whoever started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeHazards:
    """Read: features of the group and the cluster that kill busy instances or fight this service."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeFailedLaunches:
    """Read: the group's launches that failed of late."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAttempt:
    """Read: look for the ECS task of an attempt whose answer was lost."""

    attempt_id: str
    container_instance_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTasks:
    """Read: at most 100 ECS tasks."""

    task_arns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeContainerInstances:
    """Read: every container instance of the cluster, with the launch times of new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeGroup:
    """Read: the Auto Scaling group."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeInstanceTypes:
    """Read: the types that the group can launch, with EC2's declared sizes."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRevisions:
    """Read: a page of the family's revisions, newest first; `token` is the last page's, or empty."""

    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeRevision:
    """Read: whether a revision is ours, by its tags, and of which configuration."""

    arn: str


Act = (
    StartTask
    | StopTask
    | RegisterTaskDefinition
    | DeregisterTaskDefinition
    | SetDesiredCapacity
    | SuspendAZRebalance
    | DrainInstances
    | ActivateInstances
    | DetachInstances
    | TerminateInstances
    | SaveConsole
    | DeregisterInstance
)
Read = (
    FindAttempt
    | DescribeTasks
    | DescribeContainerInstances
    | DescribeGroup
    | DescribeInstanceTypes
    | InspectInstance
    | TakeCensus
    | DescribeHazards
    | DescribeFailedLaunches
    | ListRevisions
    | DescribeRevision
)
Call = Act | Read

CAPACITY_ACTS = (
    SetDesiredCapacity,
    SuspendAZRebalance,
    DrainInstances,
    ActivateInstances,
    DetachInstances,
    TerminateInstances,
    SaveConsole,
    DeregisterInstance,
)
"""Acts on instances and their group."""

ACTS = (StartTask, StopTask, RegisterTaskDefinition, DeregisterTaskDefinition, *CAPACITY_ACTS)
"""Every act."""

LANE_OF: dict[type, Lane] = {
    StartTask: Lane.TASK_MODIFY,
    StopTask: Lane.TASK_MODIFY,
    RegisterTaskDefinition: Lane.DEFINITIONS,
    DeregisterTaskDefinition: Lane.DEFINITIONS,
    SetDesiredCapacity: Lane.GROUP,
    SuspendAZRebalance: Lane.GROUP,
    DrainInstances: Lane.TASK_MODIFY,
    ActivateInstances: Lane.TASK_MODIFY,
    DetachInstances: Lane.GROUP,
    TerminateInstances: Lane.EC2,
    SaveConsole: Lane.EC2,
    DeregisterInstance: Lane.TASK_MODIFY,
    FindAttempt: Lane.READ,
    DescribeTasks: Lane.READ,
    DescribeContainerInstances: Lane.SWEEP,
    DescribeGroup: Lane.GROUP,
    DescribeInstanceTypes: Lane.GROUP,
    InspectInstance: Lane.READ,
    TakeCensus: Lane.SWEEP,
    DescribeHazards: Lane.GROUP,
    DescribeFailedLaunches: Lane.GROUP,
    ListRevisions: Lane.DEFINITION_READ,
    DescribeRevision: Lane.DEFINITION_READ,
}
"""Which lane a call takes."""
