"""Arrivals: how long members of the group take to join the cluster, and who should have long ago."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import GroupMember
from scheduler.core.model.policy import Policy

_REMEMBERED = 100
"""Boots that the slowest is taken from."""

_FACTOR = 2
"""How much longer than the slowest boot an instance may take."""

_LISTINGS = 3
"""Complete listings that must lack a member: ECS's lists lag."""


@dataclass(slots=True)
class _Absence:
    """Complete listings of the cluster that lacked a member in service."""

    first_ms: int
    last_ms: int
    listings: int = 0


class Arrivals:
    """Members that were never in the cluster, each since the first listing of it that lacked them.

    Whoever was ever listed has joined: a list that leaves it out is wrong. Both clocks must agree before a
    member is given up: ours by this, and AWS's by its launch time.
    """

    def __init__(self, policy: Policy) -> None:
        """Nobody is awaited."""
        self._policy = policy
        self._awaited: dict[str, _Absence] = {}
        self._joined_ms: dict[str, int] = {}
        self._boots_ms: deque[int] = deque(maxlen=_REMEMBERED)
        self._began_ms: int | None = None

    def see(
        self, members: Mapping[str, GroupMember], listed: Collection[str], now_ms: int, *, anew: bool
    ) -> None:
        """A complete reading of the group or of the cluster; `anew`: of the cluster, so that time counts."""
        if self._began_ms is None:
            self._began_ms = now_ms
        absent = {
            ec2_id
            for ec2_id, member in members.items()
            if member.lifecycle_state == "InService"
            and ec2_id not in listed
            and ec2_id not in self._joined_ms
        }
        self._awaited = {ec2_id: each for ec2_id, each in self._awaited.items() if ec2_id in absent}
        if anew:
            self._join(listed, now_ms)
            for ec2_id in absent:
                absence = self._awaited.setdefault(ec2_id, _Absence(now_ms, now_ms))
                absence.last_ms = now_ms
                absence.listings += 1

    def note_boot(self, instance: ContainerInstance, now_ms: int) -> None:
        """It was seen able to work for the first time: a boot, if it was launched while we were looking."""
        if self._began_ms is not None and instance.launched_ms >= self._began_ms:
            self._boots_ms.append(now_ms - instance.launched_ms)

    def patience_ms(self, least_ms: int) -> int:
        """How long an instance may take, at least so long: a group of large ones boots slowly."""
        return max(least_ms, _FACTOR * max(self._boots_ms, default=0))

    def overdue(self) -> Iterator[str]:
        """Members that listings of the cluster have lacked for too long."""
        patience_ms = self.patience_ms(self._policy.never_joined_after_ms)
        for ec2_id, absence in self._awaited.items():
            if absence.listings >= _LISTINGS and absence.last_ms - absence.first_ms >= patience_ms:
                yield ec2_id

    def was_young(self, ec2_instance_id: str, member: GroupMember) -> bool:
        """Whether it was when a listing first lacked it: an old one has joined, and blinks out of lists.

        Many that never join are replaced one by one, and the last of them wait for hours.
        """
        absence, launched_ms = self._awaited.get(ec2_instance_id), member.launched_ms
        if absence is None or launched_ms is None:
            return False
        return absence.first_ms - launched_ms < self._policy.never_joined_until_ms

    def _join(self, listed: Collection[str], now_ms: int) -> None:
        """Those listed longer ago than a member is ever awaited need not be remembered: they are too old."""
        self._joined_ms.update(dict.fromkeys(listed, now_ms))
        from_ms = now_ms - self._policy.never_joined_until_ms
        self._joined_ms = {ec2_id: at_ms for ec2_id, at_ms in self._joined_ms.items() if at_ms > from_ms}
