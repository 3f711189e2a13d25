"""The client of the start bench: one request after the other, at random times of a given rate."""

import asyncio
from collections.abc import Iterator
from multiprocessing.connection import Connection
from random import Random
from time import perf_counter
from typing import NamedTuple

import uvloop
from grpc import aio

from benchmarks.processes import STOP
from benchmarks.schedule_client import DEADLINE_S
from benchmarks.schedule_messages import METHOD, requests
from ecs_scheduler.v1.scheduler_pb2 import ScheduleResponse

SEED = 2


class Sent(NamedTuple):
    """One task: when it was asked for, and when the service had accepted it."""

    task_id: str
    asked_s: float
    answered_s: float


def offer(connection: Connection) -> None:
    """Carries out `(address, count, per_second)` after another and tells what was `Sent`."""
    uvloop.run(_rounds(connection))


async def _rounds(connection: Connection) -> None:
    asked, random = requests(SEED), Random(SEED)
    while (order := await asyncio.to_thread(connection.recv)) != STOP:
        address, count, per_second = order
        pauses_s = (random.expovariate(per_second) for _ in range(count))
        connection.send(await _round(address, pauses_s, asked))


async def _round(address: str, pauses_s: Iterator[float], asked: Iterator[bytes]) -> list[Sent]:
    """Nobody waits for an answer before the next request: a slow service is not spared."""
    calls = []
    async with aio.insecure_channel(address) as channel:
        method: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        for pause_s in pauses_s:
            await asyncio.sleep(pause_s)
            calls.append(asyncio.create_task(_call(method, next(asked))))
        return await asyncio.gather(*calls)


async def _call(method: aio.UnaryUnaryMultiCallable[bytes, bytes], request: bytes) -> Sent:
    asked_s = perf_counter()
    answer = await method(request, timeout=DEADLINE_S)
    return Sent(ScheduleResponse.FromString(answer).task.task_id, asked_s, perf_counter())
