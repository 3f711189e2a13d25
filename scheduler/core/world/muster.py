"""The muster: members of the group by what they are good for, and what EC2 therefore still owes."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import NamedTuple

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import InstanceGroup

_GOING = ("Terminating", "Terminated", "Detaching", "Detached")


class Muster(NamedTuple):
    """Members by EC2 id: able to work, silent for a moment (with their ARN), lost, and on their way out."""

    working: frozenset[str]
    silent: Mapping[str, str]
    lost: frozenset[str]
    leaving: frozenset[str]

    @property
    def there(self) -> frozenset[str]:
        """All that the group does not replace by itself: EC2 sees nothing wrong with them."""
        return self.working | self.silent.keys() | self.lost | self.leaving

    def owed(self, group: InstanceGroup | None) -> int:
        """In flight: desired capacity less the members that are there."""
        return max(0, group.desired - len(self.there)) if group else 0


def muster(
    group: InstanceGroup | None,
    in_health: Callable[[InstanceHealth], Set[str]],
    silent: Mapping[str, str],
    lost: Iterable[str],
    leaving: Iterable[str],
) -> Muster:
    """Sorts members. `in_health` tells EC2 ids by health: one that registered again may be in two of them.

    `silent` and `lost` are the disconnected by EC2 id. Who can work is neither, who leaves is nothing else.
    """
    drained = {each for each in in_health(InstanceHealth.DRAINING) if is_staying(group, each)}
    out = {each for each in leaving if is_staying(group, each)} | drained
    out |= in_health(InstanceHealth.STALE) | in_health(InstanceHealth.SUSPECT)
    working = frozenset(in_health(InstanceHealth.SCHEDULABLE) - out)
    quiet = {
        ec2_id: arn
        for ec2_id, arn in silent.items()
        if ec2_id not in working and ec2_id not in out and is_staying(group, ec2_id)
    }
    gone = {each for each in lost if is_staying(group, each)} - working - out - quiet.keys()
    return Muster(working, quiet, frozenset(gone), frozenset(out))


def is_staying(group: InstanceGroup | None, ec2_instance_id: str) -> bool:
    """A member that the group is not about to take away: of those it does, it launches others."""
    member = group.members.get(ec2_instance_id) if group else None
    return member is not None and not member.lifecycle_state.startswith(_GOING)
