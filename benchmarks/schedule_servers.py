"""The two servers of the schedule bench: the real service, and the emptiest server that gRPC can be."""

import asyncio
import os
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time

import grpc
import uvloop
from grpc import aio

from benchmarks.full_cluster import FullCluster
from benchmarks.processes import STOP
from benchmarks.schedule_messages import SERVICE, response
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, ScheduleResponse
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.adapters.system import SystemClock, SystemIds
from scheduler.bootstrap import App, build_engine
from scheduler.cli.interpreter import tune
from scheduler.cli.logs import configure_logs
from scheduler.config import load_settings

ANY_PORT = "127.0.0.1:0"

Context = aio.ServicerContext[ScheduleRequest, ScheduleResponse]


def serve_echo(connection: Connection) -> None:
    """An aio server on uvloop whose one method answers with a message made before."""
    tune()
    uvloop.run(_echo(connection))


def serve_schedule(connection: Connection, store: Path) -> None:
    """The whole service on a file, with the cluster full and AWS quiet."""
    configure_logs()
    uvloop.run(_schedule(connection, store))


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
    await _until_stopped(connection, port)
    await server.stop(None)


async def _schedule(connection: Connection, path: Path) -> None:
    settings = load_settings(
        {
            "ECS_ASG": "ci-agents",
            "ECS_CLUSTER": "ci",
            "ECS_TASK_DEF": "agents",
            "ECS_SCHEDULER_DRAIN_DELAY_S": "0",
        }
    )
    engine = build_engine(
        settings,
        clock=SystemClock(),
        ids=SystemIds(),
        cloud=FullCluster(settings.group),
        store=SqliteStore(path),
    )
    app = App(engine)
    app.start(failed=lambda: os._exit(1))  # the bench then finds the pipe closed
    tune()
    server = app.serve()
    port = await server.start(ANY_PORT)
    await _until_stopped(connection, port)
    await server.stop(0)
    await asyncio.to_thread(app.stop)


async def _until_stopped(connection: Connection, port: int) -> None:
    """Tells the port, then answers every question but the last with the CPU seconds used so far."""
    connection.send(port)
    while await asyncio.to_thread(connection.recv) != STOP:
        connection.send(process_time())
