"""Ages: which container instances are too old, and which of these are in turn to go.

Ages differ by a tenth, so that a group launched together does not expire together. If most of it is too old
at once all the same, either nobody renewed it for long or the clock is wrong; a share of it has its turn at a
time, and the others go on working until one of those has gone.
"""

from collections.abc import Collection, Mapping
from zlib import crc32

from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.policy import Policy

_DAY_MS = 86_400_000


class Ages:
    """ARNs: `expired` are too old by the last reading, `in_turn` those of them that get no more tasks."""

    def __init__(self, policy: Policy) -> None:
        """Nobody is."""
        self._policy = policy
        self._launched_ms: dict[str, int] = {}
        self._spared = 0
        self.expired: frozenset[str] = frozenset()
        self.in_turn: frozenset[str] = frozenset()

    def see(self, instances: Mapping[str, ContainerInstance], as_of_ms: int) -> None:
        """A reading. Whoever was too old by a clock that has been set back since is so no more."""
        self._launched_ms = {arn: each.launched_ms for arn, each in instances.items()}
        self.expired = frozenset(arn for arn, each in instances.items() if as_of_ms >= self._expires_ms(each))

    def take_turns(self, serving: Collection[str], *, leaving: int, members: int) -> frozenset[str]:
        """The oldest of the expired that serve, as many as the share leaves beside those that are `leaving`.

        Returns those for which something has changed. Whoever's turn it is keeps it while it serves.
        """
        before = self.in_turn
        most = max(1, int(members * self._policy.stale_share)) - leaving
        waiting = sorted(
            self.expired & frozenset(serving),
            key=lambda arn: (arn not in before, self._launched_ms[arn], arn),
        )
        self.in_turn = frozenset(waiting[: max(0, most)])
        self._spared = len(waiting) - len(self.in_turn)
        return before ^ self.in_turn

    def message(self, members: int) -> str:
        """The condition that stands while so many are too old that it may be the clock."""
        if not self._spared or 2 * len(self.expired) <= members:
            return ""
        days = self._policy.instance_max_age_ms / _DAY_MS
        return (
            f"{len(self.expired)} of {members} members are older than {days:g} days by this service's clock; "
            f"they are replaced {len(self.in_turn) or 'one'} at a time, and the other {self._spared} go on "
            "working until it is their turn; if they are not so old, correct the clock"
        )

    def _expires_ms(self, instance: ContainerInstance) -> int:
        spread = 2 * crc32(instance.ec2_instance_id.encode()) / 2**32 - 1
        age_ms = self._policy.instance_max_age_ms * (1 + self._policy.instance_age_jitter * spread)
        return instance.launched_ms + int(age_ms)
