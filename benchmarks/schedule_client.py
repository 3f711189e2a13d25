"""The client of the schedule bench: 64 callers who each ask again as soon as they are answered."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from multiprocessing.connection import Connection
from time import perf_counter
from typing import NamedTuple

import uvloop
from grpc import aio

from benchmarks.processes import STOP
from benchmarks.schedule_messages import METHOD, requests

CALLERS = 64
CHANNELS = 4
SEED = 1
DEADLINE_S = 30.0

Method = aio.UnaryUnaryMultiCallable[bytes, bytes]


class Round(NamedTuple):
    """What the callers saw: answers OK, how long it took them all, and each call's latency."""

    answers: int
    seconds: float
    latencies_s: list[float]


def call(connection: Connection) -> None:
    """Carries out `(address, seconds)` after `(address, seconds)` and tells each round."""
    uvloop.run(_rounds(connection))


async def _rounds(connection: Connection) -> None:
    asked = requests(SEED)
    while (order := await asyncio.to_thread(connection.recv)) != STOP:
        address, seconds = order
        connection.send(await _round(address, seconds, asked))


async def _round(address: str, seconds: float, asked: Iterator[bytes]) -> Round:
    async with AsyncExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]  # else all channels share one connection
        channels = [
            await stack.enter_async_context(aio.insecure_channel(address, options)) for _ in range(CHANNELS)
        ]
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        # Bytes in and bytes out: the client's own work is kept small beside the servers'.
        methods: Iterator[Method] = cycle([channel.unary_unary(METHOD) for channel in channels])
        latencies_s: list[float] = []
        began_s = perf_counter()
        callers = [_caller(next(methods), asked, latencies_s, began_s + seconds) for _ in range(CALLERS)]
        await asyncio.gather(*callers)
        return Round(len(latencies_s), perf_counter() - began_s, latencies_s)


async def _caller(method: Method, asked: Iterator[bytes], latencies_s: list[float], end_s: float) -> None:
    """Any status but OK raises, and ends the bench."""
    now_s = perf_counter()
    while now_s < end_s:
        await method(next(asked), timeout=DEADLINE_S)
        answered_s = perf_counter()
        latencies_s.append(answered_s - now_s)
        now_s = answered_s
