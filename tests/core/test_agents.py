"""Expansion of agents: what ECS is told to register, and what it is told of one launch."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from scheduler.core.agents import AgentSettings, Launch, expand, overrides
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    Secret,
    Ulimit,
)
from tests.builders import attempt_id, instance_arn
from tests.clocks import START_MS

REQUEST_ID = "11111111-1111-4111-8111-111111111111"
BUILD_DIR = {
    "sourceVolume": "build-dir",
    "containerPath": "/buildeng/bamboo-agent-home/xml-data/build-dir",
}
LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "agents"}}
SETTINGS = AgentSettings("agents", "ci", "awslogs", (("awslogs-group", "agents"),))
SILENT = AgentSettings("agents", "ci")
SECRET = Secret(name="TOKEN", value_from="token")
LAUNCH = Launch(
    attempt_id=attempt_id(1, 1),
    request_id=REQUEST_ID,
    container_instance_arn=instance_arn(7),
    submit_ms=START_MS,
)
DATABASE = ExtraContainer(
    name="database",
    image=" postgres:15\n",
    size=ContainerSize.REGULAR,
    commands=("-c", "fsync=off"),
    environment=(EnvironmentVariable(name="POSTGRES_PASSWORD", value="secret"),),
)


def bamboo(**changes: Any) -> BambooAgentSpec:
    fields: dict[str, Any] = {
        "result_id": "AAA-BBB-JOB-1",
        "build_key": "AAA-BBB-JOB",
        "server_url": "http://b",
        "sidekick_image": " sk:1 ",
        "image": " img:1 ",
        "size": ContainerSize.SMALL,
        "extra_containers": (DATABASE,),
    }
    return BambooAgentSpec(**(fields | changes))


def container(name: str = "agent", **changes: Any) -> Container:
    fields: dict[str, Any] = {"image": " agent:1 ", "resources": Resources(cpu=512, memory_mib=1_001)}
    return Container(name=name, **(fields | changes))


def containers(*given: Container) -> ContainersSpec:
    return ContainersSpec(containers=given)


def environment(override: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in override["environment"]}


def test_an_extra_container_is_registered_beside_the_agent() -> None:
    """Linked to it, with the same build directory and log; the whole payload is a case of the conformance."""
    [agent, _, database] = expand(bamboo(), SETTINGS).definition["containerDefinitions"]
    assert agent["links"] == ["database"]
    assert database == {
        "name": "database",
        "image": "postgres:15",
        "cpu": 512,
        "memoryReservation": 2000,
        "memory": 2500,
        "essential": False,
        "links": [],
        "mountPoints": [BUILD_DIR],
        "logConfiguration": LOGS,
    }


def test_bamboo_expansion_around_definition() -> None:
    """A Bamboo agent asks for all its containers with the sidekick, and its own exit code decides."""
    expansion = expand(bamboo(), SETTINGS)
    assert expansion.ask == Resources(cpu=1_536, memory_mib=6_006)
    assert expansion.main_container == "bamboo-agent"
    assert expansion.build_key == "AAA-BBB-JOB"


def test_an_extra_container_is_told_what_it_got() -> None:
    """Its command and its variables, of which the registered definition has nothing."""
    [_, database] = overrides(bamboo(), LAUNCH)["containerOverrides"]
    assert database == {
        "name": "database",
        "command": ["-c", "fsync=off"],
        "environment": [{"name": "POSTGRES_PASSWORD", "value": "secret"}],
    }


def test_queue_time_is_told() -> None:
    """When the CI server queued the build, in milliseconds."""
    [agent, _] = overrides(bamboo(queue_time_ms=1_700_000_000_123), LAUNCH)["containerOverrides"]
    assert environment(agent)["QUEUE_TIMESTAMP"] == "1700000000123"


def test_unknown_queue_time_is_minus_one() -> None:
    """An agent whose build was never queued by the CI server reads -1."""
    [agent, _] = overrides(bamboo(queue_time_ms=None), LAUNCH)["containerOverrides"]
    assert environment(agent)["QUEUE_TIMESTAMP"] == "-1"


def test_queue_time_zero_is_a_time() -> None:
    """The first millisecond of 1970 is a queue time like any other."""
    [agent, _] = overrides(bamboo(queue_time_ms=0), LAUNCH)["containerOverrides"]
    assert environment(agent)["QUEUE_TIMESTAMP"] == "0"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"commands": ()}, {"environment"}),
        ({"environment": ()}, {"command"}),
    ],
)
def test_override_has_only_what_was_given(changes: dict[str, Any], expected: set[str]) -> None:
    """An extra container keeps its image's command, or environment, unless the client gave one."""
    spec = bamboo(extra_containers=(replace(DATABASE, **changes),))
    [_, extra] = overrides(spec, LAUNCH)["containerOverrides"]
    assert extra.keys() == {"name", *expected}


def test_empty_override_left_out() -> None:
    """An extra container that was given nothing is not overridden."""
    spec = bamboo(extra_containers=(replace(DATABASE, commands=(), environment=()),))
    assert [each["name"] for each in overrides(spec, LAUNCH)["containerOverrides"]] == ["bamboo-agent"]


def test_agent_without_extra_containers() -> None:
    """An agent alone has no links and asks for itself and its sidekick."""
    expansion = expand(bamboo(extra_containers=()), SETTINGS)
    [agent, _] = expansion.definition["containerDefinitions"]
    assert agent["links"] == []
    assert expansion.ask == Resources(cpu=1_024, memory_mib=4_006)


def test_containers_definition_whole() -> None:
    """Plain containers are registered with their own resources; only the first is essential unasked."""
    gpu = container("gpu", resources=Resources(cpu=0, memory_mib=6, gpus=2), essential=True)
    spec = containers(container(), gpu, container("cache"))
    agent = {
        "name": "agent",
        "image": "agent:1",
        "cpu": 512,
        "memoryReservation": 1001,
        "memory": 1251,
        "essential": True,
    }
    assert expand(spec, SILENT).definition == {
        "family": "agents",
        "containerDefinitions": [
            agent,
            agent
            | {"name": "gpu", "cpu": 0, "memoryReservation": 6, "memory": 7}
            | {"resourceRequirements": [{"type": "GPU", "value": "2"}]},
            agent | {"name": "cache", "essential": False},
        ],
    }


def test_containers_expansion_around_definition() -> None:
    """Plain containers ask for their sum; the first one's exit code decides; they have no build key."""
    gpu = container("gpu", resources=Resources(cpu=1, memory_mib=6, gpus=2))
    expansion = expand(containers(container(), gpu), SILENT)
    assert expansion.ask == Resources(cpu=513, memory_mib=1_007, gpus=2)
    assert (expansion.main_container, expansion.build_key) == ("agent", "")


def test_containers_overrides_whole() -> None:
    """Each plain container is told what it was given; the first one learns its attempt as well."""
    variable = EnvironmentVariable(name="A", value="1")
    spec = containers(container(environment=(variable,)), container("b"), container("c", command=("run",)))
    assert overrides(spec, LAUNCH) == {
        "containerOverrides": [
            {
                "name": "agent",
                "environment": [
                    {"name": "A", "value": "1"},
                    {"name": "ATTEMPT_ID", "value": attempt_id(1, 1)},
                ],
            },
            {"name": "c", "command": ["run"]},
        ]
    }


def test_attempt_id_cannot_be_forged() -> None:
    """A client's own ATTEMPT_ID gives way to the launch's in the main container."""
    spec = containers(container(environment=(EnvironmentVariable(name="ATTEMPT_ID", value="mine"),)))
    [agent] = overrides(spec, LAUNCH)["containerOverrides"]
    assert agent["environment"] == [{"name": "ATTEMPT_ID", "value": attempt_id(1, 1)}]


@pytest.mark.parametrize("spec", [bamboo(), containers(container(), container("b"))])
def test_definition_is_the_callers_own(spec: BambooAgentSpec | ContainersSpec) -> None:
    """Whatever a caller does to a definition, the next expansion is unharmed."""
    spoilt, untouched = expand(spec, SETTINGS).definition, expand(spec, SETTINGS).definition
    _spoil(spoilt)
    assert expand(spec, SETTINGS).definition == untouched


def _spoil(part: Any) -> None:
    """Empties every list and dictionary, innermost first."""
    for inner in list(part.values() if isinstance(part, dict) else part):
        if isinstance(inner, dict | list):
            _spoil(inner)
    part.clear()


def test_sizes_grow_together() -> None:
    """Each size is larger than the one before in every dimension, and an agent's is above an extra one's."""
    for table in (MAIN_SIZES, EXTRA_SIZES):
        amounts = [table[size] for size in ContainerSize if size in table]
        assert all(a.cpu < b.cpu and a.memory_mib < b.memory_mib for a, b in pairwise(amounts))
    assert EXTRA_SIZES.keys() == MAIN_SIZES.keys() - {ContainerSize.XSMALL}
    assert all(EXTRA_SIZES[size].fits_in(MAIN_SIZES[size]) for size in EXTRA_SIZES)


@pytest.mark.parametrize(
    ("size", "cpu", "memory_mib"),
    [
        (ContainerSize.XSMALL, 512, 2_000),
        (ContainerSize.REGULAR, 2_048, 8_000),
        (ContainerSize.LARGE_8X, 20_480, 80_000),
    ],
)
def test_agent_size(size: ContainerSize, cpu: int, memory_mib: int) -> None:
    """An agent asks for its size's amounts and the sidekick's 6 MiB."""
    ask = expand(bamboo(size=size, extra_containers=()), SILENT).ask
    assert ask == Resources(cpu=cpu, memory_mib=memory_mib + 6)


def test_what_is_asked_of_the_surroundings_is_registered() -> None:
    """Roles, architecture, secrets, credentials of registries, and links and limits told by variables."""
    told = (
        EnvironmentVariable(name="PBC_ULIMIT_OVERRIDE", value="nofile=1024:4096 core=-1"),
        EnvironmentVariable(name="PBC_EXTRA_LINKS", value="cache:redis"),
    )
    extra = replace(DATABASE, environment=told, secrets=(SECRET,), registry_credentials="arn:extra")
    cache = replace(DATABASE, name="cache", environment=())
    definition = expand(
        bamboo(
            extra_containers=(extra, cache),
            task_role_arn="arn:task",
            execution_role_arn="arn:execution",
            architecture=Architecture.ARM64,
            secrets=(SECRET,),
            registry_credentials="arn:registry",
        ),
        SILENT,
    ).definition
    agent, sidekick, database, _ = definition["containerDefinitions"]
    assert (definition["taskRoleArn"], definition["executionRoleArn"]) == ("arn:task", "arn:execution")
    assert definition["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert agent["secrets"] == database["secrets"] == [{"name": "TOKEN", "valueFrom": "token"}]
    assert agent["repositoryCredentials"] == sidekick["repositoryCredentials"]
    assert agent["repositoryCredentials"] == {"credentialsParameter": "arn:registry"}
    assert database["repositoryCredentials"] == {"credentialsParameter": "arn:extra"}
    assert database["links"] == ["cache:redis"]
    assert database["ulimits"] == [
        {"name": "nofile", "softLimit": 1024, "hardLimit": 4096},
        {"name": "core", "softLimit": -1, "hardLimit": -1},
    ]


def test_plain_containers_ask_for_the_same() -> None:
    """Privileged docker-in-docker among them, whose daemon is told the storage driver."""
    dind = container(
        "docker",
        image="docker:20-dind",
        command=("-s", "vfs"),
        secrets=(SECRET,),
        registry_credentials="arn:registry",
        privileged=True,
        ulimits=(Ulimit(name="nofile", soft=1, hard=2),),
        links=("agent",),
    )
    spec = replace(containers(container(), dind), task_role_arn="r", architecture=Architecture.X86_64)
    expansion = expand(spec, replace(SILENT, image_overrides=(("docker:20-dind", "docker:23-dind"),)))
    _, docker = expansion.definition["containerDefinitions"]
    assert (docker["privileged"], docker["links"], docker["image"]) == (True, ["agent"], "docker:23-dind")
    assert docker["ulimits"] == [{"name": "nofile", "softLimit": 1, "hardLimit": 2}]
    assert docker["secrets"] == [{"name": "TOKEN", "valueFrom": "token"}]
    assert expansion.ask.architecture is Architecture.X86_64
    told = overrides(spec, replace(LAUNCH, storage_driver="btrfs"))["containerOverrides"]
    assert told[1] == {"name": "docker", "command": ["--storage-driver=btrfs"]}


def test_the_services_roles_stand_in() -> None:
    """For requests that name none."""
    settings = replace(SILENT, task_role_arn="arn:own", execution_role_arn="arn:own-execution")
    definition = expand(bamboo(task_role_arn="arn:other"), settings).definition
    assert (definition["taskRoleArn"], definition["executionRoleArn"]) == ("arn:other", "arn:own-execution")


def test_the_first_docker_in_docker_is_the_agents() -> None:
    """An agent can have one Docker host alone; an old image of it is replaced by the operator's list."""
    dinds = tuple(replace(DATABASE, name=name, image="docker:1.11-dind") for name in ("one", "two"))
    settings = replace(SILENT, image_overrides=(("docker:1.11-dind", "docker:23-dind"),))
    agent, _, one, _ = expand(bamboo(extra_containers=dinds), settings).definition["containerDefinitions"]
    assert [each["value"] for each in agent["environment"] if each["name"] == "DOCKER_HOST"] == [
        "tcp://one:2375"
    ]
    assert (one["image"], one["privileged"]) == ("docker:23-dind", True)


def test_options_that_name_a_secret_are_fetched() -> None:
    """By the ARN of Secrets Manager or Systems Manager; all others are sent as they are."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:splunk-AbCdEf"
    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/token"
    options = (("splunk-url", "https://s"), ("splunk-token", arn), ("x", parameter))
    settings = replace(SILENT, log_driver="splunk", log_options=options)
    [agent] = expand(containers(container()), settings).definition["containerDefinitions"]
    assert agent["logConfiguration"] == {
        "logDriver": "splunk",
        "options": {"splunk-url": "https://s"},
        "secretOptions": [
            {"name": "splunk-token", "valueFrom": arn},
            {"name": "x", "valueFrom": parameter},
        ],
    }
