"""The service as it is, on a simulated AWS whose tasks take seconds and whose time runs faster."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from grpc import aio

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.system import ScaledClock, SystemClock, SystemIds
from scheduler.api.server import ApiServer
from scheduler.bootstrap import App, build_engine, open_store
from scheduler.config import load_settings
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.task import Task, TaskState
from scheduler.lab.stand_ins import in_process_clients
from scheduler.ports.store import Store, TaskFilter
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.settings import SimulationSettings
from tests.fuzz.arbitrary import CANARY

RATE = 60.0
LINE_CHARACTERS = 8_000
"""No line of the log needs more; a client must not be able to fill the disk with it."""

NO_TEXT = "codec can't decode byte"
"""grpcio's words for a path that is not UTF-8, which `api/listener.py` gets over."""

BRISK = SimulationSettings(
    pull_ms=(500, 1_000), create_ms=(100, 200), run_ms=(500, 5_000), container_stop_timeout_ms=1_000
)


@dataclass(kw_only=True)
class Service:
    """A running service, and what went wrong inside it."""

    address: str
    store: Store
    secrets: tuple[str, ...]
    """Texts of the server's own that no client may see."""
    complaints: list[str] = field(default_factory=list)

    def rejected(self) -> list[Task]:
        """Tasks that were accepted and that AWS would not have: our own rules are too lax."""
        failed = self.store.list_tasks(TaskFilter(states=frozenset({TaskState.FAILED})), "", 1_000_000)
        return [task for task in failed if _category(task) is StopCategory.REJECTED]


@asynccontextmanager
async def fuzzed_service(directory: Path) -> AsyncIterator[Service]:
    """The service, until the block ends."""
    complaints: list[str] = []
    file = directory / "fuzz.sqlite3"
    settings = load_settings(
        {
            "ECS_ASG": BRISK.auto_scaling_group,
            "ECS_CLUSTER": BRISK.cluster,
            "ECS_TASK_DEF": "agents",
            "ECS_SCHEDULER_STORE": str(file),
            "ECS_SCHEDULER_DRAIN_DELAY_S": "0",
        }
    )
    now_ms = SystemClock().now_ms()
    clock = ScaledClock(now_ms, now_ms, RATE)
    cloud = AwsCloud(in_process_clients(SimulatedAws(clock, BRISK), BRISK.region), cluster=BRISK.cluster)
    store = open_store(settings)
    app = App(build_engine(settings, clock=clock, ids=SystemIds(), cloud=cloud, store=store))
    with _heard(complaints):
        app.start(lambda: complaints.append("a defect has ended the loop or the writer"))
        try:
            server = app.serve()
            yield Service(
                address=f"127.0.0.1:{await server.start('127.0.0.1:0')}",
                store=store,
                secrets=(str(directory), str(Path.cwd())),
                complaints=complaints,
            )
            await _stopped(server, complaints)
        finally:
            await asyncio.to_thread(app.stop)


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[aio.Channel]:
    """A client's connection; it takes messages longer than any server of ours would send."""
    options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    async with aio.insecure_channel(service.address, options=options) as channel:
        yield channel


async def _stopped(server: ApiServer, complaints: list[str]) -> None:
    try:
        async with asyncio.timeout(20):
            await server.stop(grace_s=1)
    except TimeoutError:
        complaints.append("the server does not stop")


@contextmanager
def _heard(complaints: list[str]) -> Iterator[None]:
    """Errors in our log, or in that of gRPC and asyncio, and lines that no log should have."""

    def hear(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        complaints.extend(_wrong_with(level, event))
        raise structlog.DropEvent

    handler = _Handler(complaints)
    before = structlog.get_config()
    structlog.configure(processors=[hear])
    for name in ("grpc", "asyncio"):
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        structlog.configure(**before)
        for name in ("grpc", "asyncio"):
            logging.getLogger(name).removeHandler(handler)


def _wrong_with(level: str, event: MutableMapping[str, Any]) -> Iterator[str]:
    error = event.pop("exc_info", None)
    text = repr(event)
    if level in ("error", "critical", "exception"):
        told = traceback.format_exc() if error is True else "".join(_lines_of(error))
        yield f"logged {text[:LINE_CHARACTERS]}\n{told}"
    if CANARY in text:
        yield f"the log holds a secret: {text[:LINE_CHARACTERS]}"
    if len(text) > LINE_CHARACTERS:
        yield f"a line of {len(text):,} characters in the log: {text[:200]}"


def _lines_of(error: object) -> list[str]:
    return traceback.format_exception(error) if isinstance(error, BaseException) else []


class _Handler(logging.Handler):
    """What the libraries under the server complain of."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps it with its traceback."""
        text = f"{record.name}: {logging.Formatter().format(record)}"
        if NO_TEXT not in text:
            self._complaints.append(text)


def _category(task: Task) -> StopCategory | None:
    reason = task.status.stop_reason
    return reason.category if reason else None
