"""A telemetry port that remembers what it was told."""

from collections.abc import Iterable

from scheduler.ports.telemetry import Metric, Notice, Sample, Title


class Recorder:
    """Keeps every value; fails from now on when it is told to, which the port never does."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.notices: list[Notice] = []
        self.fails = False

    def offer(self, value: Sample | Notice) -> None:
        if self.fails:
            raise RuntimeError("a defect")
        if isinstance(value, Sample):
            self.samples.append(value)
        else:
            self.notices.append(value)

    def values(self, metric: Metric) -> list[float]:
        """All values of a metric, oldest first."""
        return [each.value for each in self.samples if each.metric is metric]

    def titles(self) -> list[Title]:
        """Titles of all notices, oldest first."""
        return [each.title for each in self.notices]


def by_tag(samples: Iterable[Sample], metric: Metric) -> dict[str, float]:
    """The last value of each of a metric's tags."""
    return {each.tag: each.value for each in samples if each.metric is metric}
