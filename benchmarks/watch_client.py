"""The watchers of the watch bench: many open streams, and how long an event takes to reach them all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import cycle, islice
from multiprocessing.connection import Connection
from time import perf_counter

import uvloop
from grpc import aio

from benchmarks.processes import STOP
from benchmarks.schedule_client import CALLERS, DEADLINE_S
from benchmarks.schedule_messages import METHOD, SERVICE, TENANT, requests
from ecs_scheduler.v1.scheduler_pb2 import ScheduleResponse, WatchTasksRequest, WatchTasksResponse

CHANNELS = 20
SEED = 3
REACH_S = 30.0
"""How long an event is waited for."""

Schedule = aio.UnaryUnaryMultiCallable[bytes, bytes]
Watch = aio.UnaryStreamMultiCallable[WatchTasksRequest, WatchTasksResponse]


class Audience:
    """Watchers of one service. Any stream that ends raises, and ends the bench."""

    def __init__(self, address: str, stack: AsyncExitStack) -> None:
        self._address = address
        self._stack = stack
        self._requests = requests(SEED)
        self._synced = 0
        self._seen: dict[str, int] = {}
        self._watchers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connects: some watchers share a connection, as behind a proxy."""
        channels = [await self._channel() for _ in range(CHANNELS)]
        self._schedule: Schedule = channels[0].unary_unary(METHOD)
        watches: list[Watch] = [
            channel.unary_stream(
                f"/{SERVICE}/WatchTasks",
                request_serializer=WatchTasksRequest.SerializeToString,
                response_deserializer=WatchTasksResponse.FromString,
            )
            for channel in channels
        ]
        self._watches: Iterator[Watch] = cycle(watches)

    async def accepted(self, count: int) -> list[str]:
        """The ids of so many new tasks."""
        asked = iter(list(islice(self._requests, count)))
        found = await asyncio.gather(*(self._schedule_all(asked) for _ in range(CALLERS)))
        return [task_id for each in found for task_id in each]

    async def watch(self, wanted: Iterable[WatchTasksRequest]) -> None:
        """Opens a watch for each of these, and waits until each has the present state."""
        self._watchers += [asyncio.create_task(self._follow(next(self._watches), each)) for each in wanted]
        await self._until(lambda: self._synced == len(self._watchers))

    async def reach_s(self) -> float:
        """Seconds from a request until every watcher has heard of its task."""
        began_s = perf_counter()
        answer = await self._schedule(next(self._requests), timeout=DEADLINE_S)
        task_id = ScheduleResponse.FromString(answer).task.task_id
        await self._until(lambda: self._seen.get(task_id, 0) == len(self._watchers))
        return perf_counter() - began_s

    def leave(self) -> None:
        """Ends all watches."""
        for each in self._watchers:
            each.cancel()

    async def _channel(self) -> aio.Channel:
        options = [("grpc.use_local_subchannel_pool", 1)]  # else all channels share one connection
        return await self._stack.enter_async_context(aio.insecure_channel(self._address, options))

    async def _schedule_all(self, asked: Iterator[bytes]) -> list[str]:
        answers = [await self._schedule(each, timeout=DEADLINE_S) for each in asked]
        return [ScheduleResponse.FromString(each).task.task_id for each in answers]

    async def _follow(self, watch: Watch, wanted: WatchTasksRequest) -> None:
        synced = False
        async for message in watch(wanted):
            self._synced += message.synced and not synced
            synced = synced or message.synced
            for event in message.events:
                self._seen[event.task.task_id] = self._seen.get(event.task.task_id, 0) + 1
        raise AssertionError("a watch ended")

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(REACH_S):
            while not reached():
                if ended := [each for each in self._watchers if each.done()]:
                    await ended[0]
                await asyncio.sleep(0.001)


def attend(connection: Connection) -> None:
    """Carries out `(verb, argument)` after another; see `_VERBS`."""
    uvloop.run(_orders(connection))


async def _orders(connection: Connection) -> None:
    address = await asyncio.to_thread(connection.recv)
    async with AsyncExitStack() as stack:
        audience = Audience(address, stack)
        await audience.open()
        while (order := await asyncio.to_thread(connection.recv)) != STOP:
            verb, count = order
            connection.send(await _VERBS[verb](audience, count))
        audience.leave()


async def _watch_own(audience: Audience, count: int) -> int:
    task_ids = await audience.accepted(count)
    await audience.watch(WatchTasksRequest(tenant=TENANT, task_ids=[each]) for each in task_ids)
    return count


async def _watch_all(audience: Audience, count: int) -> int:
    await audience.watch(WatchTasksRequest(tenant=TENANT) for _ in range(count))
    return count


async def _accept(audience: Audience, count: int) -> int:
    return len(await audience.accepted(count))


async def _reach(audience: Audience, count: int) -> list[float]:
    return [await audience.reach_s() for _ in range(count)]


_VERBS: dict[str, Callable[[Audience, int], Awaitable[object]]] = {
    "accept": _accept,
    "watch own": _watch_own,
    "watch all": _watch_all,
    "reach": _reach,
}
"""New tasks; a watch for each new task; watches of everything; events, and when the last watcher heard."""
