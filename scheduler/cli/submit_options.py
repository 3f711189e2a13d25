"""The options of `submit`: of one request, of several, and of the replay of a trace."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration

from scheduler.cli.options import duration, finite
from scheduler.cli.trace import checked_run_id, length, position

_REPLAY = "Replaying a trace"

RequestFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="One ScheduleRequest as JSON a line; `-` is stdin. Many are sent at once: their order in the "
        "queue is not the file's.",
    ),
]
Tenant = Annotated[str, typer.Option(help="Who asks.")]
RequestId = Annotated[
    str | None, typer.Option(metavar="UUID", help="The idempotency key; a new one if unset.")
]
Priority = Annotated[int, typer.Option(min=-1_000, max=1_000, help="Higher goes first.")]
Labels = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be repeated.")]
Containers = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=IMAGE:CPU_UNITS:MEMORY_MIB", help="May be repeated; the first is main."),
]
Environment = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="Environment of the main container.")
]
Bamboo = Annotated[str | None, typer.Option(metavar="JSON", help="A BambooAgentSpec instead of containers.")]
Exclusive = Annotated[
    bool, typer.Option("--exclusive", help="Nothing else is to be on its container instance.")
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
MayRunAgain = Annotated[
    bool, typer.Option("--may-run-again", help="Launch it again if its instance is lost while it runs.")
]

TraceFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_REPLAY,
        help="CSV, gzipped or not: submit_s, duration_s, cpu_units, memory_mib, group.",
    ),
]
WindowLength = Annotated[
    int | None,
    typer.Option(
        parser=length, metavar="DURATION", rich_help_panel=_REPLAY, help="How long a part: 15m if unset."
    ),
]
WindowStart = Annotated[
    int | None,
    typer.Option(
        "--from",
        "--at",
        parser=position,
        metavar="3h20m|HH:MM|busiest",
        rich_help_panel=_REPLAY,
        help="Where the part begins, from the trace's own beginning: where most arrive if unset.",
    ),
]
Speed = Annotated[
    float,
    typer.Option(min=0.001, callback=finite, rich_help_panel=_REPLAY, help="So many times as fast."),
]
RunId = Annotated[
    str | None,
    typer.Option(
        parser=checked_run_id,
        metavar="ID",
        rich_help_panel=_REPLAY,
        help="Go on with a replay that was interrupted; nothing is submitted twice.",
    ),
]
Wait = Annotated[
    bool,
    typer.Option("--wait", rich_help_panel=_REPLAY, help="Until all have ended; 1 unless all succeeded."),
]
