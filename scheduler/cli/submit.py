"""`submit`: asks for agents, and says which were accepted."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.adapters.system import SystemIds
from scheduler.cli.complaint import ExitCode, complain, give_up_on
from scheduler.cli.options import (
    DEFAULT_ADDRESS,
    DEFAULT_RETRY_S,
    Address,
    Output,
    OutputFormat,
    RetryFor,
    duration,
    labels,
)
from scheduler.cli.requests import Numbered, bamboo_spec, containers_spec, read_requests
from scheduler.cli.words import json_line, refusal_line
from scheduler.client.connection import Connection, connected
from scheduler.client.patience import Unreachable
from scheduler.client.refusal import Refusal, Refused
from scheduler.client.submission import submit as submit_one

CALLS_AT_ONCE = 16
"""Enough for the server to commit them in groups; results are still printed in the order of the requests."""

Answer = Task | Refusal

ALSO_WITH_A_FILE = frozenset({"file", "address", "retry_for", "output"})
"""Options that are not part of one request."""

File = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="One ScheduleRequest as JSON a line; `-` is stdin. Many are sent at once: their order in the "
        "queue is not the file's.",
    ),
]
QueueTimeout = Annotated[
    Duration | None, typer.Option(parser=duration, metavar="DURATION", help="How long it may wait: `10m`.")
]
StartTimeout = Annotated[
    Duration | None, typer.Option(parser=duration, metavar="DURATION", help="How long a start may take.")
]
RunTimeout = Annotated[
    Duration | None, typer.Option(parser=duration, metavar="DURATION", help="How long it may run.")
]


def submit(
    context: typer.Context,
    *,
    file: File = None,
    tenant: Annotated[str, typer.Option(help="Who asks.")] = "default",
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="The idempotency key; a new one if unset.")
    ] = None,
    priority: Annotated[int, typer.Option(min=-1_000, max=1_000, help="Higher goes first.")] = 0,
    label: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be repeated.")] = None,
    container: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=IMAGE:CPU_UNITS:MEMORY_MIB", help="May be repeated; the first is main."),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Environment of the main container.")
    ] = None,
    bamboo: Annotated[
        str | None, typer.Option(metavar="JSON", help="A BambooAgentSpec instead of containers.")
    ] = None,
    queue_timeout: QueueTimeout = None,
    start_timeout: StartTimeout = None,
    run_timeout: RunTimeout = None,
    may_run_again: Annotated[
        bool, typer.Option("--may-run-again", help="Launch it again if its instance is lost while it runs.")
    ] = False,
    address: Address = DEFAULT_ADDRESS,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Ask for agents; print the id of each task that was accepted.

    Exits with 1 if any was refused, with 3 if nobody answered.
    """
    if file is not None:
        _refuse_more_than_a_file(context)
        requests = read_requests(file)
    else:
        request = ScheduleRequest(
            request_id=request_id or SystemIds().attempt_id(),
            tenant=tenant,
            priority=priority,
            labels=labels(label or []),
            queue_timeout=queue_timeout,
            start_timeout=start_timeout,
            run_timeout=run_timeout,
            may_run_again=may_run_again,
        )
        _set_spec(request, bamboo, container or [], labels(env or []))
        requests = [Numbered(place=f"request {request.request_id}", request=request)]
    try:
        refused = asyncio.run(_submit_all(address, requests, retry_for, output))
    except Unreachable as error:
        give_up_on(address, error.refusal)
    raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.OK)


def _refuse_more_than_a_file(context: typer.Context) -> None:
    given = (name for name in context.params if _is_given(context, name))
    alone = [f"--{name.replace('_', '-')}" for name in given if name not in ALSO_WITH_A_FILE]
    if alone:
        raise typer.BadParameter(f"{', '.join(alone)}: not with --file, whose lines say it themselves")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _set_spec(
    request: ScheduleRequest, bamboo: str | None, containers: list[str], environment: dict[str, str]
) -> None:
    if (bamboo is not None) == bool(containers):
        raise typer.BadParameter("give --file, --bamboo or at least one --container")
    if bamboo is not None:
        request.bamboo_agent.CopyFrom(bamboo_spec(bamboo))
    else:
        request.containers.CopyFrom(containers_spec(containers, environment))


async def _submit_all(address: str, requests: Iterable[Numbered], retry_for_s: float, output: Output) -> int:
    """How many were refused."""
    refused = 0
    room = asyncio.Semaphore(CALLS_AT_ONCE)
    async with connected(address) as connection:
        answers = [
            asyncio.create_task(_submitted(connection, each.request, room, retry_for_s)) for each in requests
        ]
        try:
            for numbered, pending in zip(requests, answers, strict=True):
                answer = await pending
                _show(numbered, answer, output)
                refused += isinstance(answer, Refusal)
        finally:
            for pending in answers:
                pending.cancel()
            await asyncio.gather(*answers, return_exceptions=True)
    return refused


async def _submitted(
    connection: Connection, request: ScheduleRequest, room: asyncio.Semaphore, retry_for_s: float
) -> Answer:
    async with room:
        try:
            return await submit_one(connection, request, retry_for_s=retry_for_s)
        except Refused as error:
            return error.refusal


def _show(numbered: Numbered, answer: Answer, output: Output) -> None:
    if output is Output.JSON:
        print(_json(numbered.request.request_id, answer), flush=True)
    elif isinstance(answer, Task):
        print(answer.task_id, flush=True)
    else:
        complain(f"{numbered.place}: {answer}")
        for violation in answer.violations:
            complain(f"  {violation}")


def _json(request_id: str, answer: Answer) -> str:
    if isinstance(answer, Task):
        return json_line(answer)
    return refusal_line(answer, requestId=request_id)
