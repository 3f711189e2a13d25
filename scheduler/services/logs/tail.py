"""One client's way through the logs of a task: launch by launch, each to its end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.task import TERMINAL_STATES, Task
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import (
    LogLine,
    LogPage,
    LogPlace,
    LogPlaceGone,
    LogsDenied,
    LogsNotReadable,
    LogSource,
    LogStreamMissing,
)
from scheduler.services.logs.errors import (
    LogReaderLagging,
    LogsForbidden,
    LogStreamNotFound,
    LogsUnavailable,
    LogsUnreadable,
    LogTokenExpired,
    TaskNotStarted,
)
from scheduler.services.logs.reads import Answer, Lagging, Read, Reading


class Pages(Protocol):
    """What the poller does for a tail."""

    def join(self, source: LogSource) -> None:
        """One more follows the stream."""
        ...

    def leave(self, source: LogSource) -> None:
        """One fewer does."""
        ...

    def want(self, reading: Reading, answer: Answer, *, at_end: bool, is_live: bool) -> Read | None:
        """Has `answer` called on another thread, unless what was read there is known. Raises Lagging."""
        ...

    def unwant(self, reading: Reading, answer: Answer) -> None:
        """Whoever asked so has gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far a tail has come: the launch by its number, and CloudWatch Logs' token in its stream.

    It is all that a resume token says.
    """

    attempt: int
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsWanted:
    """What a client asked for: what comes behind `position`, else the `last` lines, else everything."""

    container: str
    follow: bool
    last: int | None = None
    position: LogPosition | None = None


class LogTail:
    """A cursor that is pulled. It lives on the edge's event loop; its answers come from other threads.

    One page is read ahead while the client takes the one before, and no more: a slow client costs nothing.
    """

    def __init__(
        self,
        wanted: LogsWanted,
        task: Callable[[], Task],
        pages: Pages,
        *,
        patience_ms: int,
        notify: Callable[[], None],
    ) -> None:
        """`task` gives the task as it is now; `notify`, called on any thread, says that a `read` is due."""
        self.position = wanted.position
        self.ended = False
        self._wanted = wanted
        self._task = task
        self._pages = pages
        self._patience_ms = patience_ms
        self._notify = notify
        self._read_through = 0
        """The number of the last launch that was read to its end."""
        self._number = 0
        self._source: LogSource | None = None
        self._place = LogPlace()
        self._at_end = self._is_live = False
        self._asked: Reading | None = None
        self._arrived: Read | None = None

    def read(self) -> tuple[LogLine, ...]:
        """The next lines, maybe none. Raises what ends the tail."""
        task = self._task()
        if self._source is None and not self._begin(task):
            return ()
        lines = self._take(task)
        if self._source is not None and self._asked is None and self._arrived is None:
            self._ask(self._source)
        return lines

    @property
    def waits(self) -> bool:
        """True when the next `read` finds nothing before `notify` is called, or the task changes."""
        return self._arrived is None and not self.ended

    def close(self) -> None:
        """Nobody reads it any more. Safe to call twice."""
        if self._asked is not None:
            self._pages.unwant(self._asked, self._answer)
            self._asked = None
        self._leave()

    # ---- from launch to launch

    def _begin(self, task: Task) -> bool:
        """Whether there is a launch to read. If not, one is waited for, or it is over."""
        attempt = self._next_attempt(task)
        if attempt is not None:
            self._number = attempt.number
            self._place = self._first_place(attempt)
            self._source = LogSource(
                task_definition_arn=attempt.task_definition_arn,
                ecs_task_arn=attempt.ecs_task_arn,
                container=self._wanted.container,
            )
            self._pages.join(self._source)
            return True
        is_terminal = task.status.state in TERMINAL_STATES
        if self._wanted.follow and not is_terminal:
            return False
        if self._read_through == 0:
            raise TaskNotStarted(task.status.state.value, ended=is_terminal)
        self.ended = True
        return False

    def _next_attempt(self, task: Task) -> Attempt | None:
        """Whoever comes anew begins with the last launch and is given every later one."""
        started = _started(task)
        if self._read_through:
            return next((each for each in started if each.number > self._read_through), None)
        if self.position is not None:
            first = self.position.attempt
            return next((each for each in started if each.number >= first), None)
        return started[-1] if started else None

    def _first_place(self, attempt: Attempt) -> LogPlace:
        self._at_end = self._is_live = False
        if self.position is None:
            return LogPlace(last=self._wanted.last)
        if self.position.attempt != attempt.number:
            self.position = LogPosition(attempt=attempt.number)
        return LogPlace(token=self.position.token)

    def _finish(self) -> None:
        """The launch is read. With `follow` another one may come, which the next `read` finds."""
        self._leave()
        self._read_through = self._number
        self.position = self.position or LogPosition(attempt=self._number)
        self.ended = not self._wanted.follow
        self._notify()

    def _leave(self) -> None:
        if self._source is not None:
            self._pages.leave(self._source)
            self._source = None

    # ---- from page to page

    def _ask(self, source: LogSource) -> None:
        reading = Reading(source=source, place=self._place)
        self._asked = reading
        try:
            known = self._pages.want(reading, self._answer, at_end=self._at_end, is_live=self._is_live)
        except Lagging as lagging:
            # The lines before it are given out first.
            known = Read(reading=reading, began_ms=0, found=lagging)
        if known is not None:
            self._arrived = known

    def _answer(self, read: Read) -> None:
        """On another thread."""
        self._arrived = read
        self._notify()

    def _take(self, task: Task) -> tuple[LogLine, ...]:
        """What has arrived, if anything has."""
        # Looked at before it is taken: until it is there another thread may put it, and then none does.
        if self._arrived is None:
            return ()
        read, self._arrived, self._asked = self._arrived, None, None
        if isinstance(read.found, LogStreamMissing):
            self._nothing_there(read, task)
            return ()
        if isinstance(read.found, LogPage):
            return self._turn(read, read.found, task)
        raise _told(read.found) from read.found

    def _turn(self, read: Read, page: LogPage, task: Task) -> tuple[LogLine, ...]:
        """The same token again is the end, for now (CloudWatch Logs API: GetLogEvents)."""
        of_the_last = read.reading.place.last is not None
        self._at_end = of_the_last or page.token == read.reading.place.token
        self._is_live |= self._at_end
        self._place = LogPlace(token=page.token)
        self.position = LogPosition(attempt=self._number, token=page.token)
        if self._at_end and (not self._wanted.follow or (not of_the_last and self._is_over(read, task))):
            self._finish()
        return page.lines

    def _nothing_there(self, read: Read, task: Task) -> None:
        """A stream is made when its container starts, and shown a moment later."""
        self._at_end = True
        if not self._is_over(read, task):
            if not self._wanted.follow and _ended_ms(task, self._number) is None:
                self._finish()
            return
        is_last = task.status.state in TERMINAL_STATES and _started(task)[-1].number == self._number
        if is_last or not self._wanted.follow:
            raise LogStreamNotFound(self._number, str(read.found))
        self._finish()

    def _is_over(self, read: Read, task: Task) -> bool:
        """Whether a reading that began then has seen all there will ever be."""
        ended_ms = _ended_ms(task, self._number)
        return ended_ms is not None and read.began_ms >= ended_ms + self._patience_ms


def _started(task: Task) -> list[Attempt]:
    """The launches that ECS accepted, in order."""
    return sorted((each for each in task.attempts if each.ecs_task_arn), key=lambda each: each.number)


def _ended_ms(task: Task, number: int) -> int | None:
    """When the launch was over, None while it is not."""
    return min(_ends_ms(task, number), default=None)


def _ends_ms(task: Task, number: int) -> Iterator[int]:
    """Its own end, the task's, and the begin of the next launch."""
    status = task.status
    if status.state in TERMINAL_STATES:
        yield status.updated_ms if status.stopped_ms is None else status.stopped_ms
    for each in task.attempts:
        if each.number == number and each.stopped_ms is not None:
            yield each.stopped_ms
        if each.number > number:
            yield each.created_ms


def _told(error: Exception) -> Exception:
    """What the client is told; a defect stays one."""
    match error:
        case LogsNotReadable():
            return LogsUnreadable(str(error))
        case LogsDenied(permission=permission):
            return LogsForbidden(permission)
        case LogPlaceGone():
            return LogTokenExpired()
        case Lagging():
            return LogReaderLagging()
        case CloudError(failure=failure):
            return LogsUnavailable(failure.code)
        case _:
            return error
