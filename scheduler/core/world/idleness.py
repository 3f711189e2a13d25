"""Idleness: which container instances have nothing to do, and for how long, by the readings."""

from typing import NamedTuple

SETTLED = 2
"""Readings that must show an instance idle before it counts as that."""


class Idle(NamedTuple):
    """Idle since the reading that was sent at `since_ms`, in so many readings."""

    since_ms: int
    readings: int


class Idleness:
    """Spells of idleness by ARN. They begin with a reading and end with anything that comes onto it."""

    def __init__(self) -> None:
        """Nobody is idle."""
        self._spells: dict[str, Idle] = {}

    def see(self, arn: str, as_of_ms: int, *, idle: bool) -> bool:
        """A complete reading; True when it is the one that settles that the instance is idle, or is not."""
        if not idle:
            return self.end(arn)
        spell = self._spells.get(arn)
        readings = spell.readings + 1 if spell else 1
        self._spells[arn] = Idle(spell.since_ms if spell else as_of_ms, readings)
        return readings == SETTLED

    def end(self, arn: str) -> bool:
        """Something came onto it, or it is gone; True if it was idle."""
        return self._spells.pop(arn, None) is not None

    def since_ms(self, arn: str) -> int | None:
        """Since when it is idle, once that is settled."""
        spell = self._spells.get(arn)
        return spell.since_ms if spell and spell.readings >= SETTLED else None

    def of(self, arn: str) -> Idle | None:
        """Its spell; None while it is busy."""
        return self._spells.get(arn)
