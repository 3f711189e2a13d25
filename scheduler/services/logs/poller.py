"""The poller: threads that carry readings out, and nothing else."""

from threading import Condition, Thread

from scheduler.ports.clock import Clock
from scheduler.ports.logs import PAGE_LINES, ContainerLogs, LogPage, LogSource
from scheduler.services.logs.reads import READ_AT_ONCE, Answer, LogReads, Read, Reading

LEAST_WAIT_S = 0.005
_STOP_S = 1.0


class LogPoller:
    """Any thread may call. Answers are called on its own threads, which they must not hold up."""

    def __init__(self, logs: ContainerLogs, clock: Clock, reads_per_s: float) -> None:
        """Nothing is read before `start`."""
        self._logs = logs
        self._clock = clock
        self._reads = LogReads(reads_per_s)
        self._changed = Condition()
        self._closed = False
        # Daemons: a reading that hangs keeps no process from ending, and has no effect.
        self._threads = [
            Thread(target=self._run, name=f"logs-{number}", daemon=True) for number in range(READ_AT_ONCE)
        ]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begins nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_STOP_S)

    def join(self, source: LogSource) -> None:
        """One more follows the stream."""
        with self._changed:
            self._reads.join(source)

    def leave(self, source: LogSource) -> None:
        """One fewer does."""
        with self._changed:
            self._reads.leave(source)

    def want(self, reading: Reading, answer: Answer, *, at_end: bool, is_live: bool) -> Read | None:
        """See LogReads.want."""
        now_ms = self._clock.now_ms()
        with self._changed:
            known = self._reads.want(reading, answer, now_ms, at_end=at_end, is_live=is_live)
            self._changed.notify()
        return known

    def unwant(self, reading: Reading, answer: Answer) -> None:
        """Whoever asked so has gone."""
        with self._changed:
            self._reads.unwant(reading, answer)

    def _run(self) -> None:
        while (reading := self._next()) is not None:
            found = _found(self._logs, reading)
            with self._changed:
                told = self._reads.heard(reading, found, self._clock.now_ms())
                self._changed.notify()
            for answer, read in told:
                answer(read)

    def _next(self) -> Reading | None:
        """Waits for a reading to begin; None when there is to be none any more."""
        with self._changed:
            while not self._closed:
                now_ms = self._clock.now_ms()
                if (reading := self._reads.take(now_ms)) is not None:
                    return reading
                due_ms = self._reads.next_due_ms(now_ms)
                wait_s = None if due_ms is None else self._clock.real_seconds(due_ms - now_ms)
                self._changed.wait(None if wait_s is None else max(wait_s, LEAST_WAIT_S))
        return None


def _found(logs: ContainerLogs, reading: Reading) -> LogPage | Exception:
    try:
        return logs.read(reading.source, reading.place, PAGE_LINES)
    except Exception as error:
        # Defects too: a thread that ended would leave every tail silent for ever. Who asked is told.
        return error
