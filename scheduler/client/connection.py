"""The connection: one channel, and the stubs of both services on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from grpc import aio

from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceStub
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from scheduler.client.patience import Unanswered, nobody_is_told

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
class Tls:
    """How the server is known and who the client is, all in PEM.

    `authorities` are those whose word on the server counts; None: the public ones that gRPC brings along.
    `certificate` and `key` are the client's own, for a server that asks for them.
    """

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Both services of one server, and who is told while it does not answer."""

    scheduler: "SchedulerServiceAsyncStub"
    scaling: "ScalingServiceAsyncStub"
    unanswered: Unanswered = nobody_is_told


@asynccontextmanager
async def connected(
    address: str, tls: Tls | None = None, unanswered: Unanswered = nobody_is_told
) -> AsyncIterator[Connection]:
    """A connection to `address`, closed at the end of the block. It connects when it is first used."""
    async with _channel(address, tls) as channel:
        yield Connection(
            scheduler=SchedulerServiceStub(channel),
            scaling=ScalingServiceStub(channel),
            unanswered=unanswered,
        )


def _channel(address: str, tls: Tls | None) -> aio.Channel:
    if tls is None:
        return aio.insecure_channel(address, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.authorities, tls.key, tls.certificate)
    return aio.secure_channel(address, credentials, options=_OPTIONS)
