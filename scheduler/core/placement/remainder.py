"""The remainder: the room that a packing leaves, filled up for growth.

Growth asks how many tasks find room and not where each fits best, so instances keep the place in which they
stood when the remainder was made: sorted by the share that was free then. Rooms only shrink, so whoever had
too small a share then has one now, and a search starts where the shares begin to suffice.
"""

from bisect import bisect_left
from collections.abc import Iterator

from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import ROUNDING, FreeIndex, Room

_ENDLESS = 1 << 31
"""How often nothing fits anywhere."""


class Remainder:
    """Free vectors by size class, smallest share first. Slots do not count.

    A task that only waits for a slot needs no new instance.
    """

    def __init__(self, index: FreeIndex) -> None:
        """Copies what stands in `index`, which is left alone."""
        self._classes = index.classes()
        self._filled: set[str] = set()

    def fill(self, ask: Resources, count: int, avoid: frozenset[str] = frozenset()) -> int:
        """Takes `ask` up to `count` times wherever it fits; returns how many found room.

        One that could not be started on the instances to `avoid` finds none there.
        """
        left = count
        for rooms, at in self._places(ask, avoid):
            if left == 0:
                break
            times = min(left, _times(ask, rooms[at]))
            self._filled.add(rooms[at].arn)
            rooms[at] = _less(rooms[at], ask, times)
            left -= times
        return count - left

    def filled(self) -> frozenset[str]:
        """The instances whose room was taken."""
        return frozenset(self._filled)

    def sizes(self) -> Iterator[Resources]:
        """What the instances have registered, each amount once."""
        return (size.registered for size in self._classes)

    def rooms(self) -> Iterator[Room]:
        """Every instance's room as it is now, under the share that it had."""
        return (room for size in self._classes for room in size.rooms)

    def _places(self, ask: Resources, avoid: frozenset[str]) -> Iterator[tuple[list[Room], int]]:
        """Where `ask` fits at least once: a list of rooms and the place in it."""
        cpu, memory_mib, gpus = ask.cpu, ask.memory_mib, ask.gpus
        for size in self._classes:
            if not ask.suits(size.registered):
                continue
            rooms = size.rooms
            first = bisect_left(rooms, (size.share(cpu, memory_mib, gpus) - ROUNDING,))
            for at in range(first, len(rooms)):
                room = rooms[at]
                fits = room.cpu >= cpu and room.memory_mib >= memory_mib and room.gpus >= gpus
                if fits and room.arn not in avoid and (room.empty or not ask.exclusive):
                    yield rooms, at


# Plain ints in both: a vector for each instance would cost as much as all the rest of growth.


def _times(ask: Resources, room: Room) -> int:
    """How often it fits."""
    if ask.exclusive:
        return 1
    by_cpu = room.cpu // ask.cpu if ask.cpu else _ENDLESS
    by_memory = room.memory_mib // ask.memory_mib if ask.memory_mib else _ENDLESS
    by_gpus = room.gpus // ask.gpus if ask.gpus else _ENDLESS
    return min(by_cpu, by_memory, by_gpus)


def _less(room: Room, ask: Resources, times: int) -> Room:
    if ask.exclusive:
        return Room(room.share, 0, 0, 0, room.launched_ms, room.arn, room.slots)
    return Room(
        room.share,
        room.cpu - times * ask.cpu,
        room.memory_mib - times * ask.memory_mib,
        room.gpus - times * ask.gpus,
        room.launched_ms,
        room.arn,
        room.slots,
    )
