"""The messages of one TailLogs call."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from ecs_scheduler.v1.logs_pb2 import LogEvent, TailLogsResponse
from scheduler.api import resume_token
from scheduler.api.convert.render import timestamp
from scheduler.api.pace import Pace
from scheduler.core.model.task import Task
from scheduler.ports.logs import LogLine
from scheduler.services.logs.tail import LogsWanted, LogTail
from scheduler.services.logs.tails import LogTails


class LogStreams:
    """Makes the streams of one server; what they share. It belongs to the running loop."""

    def __init__(self, tails: LogTails, progress_interval_s: float) -> None:
        self._tails = tails
        self._progress_interval_s = progress_interval_s
        self._loop = asyncio.get_running_loop()

    async def responses(self, task: Task, wanted: LogsWanted) -> AsyncGenerator[TailLogsResponse, None]:
        """Until the log has been read, the client goes away or an error ends it."""
        pace = Pace(self._progress_interval_s)
        with self._tails.opened(task, wanted, partial(self._ring, pace)) as tail:
            while not tail.ended:
                pace.listen()
                lines = tail.read()
                if lines or pace.silent_too_long:
                    yield _message(lines, tail, task.task_id, wanted.container)
                    pace.said()
                # At least once round the loop: others are served between two pages of a long log.
                await asyncio.sleep(0)
                if tail.waits:
                    await pace.rest()

    def _ring(self, pace: Pace) -> None:
        """Any thread. The last answers may come while the loop is being closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(pace.ring)


def _message(lines: Sequence[LogLine], tail: LogTail, task_id: str, container: str) -> TailLogsResponse:
    # One page, one message: CloudWatch Logs has no token for a place within a page.
    return TailLogsResponse(
        events=[LogEvent(event_time=timestamp(line.time_ms), message=line.text) for line in lines],
        resume_token=resume_token.encode_logs(tail.position, task_id, container),
        attempt=tail.position.attempt if tail.position else 0,
    )
