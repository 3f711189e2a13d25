"""What the readings alone say of agents and of the pair: by which right anything is taken away."""

from collections.abc import Iterable

from scheduler.core.model.answers import Answer, GroupSeen, InstancesSeen
from scheduler.core.model.group import InstanceGroup

LOST_MS = 20 * 60_000
"""How long an agent must be away, in one piece, before its instance may be taken with what runs on it."""

WINDOW_MS = 60 * 60_000
"""Blinks are added up over this; more than half of it counts as lost."""


class InterlockHistory:
    """Spells without an agent by EC2 id, and whether a member was ever seen in the cluster."""

    def __init__(self) -> None:
        self.proven = False
        self.group: InstanceGroup | None = None
        self._listed: set[str] | None = None
        self._read_ms = 0
        self._away_ms: dict[str, int] = {}
        self._spells: dict[str, list[tuple[int, int]]] = {}

    def read(self, answer: Answer, sent_ms: int) -> None:
        """One more complete reading."""
        if isinstance(answer, GroupSeen):
            self.group = answer.group
        if isinstance(answer, InstancesSeen):
            self._listed = {each.ec2_instance_id for each in answer.instances}
            self._read_ms = sent_ms
            self._judge({each.ec2_instance_id for each in answer.instances if each.agent_connected})
        if self.group is not None and self._listed is not None:
            self.proven = self.proven or bool(self._listed & self.group.members.keys())

    def contradicts(self) -> bool:
        """The group has members, and none was ever seen in the cluster."""
        return self.group is not None and bool(self.group.members) and not self.proven

    def lost(self, ec2_instance_ids: Iterable[str]) -> set[str]:
        """Those whose agents have been away for long enough."""
        return {each for each in ec2_instance_ids if self._is_lost(each)}

    def _is_lost(self, ec2_instance_id: str) -> bool:
        since_ms = self._away_ms.get(ec2_instance_id)
        if since_ms is None:
            return False
        if self._read_ms - since_ms >= LOST_MS:
            return True
        spells = [*self._spells.get(ec2_instance_id, []), (since_ms, self._read_ms)]
        from_ms = self._read_ms - WINDOW_MS
        away_ms = sum(max(0, end_ms - max(begin_ms, from_ms)) for begin_ms, end_ms in spells)
        return away_ms > WINDOW_MS / 2

    def _judge(self, connected: set[str]) -> None:
        assert self._listed is not None
        for each in self._listed - connected:
            self._away_ms.setdefault(each, self._read_ms)
        for each in self._away_ms.keys() & connected:
            self._spells.setdefault(each, []).append((self._away_ms.pop(each), self._read_ms))
        for each in self._away_ms.keys() - self._listed:
            del self._away_ms[each]
