"""Answers: what comes of calls, and the messages that tell the loop."""

from dataclasses import dataclass

from scheduler.core.model.attempt import StopReason
from scheduler.core.model.calls import Call
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import FailedLaunch, Hazard, InstanceGroup, InstanceType
from scheduler.core.model.mark import Mark
from scheduler.core.model.records import StoredRecord
from scheduler.core.model.resources import NOTHING, Resources

STARTING_STATUSES = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
"""Statuses before RUNNING (ECS Developer Guide: Task lifecycle)."""

ENDED_STATUSES = frozenset({"STOPPED", "DELETED"})
"""Statuses in which nothing runs any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsTask:
    """An ECS task at one reading. `stop` is ECS's account of its end, once it has one.

    `ran`: ECS knows a time at which it was RUNNING, even if no reading showed it so. `service` is the ECS
    service it belongs to, if any, `daemon` whether that runs one on each instance, and `ask` what it takes
    there then; `mark` is a scheduler's, and read by a census alone.
    """

    arn: str
    container_instance_arn: str
    started_by: str
    last_status: str
    desired_status: str
    version: int
    ran: bool = False
    daemon: bool = False
    ask: Resources = NOTHING
    stop: StopReason | None = None
    created_ms: int | None = None
    service: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that did not do its work.

    `definite`: certainly without effect (an answer that says so, or never connected). Otherwise the
    effect may have happened: 5xx, a lost, late or unreadable answer. `throttled` is always definite.
    `blames_request`: the same request would be refused again, so repeating it is useless. `forbidden`: IAM
    does not allow us the action, whatever it is asked for. `never_reached`: no connection, or no credentials
    that AWS believes, so that nobody has judged what was asked.
    """

    definite: bool
    code: str
    message: str
    throttled: bool = False
    blames_request: bool = False
    forbidden: bool = False
    never_reached: bool = False
    reason: StopReason | None = None


NOT_IN_SERVICE = "NOT_IN_SERVICE"
"""The code of a DetachInstances that failed because a member is not InService: the group is at it already."""

NOT_A_MEMBER = "NOT_A_MEMBER"
"""The code of a DetachInstances that failed because an instance is no member (any more)."""

BELOW_MIN_SIZE = "BELOW_MIN_SIZE"
"""The code of a DetachInstances that failed because the group would become smaller than it may."""

INSTANCE_UNKNOWN = "INSTANCE_UNKNOWN"
"""The code of a TerminateInstances that failed because EC2 does not know an instance (any more)."""

INSTANCE_UNFIT = "INSTANCE_UNFIT"
"""The code of a StartTask that failed because of the container instance, which another may not have."""

UNKNOWN_TO_ECS = frozenset({"MISSING", "INACTIVE"})
"""Reasons for which ECS refuses a container instance that it does not have any more (API failure reasons)."""

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
class RevisionsListed:
    """Some revisions of the family, newest first; `token` leads to the older ones, empty without any."""

    arns: tuple[str, ...]
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDescribed:
    """The content hash of a revision of ours; empty for one that is somebody else's."""

    definition_key: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The act was accepted; `refused` are ids that ECS refused by themselves, each with its reason."""

    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSaved:
    """What an instance's console said, the log stream that has it, and what is missing, if something is."""

    output: str
    stream: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceInspected:
    """One container instance, None when ECS does not know it, and then its tasks that have not stopped.

    `daemons` is how many of its tasks are left out, because they make it no less empty.
    """

    instance: ContainerInstance | None
    tasks: tuple[EcsTask, ...] = ()
    daemons: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardsSeen:
    """Features that kill busy instances or fight this service."""

    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLaunchesSeen:
    """Launches that failed, oldest first."""

    launches: tuple[FailedLaunch, ...]


Answer = (
    Started
    | Stopping
    | Registered
    | RevisionsListed
    | RevisionDescribed
    | TasksSeen
    | InstancesSeen
    | GroupSeen
    | TypesSeen
    | Accepted
    | ConsoleSaved
    | InstanceInspected
    | HazardsSeen
    | FailedLaunchesSeen
    | Failure
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call. `sent_ms` is when it was sent: a reading is true as of then, not later.

    `requests` is how many requests of AWS it took.
    """

    call: Call
    answer: Answer
    sent_ms: int
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The writer made these records durable; submissions enter the World so."""

    records: tuple[StoredRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Nothing but a reason to look again."""


Message = Committed | Outcome | Wake
