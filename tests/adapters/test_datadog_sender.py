"""The sender: it takes everything at once, sums up, and keeps the network's troubles to itself."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from scheduler.adapters.datadog.bundle import TEXT_LENGTH, TEXTS_KEPT, Bundle, NoticeDigest, Series
from scheduler.adapters.datadog.intake import ApiIntake
from scheduler.adapters.datadog.sender import Sender
from scheduler.ports.telemetry import Metric, MetricKind, Notice, Sample, Title
from tests.adapters.datadog_intakes import KEY, datadog_settings, fake_api
from tests.clocks import VirtualClock

pytestmark = pytest.mark.timeout(30)

WAIT_S = 10.0
GROWN = Notice(Title.GROUP_GROWN, "ci: two more")
DEPTH = Sample(Metric.QUEUE_DEPTH, 1, "team-a")


class FakeIntake:
    """Takes everything, or fails, or hangs at its gate."""

    def __init__(self) -> None:
        self.series: SimpleQueue[Series] = SimpleQueue()
        self.events: SimpleQueue[NoticeDigest] = SimpleQueue()
        self.tried: SimpleQueue[None] = SimpleQueue()
        self.fails: Exception | None = None
        self.gate = Event()
        self.gate.set()

    def take_series(self, series: Sequence[Series]) -> None:
        self._pass()
        for each in series:
            self.series.put(each)

    def take_event(self, event: NoticeDigest) -> None:
        self._pass()
        self.events.put(event)

    def close(self) -> None:
        """It has no connection."""

    def _pass(self) -> None:
        self.tried.put(None)
        assert self.gate.wait(WAIT_S), "the test never opened the gate"
        if self.fails is not None:
            raise self.fails


@contextmanager
def sending(intake: FakeIntake, *, every_s: float = 0.01, length: int = 1_000) -> Iterator[Sender]:
    sender = Sender(intake, secret=KEY, every_s=every_s, rounds_between_events=1_000, length=length)
    sender.start()
    yield sender
    intake.gate.set()
    sender.close()


def drained(queue: SimpleQueue[Series]) -> list[Series]:
    found = []
    while True:
        try:
            found.append(queue.get_nowait())
        except Empty:
            return found


def offer_many(sender: Sender) -> None:
    for _ in range(10_000):
        sender.offer(DEPTH)


def seconds(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


@given(
    st.lists(st.sampled_from(list(Metric)).flatmap(lambda m: st.builds(Sample, st.just(m), st.integers())))
)
def test_series_are_what_their_kinds_promise(samples: list[Sample]) -> None:
    """The last value of a gauge, the sum of a count, every value of a distribution; then nothing is left."""
    bundle = Bundle(1)
    for each in samples:
        bundle.add(each)
    for series in bundle.take_series():
        values = [each.value for each in samples if each.metric is series.metric]
        expected = {
            MetricKind.GAUGE: values[-1:],
            MetricKind.COUNT: [sum(values)],
            MetricKind.DISTRIBUTION: values,
        }
        assert list(series.values) == expected[series.metric.value.kind]
    assert bundle.take_series() == []


def test_alike_notices_are_one_event_with_a_count() -> None:
    """Forty at once are one event, with the first sentences, and short enough for a datagram of 8 KB."""
    bundle = Bundle(6)
    for number in range(40):
        bundle.add(Notice(Title.GROUP_GROWN, f"{number}: " + "x" * 10_000))
    [event] = bundle.due(at_once=False)
    assert (event.count, len(event.texts)) == (40, TEXTS_KEPT)
    assert event.text.startswith("count: 40\n0: x")
    assert event.text.endswith("and 30 more")
    assert len(event.text) < TEXTS_KEPT * (TEXT_LENGTH + 1) + 40 < 8 * 1024


def test_a_title_goes_out_at_once_and_then_rests() -> None:
    """The first is told in its own round; what follows within the minute is one event at its end."""
    bundle = Bundle(3)
    counts = []
    for _ in range(7):
        bundle.add(GROWN)
        due = list(bundle.due(at_once=False))
        counts.append([each.count for each in due])
        for each in due:
            bundle.sent(each.title)
    assert counts == [[1], [], [], [3], [], [], [3]]


def test_other_titles_do_not_rest() -> None:
    """A rest is a title's own."""
    bundle = Bundle(3)
    bundle.sent(Title.GROUP_GROWN)
    bundle.add(Notice(Title.LAUNCH_FAILED, "no capacity"))
    assert [each.title for each in bundle.due(at_once=False)] == [Title.LAUNCH_FAILED]


def test_what_is_left_is_sent_at_the_end() -> None:
    """A stop waits for no round, nor for the minute of an event."""
    intake = FakeIntake()
    with sending(intake, every_s=1_000) as sender:
        sender.offer(GROWN)
        sender.offer(DEPTH)
        sender.close()
        assert (intake.events.get_nowait().count, intake.series.get_nowait().values) == (1, (1,))


def test_a_hanging_intake_delays_nobody() -> None:
    """Neither those who offer nor the stop, whatever was offered."""
    intake = FakeIntake()
    with sending(intake) as sender:
        intake.gate.clear()
        sender.offer(GROWN)
        intake.tried.get(timeout=WAIT_S)
        assert seconds(lambda: offer_many(sender)) < 2
        with capture_logs() as logs:
            assert seconds(lambda: sender.close(wait_s=0.1)) < 2
        assert [each["event"] for each in logs] == ["datadog.left_unsent"]


def test_a_full_queue_drops_the_oldest_and_counts_them() -> None:
    """What is newest is worth most; what was lost is itself a metric."""
    intake = FakeIntake()
    with sending(intake, every_s=1_000, length=3) as sender:
        for value in range(10):
            sender.offer(Sample(Metric.DECISION_TIME, value))
        sender.close()
        seen = {each.metric: each.values for each in drained(intake.series)}
    assert seen == {Metric.DECISION_TIME: (7, 8, 9), Metric.DROPPED: (7,)}


def test_an_event_that_is_refused_is_tried_again() -> None:
    """It gathers what comes meanwhile, and is told once when it can be."""
    intake = FakeIntake()
    intake.fails = ValueError("HTTP 500")
    with sending(intake) as sender, capture_logs() as logs:
        sender.offer(GROWN)
        for _ in range(4):
            intake.tried.get(timeout=WAIT_S)
        sender.offer(GROWN)
        intake.fails = None
        assert intake.events.get(timeout=WAIT_S).count in (1, 2)
        sender.close()
    assert [each["event"] for each in logs] == ["datadog.unsent", "datadog.sent_again"]


def test_metrics_that_are_refused_are_counted() -> None:
    """They are lost: the next round has newer ones."""
    intake = FakeIntake()
    intake.fails = ValueError("HTTP 500")
    with sending(intake) as sender:
        sender.offer(DEPTH)
        for _ in range(3):
            intake.tried.get(timeout=WAIT_S)
        intake.fails = None
        assert intake.series.get(timeout=WAIT_S).metric is Metric.DROPPED


def test_the_key_is_never_logged() -> None:
    """Not even when an error quotes it."""
    intake = FakeIntake()
    intake.fails = ValueError(f"invalid header value: {KEY}")
    with capture_logs() as logs, sending(intake) as sender:
        sender.offer(DEPTH)
        sender.close()
    assert logs[0]["reason"] == "ValueError: invalid header value: ***"


@pytest.mark.parametrize("status", [202, 403, 429, 500])
def test_whatever_the_api_answers_the_key_is_never_logged(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by us nor by the library, at any level."""
    caplog.set_level(0)
    with fake_api() as api, capture_logs() as logs:
        api.status = status
        sender = Sender(ApiIntake(datadog_settings(api_url=api.url), VirtualClock()), secret=KEY)
        sender.start()
        sender.offer(GROWN)
        sender.offer(DEPTH)
        sender.close(wait_s=WAIT_S)
        assert api.next_to("events")["title"] == "ecs_scheduler.group_grown"
    assert [each["event"] for each in logs] == ([] if status == 202 else ["datadog.unsent"])
    assert KEY not in f"{logs}{caplog.text}"


def test_a_sender_that_never_began_ends_at_once() -> None:
    """A start that failed is stopped like any other."""
    Sender(FakeIntake()).close()
