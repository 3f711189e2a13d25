"""The client of the schedule bench: 64 callers who each ask again as soon as they are answered."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from multiprocessing.connection import Connection
from random import Random
from time import perf_counter
from typing import NamedTuple

import uvloop
from grpc import aio

from benchmarks.processes import STOP
from benchmarks.schedule_messages import METHOD, request

CALLERS = 64
CHANNELS = 4
SEED = 1
DEADLINE_S = 30.0

Method = aio.UnaryUnaryMultiCallable[bytes, bytes]

_ID_FIELD = b"\x0a\x24"
"""Tag of `request_id` (field 1, bytes follow) and the 36 characters of a UUID."""


class Round(NamedTuple):
    """What the callers saw: answers OK, how long it took them all, and each call's latency."""

    answers: int
    seconds: float
    latencies_s: list[float]


def call(connection: Connection) -> None:
    """Carries out `(address, seconds)` after `(address, seconds)` and tells each round."""
    uvloop.run(_rounds(connection))


async def _rounds(connection: Connection) -> None:
    requests = _requests()
    while (order := await asyncio.to_thread(connection.recv)) != STOP:
        address, seconds = order
        connection.send(await _round(address, seconds, requests))


async def _round(address: str, seconds: float, requests: Iterator[bytes]) -> Round:
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
        callers = [_caller(next(methods), requests, latencies_s, began_s + seconds) for _ in range(CALLERS)]
        await asyncio.gather(*callers)
        return Round(len(latencies_s), perf_counter() - began_s, latencies_s)


async def _caller(method: Method, requests: Iterator[bytes], latencies_s: list[float], end_s: float) -> None:
    """Any status but OK raises, and ends the bench."""
    now_s = perf_counter()
    while now_s < end_s:
        await method(next(requests), timeout=DEADLINE_S)
        answered_s = perf_counter()
        latencies_s.append(answered_s - now_s)
        now_s = answered_s


def _requests() -> Iterator[bytes]:
    """Serialised requests, each with a random id, as UUIDs are: what an index likes least."""
    common = request("").SerializeToString()
    random = Random(SEED)
    while True:
        digits = f"{random.getrandbits(128):032x}"
        request_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        # Put before the rest: a message may be serialised in parts (protobuf encoding, "Last One Wins").
        yield _ID_FIELD + request_id.encode() + common
