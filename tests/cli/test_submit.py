"""The command `submit` against a real server."""

import asyncio
import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from scheduler.cli.trace import HEADER
from scheduler.core.model.errors import Violation
from scheduler.core.model.task import Task, TaskState
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import InvalidRequest, ServiceUnavailable
from tests.api.served import Served, serving
from tests.builders import stop_reason, transitioned
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio


async def submit(served: Served, *options: str) -> "CompletedProcess[str]":
    """How the command ends, in a process of its own."""
    arguments = ("submit", "--container", "agent=a:1:1024:2048", "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT)


async def test_timeouts() -> None:
    """Timeouts and the permission to run again reach the service."""
    options = ("--queue-timeout", "10m", "--start-timeout", "90s", "--run-timeout", "2h", "--may-run-again")
    async with serving() as served:
        ended = await submit(served, "--output", "json", *options)
    task = json.loads(ended.stdout)
    asked = [task[name] for name in ("queueTimeout", "startTimeout", "runTimeout", "mayRunAgain")]
    assert asked == ["600s", "90s", "7200s", True]


async def test_exclusive() -> None:
    """The wish reaches the service, and is none unless it is told."""
    async with serving() as served:
        ended = await submit(served, "--output", "json", "--exclusive")
        plain = await submit(served, "--output", "json")
    assert json.loads(ended.stdout)["containers"]["exclusive"]
    assert "exclusive" not in plain.stdout


async def test_reached_and_unavailable() -> None:
    """Who was reached and could not serve is not called out of reach; what it said is passed on."""
    async with serving() as served:
        served.placement.refusal = ServiceUnavailable("not now")
        ended = await submit(served, "--retry-for", "0")
    assert ended.returncode == 3
    assert f"{served.address} answered: UNAVAILABLE SERVICE_UNAVAILABLE not now" in ended.stderr
    assert "reached" not in ended.stderr


async def test_refusal_is_told_once() -> None:
    """What is wrong with a request is printed once, though it comes in the message and in its details."""
    async with serving() as served:
        served.placement.refusal = InvalidRequest((Violation(field_path="tenant", expected="another"),))
        ended = await submit(served)
    assert ended.returncode == 1
    assert ended.stderr.count("tenant: expected another") == ended.stderr.count("\n") == 1


async def test_no_timeouts() -> None:
    """Without options nothing is asked for: the service's defaults apply."""
    async with serving() as served:
        ended = await submit(served, "--output", "json")
    assert not json.loads(ended.stdout).keys() & {"queueTimeout", "startTimeout", "runTimeout", "mayRunAgain"}


# ---- the replay of a trace

QUIET = "0,20,1024,2000,nightly"
PUSH = "600,20,1024,2000,push-1"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Three rows, of which two came together."""
    file = tmp_path / "day.csv"
    file.write_text("\n".join([",".join(HEADER), QUIET, PUSH, PUSH, ""]))
    return file


async def replay(served: Served, trace: Path, *options: str) -> "CompletedProcess[str]":
    """How it ends, in a process of its own."""
    arguments = ("submit", "--trace", str(trace), "--window", "1m", "--address", served.address, *options)
    return await asyncio.to_thread(run, *arguments, directory=ROOT)


def accepted(served: Served) -> list[Task]:
    """The tasks that are there."""
    return served.store.list_tasks(TaskFilter(), "", 100)


async def ending(served: Served, *states: TaskState) -> None:
    """As soon as so many tasks are there, they end so."""
    while len(tasks := accepted(served)) < len(states):
        await asyncio.sleep(0.01)
    for task, state in zip(tasks, states, strict=True):
        served.commit(transitioned(int(task.task_id[2:]), state, stop_reason=stop_reason()))


async def test_replay(trace: Path) -> None:
    """The busiest part of a trace is submitted, and told of in a few lines."""
    async with serving() as served:
        ended = await replay(served, trace)
        tenants = [task.tenant for task in accepted(served)]
    assert (ended.returncode, ended.stderr) == (0, "")
    window, run_line, submitted, late = ended.stdout.splitlines()
    assert window == "window     10:00 to 11:00 of day.csv, 2 of 3 rows, 1 times as fast"
    assert run_line.startswith("run        ")
    assert submitted == "submitted  2 tasks"
    assert late.startswith("late       p50 ")
    assert tenants == ["push-1", "push-1"]


async def test_replay_from(trace: Path) -> None:
    """A window that is named by its beginning is taken instead, and --at is the same as --from."""
    async with serving() as served:
        for option in ("--from=0s", "--at=00:00"):
            await replay(served, trace, option)
        tenants = [task.tenant for task in accepted(served)]
    assert tenants == ["nightly", "nightly"]


async def test_replay_speed(trace: Path) -> None:
    """Rows come at their own times, divided by the speed."""
    async with serving() as served:
        ended = await replay(served, trace, "--window", "1h", "--speed", "1200", "--output", "json")
        assert len(accepted(served)) == 3
    assert json.loads(ended.stdout)["lateS"]["p50"] < 0.5


async def test_replay_again(trace: Path) -> None:
    """A replay that is repeated under its run's id doubles nothing; without the id it is another one."""
    async with serving() as served:
        for _ in range(2):
            assert (await replay(served, trace, "--run-id", "monday")).returncode == 0
            assert len(accepted(served)) == 2
        await replay(served, trace)
        assert len(accepted(served)) == 4


async def test_replay_refused(trace: Path) -> None:
    """Refusals are counted by their reason, with the first row and what is wrong with it."""
    async with serving() as served:
        served.placement.refusal = InvalidRequest((Violation(field_path="tenant", expected="another"),))
        ended = await replay(served, trace)
    assert ended.returncode == 1
    assert "submitted  0 tasks" in ended.stdout
    refused = "refused    2 with INVALID_REQUEST, at first row 2: tenant: expected another"
    assert refused in ended.stdout.splitlines()


async def test_bad_row(trace: Path) -> None:
    """A bad row, wherever it is, ends the replay with one line before anything is submitted."""
    with trace.open("a") as file:
        file.write("700,20,1024,much,push-2\n")
    async with serving() as served:
        ended = await replay(served, trace, "--from", "0s")
        assert served.placement.accepted == 0
    assert (ended.returncode, ended.stdout) == (2, "")
    line = f"{trace}, line 5: memory_mib: expected a whole number of at most 9 digits, not 'much'"
    assert ended.stderr == f"ecs-scheduler: {line}\n"


async def test_empty_window(trace: Path) -> None:
    """A window without a row is a mistake, not a success."""
    async with serving() as served:
        ended = await replay(served, trace, "--from", "2h")
    assert ended.returncode == 2
    assert "none of its 3 rows is in that window" in ended.stderr


async def test_replay_interrupted(trace: Path) -> None:
    """Where nobody answers any more, the way to go on is told."""
    async with serving() as served:
        served.placement.refusal = ServiceUnavailable("not now")
        ended = await replay(served, trace, "--retry-for", "0", "--run-id", "monday")
    assert ended.returncode == 3
    assert "--run-id monday goes on" in ended.stderr
    assert f"{served.address} answered: UNAVAILABLE" in ended.stderr


@pytest.mark.parametrize(
    ("states", "code", "told"),
    [
        ((TaskState.SUCCEEDED, TaskState.SUCCEEDED), 0, "ended      SUCCEEDED 2"),
        ((TaskState.EXPIRED, TaskState.SUCCEEDED), 1, "EXPIRED 1"),
    ],
)
async def test_replay_waits(trace: Path, states: tuple[TaskState, ...], code: int, told: str) -> None:
    """With --wait it ends with its tasks, tells how long they waited, and with 1 unless all succeeded."""
    async with serving() as served:
        ended, _ = await asyncio.gather(replay(served, trace, "--wait"), ending(served, *states))
    assert ended.returncode == code, ended.stderr
    assert told in ended.stdout
    assert "waited     p50 0:00, p95 0:00, p99 0:00" in ended.stdout
