"""A real server on a free port of loopback, with a memory store and a writer's thread of its own."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from ecs_scheduler.v1 import scaling_pb2_grpc, scheduler_pb2, scheduler_pb2_grpc, task_spec_pb2
from ecs_scheduler.v1.resources_pb2 import Resources as ResourcesMessage
from scheduler.adapters.memory import MemoryStore
from scheduler.api.server import ApiServer, ApiSettings
from scheduler.core.model.digest import ClusterDigest, empty_digest
from scheduler.core.model.records import CancelRequested, Record, TaskSubmitted
from scheduler.core.model.task import TaskRequest
from scheduler.ports.store import CommitResult, StoreError
from scheduler.services.watch import WatchHub
from tests.builders import cancel_requested, submitted

QUICK = ApiSettings(drain_delay_s=0.0)
"""Nothing is in front of a test's server that would have to notice a drain."""

DETAIL_TYPES = {
    kind.DESCRIPTOR.full_name: kind for kind in (ErrorInfo, BadRequest, PreconditionFailure, RetryInfo)
}


class FakePlacement:
    """Accepts whatever it is not told to refuse, and commits on its own thread, as the real writer does."""

    def __init__(self, store: MemoryStore, hub: WatchHub) -> None:
        self.refusal: Exception | None = None
        self.mute = False
        self.writer = ThreadPoolExecutor(max_workers=1)
        self._store = store
        self._hub = hub
        self.accepted = 0
        self.cancelled: list[str] = []

    def admit(self, request: TaskRequest) -> TaskSubmitted:
        if self.refusal is not None:
            raise self.refusal
        self.accepted += 1
        return submitted(
            self._store.revision() + 1_000 * self.accepted,
            fingerprint=sha256(repr(request).encode()).hexdigest(),
            request_id=request.request_id,
            tenant=request.tenant,
            priority=request.priority,
            labels=request.labels,
            spec=request.spec,
            timeouts=request.timeouts,
            may_run_again=request.may_run_again,
        )

    def submit(self, record: TaskSubmitted, done: Callable[[CommitResult | StoreError], None]) -> None:
        if not self.mute:
            self.writer.submit(self._commit, record, done)

    def cancel(self, task_id: str, done: Callable[[CommitResult | StoreError], None]) -> None:
        self.cancelled.append(task_id)
        if not self.mute:
            self.writer.submit(self._commit, cancel_requested(int(task_id[2:])), done)

    def _commit(
        self, record: TaskSubmitted | CancelRequested, done: Callable[[CommitResult | StoreError], None]
    ) -> None:
        try:
            [result] = self._store.commit([[record]])
        except StoreError as error:
            done(error)
        else:
            done(result)
            self._hub.revision_committed()


class FakeAutoscaling:
    """Shows the digest that a test put there."""

    def __init__(self) -> None:
        self.digest = empty_digest("ci")

    def cluster(self) -> ClusterDigest:
        return self.digest


@dataclass(kw_only=True)
class Served:
    """A running server, what is behind it, and a client in front of it."""

    server: ApiServer
    address: str
    store: MemoryStore
    hub: WatchHub
    placement: FakePlacement
    autoscaling: FakeAutoscaling
    channel: aio.Channel

    @property
    def scheduler(self) -> "scheduler_pb2_grpc.SchedulerServiceAsyncStub":
        return scheduler_pb2_grpc.SchedulerServiceStub(self.channel)

    @property
    def scaling(self) -> "scaling_pb2_grpc.ScalingServiceAsyncStub":
        return scaling_pb2_grpc.ScalingServiceStub(self.channel)

    def commit(self, *records: Record) -> None:
        """Each record is a commit of its own, and the watches hear of them."""
        self.store.commit([[record] for record in records])
        self.hub.revision_committed()


@asynccontextmanager
async def serving(
    store: MemoryStore | None = None, settings: ApiSettings = QUICK, buffer_size: int = 1_000
) -> AsyncIterator[Served]:
    """A server that is stopped at the end, if the test has not done so."""
    store = store or MemoryStore()
    hub = WatchHub(store, buffer_size)
    placement, autoscaling = FakePlacement(store, hub), FakeAutoscaling()
    server = ApiServer(placement, autoscaling, store, hub=hub, settings=settings)
    address = f"127.0.0.1:{await server.start('127.0.0.1:0')}"
    async with aio.insecure_channel(address) as channel:
        try:
            yield Served(
                server=server,
                address=address,
                store=store,
                hub=hub,
                placement=placement,
                autoscaling=autoscaling,
                channel=channel,
            )
        finally:
            await server.stop(grace_s=0.1)
            placement.writer.shutdown()


def schedule_request(number: int = 1, **changes: object) -> scheduler_pb2.ScheduleRequest:
    """A valid request for one container, with a secret in its environment."""
    container = task_spec_pb2.Container(
        name="agent",
        image="agent:1",
        resources=ResourcesMessage(cpu_units=1024, memory_mib=2048),
        environment=[task_spec_pb2.EnvironmentVariable(name="TOKEN", value="hunter2")],
    )
    fields: dict[str, object] = {
        "request_id": f"00000000-0000-4000-8000-{number:012}",
        "tenant": "bamboo",
        "containers": task_spec_pb2.ContainersSpec(containers=[container]),
    }
    return scheduler_pb2.ScheduleRequest(**(fields | changes))  # type: ignore[arg-type]  # any field by name


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A failed call as its client sees it."""

    code: grpc.StatusCode
    message: str
    details: dict[type[Message], Message]

    @property
    def info(self) -> ErrorInfo:
        found = self.details[ErrorInfo]
        assert isinstance(found, ErrorInfo)
        return found

    @property
    def retry_s(self) -> float:
        found = self.details[RetryInfo]
        assert isinstance(found, RetryInfo)
        return found.retry_delay.ToTimedelta().total_seconds()


def refusal(error: aio.AioRpcError) -> Refusal:
    """Reads the details out of the trailers."""
    trailers = dict(error.trailing_metadata() or ())
    status = Status.FromString(bytes(trailers["grpc-status-details-bin"]))
    assert (status.code, status.message) == (error.code().value[0], error.details())
    details: dict[type[Message], Message] = {}
    for packed in status.details:
        kind = DETAIL_TYPES[packed.TypeName()]
        details[kind] = kind.FromString(packed.value)
    return Refusal(code=error.code(), message=status.message, details=details)
