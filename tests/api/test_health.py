"""The health service: what proxies ask before they send anything."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from scheduler.api.server import ApiSettings
from tests.api.served import Served, serving
from tests.api.stalled_client import stalled_stream

pytestmark = pytest.mark.asyncio

SCHEDULER = "ecs_scheduler.v1.SchedulerService"
SCALING = "ecs_scheduler.v1.ScalingService"
SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING


async def check(served: Served, service: str = SCHEDULER) -> int:
    ask: aio.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse] = served.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    return (await ask(HealthCheckRequest(service=service))).status


def watch(served: Served, service: str = SCHEDULER) -> AsyncIterator[HealthCheckResponse]:
    ask: aio.UnaryStreamMultiCallable[HealthCheckRequest, HealthCheckResponse] = served.channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    return aiter(ask(HealthCheckRequest(service=service)))


@pytest.mark.parametrize("service", ["", SCHEDULER, SCALING])
async def test_started_server_is_serving(service: str) -> None:
    """After the start the server as a whole and each service are SERVING."""
    async with serving() as served:
        assert await check(served, service) == SERVING


async def test_health_is_set_from_any_thread() -> None:
    """The driver's thread can take the services out and put them back."""
    async with serving() as served:
        changes = watch(served)
        told = [(await anext(changes)).status]
        for up in (False, True):
            await asyncio.to_thread(served.server.set_serving, up)
            told.append((await anext(changes)).status)
    assert told == [SERVING, NOT_SERVING, SERVING]


async def test_unknown_service_is_not_found_by_check() -> None:
    """Check of a service that is not here is NOT_FOUND."""
    async with serving() as served:
        with pytest.raises(aio.AioRpcError) as caught:
            await check(served, "no.such.Service")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_unknown_service_is_unknown_to_watch() -> None:
    """Watch of a service that is not here says SERVICE_UNKNOWN and stays open."""
    async with serving() as served:
        first = await anext(watch(served, "no.such.Service"))
    assert first.status == HealthCheckResponse.SERVICE_UNKNOWN


async def test_list_has_every_service() -> None:
    """List tells the status of the server and of each service."""
    async with serving() as served:
        ask: aio.UnaryUnaryMultiCallable[bytes, dict[str, int]] = served.channel.unary_unary(
            "/grpc.health.v1.Health/List", response_deserializer=statuses
        )
        listed = await ask(b"")
    assert listed == {"": SERVING, SCHEDULER: SERVING, SCALING: SERVING}


def statuses(message: bytes) -> dict[str, int]:
    response = health_pb2.HealthListResponse.FromString(message)  # type: ignore[attr-defined]  # stubs lack List
    return {service: one.status for service, one in response.statuses.items()}


async def test_draining_server_is_not_serving_but_serves() -> None:
    """During the drain delay health is NOT_SERVING, whatever is set, and calls are still answered."""
    async with serving(settings=ApiSettings(drain_delay_s=0.2)) as served:
        changes = watch(served)
        await anext(changes)
        stopping = asyncio.create_task(served.server.stop(grace_s=1))
        told = await anext(changes)
        served.server.set_serving(True)
        assert await check(served) == NOT_SERVING
        await stopping
    assert told.status == NOT_SERVING


async def test_open_watch_does_not_delay_the_stop() -> None:
    """A health watch is ended by the server: the stop does not take its whole grace."""
    async with serving() as served:
        changes = watch(served)
        await anext(changes)
        async with asyncio.timeout(5):
            await served.server.stop(grace_s=60)
        with pytest.raises(aio.AioRpcError) as caught:
            await drained(changes)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def drained(changes: AsyncIterator[HealthCheckResponse]) -> None:
    async for _ in changes:
        pass


async def test_stalled_watcher_blocks_neither_changes_nor_the_stop() -> None:
    """A watcher that never reads keeps nobody else from being told, and the stop takes its grace at most."""
    async with serving() as served, stalled_stream(served.address, "/grpc.health.v1.Health/Watch"):
        served.server.set_serving(False)
        served.server.set_serving(True)
        assert await check(served) in {SERVING, NOT_SERVING}
        async with asyncio.timeout(5):
            await served.server.stop(grace_s=0.2)
