"""The command `submit` against a real server."""

import asyncio
import json
from subprocess import CompletedProcess

import pytest

from scheduler.services.errors import ServiceUnavailable
from tests.api.served import Served, serving
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


async def test_reached_and_unavailable() -> None:
    """Who was reached and could not serve is not called out of reach; what it said is passed on."""
    async with serving() as served:
        served.placement.refusal = ServiceUnavailable("not now")
        ended = await submit(served, "--retry-for", "0")
    assert ended.returncode == 3
    assert f"{served.address} answered: UNAVAILABLE SERVICE_UNAVAILABLE not now" in ended.stderr
    assert "reached" not in ended.stderr


async def test_no_timeouts() -> None:
    """Without options nothing is asked for: the service's defaults apply."""
    async with serving() as served:
        ended = await submit(served, "--output", "json")
    assert not json.loads(ended.stdout).keys() & {"queueTimeout", "startTimeout", "runTimeout", "mayRunAgain"}
