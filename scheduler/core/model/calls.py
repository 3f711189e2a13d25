"""Calls that a plan asks for, and the messages that tell what came of them."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.attempt import StopReason
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.records import StoredRecord
from scheduler.core.model.resources import Resources


class Lane(StrEnum):
    """One token bucket each, so that reads never starve acts (AWS: request throttling by bucket)."""

    TASK_MODIFY = "task_modify"
    READ = "read"
    DEFINITIONS = "definitions"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTask:
    """Act: `ecs:StartTask` of one attempt, sent once; again only after a throttle, which had no effect."""

    attempt_id: str
    task_id: str
    container_instance_arn: str
    task_definition_arn: str


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


Act = StartTask | StopTask | RegisterTaskDefinition | SetDesiredCapacity | SuspendAZRebalance
Read = FindAttempt | DescribeTasks | DescribeContainerInstances | DescribeGroup | DescribeInstanceTypes
Call = Act | Read

LANE_OF: dict[type, Lane] = {
    StartTask: Lane.TASK_MODIFY,
    StopTask: Lane.TASK_MODIFY,
    RegisterTaskDefinition: Lane.DEFINITIONS,
    SetDesiredCapacity: Lane.GROUP,
    SuspendAZRebalance: Lane.GROUP,
    FindAttempt: Lane.READ,
    DescribeTasks: Lane.READ,
    DescribeContainerInstances: Lane.READ,
    DescribeGroup: Lane.GROUP,
    DescribeInstanceTypes: Lane.GROUP,
}
"""Which lane a call takes."""


STARTING_STATUSES = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
"""Statuses before RUNNING (ECS Developer Guide: Task lifecycle)."""

ENDED_STATUSES = frozenset({"STOPPED", "DELETED"})
"""Statuses in which nothing runs any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsTask:
    """An ECS task at one reading. `stop` is ECS's account of its end, once it has one.

    `ran`: ECS knows a time at which it was RUNNING, even if no reading showed it so.
    """

    arn: str
    container_instance_arn: str
    started_by: str
    last_status: str
    desired_status: str
    version: int
    ran: bool = False
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that did not do its work.

    `definite`: certainly without effect (an answer that says so, or never connected). Otherwise the
    effect may have happened: 5xx, a lost, late or unreadable answer. `throttled` is always definite.
    `blames_request`: the same request would be refused again, so repeating it is useless.
    """

    definite: bool
    code: str
    message: str
    throttled: bool = False
    blames_request: bool = False
    reason: StopReason | None = None


DEFINITION_GONE = "DEFINITION_GONE"
"""The code of a StartTask that failed because AWS does not know its revision (any more), or not as ACTIVE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """StartTask answered with this task."""

    task: EcsTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """StopTask was accepted, or there was nothing left to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """RegisterTaskDefinition answered with this ARN."""

    task_definition_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksSeen:
    """Some ECS tasks; `missing` are those that ECS does not know."""

    tasks: tuple[EcsTask, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesSeen:
    """Every container instance of the cluster; a partial reading is never made into one of these."""

    instances: tuple[ContainerInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSeen:
    """The Auto Scaling group."""

    group: InstanceGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesSeen:
    """The types that the group can launch, at EC2's declared sizes."""

    types: tuple[InstanceType, ...]


Answer = Started | Stopping | Registered | TasksSeen | InstancesSeen | GroupSeen | TypesSeen | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call. `sent_ms` is when it was sent: a reading is true as of then, not later."""

    call: Call
    answer: Answer
    sent_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The writer made these records durable; submissions enter the World so."""

    records: tuple[StoredRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Nothing but a reason to look again."""


Message = Committed | Outcome | Wake
