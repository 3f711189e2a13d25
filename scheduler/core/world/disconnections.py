"""Disconnections: for how long the agents of EC2 instances have been away.

Agents blink several times an hour without harm, so only duration counts: one long spell, or blinks that add
up. Spells are kept by EC2 instance id, because an agent that registers again has a new ARN, and they survive
our own death; but what happened while we were dead is no evidence, so they must be seen for a while again.
Nor is what happened between two readings that are far apart: an agent may have come back and gone again.
A list that leaves an instance out says nothing of it, unless it does so for as long.
"""

from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from scheduler.core.model.facts import disconnected_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded

_WORTH_KEEPING_MS = 60_000
"""A spell as long as this is made durable; shorter ones are blinks, and would only wear the disk."""


@dataclass(slots=True)
class _Spell:
    """`since_ms` leaves out gaps in our readings, `seen_ms` is what this life has seen of it.

    `first_reading_ms` and `readings` are those since our start, or since the last gap.
    """

    since_ms: int
    seen_ms: int = 0
    first_reading_ms: int | None = None
    last_reading_ms: int = 0
    readings: int = 0
    durable: bool = False


@dataclass(slots=True)
class _Blinks:
    spells: deque[tuple[int, int]] = field(default_factory=deque)

    def total_ms(self, from_ms: int) -> int:
        while self.spells and self.spells[0][1] <= from_ms:
            self.spells.popleft()
        return sum(end_ms - max(begin_ms, from_ms) for begin_ms, end_ms in self.spells)


class Disconnections:
    """Spells without an agent, by EC2 instance id."""

    def __init__(self, policy: Policy) -> None:
        """Nobody is away."""
        self._policy = policy
        # Readings that fail for as long as a blink; what is unread for longer may have been anything.
        self._gap_ms = 2 * policy.cluster_poll_ms + _WORTH_KEEPING_MS
        self._spells: dict[str, _Spell] = {}
        self._blinks: dict[str, _Blinks] = {}
        self._unlisted_ms: dict[str, int] = {}

    def remember(self, ec2_instance_id: str, since_ms: int) -> None:
        """It was away when we were last alive. Of a spell that goes on we have told so ourselves."""
        self._spells.setdefault(ec2_instance_id, _Spell(since_ms, durable=True))

    def see(self, connected: Mapping[str, bool], as_of_ms: int) -> list[FactRecorded]:
        """A complete reading: who is connected. Returns what should be made durable of it."""
        facts = []
        self._unlisted_ms = {
            each: self._unlisted_ms.get(each, as_of_ms) for each in self._spells if each not in connected
        }
        gone = {each for each, at_ms in self._unlisted_ms.items() if as_of_ms - at_ms > self._gap_ms}
        for ec2_id in [each for each in self._spells if connected.get(each, each in gone)]:
            facts += self._end(ec2_id)
            self._unlisted_ms.pop(ec2_id, None)
        for ec2_id, is_connected in connected.items():
            if not is_connected:
                facts += self._go_on(ec2_id, as_of_ms)
        from_ms = as_of_ms - self._policy.blink_window_ms
        self._blinks = {
            ec2_id: each
            for ec2_id, each in self._blinks.items()
            if ec2_id not in gone and each.total_ms(from_ms)
        }
        return facts

    def since_ms(self, ec2_instance_id: str) -> int | None:
        """Since when it is away; None when it is there."""
        spell = self._spells.get(ec2_instance_id)
        return spell.since_ms if spell else None

    def is_lost(self, ec2_instance_id: str) -> bool:
        """Away for so long that it is to be replaced, by the readings of this life of ours."""
        spell = self._spells.get(ec2_instance_id)
        if spell is None or spell.first_reading_ms is None:
            return False
        policy, last_ms = self._policy, spell.last_reading_ms
        if spell.readings < policy.disconnected_readings:
            return False
        if last_ms - spell.first_reading_ms < policy.disconnected_readings_ms:
            return False
        away_ms = last_ms - spell.since_ms
        blinks = self._blinks.get(ec2_instance_id)
        window_ms = policy.blink_window_ms
        blinked_ms = blinks.total_ms(last_ms - window_ms) if blinks else 0
        return (
            away_ms >= policy.disconnected_after_ms
            or min(spell.seen_ms, window_ms) + blinked_ms > window_ms / 2
        )

    def largest_burst(self, among: Container[str]) -> int:
        """How many of those that are away now went within one `Policy.mass_failure_ms`."""
        since = sorted(each.since_ms for ec2_id, each in self._spells.items() if ec2_id in among)
        window_ms = self._policy.mass_failure_ms
        largest = first = 0
        for last, at_ms in enumerate(since):
            while at_ms - since[first] > window_ms:
                first += 1
            largest = max(largest, last - first + 1)
        return largest

    def _go_on(self, ec2_id: str, as_of_ms: int) -> list[FactRecorded]:
        spell = self._spells.setdefault(ec2_id, _Spell(as_of_ms))
        unread_ms = 0 if spell.first_reading_ms is None else as_of_ms - spell.last_reading_ms
        if unread_ms > self._gap_ms:
            spell.since_ms += unread_ms
            spell.first_reading_ms, spell.readings = None, 0
        else:
            spell.seen_ms += unread_ms
        if spell.first_reading_ms is None:
            spell.first_reading_ms = as_of_ms
        spell.last_reading_ms = as_of_ms
        spell.readings += 1
        if spell.durable or as_of_ms - spell.since_ms < _WORTH_KEEPING_MS:
            return []
        spell.durable = True
        return [disconnected_fact(ec2_id, spell.since_ms)]

    def _end(self, ec2_id: str) -> list[FactRecorded]:
        """It is booked up to its last reading: when the agent came back after that, nobody saw."""
        spell = self._spells.pop(ec2_id)
        if spell.seen_ms:
            last_ms = spell.last_reading_ms
            self._blinks.setdefault(ec2_id, _Blinks()).spells.append((last_ms - spell.seen_ms, last_ms))
        return [disconnected_fact(ec2_id, None)] if spell.durable else []
