"""Followers: clients that follow the logs of a task, lose the connection now and then, and resume."""

from contextlib import ExitStack
from functools import partial
from typing import Any

from scheduler.adapters.aws.container_logs import AwsContainerLogs
from scheduler.core.model.task import Task
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.plan import Follower, MishapKind
from scheduler.lab.chaos.requests import request_of
from scheduler.lab.chaos.stage import Broken
from scheduler.lab.chaos.world import World
from scheduler.lab.stand_ins import in_process_log_clients
from scheduler.ports.logs import PAGE_LINES, LogPage, LogSource
from scheduler.services.errors import ServiceError, TaskNotFound
from scheduler.services.logs.errors import (
    LogReaderLagging,
    LogStreamNotFound,
    LogsUnavailable,
    TaskNotStarted,
    TooManyLogTails,
)
from scheduler.services.logs.reads import Answer, LogReads, Read, Reading
from scheduler.services.logs.tail import LogPosition, LogsWanted, LogTail
from scheduler.services.logs.tails import LogTails, container_of
from scheduler.simulated_aws.errors import ApiError

_READS_PER_S = 2.0
_TAILS_MAX = 2
_PATIENCE_MS = 30_000
_READING_MS = 50
_AGAIN_S = 5
_EXPECTED = "tails_show_every_line_once"


class VirtualPages:
    """Carries readings out on the world's clock, as `LogPoller` does on its threads, in one life."""

    def __init__(self, world: World) -> None:
        """Reads through the present life's own clients."""
        self._world = world
        self._driver, self._life = world.service.driver, world.service.driver.life
        region = world.account.settings.region
        self._logs = AwsContainerLogs(in_process_log_clients(world.service.line, region))
        self._wake_ms: int | None = None
        self.reads = LogReads(_READS_PER_S)

    @property
    def alive(self) -> bool:
        """Whether the life goes on."""
        return self._driver.up and self._driver.life == self._life

    def join(self, source: LogSource) -> None:
        """One more follows the stream."""
        self.reads.join(source)

    def leave(self, source: LogSource) -> None:
        """One fewer does."""
        self.reads.leave(source)

    def want(self, reading: Reading, answer: Answer, *, at_end: bool, is_live: bool) -> Read | None:
        """See LogReads.want."""
        known = self.reads.want(reading, answer, self._now_ms(), at_end=at_end, is_live=is_live)
        self._wake(self._now_ms())
        return known

    def unwant(self, reading: Reading, answer: Answer) -> None:
        """Whoever asked so has gone."""
        self.reads.unwant(reading, answer)

    def _now_ms(self) -> int:
        return self._world.service.clock.now_ms()

    def _wake(self, at_ms: int) -> None:
        if self._wake_ms is None or at_ms < self._wake_ms:
            self._wake_ms = at_ms
            self._world.after((at_ms - self._now_ms()) / 1_000, partial(self._go_on, at_ms))

    def _go_on(self, at_ms: int) -> None:
        if not self.alive or at_ms != self._wake_ms:
            return
        self._wake_ms, now_ms = None, self._now_ms()
        while (reading := self.reads.take(now_ms)) is not None:
            self._world.after(_READING_MS / 1_000, partial(self._carry_out, reading))
        due_ms = self.reads.next_due_ms(now_ms)
        if due_ms is not None:
            self._wake(max(due_ms, now_ms + 1))

    def _carry_out(self, reading: Reading) -> None:
        if not self.alive:
            return
        found: LogPage | Exception
        try:
            found = self._logs.read(reading.source, reading.place, PAGE_LINES)
        except Exception as error:
            # As the poller does: who asked is told, of defects too.
            found = error
        for answer, read in self.reads.heard(reading, found, self._now_ms()):
            answer(read)
        self._wake(self._now_ms())


class LogDesk:
    """Where tails are opened: anew in each life of the service."""

    def __init__(self, world: World) -> None:
        """Nothing is read."""
        self._world = world
        self._made: tuple[VirtualPages, LogTails] | None = None

    def tails(self) -> LogTails | None:
        """Those of the present life; None while there is none."""
        service = self._world.service
        if self._made is not None and self._made[0].alive:
            return self._made[1]
        self._made = None
        if service.driver.up and service.watcher.hub is not None:
            pages = VirtualPages(self._world)
            self._made = (
                pages,
                LogTails(
                    pages,
                    service.store.inner,
                    service.watcher.hub,
                    tails_max=_TAILS_MAX,
                    tenant_max=_TAILS_MAX,
                    patience_ms=_PATIENCE_MS,
                ),
            )
        return self._made[1] if self._made else None

    def judge(self) -> None:
        """Nothing is open, wanted or followed any more."""
        if self._made is None:
            return
        pages, tails = self._made
        left = (dict(tails._open), list(pages.reads._wanted), list(pages.reads._streams))
        if any(left):
            raise Broken("tails_leave_nothing", f"{left} are left")


class LogFollower:
    """One client. `lines` are what it was given, by launch."""

    def __init__(self, world: World, desk: LogDesk, follower: Follower) -> None:
        """It has not asked yet."""
        plan = world.plan
        self._world, self._desk, self._follower = world, desk, follower
        request = request_of(plan, follower.job, plan.jobs[follower.job])
        self._key = (request.tenant, request.request_id)
        self._book: Book | None = None
        self._position: LogPosition | None = None
        self._stack = ExitStack()
        self._tails: LogTails | None = None
        self._tail: LogTail | None = None
        self._pages = 0
        self.lines: dict[int, list[tuple[int, str]]] = {}
        self.ended = False

    def begin(self) -> None:
        """Asks when its time comes."""
        self._world.after(self._follower.at_s, self._connect)

    def judge(self) -> None:
        """It came to an end, and was given what the containers wrote, unless it was by another store."""
        if not self.ended:
            raise Broken(_EXPECTED, f"{self._key} is followed for ever")
        task = self._task()
        if task is None or self._book is not self._world.service.book:
            return
        for number, lines in self.lines.items():
            written, ended_ms = self._written(task, number)
            missing = [each for each in written[len(lines) :] if each[0] < ended_ms]
            if lines != written[: len(lines)] or missing:
                raise Broken(_EXPECTED, f"launch {number} of {task.task_id}: {lines}, written is {written}")

    # ---- connections

    def _connect(self) -> None:
        if self.ended or self._tail is not None:
            return
        self._forget_lost_stores()
        tails, task = self._desk.tails(), self._task()
        if task is None and self._world.now_s > self._world.plan.quiet_s:
            self.ended = True
        if tails is None or task is None:
            self._world.after(_AGAIN_S, self._connect)
            return
        wanted = LogsWanted(container=container_of(task, ""), follow=True, position=self._position)
        try:
            self._tail = self._stack.enter_context(tails.opened(task, wanted, self._notified))
        except TooManyLogTails:
            self._world.after(_AGAIN_S, self._connect)
            return
        self._tails = tails
        self._notice(self._tail)
        self._look()

    def _forget_lost_stores(self) -> None:
        """Of another store the launches are others."""
        if self._book is not self._world.service.book:
            self._book, self._position, self.lines = self._world.service.book, None, {}

    def _notified(self) -> None:
        self._world.after(0, self._look)

    def _notice(self, tail: LogTail) -> None:
        """A connection to a process that has died is broken, which its client finds out by itself."""
        if self._tail is not tail:
            return
        if self._desk.tails() is self._tails:
            self._world.after(_AGAIN_S, partial(self._notice, tail))
        else:
            self._close(1)

    def _close(self, again_s: float) -> None:
        if self._desk.tails() is self._tails:
            self._stack.close()
        self._stack, self._tail = ExitStack(), None
        self._world.after(again_s, self._connect)

    def _look(self) -> None:
        """Takes what there is."""
        tail = self._tail
        if tail is None:
            return
        if self._desk.tails() is not self._tails:
            self._close(1)
            return
        try:
            pages = self._read(tail)
            if pages and not self.ended and self._pages % self._follower.breaks_after == 0:
                self._close(1)
        except (LogsUnavailable, LogReaderLagging, TaskNotFound):
            self._close(_AGAIN_S)
        except (TaskNotStarted, LogStreamNotFound):
            self._end()
        except ServiceError as error:
            raise Broken(_EXPECTED, f"{self._key} is told {error!r}") from error

    def _read(self, tail: LogTail) -> int:
        """How many pages with lines there were."""
        before = self._pages
        while True:
            lines = tail.read()
            self._pages += bool(lines)
            self._position = tail.position
            if tail.position is not None:
                known = self.lines.setdefault(tail.position.attempt, [])
                known += [(each.time_ms, each.text) for each in lines]
            if tail.ended:
                self._end()
            if tail.waits or tail.ended:
                return self._pages - before

    def _end(self) -> None:
        self.ended = True
        self._world.tell("client", f"has followed the logs of {self._key[0]}/{self._key[1][:8]} to their end")
        self._close(0)

    # ---- what is true

    def _task(self) -> Task | None:
        service = self._world.service
        task_id = service.book.answers.get(self._key)
        return service.store.inner.get(task_id) if task_id else None

    def _written(self, task: Task, number: int) -> tuple[list[tuple[int, str]], int]:
        """What a launch wrote, and until when the service knew it to run, if its clock can be believed."""
        attempt = next((each for each in task.attempts if each.number == number), None)
        if attempt is None or not attempt.ecs_task_arn:
            return [], 0
        stream = f"agents/{container_of(task, '')}/{attempt.ecs_task_arn.rpartition('/')[2]}"
        params: dict[str, Any] = {
            "logGroupName": "ci-agents",
            "logStreamName": stream,
            "startFromHead": True,
        }
        try:
            events = self._world.account.call("logs", "GetLogEvents", params)["events"]
        except ApiError:
            events = []
        clock_set = any(each.kind is MishapKind.CLOCK_SET for each in self._world.plan.mishaps)
        ended_ms = 0 if clock_set else attempt.stopped_ms or task.status.updated_ms
        return [(each["timestamp"], each["message"]) for each in events], ended_ms
