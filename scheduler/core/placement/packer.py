"""The packer: walks the queue in its total order and gives each task its best fit."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace

from scheduler.core.model.backlog import BacklogGroup
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask
from scheduler.core.placement.free_index import FreeIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingResult:
    """Who goes where, and per backlog group how many found no place.

    `blocked` are the shapes that fit nowhere; tasks of other shapes may be left over only because
    `limit` placements were made. `index` is the fork with everything placed.
    """

    placed: tuple[tuple[QueuedTask, str], ...]
    left: tuple[tuple[BacklogGroup, int], ...]
    blocked: frozenset[Resources]
    index: FreeIndex


@dataclass(slots=True)
class _Turn:
    """A group's place in the merge of all groups: higher priority first, then the older head."""

    key: tuple[int, int, str]
    group: BacklogGroup
    task: QueuedTask
    rest: Iterator[QueuedTask]
    placed: int = 0

    def __lt__(self, other: "_Turn") -> bool:
        return self.key < other.key

    def advance(self) -> bool:
        task = next(self.rest, None)
        if task is None:
            return False
        self.task, self.key = task, _order(task)
        return True


@dataclass(slots=True)
class _Tally:
    placed: list[tuple[QueuedTask, str]] = field(default_factory=list)
    blocked: set[Resources] = field(default_factory=set)


def pack(
    backlog: Sequence[BacklogGroup],
    index: FreeIndex,
    *,
    limit: int,
    suspects: frozenset[tuple[str, Resources]] = frozenset(),
    unwanted: frozenset[str] = frozenset(),
) -> PackingResult:
    """Places at most `limit` tasks on a fork of `index`; `unwanted` tasks are passed over.

    A task that fits nowhere blocks the tasks of its own shape and no others.
    """
    fork = index.fork()
    tally = _Tally(blocked={ask for ask in {each.ask for each in backlog} if not fork.may_hold(ask)})
    hopeful = (group for group in backlog if group.ask not in tally.blocked)
    turns = [turn for group in hopeful if (turn := _first_turn(group, unwanted))]
    queue = turns.copy()
    heapify(queue)
    avoid = _avoided(suspects)
    while queue and len(tally.placed) < limit:
        if _place(queue[0], fork, tally, avoid) and queue[0].advance():
            heapreplace(queue, queue[0])
        else:
            heappop(queue)
    placed_of = {id(turn.group): turn.placed for turn in turns}
    left = ((group, group.count - placed_of.get(id(group), 0)) for group in backlog)
    return PackingResult(
        placed=tuple(tally.placed),
        left=tuple((group, count) for group, count in left if count > 0),
        blocked=frozenset(tally.blocked),
        index=fork,
    )


def _place(turn: _Turn, fork: FreeIndex, tally: _Tally, avoid: Mapping[Resources, frozenset[str]]) -> bool:
    """Places the group's head; False when its shape fits nowhere."""
    ask = turn.group.ask
    if ask in tally.blocked:
        return False
    spot = fork.best(ask, avoid.get(ask, _NOBODY))
    if spot is None:
        tally.blocked.add(ask)
        return False
    fork.take(spot, ask)
    tally.placed.append((turn.task, spot[1].arn))
    turn.placed += 1
    return True


_NOBODY: frozenset[str] = frozenset()


def _first_turn(group: BacklogGroup, unwanted: frozenset[str]) -> _Turn | None:
    heads = iter(group.heads)
    rest = (task for task in heads if task.task_id not in unwanted) if unwanted else heads
    task = next(rest, None)
    return _Turn(_order(task), group, task, rest) if task is not None else None


def _order(task: QueuedTask) -> tuple[int, int, str]:
    """The queue's total order: priority, then time of acceptance, then the id."""
    return (-task.priority, task.enqueue_revision, task.task_id)


def _avoided(suspects: frozenset[tuple[str, Resources]]) -> dict[Resources, frozenset[str]]:
    asks = {ask for _, ask in suspects}
    return {ask: frozenset(arn for arn, each in suspects if each == ask) for ask in asks}


class RejectCounter:
    """Counts, for shapes that fit nowhere, how many schedulable instances lack what.

    Memory is sorted once: on a full fleet every further shape is one bisection, whatever the fleet's size.
    Each instance is counted once, under the first that applies: memory, CPU, GPUs, slots, a refusal.
    """

    def __init__(self, index: FreeIndex) -> None:
        """Reads `index` once; later changes of it are not seen."""
        self._rooms = [room for _, room in index.spots()]
        self._memory = sorted(room.memory_mib for room in self._rooms)
        self._counted: dict[Resources, list[tuple[str, int]]] = {}

    def count(self, ask: Resources) -> list[tuple[str, int]]:
        """Per reason the number of instances, largest dimension of doubt first; zeros are left out."""
        if ask not in self._counted:  # tenants ask for the same shapes
            self._counted[ask] = self._count(ask)
        return self._counted[ask]

    def _count(self, ask: Resources) -> list[tuple[str, int]]:
        memory = bisect_left(self._memory, ask.memory_mib)
        if memory == len(self._rooms):
            return [("not enough memory", memory)] if memory else []
        enough_memory = [room for room in self._rooms if room.memory_mib >= ask.memory_mib]
        enough_cpu = [room for room in enough_memory if room.cpu >= ask.cpu]
        holding = [room for room in enough_cpu if room.gpus >= ask.gpus]
        cpu, gpus = len(enough_memory) - len(enough_cpu), len(enough_cpu) - len(holding)
        starting = sum(room.slots == 0 for room in holding)
        refused = len(holding) - starting
        counts = [
            ("not enough memory", memory),
            ("not enough cpu", cpu),
            ("not enough gpus", gpus),
            ("too many tasks starting", starting),
            ("refused it a moment ago", refused),
        ]
        return [(reason, count) for reason, count in counts if count]
