"""The packer: walks the queue in its total order and gives each task its best fit."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from types import MappingProxyType
from typing import NamedTuple

from scheduler.core.model.backlog import BacklogGroup, Place, place_of
from scheduler.core.model.reservation import Pieces, Reserved
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex, Room


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingResult:
    """Who goes where, and per backlog group how many found no place.

    `blocked` are the shapes that fit nowhere; tasks of other shapes may be left over only because
    `limit` placements were made. `index` has everything placed and held, and is not to be changed.

    `unheld` is reserved room that was not looked for or not found, `awaited` how often room of a shape is
    held for a task that waits, and `holding` are the instances on which some is held.
    """

    placed: tuple[tuple[QueuedTask, str], ...]
    left: tuple[tuple[BacklogGroup, int], ...]
    blocked: frozenset[Resources]
    index: FreeIndex
    unheld: tuple[Pieces, ...] = ()
    awaited: Counter[Resources] = field(default_factory=Counter)
    holding: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Ranked:
    """Something with a place in the merge: higher priority first, then the older."""

    key: Place

    def __lt__(self, other: "_Ranked") -> bool:
        return self.key < other.key


@dataclass(slots=True)
class _Hold(_Ranked):
    """Reserved room."""

    room: Reserved


@dataclass(slots=True)
class _Turn(_Ranked):
    """A group's place in the merge of all groups, which is that of its head."""

    group: BacklogGroup
    task: QueuedTask
    rest: Iterator[QueuedTask]
    placed: int = 0

    def advance(self) -> bool:
        task = next(self.rest, None)
        if task is None:
            return False
        self.task, self.key = task, place_of(task)
        return True


@dataclass(slots=True)
class _Tally:
    """What the walk has come to. `overflows_from`: where the first task stands that fits nowhere."""

    placed: list[tuple[QueuedTask, str]] = field(default_factory=list)
    blocked: set[Resources] = field(default_factory=set)
    overflows_from: Place | None = None
    unheld: list[Pieces] = field(default_factory=list)
    awaited: Counter[Resources] = field(default_factory=Counter)
    holding: set[str] = field(default_factory=set)


class _Avoided(NamedTuple):
    """Instances that a shape, or a task by its id, is not to be put on."""

    shapes: Mapping[Resources, frozenset[str]]
    tasks: Mapping[str, frozenset[str]]


def pack(
    backlog: Sequence[BacklogGroup],
    index: FreeIndex,
    *,
    limit: int,
    suspects: frozenset[tuple[str, Resources]] = frozenset(),
    lacking: Mapping[str, frozenset[str]] = MappingProxyType({}),
    unwanted: frozenset[str] = frozenset(),
    reserved: Sequence[Reserved] = (),
) -> PackingResult:
    """Places at most `limit` tasks on a fork of `index`; `unwanted` tasks are passed over.

    A task that fits nowhere blocks the tasks of its own shape and no others; one that only avoids instances
    which are `lacking` for it blocks nobody. What is `reserved` is held when its turn comes: tasks that stand
    behind it do not get that room.
    """
    if not (backlog or reserved):
        return PackingResult(placed=(), left=(), blocked=frozenset(), index=index)
    fork = index.fork()
    tally = _Tally()
    turns = _turns(backlog, fork, unwanted, tally)
    queue: list[_Ranked] = [*turns, *_holds(reserved)]
    heapify(queue)
    avoid, waiting = _Avoided(_by_shape(suspects), lacking), len(turns)
    while waiting and len(tally.placed) < limit:
        first = queue[0]
        if isinstance(first, _Hold):
            _hold(first.room, fork, tally)
        elif isinstance(first, _Turn) and _place(first, fork, tally, avoid) and first.advance():
            heapreplace(queue, first)
            continue
        else:
            waiting -= 1
        heappop(queue)
    # Nobody is left from whom the rest would have to be kept.
    rest = (each.room for each in sorted(queue) if isinstance(each, _Hold))
    tally.unheld += [Pieces(ask=each.ask, count=each.count) for each in rest if not each.task_id]
    placed_of = {id(turn.group): turn.placed for turn in turns}
    return PackingResult(
        placed=tuple(tally.placed),
        left=tuple(
            [(group, count) for group in backlog if (count := group.count - placed_of.get(id(group), 0)) > 0]
        ),
        blocked=frozenset(tally.blocked),
        index=fork,
        unheld=tuple(tally.unheld),
        awaited=tally.awaited,
        holding=frozenset(tally.holding),
    )


def _place(turn: _Turn, fork: FreeIndex, tally: _Tally, avoid: _Avoided) -> bool:
    """Places the group's head, or passes over it alone; False when its shape fits nowhere."""
    ask = turn.group.ask
    if ask in tally.blocked:
        return False
    overflows = tally.overflows_from is not None and tally.overflows_from < turn.key
    lacking = avoid.tasks.get(turn.task.task_id, _NOBODY)
    spot = fork.best(
        ask, avoid.shapes.get(ask, _NOBODY) | lacking, overflows=overflows, image=turn.task.image
    )
    if spot is None and lacking:
        return True
    if spot is None:
        tally.blocked.add(ask)
        tally.overflows_from = tally.overflows_from if overflows else turn.key
        return False
    fork.take(spot, ask)
    tally.placed.append((turn.task, spot[1].arn))
    turn.placed += 1
    return True


def _holds(reserved: Sequence[Reserved]) -> Iterator[_Hold]:
    """In their order: the pieces of a reservation have one rank, and a heap puts equals in any order."""
    for number, each in enumerate(reserved):
        priority, revision, name = each.rank
        yield _Hold((priority, revision, f"{name} {number:06}"), each)


def _hold(reserved: Reserved, fork: FreeIndex, tally: _Tally) -> None:
    """Holds what there is room for. The task whose room it is may have got it in the turn before."""
    if reserved.task_id and tally.placed and tally.placed[-1][0].task_id == reserved.task_id:
        return
    left = reserved.count
    while left and (spot := fork.best(reserved.ask)) is not None:
        fork.hold(spot, reserved.ask)
        tally.holding.add(spot[1].arn)
        left -= 1
    if reserved.task_id:
        tally.awaited[reserved.ask] += reserved.count - left
    elif left:
        tally.unheld.append(Pieces(ask=reserved.ask, count=left))


_NOBODY: frozenset[str] = frozenset()


def _turns(
    backlog: Sequence[BacklogGroup], fork: FreeIndex, unwanted: frozenset[str], tally: _Tally
) -> list[_Turn]:
    """Whose heads may find room. The others' shapes are blocked from the start, whoever asks for them."""
    holds: dict[Resources, bool] = {}
    turns: list[_Turn] = []
    overflowing: list[Place] = []
    for group in backlog:
        ask = group.ask
        held = holds.get(ask)
        if held is None:
            held = holds[ask] = fork.may_hold(ask)
        if held:
            turns += _first_turn(group, unwanted)
        elif unwanted:
            overflowing += (turn.key for turn in _first_turn(group, unwanted))
        else:
            overflowing.append(group.first)
    tally.blocked.update(ask for ask, held in holds.items() if not held)
    tally.overflows_from = min(overflowing, default=None)
    return turns


def _first_turn(group: BacklogGroup, unwanted: frozenset[str]) -> Iterator[_Turn]:
    """The turn of its first task that is wanted, if there is one."""
    heads = iter(group.heads)
    rest = (task for task in heads if task.task_id not in unwanted) if unwanted else heads
    for task in rest:
        yield _Turn(place_of(task), group, task, rest)
        return


def _by_shape(suspects: frozenset[tuple[str, Resources]]) -> dict[Resources, frozenset[str]]:
    asks = {ask for _, ask in suspects}
    return {ask: frozenset(arn for arn, each in suspects if each == ask) for ask in asks}


class RejectCounter:
    """Counts, for shapes that fit nowhere, how many schedulable instances lack what.

    Memory is sorted once: on a full fleet every further shape is one bisection, whatever the fleet's size.
    Each instance is counted once, under the first that applies: architecture, somebody on it (for a task that
    wants it for itself), memory, CPU, GPUs, daemons, slots, a refusal.
    """

    def __init__(self, index: FreeIndex) -> None:
        """Reads `index` once; later changes of it are not seen."""
        self._spots = list(index.spots())
        self._sorted: dict[tuple[Architecture, bool], _Rooms] = {}

    def count(self, ask: Resources) -> list[tuple[str, int]]:
        """Per reason the number of instances, largest dimension of doubt first; zeros are left out."""
        suited = self._suited(ask.architecture)
        others = len(self._spots) - len(suited.rooms)
        able = self._suited(ask.architecture, empty=True) if ask.exclusive else suited
        shared = len(suited.rooms) - len(able.rooms)
        counts = [("not the architecture", others), ("not empty", shared), *_lacks(ask, able)]
        return [(reason, count) for reason, count in counts if count]

    def _suited(self, wanted: Architecture, *, empty: bool = False) -> "_Rooms":
        """Those of the architecture; `empty`: that nobody is on."""
        if (wanted, empty) not in self._sorted:
            rooms = [
                room
                for size, room in self._spots
                if (not wanted or wanted == size.registered.architecture) and (room.empty or not empty)
            ]
            self._sorted[wanted, empty] = _Rooms(rooms, sorted(room.memory_mib for room in rooms))
        return self._sorted[wanted, empty]


class _Rooms(NamedTuple):
    rooms: list[Room]
    memory: list[int]


def _lacks(ask: Resources, suited: _Rooms) -> list[tuple[str, int]]:
    memory = bisect_left(suited.memory, ask.memory_mib)
    if memory == len(suited.rooms):
        return [("not enough memory", memory)]
    enough_memory = [room for room in suited.rooms if room.memory_mib >= ask.memory_mib]
    enough_cpu = [room for room in enough_memory if room.cpu >= ask.cpu]
    holding = [room for room in enough_cpu if room.gpus >= ask.gpus]
    cpu, gpus = len(enough_memory) - len(enough_cpu), len(enough_cpu) - len(holding)
    awaiting = sum(room.awaits_daemons for room in holding)
    starting = sum(room.slots == 0 for room in holding) - awaiting
    refused = len(holding) - starting - awaiting
    return [
        ("not enough memory", memory),
        ("not enough cpu", cpu),
        ("not enough gpus", gpus),
        ("its daemons are awaited", awaiting),
        ("too many tasks starting", starting),
        ("refused it a moment ago", refused),
    ]
