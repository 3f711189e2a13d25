"""The Auto Scaling group: the one lever on capacity."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.model.resources import NOTHING, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """An instance that the group lists, in whatever lifecycle state. `launched_ms` is EC2's, if it tells."""

    ec2_instance_id: str
    lifecycle_state: str
    instance_type: str = ""
    launched_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """An Auto Scaling group at one reading; `members` by EC2 instance id, without those of its warm pool."""

    name: str
    min_size: int
    max_size: int
    desired: int
    members: Mapping[str, GroupMember]
    suspended_processes: frozenset[str] = frozenset()
    has_warm_pool: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A feature of the group or the cluster that kills busy instances or fights this service.

    `reason` is upper-snake, `message` a sentence with the remedy. `stops_scaling`: with it every number that
    this service would ask for is wrong, so it does not scale at all.
    """

    reason: str
    message: str
    stops_scaling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLaunch:
    """A launch that the group tried in vain: no capacity, a quota, a broken template."""

    activity_id: str
    at_ms: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A type that the group can launch.

    `allocatable` is what tasks can have of an empty instance beside its daemons, which take `kept`.
    """

    name: str
    allocatable: Resources
    learned: bool = False
    kept: Resources = NOTHING

    @property
    def registered(self) -> Resources:
        """The smallest that its instances ever registered once `learned`, before that what is expected."""
        return self.allocatable + self.kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentInstance:
    """A member whose agent disconnected a moment ago: no place for tasks now, still capacity for buying.

    `empty`: nobody is on it.
    """

    registered: Resources
    free: Resources
    empty: bool = False
    arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A member that could be removed. `idle_since_ms`: since when it has nothing to do; None: it is busy."""

    arn: str
    ec2_instance_id: str
    availability_zone: str
    launched_ms: int
    too_old: bool
    idle_since_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnableInstance:
    """An idle member that is being removed and could still be taken back, empty."""

    ec2_instance_id: str
    free: Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the fleet tells of instances that take no task yet.

    `in_flight` is how many instances are asked of EC2 and not yet able to work; `launched_types` are the
    types of those that the group lists already. `futile`: it has not launched the others for long.
    """

    group: InstanceGroup | None
    in_flight: int
    launched_types: tuple[str, ...] = ()
    silent: tuple[SilentInstance, ...] = ()
    futile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What growth starts from.

    `types` are smallest first. `in_flight` is how many instances are asked of EC2 and not yet able to work,
    `in_flight_types` their types, as the group lists them or else as they were asked, as far as known.
    `returnable` are idle members being removed, and `shrinking` is by how many desired capacity will still
    shrink if none of those under way is taken back. `growing` is true while a SetDesiredCapacity is under
    way, `resting` for a while after one failed, `futile` while the group launches nothing, so that it is
    asked for its floor at most, and `asked` is what the last failed one wanted, which is no news any more.
    `suspects` are (instance, shape) pairs where a start failed: its room is none for it.
    `disappointing` are shapes that nothing is bought for, because what was bought did not hold them.
    `daemons` is what is kept on each instance for daemon tasks.
    """

    group: InstanceGroup | None
    types: tuple[InstanceType, ...]
    in_flight: int
    in_flight_types: tuple[str, ...]
    growing: bool
    resting: bool = False
    futile: bool = False
    asked: int = 0
    silent: tuple[SilentInstance, ...] = ()
    returnable: tuple[ReturnableInstance, ...] = ()
    shrinking: int = 0
    suspects: frozenset[tuple[str, Resources]] = frozenset()
    disappointing: frozenset[Resources] = frozenset()
    daemons: Resources = NOTHING
