"""A real server on a free port of loopback, with a memory store and a writer's thread of its own."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from ecs_scheduler.v1 import scaling_pb2_grpc, scheduler_pb2, scheduler_pb2_grpc, task_spec_pb2
from ecs_scheduler.v1.resources_pb2 import Resources as ResourcesMessage
from scheduler.adapters.memory import MemoryLogs, MemoryStore
from scheduler.adapters.system import SystemClock
from scheduler.api.server import ApiServer, ApiSettings
from scheduler.config import LogLimits
from scheduler.core.model.digest import InstanceDigest, empty_digest
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import CancelRequested, Record, TaskSubmitted
from scheduler.core.model.scaling import ScalePlan
from scheduler.core.model.task import TaskRequest
from scheduler.core.world.world import World
from scheduler.ports.store import StoreError
from scheduler.services.asking import Ask, AskGrant, AskInstances, AskPlan
from scheduler.services.autoscaling import AutoscalingService
from scheduler.services.fingerprint import fingerprint
from scheduler.services.granting import granted
from scheduler.services.logs.poller import LogPoller
from scheduler.services.logs.tails import LogTails
from scheduler.services.watch import WatchHub
from scheduler.services.writer import Commits, Done, Writer
from tests.builders import cancel_requested, submitted
from tests.clocks import START_MS, VirtualClock

QUICK = ApiSettings(drain_delay_s=0.0)
"""Nothing is in front of a test's server that would have to notice a drain."""

QUICK_LOGS = LogLimits(reads_per_s=1_000, patience_ms=0)
"""Nobody else reads the logs, and their lines are there at once."""

DETAIL_TYPES = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (ErrorInfo, BadRequest, PreconditionFailure, QuotaFailure, RetryInfo)
}


class FakePlacement:
    """Accepts whatever it is not told to refuse, and commits on its own thread, as the real writer does."""

    def __init__(self, store: MemoryStore, hub: WatchHub) -> None:
        self.refusal: Exception | None = None
        self.mute = False
        self.writer = ThreadPoolExecutor(max_workers=1)
        self.commits: Commits = store
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
            fingerprint=fingerprint(request),
            request_id=request.request_id,
            tenant=request.tenant,
            priority=request.priority,
            labels=request.labels,
            spec=request.spec,
            timeouts=request.timeouts,
            may_run_again=request.may_run_again,
        )

    def submit(self, record: TaskSubmitted, done: Done) -> None:
        if not self.mute:
            self.writer.submit(self._commit, record, done)

    def cancel(self, task_id: str, done: Done) -> None:
        self.cancelled.append(task_id)
        if not self.mute:
            self.writer.submit(self._commit, cancel_requested(int(task_id[2:])), done)

    def _commit(self, record: TaskSubmitted | CancelRequested, done: Done) -> None:
        try:
            [result] = self.commits.commit([[record]])
        except StoreError as error:
            done(error)
        else:
            done(result)
            self._hub.revision_committed()


class PlayedLoop:
    """Shows the digest that a test put there, and answers on a thread of its own, as the control loop does.

    `plan` and `instances` are its answers; what is reserved `world` knows. A mute one never answers.
    """

    def __init__(self) -> None:
        self.digest = empty_digest("ci")
        self.plan: ScalePlan | None = None
        self.instances: tuple[InstanceDigest, ...] = ()
        self.world = World(Policy(), "ci")
        self.asked: list[Ask] = []
        self.mute = False
        self.thread = ThreadPoolExecutor(max_workers=1)

    def ask(self, question: Ask) -> None:
        self.asked.append(question)
        if not self.mute:
            self.thread.submit(self._answer, question)

    def _answer(self, question: Ask) -> None:
        match question:
            case AskPlan():
                question.answer(self.plan)
            case AskInstances():
                question.answer(self.instances)
            case AskGrant():
                question.answer(granted(self.world, question.order, question.at_ms))


def autoscaling_over(
    store: MemoryStore, hub: WatchHub, loop: PlayedLoop
) -> tuple[AutoscalingService, Writer]:
    """The real service for the group `ci`, and the writer behind it, which the caller starts and stops."""
    writer = Writer(
        store,
        committed=lambda message: loop.world.apply(message.records, START_MS),
        advanced=hub.revision_committed,
        health=lambda writable: None,
    )
    service = AutoscalingService(
        lambda: loop.digest, ask=loop.ask, writer=writer, clock=VirtualClock(), group="ci"
    )
    return service, writer


def tails_over(
    store: MemoryStore, hub: WatchHub, logs: MemoryLogs, limits: LogLimits
) -> tuple[LogPoller, LogTails]:
    """The real ones; the caller starts and stops the poller."""
    poller = LogPoller(logs, SystemClock(), limits.reads_per_s)
    tails = LogTails(
        poller,
        store,
        hub,
        tails_max=limits.tails_max,
        tenant_max=limits.tails_per_tenant,
        patience_ms=limits.patience_ms,
    )
    return poller, tails


@dataclass(kw_only=True)
class Served:
    """A running server, what is behind it, and a client in front of it."""

    server: ApiServer
    address: str
    store: MemoryStore
    hub: WatchHub
    placement: FakePlacement
    loop: PlayedLoop
    logs: MemoryLogs
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
    store: MemoryStore | None = None,
    settings: ApiSettings = QUICK,
    buffer_size: int = 1_000,
    address: str = "127.0.0.1:0",
    log_limits: LogLimits = QUICK_LOGS,
) -> AsyncIterator[Served]:
    """A server that is stopped at the end, if the test has not done so."""
    store = store or MemoryStore()
    hub = WatchHub(store, buffer_size)
    placement, loop = FakePlacement(store, hub), PlayedLoop()
    autoscaling, writer = autoscaling_over(store, hub, loop)
    writer.start(lambda: None)
    logs = MemoryLogs()
    poller, tails = tails_over(store, hub, logs, log_limits)
    poller.start()
    server = ApiServer(placement, autoscaling, store, hub=hub, tails=tails, settings=settings)
    address = f"127.0.0.1:{await server.start(address)}"
    async with aio.insecure_channel(address) as channel:
        try:
            yield Served(
                server=server,
                address=address,
                store=store,
                hub=hub,
                placement=placement,
                loop=loop,
                logs=logs,
                channel=channel,
            )
        finally:
            await server.stop(grace_s=0.1)
            poller.stop()
            placement.writer.shutdown()
            loop.thread.shutdown()
            writer.stop()


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
