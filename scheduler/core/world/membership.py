"""Membership: which instances of the cluster were seen to be members of the group, for when they are not.

An instance outside the group that was a member is ours to end: somebody detached it, or our own removal of it
was lost half-way. Of all others nobody knows whose they are. What was seen is durable, one fact an instance,
and is forgotten when the instance is gone.
"""

from collections.abc import Collection, Container

from scheduler.core.model.facts import member_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded


class Membership:
    """The group of which each EC2 instance was last seen to be a member."""

    def __init__(self, policy: Policy, group: str) -> None:
        """Nobody was."""
        self._forget_ms = policy.absence_ms
        self._group = group
        self._group_of: dict[str, str] = {}
        self._absent_ms: dict[str, int] = {}

    def remember(self, ec2_instance_id: str, group: str) -> None:
        """It was seen in a former life of ours, which may have had another group."""
        self._group_of[ec2_instance_id] = group

    def was_member(self, ec2_instance_id: str) -> bool:
        """Whether it was seen in the group that is ours now."""
        return self._group_of.get(ec2_instance_id) == self._group

    def see(self, members: Container[str], listed: Collection[str], now_ms: int) -> list[FactRecorded]:
        """A complete reading of both, by EC2 id. Returns what should be made durable of it."""
        new = [each for each in listed if each in members and not self.was_member(each)]
        self._group_of.update(dict.fromkeys(new, self._group))
        gone = self._gone(members, listed, now_ms)
        for each in gone:
            del self._group_of[each], self._absent_ms[each]
        return [
            *(member_fact(each, self._group) for each in sorted(new)),
            *(member_fact(each, "") for each in gone),
        ]

    def _gone(self, members: Container[str], listed: Collection[str], now_ms: int) -> list[str]:
        """Lists of ECS have gaps: who is missing from both for a moment is not gone."""
        absent = [each for each in self._group_of if each not in listed and each not in members]
        self._absent_ms = {each: self._absent_ms.get(each, now_ms) for each in absent}
        return [each for each, at_ms in self._absent_ms.items() if now_ms - at_ms >= self._forget_ms]
