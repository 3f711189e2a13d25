"""`tasks`: a tenant's tasks, one line each."""

import asyncio
from typing import Annotated

import typer

from ecs_scheduler.v1.scheduler_pb2 import ListTasksRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.cli import words
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor, labels, states
from scheduler.cli.server_options import Server, client_command
from scheduler.client.listing import list_tasks

PAGE_SIZE = 500
"""The largest page that the API has."""

# Fixed widths, for all columns but the last have them by nature: a long listing is printed while it is read.
_COLUMNS = "{:<20}  {:<28}  {:<9}  {:>7}  {:<19}  {:<21}  {}"
_HEADINGS = ("accepted", "task", "state", "attempt", "container instance", "asks for", "why")


@client_command
def tasks(
    *,
    tenant: Annotated[str, typer.Option(help="Whose tasks.")],
    build_key: Annotated[str, typer.Option(metavar="KEY", help="Only tasks with it.")] = "",
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only tasks with it. May be repeated.")
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Only tasks in it. May be repeated.")
    ] = None,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """List a tenant's tasks in the order in which they were accepted, those that ended included."""
    request = ListTasksRequest(
        tenant=tenant,
        build_key=build_key,
        labels=labels(label or []),
        states=states(state or []),
        page_size=PAGE_SIZE,
    )
    asyncio.run(_list(server, request, retry_for, output))


async def _list(server: Server, request: ListTasksRequest, retry_for_s: float, output: Output) -> None:
    headed = output is Output.JSON
    async with server.connected() as connection:
        async for task in list_tasks(connection, request, retry_for_s=retry_for_s):
            if not headed:
                print(_COLUMNS.format(*_HEADINGS))
                headed = True
            print(words.json_line(task) if output is Output.JSON else _row(task))


def _row(task: Task) -> str:
    row = _COLUMNS.format(
        task.create_time.ToDatetime().strftime("%Y-%m-%dT%H:%M:%SZ"),
        task.task_id,
        words.state(task.state),
        task.attempts[-1].number if task.attempts else "-",
        words.instance(task) or "-",
        words.ask(task.resources, exclusive=task.exclusive),
        words.why(task),
    )
    return row.rstrip()
