"""Ranks: the fleet sorted by what its instances are good for, kept so one instance at a time."""

from collections import Counter
from collections.abc import Set
from typing import NamedTuple

from scheduler.core.model.container_instance import InstanceHealth


class Rank(NamedTuple):
    """Where one container instance stands."""

    ec2_instance_id: str
    health: InstanceHealth
    availability_zone: str


class Ranks:
    """Container instances by health: counted, and as EC2 ids; one that registered again has two ARNs.

    `zones` counts the schedulable ones by availability zone.
    """

    def __init__(self) -> None:
        """Nobody is there."""
        self.counts: Counter[InstanceHealth] = Counter()
        self.zones: Counter[str] = Counter()
        self._ranks: dict[str, Rank] = {}
        self._arns: dict[InstanceHealth, Counter[str]] = {each: Counter() for each in InstanceHealth}

    def put(self, arn: str, rank: Rank) -> None:
        """An instance was judged, for the first time or anew."""
        if self._ranks.get(arn) == rank:
            return
        self.discard(arn)
        self._ranks[arn] = rank
        self._count(rank, 1)

    def discard(self, arn: str) -> None:
        """It is gone."""
        rank = self._ranks.pop(arn, None)
        if rank is not None:
            self._count(rank, -1)

    def of(self, health: InstanceHealth) -> Set[str]:
        """The EC2 ids of those in this health, under any ARN."""
        return self._arns[health].keys()

    def _count(self, rank: Rank, by: int) -> None:
        self.counts[rank.health] += by
        arns = self._arns[rank.health]
        arns[rank.ec2_instance_id] += by
        if not arns[rank.ec2_instance_id]:
            del arns[rank.ec2_instance_id]
        if rank.health is InstanceHealth.SCHEDULABLE:
            self.zones[rank.availability_zone] += by
