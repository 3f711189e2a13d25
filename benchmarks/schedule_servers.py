"""The servers of the benches: the real service on two kinds of cluster, and the emptiest one there can be."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time

import grpc
import uvloop
from grpc import aio

from benchmarks.full_cluster import FullCluster
from benchmarks.processes import STOP
from benchmarks.roomy_cluster import RoomyCluster
from benchmarks.schedule_messages import SERVICE, response
from benchmarks.workload import GROUP
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, ScheduleResponse
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.adapters.system import SystemClock, SystemIds
from scheduler.bootstrap import App, build_engine
from scheduler.cli.interpreter import tune
from scheduler.cli.logs import configure_logs
from scheduler.config import load_settings
from scheduler.ports.cloud import Cloud

ANY_PORT = "127.0.0.1:0"

Questions = Mapping[str, Callable[[], object]]
"""What a server can be asked through its pipe."""

Context = aio.ServicerContext[ScheduleRequest, ScheduleResponse]


def serve_echo(connection: Connection) -> None:
    """An aio server on uvloop whose one method answers with a message made before."""
    tune()
    uvloop.run(_echo(connection))


def serve_schedule(connection: Connection, store: Path) -> None:
    """The whole service on a file, with the cluster full and AWS quiet."""
    uvloop.run(_service(connection, store, FullCluster(GROUP), {}))


def serve_starts(connection: Connection, store: Path) -> None:
    """The whole service on a file, with room for every task. "starts" asks when each was started."""
    cluster = RoomyCluster(GROUP)
    # A log like production's, with some lines a task, but not among the explanations of the bench.
    with store.with_suffix(".log").open("w") as log, redirect_stderr(log):
        uvloop.run(_service(connection, store, cluster, {"starts": lambda: cluster.starts_s}))


async def _echo(connection: Connection) -> None:
    answer = response()

    async def schedule(request: ScheduleRequest, context: Context) -> ScheduleResponse:
        return answer

    server = aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        schedule,
        request_deserializer=ScheduleRequest.FromString,
        response_serializer=ScheduleResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Schedule": handler}),))
    port = server.add_insecure_port(ANY_PORT)
    await server.start()
    await _until_stopped(connection, port, {})
    await server.stop(None)


async def _service(connection: Connection, path: Path, cloud: Cloud, questions: Questions) -> None:
    configure_logs()
    settings = load_settings(
        {
            "ECS_ASG": GROUP,
            "ECS_CLUSTER": "ci",
            "ECS_TASK_DEF": "agents",
            "ECS_SCHEDULER_DRAIN_DELAY_S": "0",
        }
    )
    engine = build_engine(
        settings,
        clock=SystemClock(),
        ids=SystemIds(),
        cloud=cloud,
        store=SqliteStore(path),
    )
    app = App(engine)
    app.start(failed=lambda: os._exit(1))  # the bench then finds the pipe closed
    tune()
    server = app.serve()
    port = await server.start(ANY_PORT)
    await _until_stopped(connection, port, questions)
    await server.stop(0)
    await asyncio.to_thread(app.stop)


async def _until_stopped(connection: Connection, port: int, questions: Questions) -> None:
    """Tells the port, then answers questions; every server knows how many CPU seconds it has used."""
    answers = {"cpu": process_time, **questions}
    connection.send(port)
    while (question := await asyncio.to_thread(connection.recv)) != STOP:
        connection.send(answers[question]())
