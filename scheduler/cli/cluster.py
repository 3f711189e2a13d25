"""`cluster`: the cluster as the service sees it."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer
from grpc import aio
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ecs_scheduler.v1.reservation_pb2 import Reservations
from ecs_scheduler.v1.resources_pb2 import Architecture
from ecs_scheduler.v1.scaling_pb2 import Cluster, GetClusterRequest, InstanceType, UnplacedShape
from scheduler.cli import capacity_words, tables, words
from scheduler.cli.complaint import ExitCode, give_up, give_up_on
from scheduler.cli.options import Output, OutputFormat, finite
from scheduler.cli.server_options import Server, client_command
from scheduler.client.patience import is_interruption
from scheduler.client.refusal import refusal_of


@client_command
def cluster(
    *,
    server: Server,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, callback=finite, help="How long to wait.")
    ] = 5.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Show the group, its capacity, the demand, and why what waits is waiting."""
    try:
        seen = asyncio.run(_get_cluster(server, timeout))
    except aio.AioRpcError as error:
        refusal = refusal_of(error)
        if is_interruption(refusal):
            give_up_on(server.address, refusal, server.problem(refusal))
        give_up(f"{server.address}: {refusal}", ExitCode.REFUSED)
    if output is Output.JSON:
        print(words.json_line(seen))
    else:
        tables.show(_parts(seen))


async def _get_cluster(server: Server, timeout_s: float) -> Cluster:
    async with server.connected() as connection:
        answer = await connection.scaling.GetCluster(GetClusterRequest(), timeout=timeout_s)
        return answer.cluster


def _parts(seen: Cluster) -> Iterator[RenderableType]:
    yield _overview(seen)
    if seen.unplaced:
        yield ""
        yield _unplaced(seen)
    if seen.unplaced_left_out:
        yield Text(f"and {seen.unplaced_left_out} more, of fewer tasks")
    if seen.reservations.count:
        yield ""
        yield from _reserved(seen.reservations)
    for condition in seen.conditions:
        yield Text(f"{condition.reason}: {condition.message}", style="yellow")


def _overview(seen: Cluster) -> Table:
    group, instances, tasks = seen.group, seen.instances, seen.tasks
    table = tables.facts()
    stale = "  (stale: AWS was not read completely of late)" if seen.stale else ""
    table.add_row("cluster", f"{seen.cluster}, revision {seen.revision}{stale}")
    table.add_row("group", f"{group.name}, {group.min_size} to {group.max_size} container instances")
    table.add_row("capacity", f"desired {group.desired_capacity}, in flight {group.in_flight}")
    if seen.HasField("wish"):
        table.add_row("wish", capacity_words.wish(seen.wish))
    table.add_row(
        "container instances",
        f"schedulable {instances.schedulable}, idle {instances.idle}, disconnected {instances.disconnected}, "
        f"draining {instances.draining}, leaving {instances.leaving}, old {instances.stale}, "
        f"outside the group {instances.outside_group}"
        + (f", suspect {instances.suspect}" if instances.suspect else ""),
    )
    table.add_row("registered", words.resources(seen.registered))
    table.add_row("free", words.resources(seen.free))
    table.add_row(
        "tasks",
        f"queued {tasks.queued}, assigned {tasks.assigned}, starting {tasks.starting}, "
        f"running {tasks.running}, stopping {tasks.stopping}",
    )
    if seen.reservations.HasField("hit_rate") or seen.reservations.count:
        table.add_row("reservations", _reservations(seen.reservations))
    for type_ in group.instance_types:
        table.add_row(type_.name, _type(type_))
    return table


def _type(type_: InstanceType) -> str:
    basis = "as registered" if type_.learned else "expected"
    return f"{words.resources(type_.allocatable)} for tasks ({basis})"


def _reservations(reserved: Reservations) -> str:
    standing = f"{reserved.count} for {reserved.pieces} tasks"
    if not reserved.HasField("hit_rate"):
        return standing
    ended = f"{reserved.pieces_used} used so far, {reserved.pieces_lapsed} lapsed"
    return f"{standing}; {ended}, hit rate {reserved.hit_rate:.0%}"


def _reserved(reserved: Reservations) -> Iterator[Text]:
    yield Text("reserved", style="bold")
    yield from (Text(capacity_words.reservation(each)) for each in reserved.next)
    if reserved.count > len(reserved.next):
        yield Text(f"and {reserved.count - len(reserved.next)} more, that last longer")


def _unplaced(seen: Cluster) -> Table:
    table = tables.rows("tenant", "priority", "waiting", "each asks for", "container instances that said no")
    for shape in seen.unplaced:
        table.add_row(shape.tenant, str(shape.priority), str(shape.count), _ask(shape), _why(shape))
    return table


def _ask(shape: UnplacedShape) -> str:
    amount = words.ask(shape.resources, exclusive=shape.exclusive)
    if not shape.architecture:
        return amount
    return f"{amount}, {Architecture.Name(shape.architecture).removeprefix('ARCHITECTURE_')}"


def _why(shape: UnplacedShape) -> str:
    reasons = [f"{each.container_instances} {each.reason}" for each in shape.rejects]
    return ", ".join([*reasons, "the group is at its max size or target"] if shape.clamped else reasons)
