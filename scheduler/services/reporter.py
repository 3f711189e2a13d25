"""The reporter: a control loop that tells of its steps, where somebody wants to be told.

It tells from the values that the loop has anyway: what it hears, what became durable, and the digest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import structlog

from scheduler.core.model.answers import Committed, Message
from scheduler.core.model.digest import ClusterDigest
from scheduler.core.model.records import ScalingRecorded, StoredRecord, TaskSubmitted, TaskTransitioned
from scheduler.core.world.world import World
from scheduler.ports.ids import Ids
from scheduler.ports.store import LiveTask, StoredState
from scheduler.ports.telemetry import Metric, Notice, Sample, Telemetry
from scheduler.services.asking import Ask
from scheduler.services.control_loop import ControlLoop, Step
from scheduler.services.journeys import Journeys
from scheduler.services.lanes import Lanes
from scheduler.services.measures import gauges, instance_minutes
from scheduler.services.notices import notice_of

GAUGES_MS = 10_000
"""Pause between two readings of the gauges: the interval of Datadog's agent (DogStatsD, data aggregation)."""

log = structlog.get_logger()


class Reporter:
    """What a step means in samples and notices. One thread at a time, the loop's."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing was measured."""
        self._telemetry = telemetry
        self._journeys = Journeys()
        self._measured_ms: int | None = None

    def resumed(self, live: LiveTask) -> None:
        """The store has kept a task."""
        self._journeys.resume(live)

    def heard(self, messages: Iterable[Message | Ask]) -> None:
        """Submissions come to the loop as messages, durable already."""
        for message in messages:
            if isinstance(message, Committed):
                for each in message.records:
                    if isinstance(each.record, TaskSubmitted):
                        self._journeys.submitted(each.record)

    def decided(self, took_ms: float) -> None:
        """A step was decided on."""
        self._telemetry.offer(Sample(Metric.DECISION_TIME, round(took_ms, 3)))

    def turned(self, stored: Iterable[StoredRecord], digest: ClusterDigest, now_ms: int) -> None:
        """A step became true with these records."""
        for value in self._news(stored):
            self._telemetry.offer(value)
        if self._measured_ms is None or now_ms - self._measured_ms >= GAUGES_MS:
            since_ms, self._measured_ms = self._measured_ms, now_ms
            elapsed_ms = 0 if since_ms is None else now_ms - since_ms
            measured = (
                self._journeys.queues(now_ms), gauges(digest), instance_minutes(digest.group, elapsed_ms)
            )  # fmt: skip
            for sample in chain(*measured):
                self._telemetry.offer(sample)

    def _news(self, stored: Iterable[StoredRecord]) -> Iterator[Sample | Notice]:
        for each in stored:
            match each.record:
                case TaskTransitioned() as moved:
                    yield from self._journeys.moved(moved)
                case ScalingRecorded(event=event) if (notice := notice_of(event)) is not None:
                    yield notice


@dataclass(frozen=True, slots=True)
class Reporting:
    """Whom the loop tells, and a watch in real milliseconds from any origin, for how long it decides."""

    telemetry: Telemetry
    elapsed_ms: Callable[[], float]


class ReportingLoop(ControlLoop):
    """A control loop that tells. A defect in the telling ends the telling and nothing else."""

    def __init__(self, world: World, lanes: Lanes, ids: Ids, cluster: str, *, to: Reporting) -> None:
        """Tells `to` what the loop on `world` does."""
        super().__init__(world, lanes, ids, cluster)
        self._elapsed_ms = to.elapsed_ms
        self._reporter: Reporter | None = Reporter(to.telemetry)

    def resume(self, stored: StoredState, now_ms: int) -> None:
        """Takes note of the tasks on their way to the World: they are read once, and may be many."""
        super().resume(replace(stored, live=self._noted(stored.live)), now_ms)

    def step(self, now_ms: int, messages: Sequence[Message | Ask]) -> Step:
        """Times the decision."""
        self._tell(lambda reporter: reporter.heard(messages))
        began_ms = self._elapsed_ms()
        step = super().step(now_ms, messages)
        took_ms = self._elapsed_ms() - began_ms
        self._tell(lambda reporter: reporter.decided(took_ms))
        return step

    def confirm(self, step: Step, stored: Sequence[StoredRecord]) -> int:
        """Tells what has become true."""
        wake_ms = super().confirm(step, stored)
        self._tell(lambda reporter: reporter.turned(stored, self.digest, step.now_ms))
        return wake_ms

    def _noted(self, live: Iterable[LiveTask]) -> Iterator[LiveTask]:
        for each in live:
            self._note(each)
            yield each

    def _note(self, live: LiveTask) -> None:
        self._tell(lambda reporter: reporter.resumed(live))

    def _tell(self, tell: Callable[[Reporter], None]) -> None:
        if self._reporter is None:
            return
        try:
            tell(self._reporter)
        except Exception:
            # A defect of ours, in what is only told: builds go on, and nobody is shown half a truth.
            log.exception("telemetry.defect")
            self._reporter = None
