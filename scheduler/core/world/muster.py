"""The muster: members of the group by what they are good for, and what EC2 therefore still owes."""

from collections.abc import Iterable, Mapping
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
    health: Iterable[tuple[str, InstanceHealth]],
    silent: Mapping[str, str],
    lost: Iterable[str],
    leaving: Iterable[str],
) -> Muster:
    """Sorts members; `health` is by EC2 id, of which an instance that registered again has two.

    `silent` and `lost` are the disconnected by EC2 id. Who can work is neither, who leaves is nothing else.
    """
    by_health: dict[InstanceHealth, set[str]] = {each: set() for each in InstanceHealth}
    for ec2_id, each in health:
        by_health[each].add(ec2_id)
    drained = {each for each in by_health[InstanceHealth.DRAINING] if is_staying(group, each)}
    out = {each for each in leaving if is_staying(group, each)} | by_health[InstanceHealth.STALE] | drained
    working = by_health[InstanceHealth.SCHEDULABLE] - out
    quiet = {
        ec2_id: arn
        for ec2_id, arn in silent.items()
        if ec2_id not in working | out and is_staying(group, ec2_id)
    }
    gone = {each for each in lost if is_staying(group, each)} - working - out - quiet.keys()
    return Muster(frozenset(working), quiet, frozenset(gone), frozenset(out))


def is_staying(group: InstanceGroup | None, ec2_instance_id: str) -> bool:
    """A member that the group is not about to take away: of those it does, it launches others."""
    member = group.members.get(ec2_instance_id) if group else None
    return member is not None and not member.lifecycle_state.startswith(_GOING)
