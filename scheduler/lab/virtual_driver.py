"""The virtual driver: one heap and one seeded source in place of threads, sleeps and the network.

A call that is submitted at t has its effect at t + d1 and its outcome at t + d2. A crash drops the World, the
inbox and every outcome under way; what was already sent has its effect all the same, and the store and AWS
live on. The same seed gives the same run.

The driver's clock is the true one. The engine's own may be wrong: it is asked for what the loop is told, and
when the loop wants to be woken is turned back into true time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random

from scheduler.bootstrap import Engine
from scheduler.core.model.answers import Committed, Message, Outcome
from scheduler.core.model.calls import Call
from scheduler.lab.clock import VirtualClock
from scheduler.ports.store import CommitResult, StoreError, Written
from scheduler.services.asking import Ask
from scheduler.services.control_loop import COALESCE_MS
from scheduler.services.errors import TooManyLines
from scheduler.services.writer import Submitted, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Ranges of d1, from submission to effect, and of what follows until the outcome arrives."""

    to_effect_ms: tuple[int, int] = (2, 80)
    to_outcome_ms: tuple[int, int] = (2, 80)


class VirtualDriver:
    """Drives one engine at a time; `start` makes a new one after a crash, on the same store and AWS."""

    def __init__(
        self, start: Callable[[], Engine], clock: VirtualClock, *, seed: int, latency: Latency | None = None
    ) -> None:
        """Starts the first engine."""
        self._start = start
        self._clock = clock
        self._random = Random(seed)
        self._latency = latency or Latency()
        self._order = count()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._inbox: list[Message | Ask] = []
        self._life = 0
        self._wake_ms: int | None = None
        self.engine = self._begin()

    def commit(self, record: Submitted) -> CommitResult | TooManyLines:
        """Commits what a client wants as the writer does, and tells the loop."""
        return self.commit_together([record])[0]

    def commit_together(self, records: Sequence[Submitted]) -> Sequence[CommitResult | TooManyLines]:
        """Commits what several clients want, each its own batch, as the writer does when it is busy."""
        results = self.engine.queue.commit([[each] for each in records])
        durable = tuple(
            stored
            for record, result in zip(records, results, strict=True)
            if isinstance(result, Written)
            for stored in number((record,), result.first_revision)
        )
        if durable:
            self._deliver(Committed(records=durable))
        return results

    def ask(self, question: Ask) -> None:
        """Asks the loop, which answers in its next step."""
        self._deliver(question)

    def at(self, at_ms: int, act: Callable[[], None]) -> None:
        """Does something at a point in time."""
        heappush(self._heap, (at_ms, next(self._order), act))

    def crash(self) -> None:
        """SIGKILL and a restart: only the store, AWS and what was sent survive."""
        self._life += 1
        self._wake_ms = None
        self._inbox.clear()
        self.engine = self._begin()

    def run_until(self, done: Callable[[], bool], *, limit_ms: int) -> bool:
        """Lets time pass until `done` or for at most `limit_ms`; returns whether it is done."""
        end_ms = self._clock.now_ms() + limit_ms
        while not done():
            if not self._heap or self._heap[0][0] > end_ms:
                return False
            self.advance()
        return True

    def next_ms(self) -> int:
        """When the next thing is done: where several drivers share a clock, the earliest goes first."""
        return self._heap[0][0]

    def advance(self) -> None:
        """Does the next thing on the heap."""
        at_ms, _, act = heappop(self._heap)
        self._clock.advance_ms(max(0, at_ms - self._clock.now_ms()))
        act()

    def _begin(self) -> Engine:
        engine = self._start()
        engine.resume()
        self._wake(self._clock.now_ms())
        return engine

    def _wake(self, at_ms: int) -> None:
        """The loop has one alarm; it is only ever set earlier."""
        if self._wake_ms is None or at_ms < self._wake_ms:
            self._wake_ms = at_ms
            life = self._life
            self.at(at_ms, lambda: self._turn(at_ms, life))

    def _turn(self, at_ms: int, life: int) -> None:
        if life != self._life or at_ms != self._wake_ms:
            return
        self._wake_ms = None
        messages, self._inbox = self._inbox, []
        loop, now_ms = self.engine.loop, self.engine.clock.now_ms()
        step = loop.step(now_ms, messages)
        try:
            result = (
                self.engine.queue.commit([step.records])[0] if step.records else Written(first_revision=0)
            )
        except StoreError:
            self._wake(self._clock.now_ms() + 1_000)
            return
        assert isinstance(result, Written), "the loop's own records are never refused"
        wake_ms = loop.confirm(step, number(step.records, result.first_revision))
        for call in step.calls:
            self._send(call)
        self._wake(self._clock.now_ms() + wake_ms - now_ms)

    def _send(self, call: Call) -> None:
        engine, life = self.engine, self._life

        def effect() -> None:
            outcome = engine.carrier.carry_out(call)
            delay_ms = self._random.randint(*self._latency.to_outcome_ms)
            self.at(self._clock.now_ms() + delay_ms, lambda: self._hear(outcome, life))

        self.at(self._clock.now_ms() + self._random.randint(*self._latency.to_effect_ms), effect)

    def _hear(self, outcome: Outcome, life: int) -> None:
        if life == self._life:
            self._deliver(outcome)

    def _deliver(self, message: Message | Ask) -> None:
        if not self._inbox:
            self._wake(self._clock.now_ms() + COALESCE_MS)
        self._inbox.append(message)
