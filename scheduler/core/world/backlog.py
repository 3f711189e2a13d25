"""The backlog: waiting tasks in lines of equal tenant, priority and shape.

A line is a FIFO with a side entrance: tasks that come back keep their place by enqueue revision. Everything
here costs the same whether ten tasks wait or a hundred thousand.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush, merge

from scheduler.core.model.backlog import BacklogGroup, place_of, place_of_nobody
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask

LineKey = tuple[str, int, Resources]


def _place(task: QueuedTask) -> tuple[int, str]:
    """Tasks that had a place reserved may stand at the same revision."""
    return (task.enqueue_revision, task.task_id)


class Line:
    """Tasks of one line that may be placed now. `count` also counts those that are aside."""

    __slots__ = ("_fresh", "_gone", "_returned", "count")

    def __init__(self) -> None:
        """An empty line."""
        self._fresh: deque[QueuedTask] = deque()
        self._returned: list[QueuedTask] = []
        self._gone: set[str] = set()
        self.count = 0

    def enter(self, task: QueuedTask) -> None:
        """Takes the task in, at the place that its enqueue revision gives it."""
        if not self._fresh or task.enqueue_revision > self._fresh[-1].enqueue_revision:
            self._fresh.append(task)
        else:
            insort(self._returned, task, key=_place)

    def leave(self, task: QueuedTask) -> None:
        """Lets the task out, from wherever in the line it stands."""
        at = bisect_left(self._returned, _place(task), key=_place)
        if self._returned[at : at + 1] == [task]:
            del self._returned[at]
            return
        self._gone.add(task.task_id)
        while self._fresh and self._fresh[0].task_id in self._gone:
            self._gone.remove(self._fresh.popleft().task_id)

    def __iter__(self) -> Iterator[QueuedTask]:
        """The tasks in queue order, lazily; the line must not change meanwhile."""
        fresh = (task for task in self._fresh if task.task_id not in self._gone)
        return merge(self._returned, fresh, key=_place) if self._returned else fresh


class Backlog:
    """All waiting tasks. A task is *aside* while it rests or waits for its definition."""

    def __init__(self) -> None:
        """An empty backlog."""
        self._lines: dict[LineKey, Line] = {}
        self._groups: dict[LineKey, BacklogGroup] = {}
        self._changed: dict[LineKey, None] = {}
        self._aside: dict[str, QueuedTask] = {}
        self._resting: list[tuple[int, str]] = []
        self._until_ms: dict[str, int] = {}

    def add(self, task: QueuedTask, *, aside: bool = False) -> None:
        """A task starts to wait; `aside` counts it without offering it for placement."""
        line = self._changing(task)
        line.count += 1
        if aside:
            self._aside[task.task_id] = task
        else:
            line.enter(task)

    def rest(self, task: QueuedTask, until_ms: int) -> None:
        """A task waits, but is not offered before `until_ms`."""
        self.add(task, aside=True)
        self._until_ms[task.task_id] = until_ms
        heappush(self._resting, (until_ms, task.task_id))

    def offer(self, task_id: str) -> None:
        """A task that was aside may be placed again."""
        task = self._aside.pop(task_id, None)
        if task is not None:
            self._changing(task).enter(task)

    def remove(self, task: QueuedTask) -> None:
        """A task waits no longer, nor rests."""
        self._until_ms.pop(task.task_id, None)
        line = self._changing(task)
        line.count -= 1
        if self._aside.pop(task.task_id, None) is None:
            line.leave(task)
        if line.count == 0:
            del self._lines[_key(task)]

    def wake(self, now_ms: int) -> None:
        """Offers the tasks whose rest is over."""
        while self._resting and self._resting[0][0] <= now_ms:
            until_ms, task_id = heappop(self._resting)
            if self._until_ms.get(task_id) == until_ms:
                del self._until_ms[task_id]
                self.offer(task_id)

    def next_ms(self) -> int | None:
        """When the next rest is over."""
        return self._resting[0][0] if self._resting else None

    def groups(self) -> tuple[BacklogGroup, ...]:
        """One group a line; those with nobody to place count for growth only.

        Only lines that changed since this was last asked are looked at anew.
        """
        for key in self._changed:
            if key in self._lines:
                self._groups[key] = _group(key, self._lines[key])
            else:
                self._groups.pop(key, None)
        self._changed.clear()
        return tuple(self._groups.values())

    def _changing(self, task: QueuedTask) -> Line:
        """The line that the task stands in, or is to."""
        key = _key(task)
        self._changed[key] = None
        return self._lines.setdefault(key, Line())


def _key(task: QueuedTask) -> LineKey:
    return (task.tenant, task.priority, task.ask)


def _group(key: LineKey, line: Line) -> BacklogGroup:
    tenant, priority, ask = key
    head = next(iter(line), None)
    return BacklogGroup(
        tenant=tenant,
        priority=priority,
        ask=ask,
        count=line.count,
        first=place_of(head) if head else place_of_nobody(priority),
        heads=line,
    )
