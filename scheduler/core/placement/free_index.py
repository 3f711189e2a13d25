"""The free index: the room on schedulable container instances, kept sorted for best fit.

Best fit takes the instance with the least max over dimensions of (free - ask) / registered, so that
instances empty out; ties go to the older instance, then to the smaller ARN.

Instances of equal registered size and architecture form a class, sorted by share = max over dimensions of
free / registered. For an ask with need = max over dimensions of ask / registered:

* an instance can only fit if share >= need, so a search starts there (full instances are never seen);
* its score is at least share - need, so a search ends once that exceeds the best score found.

Worked number: an ask of 2048/8006 on instances of 16384/64419 has need 0.125. With 0.30, 0.20 and 0.10 free
in both dimensions the search starts at 0.20, scores it 0.075, and ends at 0.30, whose bound is 0.175.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from scheduler.core.model.resources import Resources
from scheduler.core.placement.images import Images

ROUNDING = 1e-9
"""Shares are floats; bounds give way by this much so that rounding never hides a candidate."""


_LATEST_MS = 1 << 62
"""Later than any launch time."""

_FULL = 2.0
"""Above every share: nobody holds it."""


class Room(NamedTuple):
    """One instance's free room. The order of the fields is the order of the index.

    `empty`: nobody is on it but daemons, so that a task may have it for itself. `awaits_daemons`: it has no
    slot before its own have come.
    """

    share: float
    cpu: int
    memory_mib: int
    gpus: int
    launched_ms: int
    arn: str
    slots: int
    empty: bool = False
    awaits_daemons: bool = False

    @property
    def free(self) -> Resources:
        """What is free, as a vector."""
        return Resources(cpu=self.cpu, memory_mib=self.memory_mib, gpus=self.gpus)

    def holds(self, ask: Resources) -> bool:
        """True when `ask` fits, and nobody is there if it is exclusive."""
        fits = ask.cpu <= self.cpu and ask.memory_mib <= self.memory_mib and ask.gpus <= self.gpus
        return fits and (self.empty or not ask.exclusive)

    def less(self, size: "SizeClass", ask: Resources, *, slots: int) -> "Room":
        """What is left of it once `ask` has come; nothing if that is exclusive, not even a slot."""
        if ask.exclusive:
            return Room(0.0, 0, 0, 0, self.launched_ms, self.arn, 0)
        cpu, memory_mib = self.cpu - ask.cpu, self.memory_mib - ask.memory_mib
        gpus = self.gpus - ask.gpus
        share = size.share(cpu, memory_mib, gpus)
        return Room(share, cpu, memory_mib, gpus, self.launched_ms, self.arn, slots)


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Instances that registered the same amount; `rooms` is sorted.

    `floors` remembers, by ask, the share below which a search found nobody that holds it. Within a
    decision rooms only shrink, so the next search for the same ask starts there.
    """

    registered: Resources
    rooms: list[Room]
    floors: dict[Resources, float] = field(default_factory=dict)

    def share(self, cpu: int, memory_mib: int, gpus: int) -> float:
        """Max over dimensions of amount / registered; dimensions that are not there do not count."""
        whole = self.registered
        by_cpu, by_memory = cpu / (whole.cpu or 1), memory_mib / (whole.memory_mib or 1)
        largest = by_cpu if by_cpu > by_memory else by_memory
        return max(largest, gpus / whole.gpus) if whole.gpus else largest

    def insert(self, room: Room) -> None:
        """Puts a room in its place; floors above it give way if it holds their ask."""
        insort(self.rooms, room)
        for ask, floor in self.floors.items():
            if room.share < floor and room.holds(ask):
                self.floors[ask] = room.share

    def best(
        self, ask: Resources, avoid: frozenset[str], limit: float, overflows: bool
    ) -> tuple[Room | None, float]:
        """The best of this class and its score; `limit` is the best score of other classes.

        Best fit is the same whether demand `overflows` or not.
        """
        rooms, cpu, memory_mib, gpus = self.rooms, ask.cpu, ask.memory_mib, ask.gpus
        need = self.share(cpu, memory_mib, gpus)
        at = bisect_left(rooms, (max(need - ROUNDING, self.floors.get(ask, 0.0)),))
        found, best, floor = None, limit, None
        while at < len(rooms):
            room = rooms[at]
            if room[0] - need > best + ROUNDING:
                break
            if room[1] >= cpu and room[2] >= memory_mib and room[3] >= gpus:
                floor = room[0] if floor is None else floor
                score = self.share(room[1] - cpu, room[2] - memory_mib, room[3] - gpus)
                if room.arn in avoid:
                    at += 1
                    continue
                if score < best or (score == best and (found is None or room[4:6] < found[4:6])):
                    found, best = room, score
            at += 1
            if at < len(rooms) and rooms[at][0] == room[0]:
                # The next ones with the same free vector are younger: none of them can win.
                at = bisect_right(rooms, (*room[:4], _LATEST_MS), at)
        if floor is None:
            floor = rooms[at][0] if at < len(rooms) else _FULL
        self.floors[ask] = floor
        return found, best

    def last(self, ask: Resources, avoid: frozenset[str]) -> Room | None:
        """The emptiest that holds `ask`, the oldest of those that are alike."""
        rooms, least = self.rooms, self.share(ask.cpu, ask.memory_mib, ask.gpus) - ROUNDING
        for room in reversed(rooms):
            if room.share < least:
                break
            if room.holds(ask) and room.arn not in avoid:
                alike = islice(rooms, bisect_left(rooms, room[:4]), None)
                return next(each for each in alike if each.holds(ask) and each.arn not in avoid)
        return None


Spot = tuple[SizeClass, Room]
"""An instance's room and the class it stands in."""


class FreeIndex:
    """Free room by size class. The World keeps one; a decision works on a `fork` of it.

    Instances that have room but no slot are kept aside (*saturated*): they take no task now and count
    for growth.
    """

    __slots__ = ("_classes", "_saturated", "_size_class", "_where", "images")

    def __init__(self, size_class: type[SizeClass] = SizeClass) -> None:
        """An empty index, sorted and searched by `size_class`."""
        self._size_class = size_class
        self.images = Images()
        self._classes: dict[Resources, SizeClass] = {}
        self._saturated: dict[str, Spot] = {}
        self._where: dict[str, Spot] = {}

    def __len__(self) -> int:
        """Number of instances, saturated ones included."""
        return len(self._saturated) + sum(len(each.rooms) for each in self._classes.values())

    def put(
        self,
        arn: str,
        *,
        registered: Resources,
        free: Resources,
        launched_ms: int,
        slots: int,
        empty: bool = False,
        awaits_daemons: bool = False,
    ) -> None:
        """Sets what is free on one instance, replacing what was known."""
        self.discard(arn)
        # Room may grow here: what earlier searches found out no longer holds.
        for each in self._classes.values():
            each.floors.clear()
        size = self._classes.setdefault(registered, self._size_class(registered, []))
        share = size.share(free.cpu, free.memory_mib, free.gpus)
        amounts = (free.cpu, free.memory_mib, free.gpus)
        room = Room(share, *amounts, launched_ms, arn, slots, empty, awaits_daemons)
        self._where[arn] = (size, room)
        self._insert(size, room)

    def discard(self, arn: str) -> None:
        """Forgets one instance, if it is known."""
        spot = self._where.pop(arn, None)
        if spot is not None:
            self._delete(*spot)

    def fork(self) -> "FreeIndex":
        """A copy for one decision: `best` and `take` change it and leave the original alone."""
        copy = FreeIndex(self._size_class)
        copy.images = self.images
        copy._classes = {key: _copied(each) for key, each in self._classes.items()}
        copy._saturated = {
            arn: (copy._classes[size.registered], room) for arn, (size, room) in self._saturated.items()
        }
        return copy

    def best(
        self,
        ask: Resources,
        avoid: frozenset[str] = frozenset(),
        *,
        overflows: bool = False,
        image: str = "",
    ) -> Spot | None:
        """The best instance that has a slot and is not to be avoided, or None.

        Of those with the same room, one that has the `image` goes first. `overflows`: a task that stands
        before this one fits nowhere.
        """
        if ask.exclusive:
            return self._smallest(ask, avoid, image)
        found: Spot | None = None
        score = _FULL
        for size in self._classes.values():
            if not ask.suits(size.registered):
                continue
            room, room_score = size.best(ask, avoid, score, overflows)
            if room is None:
                continue
            if found is None or (room_score, room[4:6]) < (score, found[1][4:6]):
                found, score = (size, room), room_score
        return self._with_image(found, ask, image, avoid) if found and image else found

    def _smallest(self, ask: Resources, avoid: frozenset[str], image: str) -> Spot | None:
        """Of the smallest size that holds it: all of the instance is taken, however little is asked for."""
        suited = (size for _, size in sorted(self._classes.items()) if ask.suits(size.registered))
        spots = ((size, room) for size in suited if (room := size.last(ask, avoid)) is not None)
        found = next(spots, None)
        return self._with_image(found, ask, image, avoid) if found and image else found

    def _with_image(self, spot: Spot, ask: Resources, image: str, avoid: frozenset[str]) -> Spot:
        """The oldest that has the image and the same room as `spot`, which is the oldest with that room."""
        (size, room), holders = spot, self.images.of(image)
        rooms, alike = size.rooms, room[:4]
        younger = bisect_right(rooms, room)
        if not holders or younger == len(rooms) or rooms[younger][:4] != alike:
            return spot
        for each in sorted(holders):
            at = bisect_left(rooms, (*alike, *each))
            if at == len(rooms) or rooms[at][:6] != (*alike, *each) or each.arn in avoid:
                continue
            if rooms[at].holds(ask):
                return size, rooms[at]
        return spot

    def may_hold(self, ask: Resources) -> bool:
        """False when not even the emptiest instance has the share that `ask` needs: told without a search."""
        suited = [size for size in self._classes.values() if size.rooms and ask.suits(size.registered)]
        need = ((size, size.share(ask.cpu, ask.memory_mib, ask.gpus)) for size in suited)
        return any(size.rooms[-1].share >= share - ROUNDING for size, share in need)

    def take(self, spot: Spot, ask: Resources) -> None:
        """Takes `ask` and one slot where `best` said."""
        size, room = spot
        self._delete(size, room)
        self._insert(size, room.less(size, ask, slots=room.slots - 1))

    def hold(self, spot: Spot, ask: Resources) -> None:
        """Takes `ask` where `best` said, for a task that does not start now: no slot."""
        size, room = spot
        self._delete(size, room)
        self._insert(size, room.less(size, ask, slots=room.slots))

    def spots(self) -> Iterator[Spot]:
        """Every instance, saturated ones included."""
        for size in self._classes.values():
            for room in size.rooms:
                yield size, room
        yield from self._saturated.values()

    def classes(self) -> list[SizeClass]:
        """Copies of the size classes that have instances, saturated ones included."""
        copies = {registered: _copied(size) for registered, size in self._classes.items()}
        for size, room in self._saturated.values():
            insort(copies[size.registered].rooms, room)
        return [each for each in copies.values() if each.rooms]

    def _insert(self, size: SizeClass, room: Room) -> None:
        if room.slots > 0:
            size.insert(room)
        else:
            self._saturated[room.arn] = (size, room)

    def _delete(self, size: SizeClass, room: Room) -> None:
        if self._saturated.pop(room.arn, None) is None:
            del size.rooms[bisect_left(size.rooms, room)]


def _copied(size: SizeClass) -> SizeClass:
    return type(size)(size.registered, size.rooms.copy())
