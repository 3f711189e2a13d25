"""The command `cancel` against a real server."""

import asyncio
import json
from subprocess import CompletedProcess

import pytest

from scheduler.core.model.task import TaskState
from tests.api.served import Served, serving
from tests.builders import attempt, submitted, task_id, transitioned
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio


async def cancel(served: Served, *arguments: str) -> "CompletedProcess[str]":
    """How the command ends, in a process of its own: the server's log is written to this one's stdout."""
    words = ("cancel", "--tenant", "bamboo", "--address", served.address, *arguments)
    return await asyncio.to_thread(run, *words, directory=ROOT)


async def test_each_task_is_told() -> None:
    """One line a task with its state; what has ended stays as it ended, and that is no failure."""
    async with serving() as served:
        served.commit(submitted(1), submitted(2), transitioned(2, TaskState.SUCCEEDED))
        ended = await cancel(served, task_id(1), task_id(2))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{task_id(1)}  QUEUED, to be cancelled\n{task_id(2)}  SUCCEEDED\n"
    assert served.placement.cancelled == [task_id(1)]


async def test_running_task() -> None:
    """What runs is told to be stopped: the answer comes before ECS has heard of it."""
    async with serving() as served:
        served.commit(submitted(1), transitioned(1, TaskState.RUNNING, attempt=attempt()))
        ended = await cancel(served, task_id(1))
    assert ended.stdout == f"{task_id(1)}  RUNNING, to be stopped\n"


async def test_unknown_task_spoils_no_other() -> None:
    """A task that is not there is named and ends the command with 1, after all the others."""
    async with serving() as served:
        served.commit(submitted(1), submitted(2, tenant="jenkins"))
        ended = await cancel(served, task_id(2), task_id(1))
    assert (ended.returncode, ended.stdout) == (1, f"{task_id(1)}  QUEUED, to be cancelled\n")
    assert ended.stderr == f"ecs-scheduler: {task_id(2)}: NOT_FOUND TASK_NOT_FOUND no task {task_id(2)}\n"
    assert served.placement.cancelled == [task_id(1)]


async def test_json() -> None:
    """One object a line, of tasks and of refusals."""
    async with serving() as served:
        served.commit(submitted(1))
        ended = await cancel(served, "--output", "json", task_id(1), "t-2")
    task, refusal = map(json.loads, ended.stdout.splitlines())
    assert (task["taskId"], task["state"]) == (task_id(1), "TASK_STATE_QUEUED")
    assert (refusal["taskId"], refusal["reason"]) == ("t-2", "TASK_NOT_FOUND")
