"""`instances`: the container instances as the service sees them."""

import asyncio
from collections.abc import Iterable

from rich.table import Table

from ecs_scheduler.v1.container_instance_pb2 import ContainerInstance
from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesRequest
from scheduler.cli import capacity_words, tables, words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.connection import connected
from scheduler.client.listing import list_container_instances

PAGE_SIZE = 500
"""The largest page that the API has."""

_NUMBERS = frozenset({"tasks", "starting", "free vCPU", "free MiB"})


@client_command
def instances(
    *,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Show each container instance: what the service makes of it, its tasks, its room, and its removal."""
    seen = asyncio.run(_list(server, retry_for))
    if output is Output.JSON:
        for each in seen:
            print(words.json_line(each))
    elif seen:
        tables.show([_table(seen)])


async def _list(server: Server, retry_for_s: float) -> list[ContainerInstance]:
    request = ListContainerInstancesRequest(page_size=PAGE_SIZE)
    async with connected(server.address, server.tls) as connection:
        listing = list_container_instances(connection, request, retry_for_s=retry_for_s)
        return [each async for each in listing]


def _table(seen: Iterable[ContainerInstance]) -> Table:
    table = tables.rows(
        "container instance",
        "type",
        "zone",
        "health",
        "tasks",
        "starting",
        "free vCPU",
        "free MiB",
        "notes",
        numbers=_NUMBERS,
    )
    for each in seen:
        table.add_row(
            each.ec2_instance_id,
            each.instance_type or "-",
            each.availability_zone or "-",
            capacity_words.health(each),
            str(each.tasks),
            str(each.starting),
            f"{each.free.cpu_units / 1024:g}/{each.registered.cpu_units / 1024:g}",
            f"{each.free.memory_mib:,}/{each.registered.memory_mib:,}",
            capacity_words.notes(each),
        )
    return table
