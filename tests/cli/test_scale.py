"""The command `scale` against a real server."""

import asyncio
import json
from dataclasses import replace
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from scheduler.cli.app import app
from scheduler.core.model.scaling import KeptInstance, ScalingKind, WishKind
from tests.api.instances import a_plan
from tests.api.served import Served, serving
from tests.builders import a_group, a_scaling_event, ec2_id
from tests.e2e.programs import ROOT, run

UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"


async def scale(served: Served, *options: str) -> "CompletedProcess[str]":
    """How the command ends, in a process of its own: the server's log is written to this one's stdout."""
    served.loop.digest = replace(served.loop.digest, group=a_group())
    return await asyncio.to_thread(run, "scale", "--address", served.address, *options, directory=ROOT)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        (("--floor", "5"), WishKind.FLOOR, "ci: never fewer than 5 container instances\n"),
        (
            ("--target", "0", "--for", "2h"),
            WishKind.TARGET,
            "ci: 0 container instances, until 2026-09-21T16:13:20Z\n",
        ),
        (("--clear",), WishKind.CLEAR, "ci: no wish\n"),
    ],
)
async def test_what_was_accepted(options: tuple[str, ...], kind: WishKind, told: str) -> None:
    """One line says what the group is wished to be, and until when."""
    async with serving() as served:
        ended = await scale(served, *options)
        wish = served.store.load().wish
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, told, "")
    assert wish is not None
    assert wish.kind is kind


@pytest.mark.asyncio
async def test_json() -> None:
    """One object: the wish under the request id that was given."""
    async with serving() as served:
        ended = await scale(served, "--floor", "5", "--request-id", UUID, "--output", "json")
    wish = json.loads(ended.stdout)
    assert (wish["requestId"], wish["floor"], wish["group"]) == (UUID, 5, "ci")


@pytest.mark.asyncio
async def test_refused() -> None:
    """What the service refuses ends the command with 1 and one line that names the limits."""
    async with serving() as served:
        ended = await scale(served, "--target", "51")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "SIZE_OUT_OF_RANGE 51 is outside the group's min size 0 and max size 50" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.asyncio
async def test_dry_run() -> None:
    """The plan is shown with its reasons, also of what stays, and nothing is wished."""
    drain = a_scaling_event(
        kind=ScalingKind.DRAIN,
        ec2_instance_id=ec2_id(1),
        code="IDLE",
        message="idle for 2 minutes",
        desired_before=None,
        desired_after=None,
    )
    kept = KeptInstance(ec2_instance_id=ec2_id(2), container_instance_arn="", reason="the floor is 3")
    plan = a_plan(desired_after=4, held="OBSERVE_ONLY", actions=(a_scaling_event(4), drain), kept=(kept,))
    async with serving() as served:
        served.loop.plan = plan
        ended = await scale(served, "--dry-run")
        assert served.store.load().wish is None
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "group    ci, kept from 0 to 50 container instances",
        "desired  3 now, 4 after that, in flight 0",
        "held     by OBSERVE_ONLY: nothing is done",
        "",
        "action  container instance   desired  why",
        "GROW    -                    3 -> 4   DEMAND: tasks wait for room",
        "DRAIN   i-00000000000000001  -        IDLE: idle for 2 minutes",
        "",
        "idle and kept        why",
        "i-00000000000000002  the floor is 3",
    ]


@pytest.mark.asyncio
async def test_dry_run_json() -> None:
    """One object: the plan under the wish that was given."""
    async with serving() as served:
        served.loop.plan = a_plan()
        ended = await scale(served, "--dry-run", "--floor", "4", "--output", "json")
        assert served.store.load().wish is None
    assert json.loads(ended.stdout)["desiredAfter"] == 3


@pytest.mark.parametrize(
    "options", [(), ("--floor", "1", "--target", "1"), ("--dry-run", "--floor", "1", "--clear")], ids=str
)
def test_one_wish(options: tuple[str, ...]) -> None:
    """A command wishes for one thing."""
    ended = CliRunner().invoke(app, ["scale", *options, "--address", "127.0.0.1:1"])
    assert ended.exit_code == 2
    assert "--clear" in ended.output


def test_nobody_answers() -> None:
    """Where nobody answers it ends with 3 and says so in one line."""
    ended = CliRunner().invoke(app, ["scale", "--clear", "--address", "127.0.0.1:1", "--retry-for", "0"])
    assert ended.exit_code == 3
    assert "127.0.0.1:1 cannot be reached" in ended.output
