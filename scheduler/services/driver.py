"""The production driver: the loop's thread, and the pool that carries calls out.

    drain the inbox -> step -> commit and wait for the disk -> confirm -> submit the calls

It waits for the disk and never for AWS. If the commit fails nothing is applied and nothing is sent: what was
heard stays heard, and the same decision is made again a little later.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from scheduler.core.model.answers import Failure, Message, Outcome, Wake
from scheduler.core.model.calls import Call
from scheduler.ports.clock import Clock
from scheduler.ports.store import StoreError
from scheduler.services.asking import Ask
from scheduler.services.control_loop import COALESCE_MS, ControlLoop
from scheduler.services.lanes import Lanes
from scheduler.services.narrator import narrate, narrate_conditions
from scheduler.services.writer import Writer

MAX_WAIT_S = 1.0
"""Longest sleep of the loop: a clock that jumped is noticed within this time."""

STORE_PAUSE_S = 1.0
"""Pause after a commit failed: a full disk is survivable."""

log = structlog.get_logger()


class CallPool:
    """The calls port in production: a bounded pool of threads, one call each."""

    def __init__(
        self, carry_out: Callable[[Call], Outcome], deliver: Callable[[Message], None], *, threads: int
    ) -> None:
        """`deliver` puts outcomes into the loop's inbox. As many `threads` as the lanes let calls out."""
        self._carry_out = carry_out
        self._deliver = deliver
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="call")

    def submit(self, call: Call) -> None:
        """Hands the call to a thread."""
        self._pool.submit(self._run, call)

    def stop(self) -> None:
        """Waits for the calls that are under way; their outcomes are still delivered."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, call: Call) -> None:
        try:
            outcome = self._carry_out(call)
        except Exception as error:  # a defect of ours must not lose the outcome: the effect is unknown
            log.exception("call.defect", call=type(call).__name__)
            failure = Failure(definite=False, code="DEFECT", message=type(error).__name__)
            outcome = Outcome(call=call, answer=failure, sent_ms=0)
        self._deliver(outcome)


class Driver:
    """Runs a ControlLoop on a thread of its own."""

    def __init__(
        self, loop: ControlLoop, *, lanes: Lanes, writer: Writer, clock: Clock, failed: Callable[[], None]
    ) -> None:
        """Nothing runs before `start`. `lanes` are the loop's. `failed` hears that a defect has ended it."""
        self._loop = loop
        self._lanes = lanes
        self._writer = writer
        self._clock = clock
        self._failed = failed
        self._inbox: queue.SimpleQueue[Message | Ask] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._pool: CallPool | None = None
        self._defective = False

    def deliver(self, message: Message | Ask) -> None:
        """Puts a message into the inbox; any thread."""
        self._inbox.put(message)

    def start(self, pool: CallPool) -> None:
        """Starts the thread."""
        self._pool = pool
        self._thread.start()

    def stop(self) -> None:
        """Ends after the step that is under way, waits for the calls that it sent, and keeps their answers.

        An answer that is not kept is one to be searched for after the next start, for a minute and more.
        """
        self._stopping.set()
        self.deliver(Wake())
        self._thread.join()
        if self._pool is not None:
            self._pool.stop()
        if not self._defective:
            self._contained(self._turn_the_last_time)

    def _run(self) -> None:
        self._contained(self._turn_until_stopped)

    def _contained(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            # A defect of ours. Deciding on with a World that may be wrong is worse than starting anew from
            # the store, so the process is told to end.
            log.exception("loop.defect")
            self._defective = True
            self._failed()

    def _turn_the_last_time(self) -> None:
        """Commits what the last outcomes teach. Without slots the step has no calls."""
        self._lanes.close()
        try:
            self._turn(self._drain(self._clock.now_ms()))
        except StoreError as error:
            log.error("store.unwritable", reason=str(error))

    def _turn_until_stopped(self) -> None:
        wake_ms = self._clock.now_ms()
        while not self._stopping.is_set():
            messages = self._drain(wake_ms)
            try:
                wake_ms = self._turn(messages)
            except StoreError as error:
                log.error("store.unwritable", reason=str(error))
                self._stopping.wait(STORE_PAUSE_S)
                wake_ms = self._clock.now_ms()

    def _turn(self, messages: list[Message | Ask]) -> int:
        before = self._loop.digest
        step = self._loop.step(self._clock.now_ms(), messages)
        stored = self._writer.commit(step.records) if step.records else ()
        wake_ms = self._loop.confirm(step, stored)
        for call in step.calls:
            assert self._pool is not None, "start sets the pool"
            self._pool.submit(call)
        narrate(stored, step.calls)
        narrate_conditions(before.conditions, self._loop.digest.conditions)
        return wake_ms

    def _drain(self, wake_ms: int) -> list[Message | Ask]:
        """Everything in the inbox once `wake_ms` is reached or a message came and its companions had time."""
        wait_s = min(MAX_WAIT_S, self._clock.real_seconds(wake_ms - self._clock.now_ms()))
        messages: list[Message | Ask] = []
        try:
            messages.append(self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait())
            time.sleep(COALESCE_MS / 1000)
        except queue.Empty:
            return messages
        while not self._inbox.empty():
            messages.append(self._inbox.get())
        return messages
