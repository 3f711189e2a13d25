"""The quarantine: container instances that get no tasks because what starts on them fails."""

from collections.abc import Collection, Mapping

from scheduler.core.model.policy import Policy
from scheduler.core.world.starts import FailedStart


class Quarantine:
    """EC2 ids of the quarantined, each with why, oldest first; never more than a share of the group.

    So many sick ones at a time are no instances' fault: those beyond the share go on working, and are counted
    in `spared`. One after the other is drained, with a pause, so that a wrong judgement costs little.
    """

    def __init__(self, policy: Policy) -> None:
        """Nobody is."""
        self._policy = policy
        self._drained_ms: int | None = None
        self.held: dict[str, str] = {}
        self.spared = 0

    def judge(
        self, black_holes: Mapping[str, tuple[FailedStart, ...]], *, leaving: Collection[str], members: int
    ) -> None:
        """Who stays in quarantine and who comes in; `leaving` are being removed for it, and count."""
        held = {each: why for each, why in self.held.items() if each in black_holes or each in leaving}
        held |= {each: "" for each in leaving if each not in held}
        most = max(1, int(members * self._policy.quarantine_share))
        waiting = [each for each in black_holes if each not in held]
        room = max(0, most - len(held))
        held |= {each: _words(black_holes[each]) for each in waiting[:room]}
        self.held, self.spared = held, len(waiting[room:])

    def drained(self, at_ms: int) -> None:
        """One began to be removed."""
        self._drained_ms = max(at_ms, self._drained_ms or 0)

    def may_drain(self, now_ms: int) -> bool:
        """Whether the pause since the last one is over."""
        return self._drained_ms is None or now_ms - self._drained_ms >= self._policy.quarantine_pause_ms

    def message(self) -> str:
        """The condition that stands while somebody is in it, or should be."""
        if not self.held and not self.spared:
            return ""
        each = "; ".join(f"{ec2_id}: {why}" if why else ec2_id for ec2_id, why in self.held.items())
        others = (
            f"; {self.spared} others look as sick, which is too many to be their own fault, and go on working"
            if self.spared
            else ""
        )
        return (
            "what starts on these instances fails, so they get no tasks and are removed one by one: "
            f"{each}{others}"
        )


def _words(row: tuple[FailedStart, ...]) -> str:
    images = len({each.image for each in row})
    return (
        f"{len(row)} tasks in a row, of {images} images, failed to start there while others started well "
        f"elsewhere, the last with {row[-1].message!r}"
    )
