"""`watch-scaling`: one line for each thing that is done to capacity, across restarts of the server."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from ecs_scheduler.v1.capacity_pb2 import ScalingEvent
from ecs_scheduler.v1.scaling_pb2 import WatchScalingRequest
from scheduler.cli import capacity_words, words
from scheduler.cli.complaint import complain
from scheduler.cli.options import DEFAULT_RETRY_S, Output, OutputFormat, RetryFor
from scheduler.cli.server_options import Server, client_command
from scheduler.client.watching import Interruption
from scheduler.client.watching import watch_scaling as watch_all

# Fixed widths: lines are printed as they come.
_LINE = "{:<8}  {:<15}  {:<19}  {:<10}  {}"


@client_command
def watch_scaling(
    *,
    resume_token: Annotated[str, typer.Option(metavar="TOKEN", help="Go on after this message.")] = "",
    server: Server,
    retry_for: RetryFor = DEFAULT_RETRY_S,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Print what is done to capacity from now on: time, what, container instance, desired capacity, why.

    A cut stream is resumed without loss; where that cannot be, it says so.
    """
    request = WatchScalingRequest(resume_token=resume_token)
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(server, request, retry_for, output))


async def _watch(server: Server, request: WatchScalingRequest, retry_for_s: float, output: Output) -> None:
    async with server.connected() as connection:
        messages = watch_all(connection, request, retry_for_s=retry_for_s, interrupted=_tell)
        async for message in messages:
            for event in message.events:
                print(words.json_line(event) if output is Output.JSON else _line(event), flush=True)


def _line(event: ScalingEvent) -> str:
    line = _LINE.format(
        capacity_words.clock_time(event.event_time),
        capacity_words.kind(event),
        event.ec2_instance_id or "-",
        capacity_words.change(event) or "-",
        capacity_words.why(event),
    )
    return line.rstrip()


def _tell(interruption: Interruption) -> None:
    what = "starting anew, what was done meanwhile is lost," if interruption.from_start else "resuming"
    complain(f"{what} after {interruption.refusal}")
