"""Placements other than best fit: how a size class is sorted, and which of its rooms a task gets.

*Spread* takes the instance with the greatest share free. The *seed*'s order (the system before this one) is
least memory left, then least CPU; while demand overflows, that is for a task behind one that fits nowhere, it
is turned round, so that what comes is spread over what there is. Ties go to the older instance, then to the
smaller ARN, in both.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.model.policy import Placement
from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import ROUNDING, Room, SizeClass

_MOST_CPU = 1 << 32
"""More CPU units than any instance has: memory, then CPU, as one number."""


@dataclass(frozen=True, slots=True)
class Spread(SizeClass):
    """Emptiest first."""

    def best(
        self, ask: Resources, avoid: frozenset[str], limit: float, overflows: bool
    ) -> tuple[Room | None, float]:
        """The emptiest that holds it, and how empty it is; the emptier, the smaller."""
        room = self.last(ask, avoid)
        return room, -room.share if room else limit


@dataclass(frozen=True, slots=True)
class LeastMemory(SizeClass):
    """Least memory first, then least CPU, and the other way round while demand overflows."""

    def share(self, cpu: int, memory_mib: int, gpus: int) -> float:
        """That of memory alone, so that rooms are sorted by it."""
        return memory_mib / (self.registered.memory_mib or 1)

    def best(
        self, ask: Resources, avoid: frozenset[str], limit: float, overflows: bool
    ) -> tuple[Room | None, float]:
        """The first that holds it, or the last, and what it has left: amounts, as the seed compared them."""
        room = self.last(ask, avoid) if overflows else _first(self, ask, avoid)
        if room is None:
            return None, limit
        left = room.memory_mib * _MOST_CPU + room.cpu
        return room, -left if overflows else left


SIZE_CLASSES: Mapping[Placement, type[SizeClass]] = {
    Placement.BEST_FIT: SizeClass,
    Placement.SPREAD: Spread,
    Placement.SEED: LeastMemory,
}
"""What sorts and searches the free index."""


def _first(size: SizeClass, ask: Resources, avoid: frozenset[str]) -> Room | None:
    rooms, least = size.rooms, size.share(ask.cpu, ask.memory_mib, ask.gpus) - ROUNDING
    places = range(bisect_left(rooms, (least,)), len(rooms))
    return next((rooms[at] for at in places if rooms[at].holds(ask) and rooms[at].arn not in avoid), None)
