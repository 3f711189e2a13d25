"""The Auto Scaling group: the one lever on capacity."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.model.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """An instance that the group lists, in whatever lifecycle state."""

    ec2_instance_id: str
    lifecycle_state: str
    instance_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """An Auto Scaling group at one reading; `members` by EC2 instance id."""

    name: str
    min_size: int
    max_size: int
    desired: int
    members: Mapping[str, GroupMember]
    suspended_processes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A type that the group can launch.

    `allocatable` is what tasks can have of an empty instance: the smallest that its instances ever
    registered once `learned`, before that EC2's declared size times `Policy.declared_size_factor`.
    """

    name: str
    allocatable: Resources
    learned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentInstance:
    """A member whose agent disconnected a moment ago: no place for tasks now, still capacity for buying."""

    registered: Resources
    free: Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the fleet tells of instances that take no task yet.

    `in_flight` is how many instances are asked of EC2 and not yet able to work; `launched_types` are the
    types of those that the group lists already.
    """

    group: InstanceGroup | None
    in_flight: int
    launched_types: tuple[str, ...] = ()
    silent: tuple[SilentInstance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What growth starts from.

    `types` are smallest first. `in_flight` is how many instances are asked of EC2 and not yet able to work,
    `in_flight_types` their types, as the group lists them or else as they were asked, as far as known.
    `growing` is true while a SetDesiredCapacity is under way, `resting` for a while after one failed.
    `suspects` are (instance, shape) pairs where a start failed: its room is no room for that shape.
    `disappointing` are shapes that nothing is bought for, because what was bought did not hold them.
    """

    group: InstanceGroup | None
    types: tuple[InstanceType, ...]
    in_flight: int
    in_flight_types: tuple[str, ...]
    growing: bool
    resting: bool = False
    silent: tuple[SilentInstance, ...] = ()
    suspects: frozenset[tuple[str, Resources]] = frozenset()
    disappointing: frozenset[Resources] = frozenset()
