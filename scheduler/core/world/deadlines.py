"""Deadlines: when the patience with each task ends. A task has at most one, that of the state it is in."""

from heapq import heapify, heappop, heappush

SPARE = 1_000
"""Points in time of tasks that moved on which are kept in any case, so that few tasks are not gone through at
each step."""


class Deadlines:
    """Points in time by task id. One that has passed stays due until the task moves on."""

    def __init__(self) -> None:
        """No deadlines."""
        self._at_ms: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, None] = {}

    def set(self, task_id: str, at_ms: int | None) -> None:
        """The task's deadline from now on; None for none."""
        self._due.pop(task_id, None)
        self._at_ms.pop(task_id, None)
        if at_ms is not None:
            self._at_ms[task_id] = at_ms
            heappush(self._heap, (at_ms, task_id))
        if len(self._heap) > 2 * len(self._at_ms) + SPARE:
            self._let_go()

    def due(self, now_ms: int) -> tuple[str, ...]:
        """Tasks whose deadline has passed, in the order in which it did."""
        while self._heap and self._heap[0][0] <= now_ms:
            at_ms, task_id = heappop(self._heap)
            if self._at_ms.get(task_id) == at_ms:
                self._due[task_id] = None
        return tuple(self._due)

    def next_ms(self) -> int | None:
        """When the next deadline passes; those of tasks that moved on may still be among them."""
        return self._heap[0][0] if self._heap else None

    def _let_go(self) -> None:
        """Drops the points in time of tasks that moved on: a run may have 30 days, and end after a second."""
        self._heap = [(at_ms, task_id) for task_id, at_ms in self._at_ms.items() if task_id not in self._due]
        heapify(self._heap)
