"""`reserve`: room for agents that a build is about to ask for."""

import asyncio
import re
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration

from ecs_scheduler.v1.reservation_pb2 import ReserveCapacityRequest, ReserveCapacityResponse, ReservedTasks
from ecs_scheduler.v1.resources_pb2 import Resources
from scheduler.api.convert.enums import CONTAINER_SIZES
from scheduler.cli import capacity_words, words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor, duration
from scheduler.cli.server_options import Server, client_command
from scheduler.client.reserving import reserve as reserve_room

_TASKS = re.compile(r"(?P<count>[0-9]{1,5})x(?P<shape>.+)")
_AMOUNT = re.compile(r"(?P<cpu_units>[0-9]{1,8}):(?P<memory_mib>[0-9]{1,9})")


@client_command
def reserve(
    *,
    build_key: Annotated[str, typer.Argument(metavar="BUILD", help="The build, as its agents name it.")],
    tenant: Annotated[str, typer.Option(help="Whose build.")],
    result: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A result whose agent will come; repeatable.")
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(metavar="COUNTxSHAPE", help="`3xREGULAR` or `2x4096:16000` (CPU:MiB); repeatable."),
    ] = None,
    total: Annotated[
        str | None, typer.Option(metavar="CPU:MIB", help="So much in all; `0:0` releases.")
    ] = None,
    exclusive: Annotated[
        bool,
        typer.Option("--exclusive", help="Each of --tasks wants a container instance for itself."),
    ] = False,
    lasting: Annotated[
        Duration | None,
        typer.Option("--for", parser=duration, metavar="DURATION", help="For so long; the server's default."),
    ] = None,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Reserve room for a build. It replaces what the build has reserved; the same again lasts longer.

    The group grows for it at once; the agents of the results use it up.
    """
    if (total is None) == (not tasks):
        raise typer.BadParameter("give one of --tasks and --total")
    if exclusive and not tasks:
        raise typer.BadParameter("--exclusive: with --tasks only")
    request = ReserveCapacityRequest(
        tenant=tenant,
        build_key=build_key,
        result_ids=result or [],
        tasks=[_tasks(each, exclusive=exclusive) for each in tasks or []],
        total=None if total is None else _amount("--total", total),
        expiry=lasting,
    )
    _show(asyncio.run(_reserve(server, request, retry_for)), output)


async def _reserve(
    server: Server, request: ReserveCapacityRequest, retry_for_s: float
) -> ReserveCapacityResponse:
    async with server.connected() as connection:
        return await reserve_room(connection, request, retry_for_s=retry_for_s)


def _show(response: ReserveCapacityResponse, output: Output) -> None:
    if output is Output.JSON:
        print(words.json_line(response))
    elif response.HasField("reservation"):
        print(capacity_words.reservation(response.reservation))
    else:
        print("nothing is reserved")


def _tasks(text: str, *, exclusive: bool) -> ReservedTasks:
    match = _TASKS.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"--tasks: expected COUNTxSHAPE, not {text!r}")
    count, shape = int(match["count"]), match["shape"]
    size = next((number for size, number in CONTAINER_SIZES.items() if size == shape.upper()), None)
    if size is not None:
        return ReservedTasks(count=count, size=size, exclusive=exclusive)
    return ReservedTasks(count=count, resources=_amount("--tasks", shape), exclusive=exclusive)


def _amount(option: str, text: str) -> Resources:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{option}: expected CPU units and MiB such as 4096:16000, not {text!r}")
    return Resources(cpu_units=int(match["cpu_units"]), memory_mib=int(match["memory_mib"]))
