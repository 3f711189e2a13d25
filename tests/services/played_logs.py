"""The poller of logs without its threads, on a virtual clock, over logs that can be made to fail."""

from collections import Counter
from dataclasses import replace
from typing import Any

from scheduler.adapters.memory import MemoryLogs
from scheduler.core.model.answers import Failure
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.task import Task, TaskState, TaskStatus
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import LogLine, LogPage, LogPlace, LogSource
from scheduler.services.logs.reads import Answer, LogReads, Read, Reading
from scheduler.services.logs.tail import LogsWanted, LogTail
from tests.builders import REGULAR, attempt, containers_spec, task_id
from tests.clocks import START_MS, VirtualClock

THROTTLED = CloudError(Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate"))
LOST = CloudError(Failure(definite=False, code="ReadTimeoutError", message="no answer"))


class FailingLogs(MemoryLogs):
    """Logs whose next readings fail as they were told to; it counts all of them, by place."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.readings: Counter[LogPlace] = Counter()

    def read(self, source: LogSource, place: LogPlace, limit: int) -> LogPage:
        self.readings[place] += 1
        if self.failures:
            raise self.failures.pop(0)
        return super().read(source, place, limit)


class PlayedPages:
    """Readings are carried out when time passes, in the order in which they are due."""

    def __init__(self, clock: VirtualClock, logs: FailingLogs, per_s: float = 100.0, limit: int = 10) -> None:
        self.reads = LogReads(per_s)
        self._clock = clock
        self._logs = logs
        self._limit = limit

    def join(self, source: LogSource) -> None:
        self.reads.join(source)

    def leave(self, source: LogSource) -> None:
        self.reads.leave(source)

    def want(self, reading: Reading, answer: Answer, *, at_end: bool, is_live: bool) -> Read | None:
        now_ms = self._clock.now_ms()
        return self.reads.want(reading, answer, now_ms, at_end=at_end, is_live=is_live)

    def unwant(self, reading: Reading, answer: Answer) -> None:
        self.reads.unwant(reading, answer)

    def play(self) -> None:
        """Everything that is due now."""
        while (reading := self.reads.take(self._clock.now_ms())) is not None:
            found: LogPage | Exception
            try:
                found = self._logs.read(reading.source, reading.place, self._limit)
            except Exception as refused:
                found = refused
            for answer, read in self.reads.heard(reading, found, self._clock.now_ms()):
                answer(read)


class Tailing:
    """One stage: a task, its logs, and tails of them, each with what it has given out."""

    def __init__(self, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.logs = FailingLogs()
        self.pages = PlayedPages(self.clock, self.logs, **settings)
        self.task = a_whole_task()

    def tail(self, *, follow: bool = True, patience_ms: int = 0, **wanted: Any) -> "Told":
        return Told(
            LogTail(
                LogsWanted(container="agent", follow=follow, **wanted),
                lambda: self.task,
                self.pages,
                patience_ms=patience_ms,
                notify=lambda: None,
            )
        )

    def write(self, *texts: str, launch: int = 1) -> None:
        lines = [LogLine(time_ms=self.clock.now_ms(), text=text) for text in texts]
        self.logs.put(source(launch), *lines)

    def run(self, *told: "Told", for_ms: int = 0) -> None:
        """Time passes in steps of 100 ms; every tail reads whenever it can."""
        for _ in range(for_ms // 100 + 1):
            for _ in range(20):
                for each in told:
                    each.read()
                self.pages.play()
            self.clock.advance_ms(100)

    def started(self, number: int = 1) -> None:
        self.task = replace(self.task, attempts=(*self.task.attempts, a_launch(number, self.clock.now_ms())))

    def ended(self, state: TaskState = TaskState.SUCCEEDED) -> None:
        now_ms = self.clock.now_ms()
        attempts = tuple(replace(each, stopped_ms=each.stopped_ms or now_ms) for each in self.task.attempts)
        status = replace(self.task.status, state=state, stopped_ms=now_ms)
        self.task = replace(self.task, status=status, attempts=attempts)


class Told:
    """A tail, and the texts that it gave."""

    def __init__(self, tail: LogTail) -> None:
        self.tail = tail
        self.texts: list[str] = []

    def read(self) -> None:
        if not self.tail.ended:
            self.texts += [line.text for line in self.tail.read()]


def source(launch: int = 1) -> LogSource:
    of = a_launch(launch)
    return LogSource(
        task_definition_arn=of.task_definition_arn, ecs_task_arn=of.ecs_task_arn, container="agent"
    )


def a_launch(number: int = 1, created_ms: int = START_MS) -> Attempt:
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/ci/{number:032x}"
    return attempt(number=number, state=AttemptState.STARTED, ecs_task_arn=arn, created_ms=created_ms)


def a_whole_task() -> Task:
    """Waiting; nothing of it was launched yet."""
    return Task(
        task_id=task_id(1),
        request_id="request-1",
        tenant="bamboo",
        priority=0,
        labels={},
        build_key="",
        ask=REGULAR,
        submitted_ms=START_MS,
        status=TaskStatus(state=TaskState.QUEUED, revision=1, updated_ms=START_MS),
        spec=containers_spec(),
    )
