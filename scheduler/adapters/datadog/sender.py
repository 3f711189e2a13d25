"""The sender: a bounded queue, and the one thread that empties it towards an intake."""

from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread

import structlog

from scheduler.adapters.datadog.bundle import Bundle
from scheduler.adapters.datadog.intake import Intake
from scheduler.ports.telemetry import Metric, Notice, Sample

SEND_EVERY_S = 10.0
"""A round: Datadog's agent sums up over as long (DogStatsD, data aggregation), so no more would be seen."""

ROUNDS_BETWEEN_EVENTS = 6
"""Of one title one event a minute: forty instances that go at once are one piece of news."""

QUEUE_LENGTH = 20_000
"""Values that wait for the thread. A busy service offers some 300 a second: it may hang for a minute."""

CLOSE_S = 4.0
"""What a stop waits for the last of it. One request of the API that hangs takes 3 s."""

log = structlog.get_logger()


class Sender:
    """The telemetry port: takes everything at once, drops the oldest when it falls behind, and counts."""

    def __init__(
        self,
        intake: Intake,
        *,
        secret: str = "",
        every_s: float = SEND_EVERY_S,
        rounds_between_events: int = ROUNDS_BETWEEN_EVENTS,
        length: int = QUEUE_LENGTH,
    ) -> None:
        """Nothing runs before `start`. `secret` is kept out of everything that is logged."""
        self._intake = intake
        self._secret = secret
        self._every_s = every_s
        self._bundle = Bundle(rounds_between_events)
        self._lock = Lock()
        self._queue: deque[Sample | Notice] = deque(maxlen=length)
        self._dropped = 0
        self._failing = False
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="datadog", daemon=True)

    def offer(self, value: Sample | Notice) -> None:
        """Takes the value in; any thread. A full queue loses its oldest."""
        with self._lock:
            self._dropped += len(self._queue) == self._queue.maxlen
            self._queue.append(value)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self, wait_s: float = CLOSE_S) -> None:
        """Sends what is left and waits `wait_s` for that at most: the thread dies with the process."""
        if not self._thread.is_alive():
            return
        self._stopping.set()
        self._thread.join(wait_s)
        if self._thread.is_alive():
            log.warning("datadog.left_unsent")

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._round(last=False)
        self._round(last=True)
        self._intake.close()

    def _round(self, *, last: bool) -> None:
        """Sums up and sends. Events first: there are few, and somebody waits for them."""
        works = (self._gather, lambda: self._send_events(last=last), self._send_series)
        failures = [failure for work in works if (failure := self._tried(work)) is not None]
        self._tell(failures[0] if failures else None)

    def _tried(self, work: Callable[[], None]) -> Exception | None:
        try:
            work()
        except Exception as error:  # the library raises what it likes, ValueError and AssertionError included
            return error
        return None

    def _gather(self) -> None:
        with self._lock:
            values, self._queue = self._queue, deque(maxlen=self._queue.maxlen)
            dropped, self._dropped = self._dropped, 0
        for value in values:
            self._bundle.add(value)
        if dropped:
            self._bundle.add(Sample(Metric.DROPPED, dropped))

    def _send_events(self, *, last: bool) -> None:
        """One that is not taken stays, and more gathers in it."""
        for event in self._bundle.due(at_once=last):
            self._intake.take_event(event)
            self._bundle.sent(event.title)

    def _send_series(self) -> None:
        """What is not taken is lost: by the next round there are newer values."""
        series = self._bundle.take_series()
        try:
            self._intake.take_series(series)
        except Exception:
            with self._lock:
                self._dropped += sum(len(each.values) for each in series)
            raise

    def _tell(self, failure: Exception | None) -> None:
        """Once when it fails, once when it works again. Whatever a failure quotes, the key is not logged."""
        if failure is not None and not self._failing:
            said = f"{type(failure).__name__}: {failure}"
            reason = said.replace(self._secret, "***") if self._secret else said
            log.warning("datadog.unsent", reason=reason[:300])
        elif failure is None and self._failing:
            log.info("datadog.sent_again")
        self._failing = failure is not None
