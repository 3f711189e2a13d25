"""`watch`: one line for each change of a task, across restarts of the server."""

import asyncio
from typing import Annotated

import typer

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest
from ecs_scheduler.v1.task_pb2 import TaskEvent, TaskState
from scheduler.cli import words
from scheduler.cli.complaint import ExitCode, complain
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor, labels, states
from scheduler.cli.server_options import Server, client_command
from scheduler.client.watching import Interruption, watch_tasks


@client_command
def watch(
    *,
    tenant: Annotated[str, typer.Option(help="Only this tenant's tasks.")] = "",
    task: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this task. May be repeated.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only tasks with it. May be repeated.")
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Only tasks in it. May be repeated.")
    ] = None,
    resume_token: Annotated[str, typer.Option(metavar="TOKEN", help="Go on after this message.")] = "",
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End once all tasks seen have; 1 if one did not succeed.")
    ] = False,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Print every change of the tasks: time (the service's, in UTC), task, state, container instance, reason.

    The present state comes first. A cut stream is resumed without loss; where that cannot be, it says so.
    """
    request = WatchTasksRequest(
        tenant=tenant,
        task_ids=task or [],
        labels=labels(label or []),
        states=states(state or []),
        resume_token=resume_token,
    )
    try:
        failed = asyncio.run(_watch(server, request, retry_for, output, until_done=until_done))
    except KeyboardInterrupt:
        failed = False
    raise typer.Exit(ExitCode.REFUSED if failed else ExitCode.OK)


async def _watch(
    server: Server, request: WatchTasksRequest, retry_for_s: float, output: Output, *, until_done: bool
) -> bool:
    """Whether a task did not succeed, once all have ended; without `until_done` it does not end by itself."""
    states: dict[str, TaskState] = {}
    # A token hides what was seen before it, and states what is in another one.
    unseen = [] if request.resume_token or request.states else list(request.task_ids)
    missing: list[str] = []
    is_told = False
    async with server.connected() as connection:
        messages = watch_tasks(connection, request, retry_for_s=retry_for_s, interrupted=_tell)
        async for message in messages:
            for event in message.events:
                states[event.task.task_id] = event.task.state
                print(words.json_line(event) if output is Output.JSON else _line(event), flush=True)
            if until_done and message.synced and unseen:
                missing, unseen = [each for each in unseen if each not in states], []
                _tell_missing(missing)
            if until_done and message.synced and not (states or missing) and not is_told:
                is_told = True
                _tell_nothing(request)
            done = words.TERMINAL.issuperset(states.values())
            if until_done and message.synced and (states or missing) and done:
                break
    return bool(missing) or not words.UNSUCCESSFUL.isdisjoint(states.values())


def _tell_missing(task_ids: list[str]) -> None:
    for each in task_ids:
        complain(f"no task {each}")


def _tell_nothing(request: WatchTasksRequest) -> None:
    """It may be a typing error, and nothing would ever end the watch."""
    which = " of this kind" if request.labels or request.states else ""
    whose = f"tenant {request.tenant} has" if request.tenant else "there are"
    complain(f"{whose} no tasks{which}; waiting for the first")


def _line(event: TaskEvent) -> str:
    task = event.task
    parts = [
        task.update_time.ToDatetime().strftime("%H:%M:%S"),
        task.task_id,
        f"{words.state(task.state):<9}",
        f"{words.instance(task) or '-':<19}",
        words.why(task),
    ]
    return "  ".join(parts).rstrip()


def _tell(interruption: Interruption) -> None:
    what = "starting anew with the present state" if interruption.from_start else "resuming"
    complain(f"{what} after {interruption.refusal}")
