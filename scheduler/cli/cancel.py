"""`cancel`: tasks that nobody wants any more."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer

from ecs_scheduler.v1.scheduler_pb2 import CancelTaskRequest
from ecs_scheduler.v1.task_pb2 import Task, TaskState
from scheduler.cli import words
from scheduler.cli.complaint import ExitCode, complain
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.cancellation import cancel as cancel_one
from scheduler.client.refusal import Refusal, Refused


@client_command
def cancel(
    *,
    task: Annotated[list[str], typer.Argument(metavar="TASK", help="Ids of tasks.")],
    tenant: Annotated[str, typer.Option(help="Whose tasks.")],
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Cancel tasks; print each with its state. What has ended stays as it ended.

    What waits ends at once; what runs is stopped, and `watch` tells when ECS has done it.

    Exits with 1 if a task was not found, with 3 if nobody answered.
    """
    requests = [CancelTaskRequest(tenant=tenant, task_id=each) for each in task]
    refused = asyncio.run(_cancel_all(server, requests, retry_for, output))
    raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.OK)


async def _cancel_all(
    server: Server, requests: Iterable[CancelTaskRequest], retry_for_s: float, output: Output
) -> int:
    """How many were refused."""
    refused = 0
    async with server.connected() as connection:
        for request in requests:
            try:
                _show(await cancel_one(connection, request, retry_for_s=retry_for_s), output)
            except Refused as error:
                _show_refusal(request.task_id, error.refusal, output)
                refused += 1
    return refused


def _show(task: Task, output: Output) -> None:
    line = words.json_line(task) if output is Output.JSON else f"{task.task_id}  {_state(task)}"
    print(line, flush=True)


def _state(task: Task) -> str:
    """The answer is older than its effect: what has not ended will."""
    state = words.state(task.state)
    if task.state in words.TERMINAL or task.state == TaskState.TASK_STATE_STOPPING:
        return state
    return f"{state}, to be {'cancelled' if task.state == TaskState.TASK_STATE_QUEUED else 'stopped'}"


def _show_refusal(task_id: str, refusal: Refusal, output: Output) -> None:
    if output is Output.JSON:
        print(words.refusal_line(refusal, taskId=task_id), flush=True)
    else:
        complain(f"{task_id}: {refusal}")
