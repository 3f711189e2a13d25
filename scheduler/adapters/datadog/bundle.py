"""The bundle: what has gathered since the last sending, summed up."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduler.ports.telemetry import Metric, MetricKind, Notice, Sample, Title

TEXTS_KEPT = 10
"""Sentences that one event carries, of at most TEXT_LENGTH: an event of DogStatsD ends at 8 KB."""

TEXT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Series:
    """A metric's values under one value of its tag: one of a gauge or count, many of a distribution."""

    metric: Metric
    tag: str
    values: tuple[float, ...]

    @property
    def tags(self) -> list[str]:
        """The tag as Datadog writes it."""
        return [f"{self.metric.value.tag}:{self.tag}"] if self.tag else []


@dataclass(frozen=True, slots=True)
class NoticeDigest:
    """So many notices of one title, and the sentences of the first of them."""

    title: Title
    count: int
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The event's text."""
        more = self.count - len(self.texts)
        return "\n".join((f"count: {self.count}", *self.texts, *([f"and {more} more"] if more else [])))


@dataclass(slots=True)
class _Gathering:
    """`rests_for` is in how many rounds the next event of this title may go out."""

    count: int = 0
    texts: list[str] = field(default_factory=list)
    rests_for: int = 0


class Bundle:
    """Gathers samples until they are taken, and notices until they are known to be sent."""

    def __init__(self, rounds_between_events: int) -> None:
        """An event's title goes out once in so many rounds."""
        self._rounds = rounds_between_events
        self._series: defaultdict[tuple[Metric, str], list[float]] = defaultdict(list)
        self._notices: dict[Title, _Gathering] = {}

    def add(self, value: Sample | Notice) -> None:
        """One more value."""
        if isinstance(value, Sample):
            self._measure(value)
            return
        gathering = self._notices.setdefault(value.title, _Gathering())
        gathering.count += 1
        if len(gathering.texts) < TEXTS_KEPT:
            gathering.texts.append(value.text[:TEXT_LENGTH])

    def take_series(self) -> list[Series]:
        """All series; they are gone from here."""
        taken = [Series(metric, tag, tuple(values)) for (metric, tag), values in self._series.items()]
        self._series.clear()
        return taken

    def due(self, *, at_once: bool) -> Iterator[NoticeDigest]:
        """What may go out in this round; `at_once`: there is no later one."""
        for title, gathering in list(self._notices.items()):
            gathering.rests_for = max(0, gathering.rests_for - 1)
            if gathering.count and (at_once or not gathering.rests_for):
                yield NoticeDigest(title, gathering.count, tuple(gathering.texts))

    def sent(self, title: Title) -> None:
        """Its event went out: the next one gathers for a while."""
        self._notices[title] = _Gathering(rests_for=self._rounds)

    def _measure(self, sample: Sample) -> None:
        values = self._series[sample.metric, sample.tag]
        match sample.metric.value.kind:
            case MetricKind.GAUGE:
                values[:] = [sample.value]
            case MetricKind.COUNT:
                values[:] = [sum(values) + sample.value]
            case MetricKind.DISTRIBUTION:
                values.append(sample.value)
