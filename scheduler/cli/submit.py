"""`submit`: asks for agents, and says which were accepted."""

import asyncio
from collections.abc import Sequence
from inspect import signature
from pathlib import Path

import typer

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.adapters.system import SystemIds
from scheduler.cli import submit_options as given
from scheduler.cli.complaint import ExitCode, complain
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor, environment, labels
from scheduler.cli.replay import Replay, choose_window, play
from scheduler.cli.requests import Numbered, bamboo_spec, containers_spec, read_requests
from scheduler.cli.server_options import Server, client_command, server_of
from scheduler.cli.trace import Run
from scheduler.cli.words import json_line, refusal_line
from scheduler.client.connection import Connection
from scheduler.client.refusal import Refusal, Refused
from scheduler.client.submission import submit as submit_one

CALLS_AT_ONCE = 16
"""Enough for the server to commit them in groups; results are still printed in the order of the requests."""

DEFAULT_WINDOW_S = 900

Answer = Task | Refusal

CONNECTING = {*signature(server_of).parameters, "retry_for", "output"}
"""Options that are not part of any request."""

OF_ONE = {"tenant", "request_id", "container", "env", "bamboo", "exclusive"}
"""Options that make one request."""

OF_A_TRACE = {"window", "start", "speed", "run_id", "wait"}
"""Options that go with --trace only."""


@client_command
def submit(
    context: typer.Context,
    *,
    file: given.RequestFile = None,
    trace: given.TraceFile = None,
    tenant: given.Tenant = "default",
    request_id: given.RequestId = None,
    priority: given.Priority = 0,
    label: given.Labels = None,
    container: given.Containers = None,
    env: given.Environment = None,
    bamboo: given.Bamboo = None,
    exclusive: given.Exclusive = False,
    queue_timeout: given.QueueTimeout = None,
    start_timeout: given.StartTimeout = None,
    run_timeout: given.RunTimeout = None,
    may_run_again: given.MayRunAgain = False,
    window: given.WindowLength = None,
    start: given.WindowStart = None,
    speed: given.Speed = 1.0,
    run_id: given.RunId = None,
    wait: given.Wait = False,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Ask for agents; print the id of each task that was accepted.

    With --trace: replay a part of what a CI once asked for, and tell what came of it.

    Exits with 1 if any was refused, with 3 if nobody answered.
    """
    request = ScheduleRequest(
        priority=priority,
        labels=labels(label or []),
        queue_timeout=queue_timeout,
        start_timeout=start_timeout,
        run_timeout=run_timeout,
        may_run_again=may_run_again,
    )
    _check_combination(context, file=file, trace=trace)
    if trace is not None:
        replay = Replay(
            file=trace,
            window=choose_window(trace, start, window or DEFAULT_WINDOW_S),
            run=Run(trace=trace.name, run_id=run_id or SystemIds().attempt_id(), template=request),
            speed=speed,
            wait=wait,
            retry_for_s=retry_for,
        )
        raise typer.Exit(play(server, replay, output))
    if file is not None:
        requests = read_requests(file)
    else:
        request.request_id, request.tenant = request_id or SystemIds().attempt_id(), tenant
        _set_spec(request, bamboo, container or [], environment(env or []), exclusive=exclusive)
        requests = [Numbered(place=f"request {request.request_id}", request=request)]
    refused = asyncio.run(_submit_all(server, requests, retry_for, output))
    raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.OK)


def _check_combination(context: typer.Context, *, file: str | None, trace: Path | None) -> None:
    """Raises typer.BadParameter for options that would be of no effect."""
    flags = {each.name: each.opts[0] for each in context.command.params}
    said = [name for name in context.params if _is_given(context, name)]
    if file is not None:
        wrong, why = set(said) - CONNECTING - {"file"}, "not with --file, whose lines say it themselves"
    elif trace is not None:
        wrong, why = OF_ONE & set(said), "not with --trace, whose rows say it themselves"
    else:
        wrong, why = OF_A_TRACE & set(said), "with --trace only"
    if wrong:
        raise typer.BadParameter(f"{', '.join(flags[name] for name in said if name in wrong)}: {why}")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _set_spec(
    request: ScheduleRequest,
    bamboo: str | None,
    containers: list[str],
    variables: dict[str, str],
    *,
    exclusive: bool,
) -> None:
    if bamboo is None and not containers:
        raise typer.BadParameter("give --file, --trace, --bamboo or at least one --container")
    if bamboo is not None and containers:
        raise typer.BadParameter("give only one of --bamboo and --container")
    if bamboo is not None and variables:
        raise typer.BadParameter("--env: with --container only; a Bamboo agent's is in its JSON")
    if bamboo is not None:
        request.bamboo_agent.CopyFrom(bamboo_spec(bamboo))
        request.bamboo_agent.exclusive |= exclusive
    else:
        request.containers.CopyFrom(containers_spec(containers, variables))
        request.containers.exclusive = exclusive


async def _submit_all(
    server: Server, requests: Sequence[Numbered], retry_for_s: float, output: Output
) -> int:
    """How many were refused."""
    refused = 0
    room = asyncio.Semaphore(CALLS_AT_ONCE)
    async with server.connected() as connection:
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
            if violation not in answer.message:
                complain(f"  {violation}")


def _json(request_id: str, answer: Answer) -> str:
    if isinstance(answer, Task):
        return json_line(answer)
    return refusal_line(answer, requestId=request_id)
