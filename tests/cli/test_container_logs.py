"""The command `logs` against a real server."""

import asyncio
import json
from subprocess import CompletedProcess
from typing import Any

import pytest
from typer.testing import CliRunner

from ecs_scheduler.v1.logs_pb2 import TailLogsRequest
from scheduler.adapters.memory import MemoryStore
from scheduler.cli.app import app
from scheduler.client.connection import connected
from scheduler.client.watching import Interruption, tail_logs
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.task import TaskState
from scheduler.ports.logs import LogLine, LogSource
from tests.api.served import Served, serving
from tests.builders import attempt, submitted, task_id, transitioned
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio

AT_MS = 1_790_000_000_123


def launched(number: int = 1) -> Attempt:
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/ci/{number}"
    return attempt(number=number, state=AttemptState.STARTED, ecs_task_arn=arn)


def write(served: Served, *texts: str, launch: int = 1) -> None:
    """The launch runs, and its container has written these lines."""
    of = launched(launch)
    source = LogSource(
        task_definition_arn=of.task_definition_arn, ecs_task_arn=of.ecs_task_arn, container="agent"
    )
    served.logs.put(source, *(LogLine(time_ms=AT_MS, text=text) for text in texts))
    served.commit(transitioned(state=TaskState.RUNNING, attempt=of))


async def logs(served: Served, *options: str) -> "CompletedProcess[str]":
    """How it ends, in a process of its own."""
    arguments = ("logs", task_id(1), "--tenant", "bamboo", "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), ["a", "b [red]"]),
        (("--tail", "1"), ["b [red]"]),
        (("--timestamps",), ["2026-09-21 14:13:20.123  a", "2026-09-21 14:13:20.123  b [red]"]),
        (("--container", "agent", "--tail", "0"), []),
    ],
)
async def test_lines_as_they_were_written(options: tuple[str, ...], told: list[str]) -> None:
    """To a pipe without anything before them, unless it is asked for."""
    async with serving() as served:
        served.commit(submitted(1))
        write(served, "a", "b [red]")
        ended = await logs(served, *options)
    assert (ended.returncode, ended.stdout.splitlines(), ended.stderr) == (0, told, "")


async def test_json_is_one_object_a_line() -> None:
    """Spelled as the protobuf JSON mapping has it."""
    async with serving() as served:
        served.commit(submitted(1))
        write(served, "a")
        ended = await logs(served, "--output", "json")
    assert json.loads(ended.stdout) == {"eventTime": "2026-09-21T14:13:20.123Z", "message": "a"}


async def test_it_follows_until_the_task_has_ended() -> None:
    """From launch to launch, which is said."""
    async with serving() as served:
        served.commit(submitted(1))
        following = asyncio.create_task(logs(served, "--follow"))
        while not served.hub.watchers:
            await asyncio.sleep(0.05)
        write(served, "a")
        await asyncio.sleep(0.2)
        write(served, "b", launch=2)
        served.commit(transitioned(state=TaskState.SUCCEEDED, attempt=launched(2)))
        ended = await following
    assert (ended.returncode, ended.stdout.split()) == (0, ["a", "b"])
    assert "launched again: launch 2" in ended.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [(("--container", "db"), "CONTAINER_NOT_FOUND"), ((), "TASK_NOT_STARTED")],
)
async def test_what_cannot_be_shown_is_said(options: tuple[str, ...], reason: str) -> None:
    """In one line, and with 1."""
    async with serving() as served:
        served.commit(submitted(1))
        ended = await logs(served, *options)
    assert (ended.returncode, ended.stdout, reason in ended.stderr) == (1, "", True)


async def test_nobody_answers() -> None:
    """Where nobody answers it ends with 3."""
    options = ["logs", "t-1", "--tenant", "t", "--address", "127.0.0.1:1", "--retry-for", "0"]
    ended = await asyncio.to_thread(CliRunner().invoke, app, options)
    assert ended.exit_code == 3


async def test_a_cut_stream_is_resumed() -> None:
    """On a server that comes back, behind the last line."""
    store, told, cuts = MemoryStore(), [], list[Interruption]()
    wanted: dict[str, Any] = {"tenant": "bamboo", "task_id": task_id(1), "follow": True}
    async with serving(store) as served, connected(served.address) as connection:
        served.commit(submitted(1))
        write(served, "a")
        messages = tail_logs(connection, TailLogsRequest(**wanted), retry_for_s=20, interrupted=cuts.append)
        told += [event.message for event in (await anext(messages)).events]
        await served.server.stop(grace_s=0.1)
        async with serving(store, address=served.address) as again:
            write(again, "a", "b")
            again.commit(transitioned(state=TaskState.SUCCEEDED, attempt=launched()))
            async for message in messages:
                told += [event.message for event in message.events]
    assert told == ["a", "b"]
    assert [each.refusal.reason for each in cuts] == ["SERVICE_STOPPING"]
