"""The log of scaling events."""

from scheduler.core.model.scaling import ScalingEvent, StoredScalingEvent
from scheduler.ports.store import RevisionCompacted


class ScalingLog:
    """Events in their order, numbered densely from 1, and the last of them kept."""

    def __init__(self, kept: int) -> None:
        self.sequence = 0
        self._kept = kept
        self._events: list[StoredScalingEvent] = []

    def add(self, event: ScalingEvent) -> None:
        """Gives the event the next sequence."""
        self.sequence += 1
        self._events.append(StoredScalingEvent(sequence=self.sequence, event=event))

    def after(self, sequence: int, limit: int) -> list[StoredScalingEvent]:
        """Later events in order. Raises RevisionCompacted when the next one is gone."""
        oldest = self.sequence + 1 - len(self._events)
        if sequence + 1 < oldest:
            raise RevisionCompacted(oldest)
        first = sequence + 1 - oldest
        return self._events[first : first + limit]

    def last(self, limit: int) -> tuple[ScalingEvent, ...]:
        """The end of the log, in order."""
        return tuple(each.event for each in self._events[-limit:])

    def compact(self) -> None:
        """Forgets all but the last ones."""
        del self._events[: -self._kept]
