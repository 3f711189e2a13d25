"""What plain containers may have beside image and resources: what ECS is told to register."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.agents import AgentSettings, expand
from scheduler.core.model.container_parts import (
    ContainerCondition,
    ContainerDependency,
    HealthCheck,
    MountPoint,
    Volume,
)
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import Container, ContainersSpec

SETTINGS = AgentSettings("agents", "ci")
SMALL = Resources(cpu=256, memory_mib=512)


def container(name: str = "main", **changes: Any) -> Container:
    return Container(name=name, image=f"{name}:1", resources=SMALL, **changes)


def after(name: str, condition: ContainerCondition = ContainerCondition.START) -> ContainerDependency:
    return ContainerDependency(container_name=name, condition=condition)


MAIN = container(
    entry_point=("/bin/sh", "-c"),
    working_directory="/work",
    user="1000:1000",
    mount_points=(
        MountPoint(source_volume="cache", container_path="/cache", read_only=True),
        MountPoint(source_volume="m2", container_path="/opt/m2"),
        MountPoint(source_volume="scratch", container_path="/scratch"),
    ),
    depends_on=(
        after("fetch", ContainerCondition.SUCCESS),
        after("db", ContainerCondition.HEALTHY),
    ),
    stop_timeout_s=120,
)
DATABASE = container(
    "db",
    health_check=HealthCheck(
        command=("CMD-SHELL", "pg_isready"), interval_s=5, timeout_s=2, retries=10, start_period_s=60
    ),
)
FETCH = container("fetch", mount_points=(MountPoint(source_volume="scratch", container_path="/out"),))
SPEC = ContainersSpec(
    containers=(MAIN, DATABASE, FETCH),
    volumes=(
        Volume(name="cache", source_path="/mnt/cache"),
        Volume(name="m2", shared=True),
        Volume(name="scratch"),
    ),
)


def test_the_definition_whole() -> None:
    """Each part is registered under ECS's name, in ECS's units, with the containers that have it."""
    sized = {"cpu": 256, "memoryReservation": 512, "memory": 640}
    assert expand(SPEC, SETTINGS).definition == {
        "family": "agents",
        "volumes": [
            {"name": "cache", "host": {"sourcePath": "/mnt/cache"}},
            {
                "name": "m2",
                "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "driver": "local"},
            },
            {"name": "scratch"},
        ],
        "containerDefinitions": [
            sized
            | {
                "name": "main",
                "image": "main:1",
                "essential": True,
                "entryPoint": ["/bin/sh", "-c"],
                "workingDirectory": "/work",
                "user": "1000:1000",
                "mountPoints": [
                    {"sourceVolume": "cache", "containerPath": "/cache", "readOnly": True},
                    {"sourceVolume": "m2", "containerPath": "/opt/m2"},
                    {"sourceVolume": "scratch", "containerPath": "/scratch"},
                ],
                "dependsOn": [
                    {"containerName": "fetch", "condition": "SUCCESS"},
                    {"containerName": "db", "condition": "HEALTHY"},
                ],
                "stopTimeout": 120,
            },
            sized
            | {
                "name": "db",
                "image": "db:1",
                "essential": False,
                "healthCheck": {
                    "command": ["CMD-SHELL", "pg_isready"],
                    "interval": 5,
                    "timeout": 2,
                    "retries": 10,
                    "startPeriod": 60,
                },
            },
            sized
            | {
                "name": "fetch",
                "image": "fetch:1",
                "essential": False,
                "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/out"}],
            },
        ],
    }


@pytest.mark.parametrize("period_s", [None, 0])
def test_what_is_left_to_ecs_is_not_registered(period_s: int | None) -> None:
    """A health check of a command alone is registered with the command alone."""
    check = HealthCheck(command=("CMD", "true"), start_period_s=period_s)
    [main] = expand(ContainersSpec(containers=(container(health_check=check),)), SETTINGS).definition[
        "containerDefinitions"
    ]
    assert main["healthCheck"] == {"command": ["CMD", "true"]}


def test_builds_that_differ_in_a_part_share_no_revision() -> None:
    """ECS overrides none of them at launch, so each of them is the definition's."""
    bare = ContainersSpec(containers=(container(), DATABASE, container("fetch")))
    changes: list[dict[str, Any]] = [
        {"entry_point": ("sh",)},
        {"working_directory": "/"},
        {"user": "nobody"},
        {"health_check": DATABASE.health_check},
        {"depends_on": (after("db"),)},
        {"depends_on": (after("db", ContainerCondition.HEALTHY),)},
        {"stop_timeout_s": 30},
        {"stop_timeout_s": 31},
    ]
    specs = [replace(bare, containers=(container(**each), *bare.containers[1:])) for each in changes]
    keys = {expand(each, SETTINGS).definition_key for each in (bare, SPEC, *specs)}
    assert len(keys) == 2 + len(specs)
