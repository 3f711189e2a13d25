"""Idleness: which container instances have nothing to do, and for how long, by the readings."""

from collections.abc import Iterator
from typing import NamedTuple


class Idle(NamedTuple):
    """Idle since the reading that was sent at `since_ms`, in so many readings."""

    since_ms: int
    readings: int


class Idleness:
    """Spells of idleness by ARN. They begin with a reading and end with anything that comes onto it."""

    def __init__(self) -> None:
        """Nobody is idle."""
        self._spells: dict[str, Idle] = {}

    def see(self, arn: str, as_of_ms: int, *, idle: bool) -> None:
        """A complete reading."""
        if not idle:
            self.end(arn)
            return
        spell = self._spells.get(arn)
        self._spells[arn] = spell._replace(readings=spell.readings + 1) if spell else Idle(as_of_ms, 1)

    def end(self, arn: str) -> None:
        """Something came onto it, or it is gone."""
        self._spells.pop(arn, None)

    def of(self, arn: str) -> Idle | None:
        """Its spell; None while it is busy."""
        return self._spells.get(arn)

    def __iter__(self) -> Iterator[str]:
        """ARNs of the idle."""
        return iter(self._spells)
