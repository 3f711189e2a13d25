"""The commands `reserve` and `release` against a real server, and what `cluster` shows of them."""

import asyncio
import json
from dataclasses import replace
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from scheduler.cli.app import app
from scheduler.core.model.reservation import ReservationOutcomes
from tests.api.served import Served, serving
from tests.e2e.programs import ROOT, run

PLAN = ("PLAN", "--tenant", "bamboo")
UNTIL = "until 2026-09-21T14:53:20Z"


async def command(served: Served, *words: str) -> "CompletedProcess[str]":
    """How it ends, in a process of its own."""
    return await asyncio.to_thread(run, *words, "--address", served.address, directory=ROOT)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--tasks", "2xREGULAR", "--tasks", "1x100:200"),
            "bamboo PLAN: 2 x 2 vCPU, 8,006 MiB + 1 x 0.0976562 vCPU, 200 MiB",
        ),
        (("--total", "4096:16012"), "bamboo PLAN: 2 x 2 vCPU, 8,006 MiB"),
        (("--tasks", "2xREGULAR", "--exclusive"), "bamboo PLAN: 2 x 2 vCPU, 8,006 MiB, alone"),
    ],
)
async def test_what_is_reserved(options: tuple[str, ...], told: str) -> None:
    """One line says so, and until when."""
    async with serving() as served:
        ended = await command(served, "reserve", *PLAN, "--result", "R1", "--result", "R2", *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{told} {UNTIL}, 0 of 2 results came\n"


@pytest.mark.asyncio
async def test_json_and_release() -> None:
    """One object; nothing is left then, and what is nothing is released as well."""
    async with serving() as served:
        tasks = ("--tasks", "3xsmall", "--for", "10m", "--output", "json")
        ended = await command(served, "reserve", *PLAN, "--result", "R1", *tasks)
        released = await command(served, "release", *PLAN)
        again = await command(served, "release", *PLAN, "--output", "json")
        nothing = await command(served, "reserve", *PLAN, "--total", "0:0")
        assert list(served.loop.world.reservations) == []
    assert json.loads(ended.stdout)["reservation"]["pieces"][0]["count"] == 3
    assert released.stdout == "PLAN: nothing is reserved\n"
    assert json.loads(again.stdout) == {}
    assert nothing.stdout == "nothing is reserved\n"


@pytest.mark.asyncio
async def test_refused() -> None:
    """One line names the field."""
    async with serving() as served:
        ended = await command(served, "reserve", *PLAN, "--tasks", "1xREGULAR")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "result_ids: expected at least one" in ended.stderr


@pytest.mark.asyncio
async def test_the_cluster_shows_what_is_reserved() -> None:
    """In numbers, with the hit rate, and one line each."""
    async with serving() as served:
        await command(served, "reserve", *PLAN, "--result", "R1", "--tasks", "1xREGULAR")
        served.loop.digest = replace(
            served.loop.digest,
            reservations=tuple(served.loop.world.reservations),
            reservation_outcomes=ReservationOutcomes(used=3, lapsed=1),
        )
        lines = (await command(served, "cluster")).stdout.splitlines()
    assert "reservations         1 for 1 tasks; 3 used so far, 1 lapsed, hit rate 75%" in lines
    assert f"bamboo PLAN: 1 x 2 vCPU, 8,006 MiB {UNTIL}, 0 of 1 results came" in lines


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "give one of --tasks and --total"),
        (("--tasks", "1xSMALL", "--total", "1:1"), "give one of --tasks and --total"),
        (("--tasks", "SMALL"), "expected COUNTxSHAPE"),
        (("--tasks", "2xHUGE"), "expected CPU units and MiB"),
        (("--total", "1"), "expected CPU units and MiB"),
        (("--total", "1:1", "--exclusive"), "--exclusive: with --tasks only"),
    ],
)
def test_wrong_arguments(options: tuple[str, ...], complaint: str) -> None:
    """What was expected is told, and nobody is asked."""
    ended = CliRunner().invoke(app, ["reserve", *PLAN, *options], env={"COLUMNS": "200"})
    assert ended.exit_code == 2
    assert complaint in ended.output
