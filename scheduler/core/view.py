"""The view: what a decision is made from. Its cost does not depend on the length of the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.model.answers import Failure
from scheduler.core.model.backlog import BacklogGroup, RestingGroup, WantedDefinition
from scheduler.core.model.calls import Call, Lane
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.evidence import AttemptEvidence, StopWish
from scheduler.core.model.group import Capacity
from scheduler.core.model.records import Settled
from scheduler.core.model.reservation import Reserved
from scheduler.core.model.resources import Resources
from scheduler.core.model.revision import Revision
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex

_NOTHING_TO_DO = Upkeep()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """Everything `decide` may know, at `now_ms`.

    `ready`: group and instances were read completely, so room may be given away. `rooms` is the maintained
    free index, to be forked. `suspects` are (instance, shape) pairs where a task could not be started just
    now, `lacking` by task id the instances that have not what it needs. `definitions` maps keys to ARNs.
    `rejected` are waiting tasks whose definition AWS refused for good. `stale_revision` is one of ours that
    nobody has used for long, if it is time to let one go.
    `registered_by_type` is the least that instances of a type were seen to register.
    `wishes` are tasks to be cancelled, expired or stopped. `lost_attempts` counts starts that are
    being looked for. `reserved` is room to be held. `resting` wait for their configuration. `settled` are
    records that close acts whose outcome was heard. `upkeep` is what is known of instances that go or
    could. `due` are calls whose time has come, most urgent first. `explain`: count rejects.
    """

    now_ms: int
    ready: bool
    explain: bool
    backlog: tuple[BacklogGroup, ...]
    rooms: FreeIndex
    ec2_ids: Mapping[str, str]
    health: Mapping[InstanceHealth, int]
    suspects: frozenset[tuple[str, Resources]]
    definitions: Mapping[str, str]
    wanted_definitions: tuple[WantedDefinition, ...]
    rejected: tuple[tuple[QueuedTask, Failure], ...]
    evidence: tuple[AttemptEvidence, ...]
    wishes: tuple[StopWish, ...]
    lost_attempts: int
    capacity: Capacity
    registered_by_type: Mapping[str, Resources]
    settled: tuple[Settled, ...]
    due: tuple[Call, ...]
    slots: Mapping[Lane, int]
    upkeep: Upkeep = _NOTHING_TO_DO
    stale_revision: Revision | None = None
    resting: tuple[RestingGroup, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    lacking: Mapping[str, frozenset[str]] = field(default_factory=dict)
