"""The content hash: builds of one configuration share a revision, and no others do."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.agents import AgentSettings, expand
from scheduler.core.agents.definition import definition_key
from scheduler.core.model.container_parts import ContainerCondition, ContainerDependency, HealthCheck, Volume
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
    TaskSpec,
    Ulimit,
)

# Few values for each part, so that two draws are equal, or differ in one part, often enough.
NAMES = st.sampled_from(["a", "b", "c"])
IMAGES = st.sampled_from(["img:1", "img:2", " img:1 ", "docker:dind"])
COMMANDS = st.lists(st.text(max_size=3), max_size=2).map(tuple)
ENVIRONMENTS = st.lists(
    st.builds(EnvironmentVariable, name=NAMES, value=st.text(max_size=3)), max_size=2
).map(tuple)
AMOUNTS = st.builds(
    Resources,
    cpu=st.sampled_from([256, 512]),
    memory_mib=st.sampled_from([1_000, 1_001]),
    gpus=st.sampled_from([0, 1]),
)
EXTRA_SIZES = st.sampled_from([ContainerSize.SMALL, ContainerSize.REGULAR])
SECRETS = st.sampled_from([(), (Secret(name="A", value_from="a"),), (Secret(name="A", value_from="b"),)])
ULIMITS = st.sampled_from(
    [(), (Ulimit(name="core", soft=1, hard=1),), (Ulimit(name="core", soft=1, hard=2),)]
)
ARNS = st.sampled_from(["", "arn:1", "arn:2"])
FOLDERS = st.sampled_from(
    [(), *((HostFolderMapping(volume_name="v", source_path=path, container_path="/b"),) for path in "ab")]
)
EXTRAS = st.builds(
    ExtraContainer,
    name=NAMES,
    image=IMAGES,
    size=EXTRA_SIZES,
    commands=COMMANDS,
    environment=ENVIRONMENTS,
    secrets=SECRETS,
    registry_credentials=ARNS,
)
SURROUNDINGS: dict[str, st.SearchStrategy[Any]] = {
    "task_role_arn": ARNS,
    "execution_role_arn": ARNS,
    "architecture": st.sampled_from(Architecture),
}
BAMBOO = st.builds(
    BambooAgentSpec,
    result_id=st.text(max_size=3),
    build_key=st.text(max_size=3),
    server_url=st.sampled_from(["http://a", "http://b"]),
    sidekick_image=IMAGES,
    image=IMAGES,
    size=EXTRA_SIZES,
    extra_containers=st.lists(EXTRAS, max_size=2).map(tuple),
    queue_time_ms=st.none() | st.integers(0, 2**40),
    host_folder_mappings=FOLDERS,
    secrets=SECRETS,
    registry_credentials=ARNS,
    **SURROUNDINGS,
)
CONTAINER = st.builds(
    Container,
    name=NAMES,
    image=IMAGES,
    resources=AMOUNTS,
    command=COMMANDS,
    environment=ENVIRONMENTS,
    essential=st.booleans(),
    secrets=SECRETS,
    registry_credentials=ARNS,
    privileged=st.booleans(),
    ulimits=ULIMITS,
    links=st.sampled_from([(), ("b",), ("c", "b")]),
    entry_point=COMMANDS,
    health_check=st.sampled_from(
        [None, HealthCheck(command=("CMD",)), HealthCheck(command=("CMD",), retries=1)]
    ),
    depends_on=st.sampled_from(
        [
            (),
            *(
                (ContainerDependency(container_name="a", condition=each),)
                for each in (ContainerCondition.START, ContainerCondition.HEALTHY)
            ),
        ]
    ),
)
CONTAINERS = st.builds(
    ContainersSpec,
    containers=st.lists(CONTAINER, min_size=1, max_size=3).map(tuple),
    volumes=st.sampled_from([(), (Volume(name="v"),), (Volume(name="v", shared=True),)]),
    **SURROUNDINGS,
)
SPECS = BAMBOO | CONTAINERS
SETTINGS = st.builds(
    AgentSettings,
    st.sampled_from(["f1", "f2"]),
    st.sampled_from(["c1", "c2"]),
    st.sampled_from(["", "awslogs"]),
    st.sampled_from([(), (("k", "1"),), (("k", "2"),)]),
    ARNS,
    ARNS,
    image_overrides=st.sampled_from([(), (("docker:dind", "docker:2-dind"),)]),
)


def of_another_build(spec: TaskSpec) -> TaskSpec:
    """The same configuration with everything else changed."""
    other: dict[str, Any] = {"environment": (EnvironmentVariable(name="OTHER", value="x"),)}
    if isinstance(spec, ContainersSpec):
        changed = [replace(each, command=("other",), **other) for each in spec.containers]
        return replace(spec, containers=tuple(changed))
    extras = [replace(each, commands=("other",), **other) for each in spec.extra_containers]
    return replace(
        spec, result_id="OTHER-1", build_key="OTHER", queue_time_ms=7, extra_containers=tuple(extras)
    )


@given(spec=SPECS, settings=SETTINGS)
def test_builds_of_one_configuration_never_differ(spec: TaskSpec, settings: AgentSettings) -> None:
    """Commands, environment, result, build key and queue time never make another revision."""
    first, second = expand(spec, settings), expand(of_another_build(spec), settings)
    assert first.definition == second.definition
    assert first.definition_key == second.definition_key


@given(one=SPECS, other=SPECS, settings=SETTINGS)
def test_configurations_share_a_key_only_if_equal(
    one: TaskSpec, other: TaskSpec, settings: AgentSettings
) -> None:
    """Two specs have the same key exactly if they have the same definition."""
    first, second = expand(one, settings), expand(other, settings)
    assert (first.definition == second.definition) == (first.definition_key == second.definition_key)


def leaves(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every single value, and of every list, in a JSON-like structure."""
    if not isinstance(part, dict | list):
        return [path]
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    found = [leaf for key, value in inner for leaf in leaves(value, (*path, key))]
    return [*found, path] if isinstance(part, list) else found


def changed(part: Any) -> Any:
    """A value unlike this one: a list with one more, a flag turned, a number or text grown."""
    if isinstance(part, bool):
        return not part
    return part + type(part)([0] if isinstance(part, list) else 1)


@given(spec=SPECS, settings=SETTINGS, data=st.data())
def test_nothing_in_a_definition_escapes_the_key(
    spec: TaskSpec, settings: AgentSettings, data: st.DataObject
) -> None:
    """A change anywhere in a definition changes its key."""
    expansion = expand(spec, settings)
    definition = expansion.definition
    *way, last = data.draw(st.sampled_from(leaves(definition)))
    part = definition
    for step in way:
        part = part[step]
    part[last] = changed(part[last])
    assert definition_key(definition) != expansion.definition_key


@given(spec=SPECS, one=SETTINGS, other=SETTINGS)
def test_settings_share_a_key_only_if_told_the_same(
    spec: TaskSpec, one: AgentSettings, other: AgentSettings
) -> None:
    """A change of family, log configuration, roles, images or the cluster that agents see changes the key."""
    first, second = expand(spec, one), expand(spec, other)
    assert (first.definition == second.definition) == (first.definition_key == second.definition_key)


def test_key_outlives_the_process() -> None:
    """The key of a configuration is the same in every process and version: revisions are found by it."""
    agent = Container(name="agent", image="agent:1", resources=Resources(cpu=512, memory_mib=1_000))
    expansion = expand(ContainersSpec(containers=(agent,)), AgentSettings("agents", "ci"))
    canonical = (
        '{"containerDefinitions":[{"cpu":512,"essential":true,"image":"agent:1",'
        '"memory":1250,"memoryReservation":1000,"name":"agent"}],"family":"agents"}'
    )
    assert expansion.definition_key == sha256(canonical.encode()).hexdigest()


def test_order_of_log_options_does_not_count() -> None:
    """The same log options in another order are the same configuration."""
    agent = Container(name="agent", image="agent:1", resources=Resources(cpu=512, memory_mib=1_000))
    spec = ContainersSpec(containers=(agent,))
    options = (("a", "1"), ("b", "2"))
    keys = {
        expand(spec, AgentSettings("agents", "ci", "awslogs", each)).definition_key
        for each in (options, options[::-1])
    }
    assert len(keys) == 1
