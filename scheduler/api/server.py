"""The gRPC server: one process, one event loop, every service. Starts, drains and stops."""

import asyncio
from dataclasses import dataclass

import structlog
from grpc import aio

from ecs_scheduler.v1 import scaling_pb2, scheduler_pb2
from ecs_scheduler.v1.scaling_pb2_grpc import add_ScalingServiceServicer_to_server
from ecs_scheduler.v1.scheduler_pb2_grpc import add_SchedulerServiceServicer_to_server
from scheduler.api import health
from scheduler.api.address import ServerAddressError, check_address, refuse_open_listener
from scheduler.api.interceptors import ErrorInterceptor
from scheduler.api.listener import Listener
from scheduler.api.log_stream import LogStreams
from scheduler.api.reflection import DescriptorIndex, ReflectionServicer, served_descriptors
from scheduler.api.replies import Replies
from scheduler.api.scaling_servicer import Autoscaling, ScalingServicer
from scheduler.api.scaling_stream import ScalingStreams
from scheduler.api.scheduler_servicer import Placement, SchedulerServicer
from scheduler.api.searches import Searches
from scheduler.api.task_pages import TaskPages
from scheduler.api.tls import RenewedCertificates, server_credentials
from scheduler.api.watch_stream import WatchStreams
from scheduler.config import TlsFiles
from scheduler.ports.store import Store
from scheduler.services.logs.tails import LogTails
from scheduler.services.scaling_watch import ScalingWatches
from scheduler.services.watch import WatchHub

log = structlog.get_logger()

OUR_SERVICES = tuple(
    file.services_by_name[name].full_name
    for file, name in (
        (scheduler_pb2.DESCRIPTOR, "SchedulerService"),
        (scaling_pb2.DESCRIPTOR, "ScalingService"),
    )
)

MESSAGE_BYTES_MAX = 4 << 20
OPTIONS: tuple[tuple[str, int], ...] = (
    # On by default in gRPC: a second server on the same port would bind silently and get half of the calls.
    ("grpc.so_reuseport", 0),
    # Finds dead watchers within 80 s; gRPC's default is two hours.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Clients and proxies may ping every 30 s; gRPC's default, five minutes, answers "too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Connections are renewed so that balancers below HTTP/2 can spread them; watches resume.
    ("grpc.max_connection_age_ms", 1_800_000),
    ("grpc.max_connection_age_grace_ms", 300_000),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # With gRPC's default of 1,000 the larger part of 5,000 watches that reconnect at once is cancelled.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
)

SLICE_PAUSE_S = 0.01
"""Rest between two slices of a long tail: watchers that read get to empty their buffers in it."""

TAIL_RETRY_S = 1.0
"""Rest after the store could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Settings of the edge. All durations are real time."""

    default_deadline_s: float = 30.0
    """For unary calls whose client set none."""

    progress_interval_s: float = 20.0
    """Longest silence of a watch. Proxies cut silent streams, the strictest common ones after 60 s."""

    drain_delay_s: float = 5.0
    """How long to serve on as NOT_SERVING: health interval times threshold of the proxy, plus propagation."""

    insecure_listen: bool = False
    """Allows other addresses than loopback without TLS."""

    tls: TlsFiles | None = None
    """The server's certificate, and whose certificates clients must have; None: plain text."""


class ApiServer:
    """Serves the API on the event loop that constructs it.

    Threading: `set_serving` and what is handed to the services may be called from any thread; all else
    belongs to the loop.
    """

    def __init__(
        self,
        placement: Placement,
        autoscaling: Autoscaling,
        store: Store,
        *,
        hub: WatchHub,
        tails: LogTails,
        settings: ApiSettings,
    ) -> None:
        """Must be called on the running loop. Nothing listens before `start`."""
        self._settings = settings
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._replies = Replies(self._loop)
        self._searches = Searches()
        self._scaling_watches = ScalingWatches(store)
        self._health = health.HealthServicer(OUR_SERVICES, self._loop)
        self._committed = asyncio.Event()
        self._tail: asyncio.Task[None] | None = None
        streams = WatchStreams(store, hub, self._searches, progress_interval_s=settings.progress_interval_s)
        self._scheduler = SchedulerServicer(
            placement,
            store,
            replies=self._replies,
            pages=TaskPages(store, self._searches),
            streams=streams,
            log_streams=LogStreams(tails, settings.progress_interval_s),
        )
        self._scaling = ScalingServicer(
            autoscaling,
            epoch=store.epoch,
            replies=self._replies,
            streams=ScalingStreams(self._scaling_watches, store.epoch, settings.progress_interval_s),
        )
        self._reflection = ReflectionServicer(
            DescriptorIndex(served_descriptors()), (*OUR_SERVICES, health.SERVICE)
        )
        self._certificates: RenewedCertificates | None = None
        self._listener = Listener(self._new_server, self._add_port)

    async def start(self, address: str) -> int:
        """Listens on `address` (port 0: a free one), reports SERVING and returns the port.

        Raises ServerAddressError when it may not or cannot listen there, CertificateError when TLS cannot be.
        """
        check_address(address)
        try:
            port = await self._listener.start(address)
        except RuntimeError as refused:
            raise ServerAddressError(
                f"cannot listen on {address}: the port is in use, or the address is not this machine's"
            ) from refused
        self._tail = asyncio.create_task(self._follow_the_log())
        self._hub.attach(self._wake_tail)
        self._health.set_serving(True)
        return port

    def _new_server(self) -> aio.Server:
        """A server of everything that is served."""
        interceptor = ErrorInterceptor(self._settings.default_deadline_s)
        server = aio.server(interceptors=[interceptor], options=OPTIONS)
        add_SchedulerServiceServicer_to_server(self._scheduler, server)
        add_ScalingServiceServicer_to_server(self._scaling, server)
        server.add_generic_rpc_handlers((self._health.handler(), *self._reflection.handlers()))
        return server

    def _add_port(self, server: aio.Server, address: str) -> int:
        """Raises RuntimeError when gRPC cannot listen there."""
        tls = self._settings.tls
        if tls is not None:
            # Once: what takes a server's place must not depend on what became of the files since.
            self._certificates = self._certificates or RenewedCertificates(tls)
            return server.add_secure_port(address, server_credentials(self._certificates))
        refuse_open_listener(address, self._settings.insecure_listen)
        return server.add_insecure_port(address)

    def set_serving(self, serving: bool) -> None:
        """Any thread: what health says, until the server drains."""
        self._health.set_serving_soon(serving)

    async def stop(self, grace_s: float) -> None:
        """Drains and stops: nobody loses an answer who looks at health or resumes.

        NOT_SERVING first, and served on for the drain delay, so that proxies turn away before anything is
        refused. Then watches end with UNAVAILABLE, calls in flight get `grace_s`, and it is over.
        """
        self._health.drain()
        await asyncio.sleep(self._settings.drain_delay_s)
        self._hub.close()
        self._scaling_watches.end()
        self._health.close()
        await self._listener.stop(grace_s)
        self._replies.close()
        self._searches.close()
        if self._tail is not None:
            self._tail.cancel()
            await asyncio.wait([self._tail])

    def _wake_tail(self) -> None:
        """Any thread. The hub may call it a last time while the loop is being closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._committed.set)

    async def _follow_the_log(self) -> None:
        while True:
            await self._committed.wait()
            self._committed.clear()
            try:
                while self._hub.advance():
                    await asyncio.sleep(SLICE_PAUSE_S)
                # After the hub, which from then on rings again for what is committed.
                self._scaling_watches.committed()
            except Exception as error:
                # Whatever it is: a tail that ended would leave every watch silent for ever.
                log.error("watch_tail_failed", retry_s=TAIL_RETRY_S, exc_info=error)
                await asyncio.sleep(TAIL_RETRY_S)
                self._committed.set()
