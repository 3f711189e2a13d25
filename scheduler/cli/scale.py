"""`scale`: how many container instances an operator wants, and what the service would make of it."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration
from rich.console import RenderableType

from ecs_scheduler.v1.capacity_pb2 import Clear, ScalePlan, ScaleWish
from ecs_scheduler.v1.scaling_pb2 import ScaleRequest
from scheduler.adapters.system import SystemIds
from scheduler.cli import capacity_words, tables, words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor, duration
from scheduler.cli.server_options import Server, client_command
from scheduler.client.scaling import plan as plan_under
from scheduler.client.scaling import scale as scale_to

LARGEST = 2**31 - 1
"""What the API's field holds."""


@client_command
def scale(
    *,
    floor: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=LARGEST, help="Never fewer instances.")
    ] = None,
    target: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=LARGEST, help="As many; surplus goes when idle.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="No wish any more.")] = False,
    lasting: Annotated[
        Duration | None,
        typer.Option("--for", parser=duration, metavar="DURATION", help="For so long: `2h`; else for good."),
    ] = None,
    group: Annotated[str, typer.Option(metavar="NAME", help="The Auto Scaling group; if set, checked.")] = "",
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="The idempotency key; a new one if unset.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; show what would be done, and why not more.")
    ] = False,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Wish for capacity: a floor, a target, or neither any more. The wish replaces the one before.

    It is one more input of the next decision and keeps to the group's min and max size.
    """
    if clear + (floor is not None) + (target is not None) > 1 or not (
        dry_run or clear or floor is not None or target is not None
    ):
        raise typer.BadParameter("give one of --floor, --target and --clear")
    if lasting is not None and floor is None and target is None:
        raise typer.BadParameter("--for: with --floor or --target only, not with --clear")
    request = ScaleRequest(
        request_id=request_id or SystemIds().attempt_id(),
        group=group,
        floor=floor,
        target=target,
        clear=Clear() if clear else None,
        expiry=lasting,
    )
    if dry_run:
        _show_plan(asyncio.run(_plan(server, request, retry_for)), output)
    else:
        _show_wish(asyncio.run(_scale(server, request, retry_for)), output)


async def _scale(server: Server, request: ScaleRequest, retry_for_s: float) -> ScaleWish:
    async with server.connected() as connection:
        return await scale_to(connection, request, retry_for_s=retry_for_s)


async def _plan(server: Server, request: ScaleRequest, retry_for_s: float) -> ScalePlan:
    async with server.connected() as connection:
        return await plan_under(connection, request, retry_for_s=retry_for_s)


def _show_wish(wish: ScaleWish, output: Output) -> None:
    if output is Output.JSON:
        print(words.json_line(wish))
    else:
        print(f"{wish.group}: {capacity_words.wish(wish)}")


def _show_plan(plan: ScalePlan, output: Output) -> None:
    if output is Output.JSON:
        print(words.json_line(plan))
    else:
        tables.show(_parts(plan))


def _parts(plan: ScalePlan) -> Iterator[RenderableType]:
    facts = tables.facts()
    facts.add_row("group", f"{plan.group}, kept from {plan.floor} to {plan.ceiling} container instances")
    facts.add_row(
        "desired", f"{plan.desired} now, {plan.desired_after} after that, in flight {plan.in_flight}"
    )
    if plan.held:
        facts.add_row("held", f"by {plan.held}: nothing is done")
    yield facts
    if plan.actions:
        yield ""
        actions = tables.rows("action", "container instance", "desired", "why")
        for each in plan.actions:
            actions.add_row(
                capacity_words.kind(each),
                each.ec2_instance_id or "-",
                capacity_words.change(each) or "-",
                capacity_words.why(each),
            )
        yield actions
    if plan.kept:
        yield ""
        kept = tables.rows("idle and kept", "why")
        for stays in plan.kept:
            kept.add_row(stays.ec2_instance_id, stays.reason)
        yield kept
