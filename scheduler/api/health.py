"""The standard health service: Check, Watch and List (gRFC A90).

Our own, because grpcio-health-checking's aio servicer writes to its watchers while it holds a lock: one
client that stops reading stops the server from ever shutting down.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc import aio
from grpc_health.v1.health_pb2 import (  # type: ignore[attr-defined]  # the stubs lack gRFC A90's List
    HealthCheckRequest,
    HealthCheckResponse,
    HealthListRequest,
    HealthListResponse,
)

from scheduler.services.errors import ServiceStopping

SERVICE = "grpc.health.v1.Health"
OVERALL = ""
"""The name under which the protocol asks for the server as a whole."""

_Context = aio.ServicerContext[Any, Any]


class HealthServicer:
    """What is served, per service.

    Threading: everything belongs to the loop's thread, except `set_serving_soon`.
    """

    def __init__(self, services: Iterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._services = frozenset((OVERALL, *services))
        self._serving = False
        self._announced = False
        self._draining = False
        self._closed = False
        self._watchers: set[asyncio.Event] = set()

    def set_serving_soon(self, serving: bool) -> None:
        """From any thread: `set_serving` at the loop's next turn. Ignored once the loop has ended.

        The writer says so after every commit: only a change is worth waking the loop.
        """
        if serving != self._announced and not self._loop.is_closed():
            self._announced = serving
            self._loop.call_soon_threadsafe(self.set_serving, serving)

    def set_serving(self, serving: bool) -> None:
        """Changes the status of every service at once: they stand and fall with the store."""
        self._serving = self._announced = serving
        self._wake()

    def drain(self) -> None:
        """NOT_SERVING from now on, whatever is set later."""
        self._draining = True
        self._wake()

    def close(self) -> None:
        """Ends every watch: an open one alone would make the server's stop take its whole grace."""
        self._closed = True
        self._wake()

    def handler(self) -> grpc.GenericRpcHandler:
        """What the server is given."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Check": grpc.unary_unary_rpc_method_handler(
                    self.check, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
                ),
                "Watch": grpc.unary_stream_rpc_method_handler(
                    self.watch, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
                ),
                "List": grpc.unary_unary_rpc_method_handler(
                    self.list, HealthListRequest.FromString, HealthListResponse.SerializeToString
                ),
            },
        )

    async def check(self, request: HealthCheckRequest, context: _Context) -> HealthCheckResponse:
        """The status of one service; NOT_FOUND for one that is not served."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return self._response(request.service)

    async def watch(
        self, request: HealthCheckRequest, context: _Context
    ) -> AsyncIterator[HealthCheckResponse]:
        """The status now and at every change.

        A watcher that does not read misses changes and hinders nobody: each has its own wake-up, and only
        the latest status is ever sent.
        """
        woken = asyncio.Event()
        self._watchers.add(woken)
        sent = None
        try:
            while not self._closed:
                woken.clear()
                response = self._response(request.service)
                if response != sent:
                    yield response
                    sent = response
                else:
                    await woken.wait()
            raise ServiceStopping
        finally:
            self._watchers.discard(woken)

    async def list(self, request: HealthListRequest, context: _Context) -> HealthListResponse:
        """The status of every service."""
        return HealthListResponse(statuses={service: self._response(service) for service in self._services})

    def _response(self, service: str) -> HealthCheckResponse:
        if service not in self._services:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        if self._serving and not self._draining:
            return HealthCheckResponse(status=HealthCheckResponse.SERVING)
        return HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING)

    def _wake(self) -> None:
        for woken in self._watchers:
            woken.set()
