"""`instances`: the container instances as the service sees them."""

import asyncio
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from ecs_scheduler.v1.container_instance_pb2 import ContainerInstance
from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesRequest
from scheduler.cli import capacity_words, tables, words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.listing import list_container_instances

PAGE_SIZE = 500
"""The largest page that the API has."""

WIDE = 132
"""Columns from which each instance gets one line; on a narrower terminal it gets two."""

_NUMBERS = frozenset({"tasks", "starting", "free vCPU", "free MiB"})
_INDENT = "    "


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
        tables.show([_table(seen)] if tables.width() >= WIDE else _pairs_of_lines(seen))


async def _list(server: Server, retry_for_s: float) -> list[ContainerInstance]:
    request = ListContainerInstancesRequest(page_size=PAGE_SIZE)
    async with server.connected() as connection:
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
            *_free(each),
            capacity_words.notes(each),
        )
    return table


def _pairs_of_lines(seen: Iterable[ContainerInstance]) -> Iterator[Text]:
    """What is short on one line, the rest below it: an id that is cut is of no use."""
    line = "{:<19}  {:<18}  {:>5}  {:>9}  {:>15}".format
    yield Text(line("container instance", "health", "tasks", "free vCPU", "free MiB"), style="bold")
    for each in seen:
        yield Text(line(each.ec2_instance_id, capacity_words.health(each), _tasks(each), *_free(each)))
        about = (each.instance_type, each.availability_zone, capacity_words.notes(each))
        yield Text(_INDENT + "; ".join(filter(None, about)))


def _tasks(instance: ContainerInstance) -> str:
    """`3`, or `3+1` with one more that starts."""
    return f"{instance.tasks}+{instance.starting}" if instance.starting else str(instance.tasks)


def _free(instance: ContainerInstance) -> tuple[str, str]:
    """vCPU and MiB, each of what is registered."""
    free, registered = instance.free, instance.registered
    return (
        f"{free.cpu_units / 1024:g}/{registered.cpu_units / 1024:g}",
        f"{free.memory_mib:,}/{registered.memory_mib:,}",
    )
