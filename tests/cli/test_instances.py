"""The command `instances` against a real server."""

import asyncio
import json
from collections.abc import Mapping
from subprocess import CompletedProcess

import pytest

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import Resources
from tests.api.instances import an_instance_digest
from tests.api.served import Served, serving
from tests.builders import ec2_id, instance_arn
from tests.clocks import START_MS
from tests.e2e.programs import ROOT, run

pytestmark = pytest.mark.asyncio

HEADINGS = "container instance type zone health tasks starting free vCPU free MiB notes"


NARROW = {"COLUMNS": "80", "TTY_COMPATIBLE": "1"}
"""What makes a terminal of a pipe for Rich."""

NOTHING_MORE: Mapping[str, str] = {}


async def instances(
    served: Served, *options: str, variables: Mapping[str, str] = NOTHING_MORE
) -> "CompletedProcess[str]":
    """How the command ends, in a process of its own: the server's log is written to this one's stdout."""
    words = ("instances", "--address", served.address, *options)
    return await asyncio.to_thread(run, *words, directory=ROOT, variables=variables)


async def test_table() -> None:
    """One line an instance under its headings: health, tasks, room, and what else there is to say."""
    removal = Removal(
        ec2_instance_id=ec2_id(3),
        arn=instance_arn(3),
        cause=RemovalCause.IDLE,
        step=RemovalStep.DRAINING,
        decrement=True,
        since_ms=START_MS,
    )
    async with serving() as served:
        served.loop.instances = (
            an_instance_digest(1, tasks=3, starting=1, free=Resources(cpu=2560, memory_mib=1_000)),
            an_instance_digest(
                2, health=InstanceHealth.DISCONNECTED, disconnected_since_ms=START_MS, stale=True
            ),
            an_instance_digest(3, health=InstanceHealth.LEAVING, idle_since_ms=START_MS, removal=removal),
        )
        ended = await instances(served)
    assert (ended.returncode, ended.stderr) == (0, "")
    headings, *lines = ended.stdout.splitlines()
    assert " ".join(headings.split()) == HEADINGS
    first = "i-00000000000000001 m4.4xlarge eu-west-1a schedulable 3 1 2.5/16 1,000/64,419"
    assert lines[0].split() == first.split()
    assert "agent disconnected" in lines[1]
    assert lines[1].endswith("disconnected since 14:13:20; old")
    assert lines[2].endswith("goes for IDLE, DRAINING (since 14:13:20); idle since 14:13:20")


async def test_narrow_terminal() -> None:
    """On 80 columns an instance has two lines: no id is cut, and nothing is left out."""
    async with serving() as served:
        served.loop.instances = (
            an_instance_digest(1, tasks=3, starting=1, free=Resources(cpu=2560, memory_mib=1_000)),
            an_instance_digest(
                2, health=InstanceHealth.DISCONNECTED, disconnected_since_ms=START_MS, stale=True
            ),
        )
        ended = await instances(served, variables=NARROW)
    _, *lines = ended.stdout.splitlines()
    assert lines[0].split() == f"{ec2_id(1)} schedulable 3+1 2.5/16 1,000/64,419".split()
    assert lines[1] == "    m4.4xlarge; eu-west-1a"
    assert lines[2].startswith(f"{ec2_id(2)}  agent disconnected  ")
    assert lines[3] == "    m4.4xlarge; eu-west-1a; disconnected since 14:13:20; old"
    assert max(map(len, lines)) <= 80


async def test_json() -> None:
    """One object a line, of every page."""
    async with serving() as served:
        served.loop.instances = tuple(an_instance_digest(number) for number in range(501))
        ended = await instances(served, "--output", "json")
    listed = [json.loads(line)["arn"] for line in ended.stdout.splitlines()]
    assert listed == [instance_arn(number) for number in range(501)]


async def test_empty_cluster() -> None:
    """Where there is none, nothing is printed."""
    async with serving() as served:
        ended = await instances(served)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
