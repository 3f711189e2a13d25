"""The command `watch` against a real server."""

import asyncio
from subprocess import PIPE, CompletedProcess

import pytest

from scheduler.cli import words
from scheduler.core.model.attempt import ContainerExit
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from tests.api.served import Served, serving
from tests.builders import stop_reason, submitted, task_id, transitioned
from tests.e2e.programs import ROOT, command, environment, run

pytestmark = pytest.mark.asyncio


async def watch(served: Served, *options: str) -> "CompletedProcess[str]":
    """How it ends once all has ended, in a process of its own."""
    arguments = ("watch", "--until-done", "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
async def test_ends_with_the_tasks(state: TaskState) -> None:
    """It ends in every terminal state; with 1 unless the task succeeded."""
    async with serving() as served:
        served.commit(submitted(1), transitioned(1, state, stop_reason=stop_reason()))
        ended = await watch(served)
    assert ended.returncode == (state is not TaskState.SUCCEEDED)
    assert f"  {state}" in ended.stdout


async def test_one_spoils_it() -> None:
    """One task among others that was cancelled ends it with 1."""
    async with serving() as served:
        served.commit(submitted(1), submitted(2), transitioned(1, TaskState.SUCCEEDED))
        served.commit(transitioned(2, TaskState.CANCELLED, stop_reason=stop_reason()))
        ended = await watch(served)
    assert ended.returncode == 1


AGENT, DB = ContainerExit(name="agent", exit_code=3), ContainerExit(name="db", exit_code=137)
BAMBOO = ContainerExit(name="bamboo-agent", exit_code=4)


@pytest.mark.parametrize(
    ("exits", "told"),
    [
        ((AGENT,), "exited, exit code 3"),
        ((DB, BAMBOO), "exited, exit code 4"),
        ((AGENT, DB), "exited, exit codes agent 3, db 137"),
        ((ContainerExit(name="agent"),), "exited"),
    ],
)
async def test_exit_code(exits: tuple[ContainerExit, ...], told: str) -> None:
    """Of a task that failed the exit code is told, the main container's where it can be known."""
    async with serving() as served:
        failed = stop_reason(containers=exits)
        served.commit(submitted(1), transitioned(1, TaskState.FAILED, stop_reason=failed))
        ended = await watch(served)
    assert ended.stdout.endswith(f"Essential container in task {told}\n")


async def test_no_such_task() -> None:
    """A task that does not exist will never end: it is named, and the watch ends with 1."""
    async with serving() as served:
        served.commit(submitted(1))
        ended = await watch(served, "--task", "t-none")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "ecs-scheduler: no task t-none\n"


async def test_a_tenant_without_tasks() -> None:
    """That nothing is there to be watched is said once, and the first task is waited for."""
    async with serving() as served:
        served.commit(submitted(1))
        arguments = ("watch", "--until-done", "--address", served.address, "--tenant", "nobody")
        process = await asyncio.create_subprocess_exec(
            *command(*arguments), cwd=ROOT, env=environment(), stderr=PIPE
        )
        assert process.stderr is not None
        told = await asyncio.wait_for(process.stderr.readline(), 30)
        process.kill()
        await process.wait()
    assert told == b"ecs-scheduler: tenant nobody has no tasks; waiting for the first\n"


async def test_one_of_two_exists() -> None:
    """Of two tasks the one that exists is watched to its end, which the other spoils."""
    async with serving() as served:
        served.commit(submitted(1), transitioned(1, TaskState.SUCCEEDED))
        ended = await watch(served, "--task", task_id(1), "--task", "t-none")
    assert ended.returncode == 1
    assert "SUCCEEDED" in ended.stdout
    assert "no task t-none" in ended.stderr


async def test_states_in_order() -> None:
    """States are named in the order in which a task passes through them."""
    assert tuple(TaskState) == words.STATES
