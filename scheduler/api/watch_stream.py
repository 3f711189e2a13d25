"""The messages of one WatchTasks call: what the cursor finds, cut to size, and progress in between."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksResponse
from scheduler.api import resume_token
from scheduler.api.convert import render
from scheduler.api.pace import Pace
from scheduler.api.searches import Searches
from scheduler.ports.store import Store, TaskFilter
from scheduler.services.task_watch import TaskWatch, WatchBatch, WatchPosition
from scheduler.services.watch import WatchHub

MAX_EVENTS_BYTES = 1 << 20
"""Clients refuse messages above 4 MiB, and a small message delays others less."""


class WatchStreams:
    """Makes the streams of one server; what they share."""

    def __init__(
        self, store: Store, hub: WatchHub, searches: Searches, *, progress_interval_s: float
    ) -> None:
        self._store = store
        self._searches = searches
        self._hub = hub
        self._progress_interval_s = progress_interval_s

    async def responses(
        self, wanted: TaskFilter, position: WatchPosition | None
    ) -> AsyncGenerator[WatchTasksResponse, None]:
        """Until the client goes away or an error ends the watch."""
        pace = Pace(self._progress_interval_s)
        with closing(TaskWatch(self._store, self._hub, wanted, position=position, notify=pace.ring)) as watch:
            while True:
                pace.listen()
                batch = await self._searches.of(watch.read) if watch.searches else watch.read()
                for response in in_messages(batch, self._store.epoch):
                    yield response
                    pace.said()
                await self._rest(watch, pace)
                if pace.silent_too_long:
                    yield _ended(WatchTasksResponse(), batch.end, self._store.epoch)
                    pace.said()

    async def _rest(self, watch: TaskWatch, pace: Pace) -> None:
        """Until there is something to read, or progress is due. At least once round the loop: others are
        served between two pages of a long history."""
        await asyncio.sleep(self._hub.pause_s if watch.waits else 0)
        if watch.waits:
            await pace.rest()


def in_messages(
    batch: WatchBatch, epoch: str, max_bytes: int = MAX_EVENTS_BYTES
) -> Iterator[WatchTasksResponse]:
    """The batch in as few messages as the limit allows, each with the token that resumes right behind it."""
    if not batch.says_something:
        return
    message = WatchTasksResponse()
    size_bytes = 0
    position = batch.start
    for watched in batch.events:
        event = render.task_event(watched)
        event_bytes = event.ByteSize()
        if message.events and size_bytes + event_bytes > max_bytes:
            yield _ended(message, position, epoch)
            message = WatchTasksResponse()
            size_bytes = 0
        message.events.append(event)
        size_bytes += event_bytes
        position = position.after(watched.event)
    yield _ended(message, batch.end, epoch)


def _ended(message: WatchTasksResponse, position: WatchPosition, epoch: str) -> WatchTasksResponse:
    message.resume_token = resume_token.encode(epoch, position)
    message.synced = position.synced
    return message
