"""ECS's limit on overrides: measured when the request comes, for the worst launch that may follow."""

import json
from collections.abc import Callable
from dataclasses import replace
from string import ascii_letters
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.agents import Launch, overrides
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    TaskRequest,
    TaskSpec,
)
from scheduler.core.validate import validate
from scheduler.core.validate.overrides_size import (
    ALLOWED_CHARACTERS,
    WORST_LAUNCH,
    characters_at_most,
    overrides_characters,
)
from tests.builders import attempt_id, instance_arn
from tests.clocks import START_MS

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
LAUNCH = Launch(
    attempt_id=attempt_id(1, 1), request_id=UUID, container_instance_arn=instance_arn(1), submit_ms=START_MS
)


def request(spec: TaskSpec) -> TaskRequest:
    return TaskRequest(request_id=UUID, tenant="bamboo", priority=0, labels={}, spec=spec)


def agent(*values: str) -> BambooAgentSpec:
    """An agent with one extra container that is given these values."""
    variables = [EnvironmentVariable(name=f"V{number}", value=value) for number, value in enumerate(values)]
    extra = ExtraContainer(name="e", image="e:1", size=ContainerSize.SMALL, environment=tuple(variables))
    return BambooAgentSpec(
        result_id="A-B-1",
        build_key="A-B",
        server_url="http://b",
        sidekick_image="s:1",
        image="a:1",
        size=ContainerSize.SMALL,
        extra_containers=(extra,),
    )


def plain(*arguments: str) -> ContainersSpec:
    """A container that is given these arguments."""
    resources = Resources(cpu=1, memory_mib=6)
    return ContainersSpec(
        containers=(Container(name="c", image="c:1", resources=resources, command=arguments),)
    )


# Characters that JSON writes as one, two, six and twelve.
TEXTS = st.text(alphabet='a "\\\n\x01é漢😀', max_size=40)
SPECS = st.lists(TEXTS, max_size=5).flatmap(lambda texts: st.sampled_from([agent(*texts), plain(*texts)]))


@pytest.mark.parametrize("spec_of", [agent, plain])
@pytest.mark.parametrize("character", ["a", '"', "é", "😀"])
def test_limit_is_exact(spec_of: Callable[..., TaskSpec], character: str) -> None:
    """Overrides of 8,192 characters are accepted, one more is refused, however characters are escaped."""
    escaped = len(json.dumps(character)) - 2
    room = ALLOWED_CHARACTERS - overrides_characters(spec_of(""))
    full = character * (room // escaped) + "a" * (room % escaped)
    assert validate(request(spec_of(full))) == ()
    assert len(validate(request(spec_of(full + "a")))) == 1


@pytest.mark.parametrize(
    ("spec", "path"), [(agent("x" * 8_192), "bamboo_agent"), (plain("x" * 8_192), "containers")]
)
def test_refusal_names_measured_and_allowed(spec: TaskSpec, path: str) -> None:
    """One violation of the spec as a whole says how much is allowed and how much it is."""
    [violation] = validate(request(spec))
    assert violation.field_path == path
    assert "8,192" in violation.expected
    assert f"{overrides_characters(spec):,}" in violation.expected


def test_many_small_parts_are_measured_too() -> None:
    """A hundred variables within their own limits are refused when together they are too long for ECS."""
    assert [each.field_path for each in validate(request(agent(*["x" * 100] * 100)))] == ["bamboo_agent"]


def test_longer_value_than_ecs_takes() -> None:
    """A value over its own limit is named beside the spec that it makes too long."""
    found = [violation.field_path for violation in validate(request(agent("x" * 8_193)))]
    assert found == ["bamboo_agent.extra_containers[0].environment[0].value", "bamboo_agent"]


@given(spec=SPECS)
def test_bound_is_never_below_measure(spec: TaskSpec) -> None:
    """A spec that is spared the measurement is never too long."""
    assert characters_at_most(spec) >= overrides_characters(spec)


@given(spec=SPECS)
def test_real_launch_is_never_longer_than_worst(spec: TaskSpec) -> None:
    """What was accepted is never too long when it is launched."""
    assert len(json.dumps(overrides(spec, LAUNCH))) <= overrides_characters(spec)


@pytest.mark.parametrize(
    "given",
    [
        {"commands": ("",) * 100},
        {"environment": tuple(EnvironmentVariable(name=name, value="") for name in ascii_letters)},
    ],
)
def test_bound_counts_formatting(given: dict[str, Any]) -> None:
    """Many parts that are nearly empty are measured by what JSON puts around them."""
    extra = replace(agent().extra_containers[0], **given)
    spec = replace(agent(), extra_containers=(extra,))
    assert characters_at_most(spec) >= overrides_characters(spec)


def test_usual_request_is_spared() -> None:
    """A database with a handful of variables does not cost the measurement."""
    assert characters_at_most(agent(*["x" * 40] * 8)) <= ALLOWED_CHARACTERS


def test_worst_arn_is_an_arn_of_ecs() -> None:
    """The longest ARN has the parts of a container instance's ARN, with the longest cluster name."""
    *_, resource = WORST_LAUNCH.container_instance_arn.split(":")
    kind, cluster, identifier = resource.split("/")
    assert (kind, len(cluster), len(identifier)) == ("container-instance", 255, 32)
