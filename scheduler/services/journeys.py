"""Journeys: how long tasks take from submission to RUNNING, and who waits for how long.

Folded from what is durable, beside the World: it is kept only where somebody wants to be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.core.model.records import TaskSubmitted, TaskTransitioned
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.ports.store import LiveTask
from scheduler.ports.telemetry import Metric, Sample


@dataclass(slots=True)
class _Journey:
    """A task's present way. `timed`: its whole way was seen, and it did not run before."""

    tenant: str
    submitted_ms: int
    timed: bool
    assigned_ms: int = 0
    starting_ms: int | None = None


class Journeys:
    """The way of every task that is not terminal."""

    def __init__(self) -> None:
        """Nobody is on the way."""
        self._journeys: dict[str, _Journey] = {}
        self._waiting: dict[str, dict[str, int]] = {}

    def resume(self, live: LiveTask) -> None:
        """Takes in a task that the store kept; when it was assigned or started is not known any more."""
        task = live.queued
        queued = live.state is TaskState.QUEUED
        self._journeys[task.task_id] = _Journey(task.tenant, task.submitted_ms, timed=queued)
        if queued:
            self._wait(task.task_id)

    def submitted(self, record: TaskSubmitted) -> None:
        """A task was accepted."""
        self._journeys[record.task_id] = _Journey(record.request.tenant, record.at_ms, timed=True)
        self._wait(record.task_id)

    def moved(self, record: TaskTransitioned) -> Iterator[Sample]:
        """A task changed its state; one that has come to RUNNING is timed."""
        journey = self._journeys.get(record.task_id)
        if journey is None:
            return
        self._waiting.get(journey.tenant, {}).pop(record.task_id, None)
        match record.state:
            case TaskState.QUEUED:
                self._wait(record.task_id)
            case TaskState.ASSIGNED:
                journey.assigned_ms, journey.starting_ms = record.at_ms, None
            case TaskState.STARTING:
                journey.starting_ms = record.at_ms
            case TaskState.RUNNING if journey.timed:
                journey.timed = False
                yield from _timed(journey, record.at_ms)
            case state if state in TERMINAL_STATES:
                del self._journeys[record.task_id]

    def queues(self, now_ms: int) -> Iterator[Sample]:
        """Depth and age of each tenant's queue; one that has emptied is told of once more."""
        for tenant, waiting in list(self._waiting.items()):
            oldest_ms = min(waiting.values(), default=now_ms)
            yield Sample(Metric.QUEUE_DEPTH, len(waiting), tenant)
            yield Sample(Metric.QUEUE_AGE, max(0, now_ms - oldest_ms) / 1000, tenant)
            if not waiting:
                del self._waiting[tenant]

    def _wait(self, task_id: str) -> None:
        journey = self._journeys[task_id]
        self._waiting.setdefault(journey.tenant, {})[task_id] = journey.submitted_ms


def _timed(journey: _Journey, running_ms: int) -> Iterator[Sample]:
    """The way and its three parts, which add up. ECS may skip STARTING: the launch is then all the rest."""
    starting_ms = running_ms if journey.starting_ms is None else journey.starting_ms
    yield Sample(Metric.TIME_QUEUED, (journey.assigned_ms - journey.submitted_ms) / 1000)
    yield Sample(Metric.TIME_LAUNCHING, (starting_ms - journey.assigned_ms) / 1000)
    yield Sample(Metric.TIME_STARTING, (running_ms - starting_ms) / 1000)
    yield Sample(Metric.TIME_TO_RUNNING, (running_ms - journey.submitted_ms) / 1000)
