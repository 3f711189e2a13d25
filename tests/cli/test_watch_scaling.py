"""The command `watch-scaling` against a real server."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from signal import SIGINT

import pytest
from typer.testing import CliRunner

from ecs_scheduler.v1.scaling_pb2 import WatchScalingRequest
from scheduler.adapters.memory import MemoryStore
from scheduler.cli.app import app
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.scaling import ScalingKind
from tests.api.served import Served, serving
from tests.builders import a_scaling_event, ec2_id
from tests.e2e.programs import ROOT, environment

pytestmark = pytest.mark.asyncio

GROWN = a_scaling_event(4)
DRAINED = replace(
    GROWN,
    kind=ScalingKind.DRAIN,
    code="IDLE",
    message="idle for 2 minutes",
    ec2_instance_id=ec2_id(1),
    desired_before=None,
    desired_after=None,
    held="OBSERVE_ONLY",
)


async def a_token(served: Served) -> str:
    """Where the log ends now."""
    return (await anext(aiter(served.scaling.WatchScaling(WatchScalingRequest())))).resume_token


@asynccontextmanager
async def watching(*options: str) -> AsyncIterator[Process]:
    """The command in a process of its own, until the end of the block."""
    command = (sys.executable, "-m", "scheduler", "watch-scaling", *options)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment(), stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return [(await process.stdout.readline()).decode().rstrip("\n") for _ in range(count)]


async def test_one_line_an_event() -> None:
    """Time, what, container instance, desired capacity and why; what was not done says what holds it."""
    async with serving() as served:
        token = await a_token(served)
        served.commit(ScalingRecorded(event=GROWN), ScalingRecorded(event=DRAINED))
        async with watching("--address", served.address, "--resume-token", token) as process:
            told = await lines(process, 2)
    assert told == [
        "14:13:20  GROW             -                    3 -> 4      DEMAND: tasks wait for room",
        "14:13:20  DRAIN            i-00000000000000001  -           "
        "(held by OBSERVE_ONLY) IDLE: idle for 2 minutes",
    ]


async def test_json_across_a_restart() -> None:
    """One object a line; a server that comes back on the same store is resumed without loss."""
    store = MemoryStore()
    async with serving(store) as served:
        address, token = served.address, await a_token(served)
        served.commit(ScalingRecorded(event=GROWN))
        options = ("--address", address, "--resume-token", token, "--output", "json")
        async with watching(*options) as process:
            [first] = await lines(process, 1)
            await served.server.stop(grace_s=0.1)
            store.commit([[ScalingRecorded(event=DRAINED)]])
            async with serving(store, address=address):
                [second] = await lines(process, 1)
    assert [json.loads(each)["sequence"] for each in (first, second)] == ["1", "2"]


async def test_interrupted() -> None:
    """Ctrl-C ends it with 0 and without a word."""
    async with serving() as served:
        token = await a_token(served)
        served.commit(ScalingRecorded(event=GROWN))
        async with watching("--address", served.address, "--resume-token", token) as process:
            await lines(process, 1)
            process.send_signal(SIGINT)
            _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, complaints) == (0, b"")


async def test_nobody_answers() -> None:
    """Where nobody answers it ends with 3."""
    options = ["watch-scaling", "--address", "127.0.0.1:1", "--retry-for", "0"]
    ended = await asyncio.to_thread(CliRunner().invoke, app, options)
    assert ended.exit_code == 3
