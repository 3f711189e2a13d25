"""`release`: room that a build does not need any more."""

import asyncio
from typing import Annotated

import typer

from ecs_scheduler.v1.reservation_pb2 import ReleaseCapacityRequest, ReleaseCapacityResponse
from scheduler.cli import words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.reserving import release as release_room


@client_command
def release(
    *,
    build_key: Annotated[str, typer.Argument(metavar="BUILD", help="The build, as its agents name it.")],
    tenant: Annotated[str, typer.Option(help="Whose build.")],
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Release what a build has reserved, if it has reserved anything."""
    request = ReleaseCapacityRequest(tenant=tenant, build_key=build_key)
    response = asyncio.run(_release(server, request, retry_for))
    print(words.json_line(response) if output is Output.JSON else f"{build_key}: nothing is reserved")


async def _release(
    server: Server, request: ReleaseCapacityRequest, retry_for_s: float
) -> ReleaseCapacityResponse:
    async with server.connected() as connection:
        return await release_room(connection, request, retry_for_s=retry_for_s)
