"""Validation of what only some plain containers have: every rule that ECS enforces, at its field."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.model.container_parts import (
    ContainerCondition,
    ContainerDependency,
    HealthCheck,
    MountPoint,
    Volume,
)
from scheduler.core.model.task import Container, ContainersSpec
from scheduler.core.validate import validate
from tests.builders import REGULAR, request
from tests.core.test_container_parts import SPEC

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
CONDITION = ContainerCondition
CHECK = HealthCheck(command=("CMD", "true"))


def container(name: str = "main", **changes: Any) -> Container:
    return Container(name=name, image="agent:1", resources=REGULAR, **changes)


def one(**changes: Any) -> ContainersSpec:
    return ContainersSpec(containers=(container(**changes),))


def checked(**changes: Any) -> ContainersSpec:
    return one(health_check=replace(CHECK, **changes))


def after(*names: str, condition: ContainerCondition | None = CONDITION.START) -> dict[str, Any]:
    return {
        "depends_on": tuple(ContainerDependency(container_name=each, condition=condition) for each in names)
    }


def mounting(*paths: str, volumes: tuple[Volume, ...] = (Volume(name="v"),)) -> ContainersSpec:
    mounts = tuple(MountPoint(source_volume="v", container_path=path) for path in paths)
    return ContainersSpec(containers=(container(mount_points=mounts),), volumes=volumes)


def of(*containers: Container) -> ContainersSpec:
    return ContainersSpec(containers=containers)


def paths(spec: ContainersSpec) -> list[str]:
    return [violation.field_path for violation in validate(request(request_id=UUID, spec=spec))]


GOOD: list[ContainersSpec] = [
    SPEC,
    one(entry_point=("",) * 100, working_directory="/", user="root"),
    one(working_directory="/a b/c", user="0:0"),
    *[one(user=user) for user in ("user.name:group-1", "1000", "build_", "1000:docker")],
    *[one(stop_timeout_s=number) for number in (2, 120)],
    checked(interval_s=5, timeout_s=2, retries=1, start_period_s=0),
    checked(interval_s=300, timeout_s=60, retries=10, start_period_s=300),
    checked(command=("CMD-SHELL", "curl -f http://localhost/ || exit 1")),
    mounting("/a", "/b", volumes=(Volume(name="v", source_path="/mnt"),)),
    mounting("/a", volumes=(Volume(name="v", shared=True),)),
    of(container(), container("b", **after("main")), container("c", **after("main", "b"))),
    of(container(**after("b", condition=CONDITION.COMPLETE)), container("b")),
    of(container(health_check=CHECK), container("b", **after("main", condition=CONDITION.HEALTHY))),
    of(container(links=("b",), **after("b")), container("b")),
]

BAD: Mapping[str, list[ContainersSpec]] = {
    "containers[0].entry_point": [one(entry_point=("",) * 101)],
    "containers[0].entry_point[1]": [one(entry_point=("sh", "a\0")), one(entry_point=("sh", "x" * 8_193))],
    "containers[0].working_directory": [
        one(working_directory=path) for path in ("work", "/a/", "/a/../b", "/a:b", "/a\n", "/" + "a" * 1_024)
    ],
    "containers[0].user": [
        one(user=user) for user in ("-1", "a b", "a:b:c", "a:", ":a", "a\n", "1000:-1", "a" * 256)
    ],
    "containers[0].stop_timeout": [one(stop_timeout_s=number) for number in (-1, 0, 1, 121)],
    "containers[0].health_check.command": [
        checked(command=command)
        for command in ((), ("CMD",), ("true",), ("NONE",), ("cmd", "true"), ("CMD-SHELL", "a", "b"))
    ],
    "containers[0].health_check.command[1]": [checked(command=("CMD", "\0"))],
    "containers[0].health_check.interval": [checked(interval_s=number) for number in (-1, 0, 4, 301)],
    "containers[0].health_check.timeout": [checked(timeout_s=number) for number in (-1, 1, 61)],
    "containers[0].health_check.retries": [checked(retries=number) for number in (-1, 11)],
    "containers[0].health_check.start_period": [checked(start_period_s=number) for number in (-1, 301)],
    "containers[0].mount_points": [mounting(*(f"/{number}" for number in range(41)))],
    "containers[0].mount_points[0].container_path": [
        mounting(path) for path in ("", "/", "a", "/a/..", "/a:b")
    ],
    "containers[0].mount_points[1].container_path": [mounting("/a", "/a")],
    "containers[0].mount_points[0].source_volume": [mounting("/a", volumes=())],
    "containers[0].depends_on[0].container_name": [
        of(container(**after(name)), container("b")) for name in ("main", "other", "", "MAIN")
    ],
    "containers[0].depends_on[1].container_name": [of(container(**after("b", "b")), container("b"))],
    "containers[0].depends_on[0].condition": [
        of(container(**after("b", condition=None)), container("b")),
        of(container(**after("b", condition=CONDITION.HEALTHY)), container("b")),
        *[
            of(container(**after("b", condition=condition)), container("b", essential=True))
            for condition in (CONDITION.COMPLETE, CONDITION.SUCCESS)
        ],
    ],
    "containers[1].depends_on[0].condition": [
        # The main container is essential whatever is said of it.
        of(container(essential=False), container("b", **after("main", condition=CONDITION.COMPLETE)))
    ],
    "volumes": [
        ContainersSpec(
            containers=(
                container(
                    mount_points=tuple(
                        MountPoint(source_volume=f"v{number}", container_path=f"/{number}")
                        for number in range(21)
                    )
                ),
            ),
            volumes=tuple(Volume(name=f"v{number}") for number in range(21)),
        )
    ],
    "volumes[0].name": [
        ContainersSpec(containers=(container(),), volumes=(Volume(name="unmounted"),)),
        *[
            replace(
                mounting(),
                volumes=(Volume(name=name),),
                containers=(container(mount_points=(MountPoint(source_volume=name, container_path="/a"),)),),
            )
            for name in ("", "a.b", "a b", "v" * 256)
        ],
    ],
    "volumes[1].name": [mounting("/a", volumes=(Volume(name="v"), Volume(name="v")))],
    "volumes[0].source_path": [
        mounting("/a", volumes=(Volume(name="v", source_path=path),)) for path in ("a", "/", "/a/../b")
    ],
    "volumes[0].shared": [mounting("/a", volumes=(Volume(name="v", source_path="/a", shared=True),))],
}


def cases() -> Iterator[tuple[str, ContainersSpec]]:
    for path, specs in BAD.items():
        for spec in specs:
            yield path, spec


@pytest.mark.parametrize("spec", GOOD, ids=range(len(GOOD)))
def test_what_is_right_passes(spec: ContainersSpec) -> None:
    """The limits themselves, and all that ECS takes."""
    assert paths(spec) == []


@pytest.mark.parametrize(("path", "spec"), list(cases()))
def test_what_is_wrong_is_named(path: str, spec: ContainersSpec) -> None:
    """One thing is wrong, and the one violation leads to it."""
    assert paths(spec) == [f"containers.{path}"]


def test_a_circle_is_named_at_each_of_its_dependencies() -> None:
    """None of these would ever start; the one that waits for the circle is not in it."""
    spec = of(
        container(**after("b")),
        container("b", **after("c")),
        container("c", **after("main")),
        container("d", **after("main")),
    )
    assert paths(spec) == [f"containers.containers[{n}].depends_on[0].container_name" for n in range(3)]


def test_a_link_closes_a_circle_too() -> None:
    """ECS's agent starts a container after those that it is linked to."""
    spec = of(container(links=("b",)), container("b", **after("main")))
    assert paths(spec) == ["containers.containers[1].depends_on[0].container_name"]
