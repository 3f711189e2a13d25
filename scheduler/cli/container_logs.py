"""`logs`: what a container of a task wrote, and goes on writing, across restarts of the server."""

import asyncio
import sys
from typing import Annotated

import typer

from ecs_scheduler.v1.logs_pb2 import LogEvent, TailLogsRequest
from scheduler.cli import words
from scheduler.cli.complaint import complain
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.watching import Interruption, tail_logs


@client_command
def container_logs(
    *,
    task: Annotated[str, typer.Argument(metavar="TASK", help="Id of a task.")],
    tenant: Annotated[str, typer.Option(help="Whose task.")],
    container: Annotated[str, typer.Option(metavar="NAME", help="The main one if unset.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the task has ended; wait for it to start.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(min=0, max=2_000, metavar="N", help="Only the last N lines of what is there."),
    ] = None,
    timestamps: Annotated[
        bool | None,
        typer.Option("--timestamps/--no-timestamps", help="Before each line; on a terminal unless told."),
    ] = None,
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Print what a container of a task wrote.

    It ends where the log ends now or, with --follow, when the task has ended and all is printed. A cut stream
    is resumed without loss.

    Exits with 1 if there is no such task, container or log, with 3 if nobody answered.
    """
    request = TailLogsRequest(tenant=tenant, task_id=task, container=container, follow=follow, tail=tail)
    printer = _Printer(output, sys.stdout.isatty() if timestamps is None else timestamps)
    asyncio.run(_print_all(server, request, retry_for, printer))


class _Printer:
    def __init__(self, output: Output, timestamps: bool) -> None:
        self._output = output
        self._timestamps = timestamps

    def line(self, event: LogEvent) -> str:
        """One object, or the text behind its time."""
        if self._output is Output.JSON:
            return words.json_line(event)
        if not self._timestamps:
            return event.message
        time = event.event_time.ToDatetime().isoformat(sep=" ", timespec="milliseconds")
        return f"{typer.style(time, dim=True) if sys.stdout.isatty() else time}  {event.message}"


async def _print_all(server: Server, request: TailLogsRequest, retry_for_s: float, printer: _Printer) -> None:
    attempt = 0
    async with server.connected() as connection:
        messages = tail_logs(connection, request, retry_for_s=retry_for_s, interrupted=_tell)
        async for message in messages:
            if attempt and message.attempt > attempt:
                complain(f"the task was launched again: launch {message.attempt}")
            attempt = message.attempt
            for event in message.events:
                print(printer.line(event))
            sys.stdout.flush()


def _tell(interruption: Interruption) -> None:
    what = "starting anew" if interruption.from_start else "resuming"
    complain(f"{what} after {interruption.refusal}")
