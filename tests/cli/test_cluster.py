"""The command `cluster` against a real server: the demand. What is reserved is told in `test_reserve.py`."""

import asyncio
import re
from dataclasses import replace

import pytest

from scheduler.api.convert.cluster import UNPLACED_SHOWN
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.resources import Resources
from tests.api.served import serving
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio


async def test_suspects_are_told_if_there_are_any() -> None:
    """They are no capacity, so somebody would miss them among the others."""
    told = []
    async with serving() as served:
        for health in ({}, {InstanceHealth.SUSPECT: 2}):
            served.loop.digest = replace(served.loop.digest, health=health)
            ended = await asyncio.to_thread(run, "cluster", "--address", served.address, directory=ROOT)
            told.append(re.findall("suspect [0-9]+", ended.stdout))
    assert told == [[], ["suspect 2"]]


async def test_rows_that_are_left_out_are_told() -> None:
    """The largest come first; the last line says how many there are beyond those that the server shows."""
    demand = tuple(
        Unplaced(tenant="bamboo", priority=0, ask=Resources(cpu=1_024, memory_mib=number), waiting=number)
        for number in range(1, UNPLACED_SHOWN + 3)
    )
    async with serving() as served:
        served.loop.digest = replace(served.loop.digest, unplaced=demand)
        ended = await asyncio.to_thread(run, "cluster", "--address", served.address, directory=ROOT)
    lines = ended.stdout.splitlines()
    rows = [line for line in lines if line.startswith("bamboo")]
    assert (len(rows), rows[0].split()[:3]) == (UNPLACED_SHOWN, ["bamboo", "0", "502"])
    assert lines[-1] == "and 2 more, of fewer tasks"
