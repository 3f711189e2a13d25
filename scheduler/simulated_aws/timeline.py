"""The timeline: effects that are due later."""

import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[], object]


class Timeline:
    """One heap of (due time, order of scheduling, action): equal times keep the order they were asked in."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._sequence = count()

    def at(self, due_ms: int, action: Action) -> None:
        """Have `action` carried out at `due_ms`. Nothing is ever cancelled: an action checks its subject."""
        heapq.heappush(self._heap, (due_ms, next(self._sequence), action))

    def next_due_ms(self) -> int | None:
        """When the next effect is due; a virtual driver may jump there."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int) -> tuple[int, Action] | None:
        """Take the earliest action that is due by `now_ms`, with its own due time."""
        if not self._heap or self._heap[0][0] > now_ms:
            return None
        due_ms, _, action = heapq.heappop(self._heap)
        return due_ms, action
