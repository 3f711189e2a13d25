"""Arrivals: how long members of the group take to join the cluster, and who should have long ago."""

from collections import deque
from collections.abc import Container, Iterator, Mapping

from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import GroupMember
from scheduler.core.model.policy import Policy

_REMEMBERED = 100
"""Boots that the slowest is taken from."""

_FACTOR = 2
"""How much longer than the slowest boot an instance may take."""


class Arrivals:
    """Members that are not in the cluster, each since the first reading of ours that showed it in service.

    Both clocks must agree before a member counts as overdue: ours by this, and AWS's by its launch time.
    """

    def __init__(self, policy: Policy) -> None:
        """Nobody is awaited."""
        self._policy = policy
        self._awaited: dict[str, int] = {}
        self._boots_ms: deque[int] = deque(maxlen=_REMEMBERED)
        self._began_ms: int | None = None

    def see(self, members: Mapping[str, GroupMember], listed: Container[str], now_ms: int) -> None:
        """A complete reading of the group and of the cluster."""
        if self._began_ms is None:
            self._began_ms = now_ms
        absent = {
            ec2_id
            for ec2_id, member in members.items()
            if member.lifecycle_state == "InService" and ec2_id not in listed
        }
        self._awaited = {ec2_id: self._awaited.get(ec2_id, now_ms) for ec2_id in absent}

    def note_boot(self, instance: ContainerInstance, now_ms: int) -> None:
        """It was seen able to work for the first time: a boot, if it was launched while we were looking."""
        if self._began_ms is not None and instance.launched_ms >= self._began_ms:
            self._boots_ms.append(now_ms - instance.launched_ms)

    def overdue(self, now_ms: int) -> Iterator[str]:
        """Members that have been awaited for too long."""
        slowest_ms = max(self._boots_ms, default=0)
        patience_ms = max(self._policy.never_joined_after_ms, _FACTOR * slowest_ms)
        for ec2_id, since_ms in self._awaited.items():
            if now_ms - since_ms >= patience_ms:
                yield ec2_id
