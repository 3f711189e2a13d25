"""The connection: one channel, and the stubs of both services on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grpc import aio

from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceStub
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub

if TYPE_CHECKING:
    from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceAsyncStub
    from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceAsyncStub

_OPTIONS: tuple[tuple[str, int], ...] = (
    # The server allows a ping every 20 s; a dead connection is noticed within 40 s, not two hours.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A server that restarts is found again within a second; gRPC's own pauses grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # On a trusted network the service is reached directly; a proxy for the web is no way to it.
    ("grpc.enable_http_proxy", 0),
    # Retries are ours: they keep the request id and know their end.
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Both services of one server."""

    scheduler: "SchedulerServiceAsyncStub"
    scaling: "ScalingServiceAsyncStub"


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Connection]:
    """A connection to `address`, closed at the end of the block. It connects when it is first used."""
    async with aio.insecure_channel(address, options=_OPTIONS) as channel:
        yield Connection(scheduler=SchedulerServiceStub(channel), scaling=ScalingServiceStub(channel))
