"""The two processes of the backlog bench: one accepts all the tasks, the other starts on what it leaves.

The API is left out: requests are parsed from their bytes and handed to what stands behind it.
"""

import gc
import logging
import os
from collections.abc import Callable, Iterator
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from random import Random
from resource import getpagesize
from time import monotonic, sleep
from uuid import UUID

import structlog

from benchmarks.full_cluster import REGISTERED, TYPE, FullCluster
from benchmarks.processes import PATIENCE_S
from benchmarks.schedule_messages import request
from benchmarks.workload import GROUP, SEED
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.adapters.system import SystemClock, SystemIds
from scheduler.api.convert import parse
from scheduler.api.convert.enums import CONTAINER_SIZES
from scheduler.bootstrap import App, build_engine
from scheduler.cli.interpreter import tune
from scheduler.cli.logs import configure_logs
from scheduler.config import load_settings
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES
from scheduler.core.model.answers import EcsTask, Failure
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import ContainerSize, TaskState
from scheduler.ports.cloud import Cloud, CloudError, TaskLaunch
from scheduler.services.writer import Reply

QUEUED = 100_000
TENANTS = 10
SHAPES = 50
CHUNK = 1_000
CHUNKS = QUEUED // CHUNK


class OpenCluster(FullCluster):
    """The cloud port on empty instances. It tells the first StartTask, and throttles them all."""

    def __init__(self, group: str, placed: Callable[[float], None]) -> None:
        """`placed` hears when a task was placed."""
        super().__init__(group, remaining=REGISTERED)
        self._placed = placed

    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """A placement is durable by now."""
        self._placed(monotonic())
        raise CloudError(Failure(definite=True, throttled=True, code="ThrottlingException", message=""))


def accept(connection: Connection, path: Path) -> None:
    """Tells after every chunk that it is accepted, and at the end by how many bytes the process has grown."""
    app, queued = _app(path, FullCluster(GROUP))
    tune()
    before = _resident()
    for number, accepted in enumerate(_accepted(app), start=1):
        if isinstance(accepted, Exception):
            raise accepted
        if number % CHUNK == 0:
            connection.send(number)
    _until(lambda: queued() == QUEUED)
    connection.send(_resident() - before)
    connection.recv()
    app.stop()


def start(connection: Connection, path: Path) -> None:
    """Tells when the first task was placed, and by how many bytes the process has grown."""
    before = _resident()
    placed: SimpleQueue[float] = SimpleQueue()
    app, _ = _app(path, OpenCluster(GROUP, placed.put))
    first_s = placed.get(timeout=PATIENCE_S)
    connection.send((first_s, _resident() - before))
    connection.recv()
    app.stop()


def _app(path: Path, cloud: Cloud) -> tuple[App, Callable[[], int]]:
    """The running service without its API, and how many tasks it knows to be waiting."""
    configure_logs()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    settings = load_settings({"ECS_ASG": GROUP, "ECS_CLUSTER": "ci", "ECS_TASK_DEF": "agents"})
    engine = build_engine(
        settings, clock=SystemClock(), ids=SystemIds(), cloud=cloud, store=SqliteStore(path)
    )
    app = App(engine)
    app.start(failed=lambda: os._exit(1))  # the bench then finds the pipe closed
    return app, lambda: engine.loop.digest.tasks.get(TaskState.QUEUED, 0)


def _accepted(app: App) -> Iterator[Reply]:
    """What became of each task; no more than a chunk is under way."""
    done: SimpleQueue[Reply] = SimpleQueue()
    for number, asked in enumerate(_requests()):
        if number >= CHUNK:
            yield done.get()
        record = app.placement.admit(parse.valid(parse.task_request(ScheduleRequest.FromString(asked))))
        app.placement.submit(record, done.put)
    for _ in range(CHUNK):
        yield done.get()


def _requests() -> Iterator[bytes]:
    """Bamboo agents of 50 shapes with two extra containers, of ten tenants."""
    random, shapes = Random(SEED), _shapes()
    for _ in range(QUEUED):
        asked = request(str(UUID(int=random.getrandbits(128), version=4)))
        asked.tenant = f"tenant-{random.randrange(TENANTS)}"
        agent, one, other = (CONTAINER_SIZES[size] for size in random.choice(shapes))
        asked.bamboo_agent.size = agent
        asked.bamboo_agent.extra_containers[0].size = one
        asked.bamboo_agent.extra_containers[1].size = other
        yield asked.SerializeToString()


_Sizes = tuple[ContainerSize, ContainerSize, ContainerSize]
"""Of the agent and its two extra containers."""


def _shapes() -> list[_Sizes]:
    """The first way to each amount that an instance holds."""
    first: dict[Resources, _Sizes] = {}
    extras = [each for each in ContainerSize if each in EXTRA_SIZES]
    for main, one, other in product(ContainerSize, extras, extras):
        ask = MAIN_SIZES[main] + EXTRA_SIZES[one] + EXTRA_SIZES[other]
        if ask.fits_in(_USABLE):
            first.setdefault(ask, (main, one, other))
    return list(first.values())[:SHAPES]


_USABLE = TYPE.allocatable.with_memory_share(Policy().declared_memory_factor)
"""What the type is thought to have before one of its instances has registered."""


def _until(reached: Callable[[], bool]) -> None:
    while not reached():
        sleep(0.05)


def _resident() -> int:
    """Bytes of memory that the process has (proc(5): statm)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()
