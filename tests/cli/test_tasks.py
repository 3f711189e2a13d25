"""The command `tasks` against a real server."""

import asyncio
import json
from subprocess import CompletedProcess

import pytest

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.task import TaskState
from tests.api.served import Served, serving
from tests.builders import attempt, stop_reason, submitted, task_id, transitioned
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio


async def tasks(served: Served, *options: str, tenant: str = "bamboo") -> "CompletedProcess[str]":
    """How the command ends, in a process of its own: the server's log is written to this one's stdout."""
    arguments = ("tasks", "--tenant", tenant, "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT)


async def test_table() -> None:
    """One line a task under its headings: what failed says why, what waits has no container instance."""
    oom = stop_reason(category=StopCategory.OOM, message="out of memory")
    async with serving() as served:
        served.commit(submitted(1), submitted(2))
        served.commit(transitioned(1, TaskState.FAILED, attempt=attempt(), stop_reason=oom))
        ended = await tasks(served)
    assert ended.returncode == 0
    headings, failed, waiting = ended.stdout.splitlines()
    assert headings.split()[:4] == ["accepted", "task", "state", "attempt"]
    assert failed.split()[1:5] == [task_id(1), "FAILED", "1", "i-00000000000000001"]
    assert failed.endswith("  OOM out of memory")
    assert waiting.split()[1:] == [task_id(2), "QUEUED", "-", "-", "2", "vCPU,", "8,000", "MiB"]


async def test_json() -> None:
    """One object a line, of every page, and no headings."""
    async with serving() as served:
        served.store.commit([[submitted(number)] for number in range(501)])
        ended = await tasks(served, "--output", "json")
    listed = [json.loads(line)["taskId"] for line in ended.stdout.splitlines()]
    assert listed == [task_id(number) for number in range(501)]


async def test_filters() -> None:
    """Build key, labels and states narrow the listing; where nothing matches nothing is printed."""
    wanted = ("--build-key", "APP", "--label", "os=linux", "--state", "queued", "--state", "running")
    async with serving() as served:
        served.commit(
            submitted(1, build_key="APP", labels={"os": "linux"}),
            submitted(2, build_key="APP"),
            submitted(3, labels={"os": "linux"}),
        )
        found = await tasks(served, *wanted)
        nothing = await tasks(served, *wanted, tenant="jenkins")
    assert [line.split()[1] for line in found.stdout.splitlines()[1:]] == [task_id(1)]
    assert (nothing.returncode, nothing.stdout) == (0, "")


async def test_refused() -> None:
    """What the service refuses ends the command with 1 and one line that names the field."""
    async with serving() as served:
        ended = await tasks(served, tenant="NOBODY")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "INVALID_ARGUMENT INVALID_REQUEST tenant" in ended.stderr
    assert ended.stderr.count("\n") == 1
