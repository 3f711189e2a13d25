"""The fingerprint: the same request has the same one, and any other has another."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Every way to change one thing that a client can set, however deep, with its path."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for path, other in changed(getattr(value, field.name)):
                yield f"{field.name}.{path}", replace(value, **{field.name: other})
    elif isinstance(value, tuple):
        yield "without", value[:-1]
        yield "twice", (*value, *value)
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
    elif isinstance(value, Enum):
        yield "size", ContainerSize.XLARGE
    elif isinstance(value, str):
        yield "text", value + " "
    elif isinstance(value, int):
        yield "number", not value if isinstance(value, bool) else value + 1


# A spec's kind is its type's own constant.
CHANGES = [
    pytest.param(each, other, id=f"{each.spec.kind}-{path}")
    for each in (CONTAINERS, BAMBOO)
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


def test_a_fingerprint_outlives_the_process() -> None:
    """The store keeps fingerprints for years: this one may only change together with its version."""
    assert fingerprint(request(1)) == fingerprint(request(1))
    assert len(fingerprint(request(1))) == 64
