"""The fingerprint: the same request has the same one, and any other has another."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.container_parts import (
    ContainerCondition,
    ContainerDependency,
    HealthCheck,
    MountPoint,
    Volume,
)
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    HostFolderMapping,
    Secret,
    TaskRequest,
    Ulimit,
)
from scheduler.services.fingerprint import fingerprint
from tests.builders import request
from tests.strategies import MODEST

VARIABLE = EnvironmentVariable(name="TOKEN", value="secret")
SECRET = Secret(name="LICENCE", value_from="licence")

CONTAINERS = request(
    labels={"branch": "main"},
    spec=ContainersSpec(
        containers=(
            Container(
                name="agent",
                image="agent:1",
                resources=Resources(cpu=1024, memory_mib=4000, gpus=1),
                command=("run", "fast"),
                environment=(VARIABLE,),
                secrets=(SECRET,),
                ulimits=(Ulimit(name="nofile", soft=1, hard=2),),
                links=("other",),
            ),
        )
    ),
)

MOUNT = MountPoint(source_volume="cache", container_path="/cache")
PARTS: dict[str, Any] = {
    "entry_point": ("sh",),
    "working_directory": "/work",
    "user": "build",
    "mount_points": (MOUNT,),
    "health_check": HealthCheck(
        command=("CMD", "true"), interval_s=5, timeout_s=2, retries=3, start_period_s=0
    ),
    "depends_on": (ContainerDependency(container_name="db", condition=ContainerCondition.START),),
    "stop_timeout_s": 30,
}
"""What only some containers have: each by itself, and all of it together, makes another request."""

BAMBOO = request(
    spec=BambooAgentSpec(
        result_id="PROJ-PLAN-JOB-7",
        build_key="PROJ-PLAN-JOB",
        server_url="https://bamboo.example.com",
        sidekick_image="sidekick:1",
        image="agent:1",
        size=ContainerSize.REGULAR,
        extra_containers=(
            ExtraContainer(
                name="db",
                image="postgres:16",
                size=ContainerSize.SMALL,
                commands=("-c", "fsync=off"),
                environment=(VARIABLE,),
                secrets=(SECRET,),
            ),
        ),
        queue_time_ms=1_790_000_000_000,
        host_folder_mappings=(
            HostFolderMapping(volume_name="v", source_path="/outside", container_path="/inside"),
        ),
        secrets=(SECRET,),
    ),
)

# Few and short, so that texts that could run into each other do.
TEXTS = st.text('a",[]\\', max_size=3)
WORDS = st.lists(TEXTS, max_size=3).map(tuple)
REQUESTS = st.builds(
    request,
    st.just(1),
    tenant=TEXTS,
    priority=st.integers(0, 1),
    labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
    spec=st.builds(
        ContainersSpec,
        containers=st.lists(
            st.builds(
                Container,
                name=TEXTS,
                image=TEXTS,
                resources=st.builds(Resources, cpu=st.integers(0, 2)),
                command=WORDS,
                environment=st.lists(st.builds(EnvironmentVariable, name=TEXTS, value=TEXTS), max_size=2).map(
                    tuple
                ),
                essential=st.booleans(),
            ),
            max_size=2,
        ).map(tuple),
    ),
)


def with_parts(**parts: Any) -> TaskRequest:
    """The containers above, with these parts."""
    assert isinstance(CONTAINERS.spec, ContainersSpec)
    [agent] = CONTAINERS.spec.containers
    volumes = (Volume(name="cache", source_path="/mnt/cache"),) if "mount_points" in parts else ()
    return replace(CONTAINERS, spec=ContainersSpec(containers=(replace(agent, **parts),), volumes=volumes))


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Every way to change one thing that a client can set, however deep, with its path."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for path, other in changed(getattr(value, field.name)):
                yield f"{field.name}.{path}", replace(value, **{field.name: other})
    elif isinstance(value, tuple):
        yield from (("without", value[:-1]), ("twice", (*value, *value))) if value else ()
        for index, each in enumerate(value):
            yield from (
                (f"{index}.{path}", (*value[:index], other, *value[index + 1 :]))
                for path, other in changed(each)
            )
    elif isinstance(value, dict):
        yield "more", {**value, "more": ""}
        yield from (("fewer", {}), ("other", dict.fromkeys(value, "other"))) if value else ()
    elif isinstance(value, Architecture):
        yield "architecture", Architecture.ARM64
    elif isinstance(value, ContainerCondition):
        yield "condition", ContainerCondition.COMPLETE
    elif isinstance(value, Enum):
        yield "size", ContainerSize.XLARGE
    elif isinstance(value, str):
        yield "text", value + " "
    elif isinstance(value, int):
        yield "number", not value if isinstance(value, bool) else value + 1


# A spec's kind is its type's own constant.
CHANGES = [
    pytest.param(each, other, id=f"{each.spec.kind}-{path}")
    for each in (CONTAINERS, BAMBOO, with_parts(**PARTS))
    for path, other in changed(each)
    if "kind" not in path
]


@pytest.mark.parametrize(("original", "other"), CHANGES)
def test_any_change_makes_another_fingerprint(original: TaskRequest, other: TaskRequest) -> None:
    """Whatever a client changes under a used request id, it is told of it."""
    assert fingerprint(original) != fingerprint(other)


@pytest.mark.parametrize("original", [CONTAINERS, BAMBOO], ids=["containers", "bamboo_agent"])
def test_an_unset_field_is_not_an_empty_one(original: TaskRequest) -> None:
    """The two kinds of specs never meet, and what was not set is not what was set to nothing."""
    assert fingerprint(original) != fingerprint(replace(original, labels={"": ""}))
    assert fingerprint(CONTAINERS) != fingerprint(BAMBOO)


@MODEST
@given(first=REQUESTS, second=REQUESTS)
def test_fingerprints_are_equal_exactly_when_requests_are(first: TaskRequest, second: TaskRequest) -> None:
    """No two different requests share one, however their texts run into each other."""
    assert (fingerprint(first) == fingerprint(second)) == (first == second)


@MODEST
@given(each=REQUESTS)
def test_the_order_of_labels_does_not_count(each: TaskRequest) -> None:
    """Labels are a map: a client that repeats its request may send them in any order."""
    turned = dict(reversed(list(each.labels.items())))
    assert fingerprint(each) == fingerprint(replace(each, labels=turned))


def test_each_part_makes_another_request() -> None:
    """What is not set is left out of what is hashed, and only that."""
    parts = [{}, PARTS, *({name: value} for name, value in PARTS.items())]
    assert len({fingerprint(with_parts(**each)) for each in parts}) == len(parts)


def test_a_fingerprint_outlives_the_process_and_new_fields() -> None:
    """The store keeps fingerprints for years: these may only change together with their version."""
    assert fingerprint(CONTAINERS) == "1b0cd040d324a46b590fd756655bbdd877a2ccec8dd9ccc079a787d624e49916"
    assert fingerprint(BAMBOO) == "d482b90dadafa7274bedcb3e3bd5fab9793b0d63164c98678ea74c2825ccfffc"
