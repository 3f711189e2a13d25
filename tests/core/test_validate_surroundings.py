"""Validation of what a request wants around its containers: folders, roles, secrets, limits, links."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

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
    TaskSpec,
    Ulimit,
)
from scheduler.core.validate import validate
from scheduler.core.validate.overrides_size import characters_at_most, overrides_characters

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ci/token-AbCdEf"
PARAMETER_ARN = "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/ci/token"
ROLE = "arn:aws:iam::123456789012:role/ci/agents"


def folder(volume: str = "metrics", source: str = "/outside", inside: str = "/inside") -> HostFolderMapping:
    return HostFolderMapping(volume_name=volume, source_path=source, container_path=inside)


def secret(name: str = "TOKEN", value_from: str = SECRET_ARN) -> Secret:
    return Secret(name=name, value_from=value_from)


def variable(name: str, value: str) -> EnvironmentVariable:
    return EnvironmentVariable(name=name, value=value)


def extra(name: str = "db", **changes: Any) -> ExtraContainer:
    fields: dict[str, Any] = {"image": "postgres:15", "size": ContainerSize.SMALL}
    return ExtraContainer(name=name, **(fields | changes))


def limited(value: str) -> ExtraContainer:
    return extra(environment=(variable("PBC_ULIMIT_OVERRIDE", value),))


def linked(name: str, value: str) -> ExtraContainer:
    return extra(name, environment=(variable("PBC_EXTRA_LINKS", value),))


def agent(*extras: ExtraContainer, **changes: Any) -> BambooAgentSpec:
    fields: dict[str, Any] = {
        "result_id": "AAA-BBB-JOB-1",
        "build_key": "AAA-BBB-JOB",
        "server_url": "https://bamboo.example.com",
        "sidekick_image": "sidekick:1",
        "image": "agent:1",
        "size": ContainerSize.REGULAR,
    }
    return BambooAgentSpec(extra_containers=extras, **(fields | changes))


def container(name: str = "main", **changes: Any) -> Container:
    fields: dict[str, Any] = {"image": "agent:1", "resources": Resources(cpu=512, memory_mib=1_000)}
    return Container(name=name, **(fields | changes))


def containers(*given: Container, **changes: Any) -> ContainersSpec:
    return ContainersSpec(containers=given or (container(),), **changes)


def paths(spec: TaskSpec) -> list[str]:
    request = TaskRequest(request_id=UUID, tenant="bamboo", priority=0, labels={}, spec=spec)
    return [violation.field_path for violation in validate(request)]


GOOD: list[TaskSpec] = [
    agent(host_folder_mappings=(folder(), folder("b-_9", "/a/b.c/ d", "/buildeng-metrics"))),
    agent(task_role_arn=ROLE, execution_role_arn="arn:aws-cn:iam::123456789012:role/x"),
    *[agent(architecture=each) for each in Architecture],
    agent(
        secrets=(
            secret(),
            secret("B", SECRET_ARN + ":key:AWSCURRENT:"),
            secret("C", PARAMETER_ARN),
            secret("D", "/ci/token"),
        )
    ),
    agent(extra(secrets=(secret(),), registry_credentials=SECRET_ARN), registry_credentials=SECRET_ARN),
    *[
        agent(limited(value))
        for value in ("nofile=1024", "nofile=1024:4096 core=-1 stack=5:-1", " nproc=0:0 ", "")
    ],
    agent(linked("a", "b c:alias"), linked("b", "c"), extra("c")),
    containers(container(ulimits=(Ulimit(name="nofile", soft=1, hard=2),)), task_role_arn=ROLE),
    containers(container(links=("b", "c:d")), container("b", links=("c",)), container("c")),
    containers(container(privileged=True, image="registry:5000/docker:20-dind")),
    containers(container(secrets=(secret(),), environment=(variable("OTHER", "1"),))),
]


@pytest.mark.parametrize("spec", GOOD, ids=range(len(GOOD)))
def test_what_is_right_passes(spec: TaskSpec) -> None:
    """Limits themselves, and all that ECS and Docker take."""
    assert paths(spec) == []


BAD_PATHS = (
    "",
    "relative",
    "/",
    "/a/",
    "//a",
    "/a//b",
    "/a/./b",
    "/a/..",
    "/..",
    "/a:b",
    "/a\n",
    "/" + "a" * 1_024,
)
BAD_ROLES = (
    "r",
    "arn:aws:iam::1:role/r",
    "arn:aws:iam::123456789012:user/r",
    "arn:aws:iam::123456789012:role/",
    ROLE + "\n",
    " " + ROLE,
)
BAD_SECRETS = (
    "",
    "a b",
    "arn:aws:s3:::bucket",
    "arn:aws:secretsmanager:eu-west-1:1:secret:a",
    PARAMETER_ARN + "\n",
)
BAD_LIMITS = (
    "nofile",
    "nofile=",
    "nofile=a",
    "nofile=2:1",
    "nofile=-1:5",
    "nofile=1:2:3",
    "files=1",
    "nofile=1,core=2",
    "nofile=1 nofile=2",
    "nofile=-2",
    f"nofile={2**31}",
    "nofile=1 core",
    "NOFILE=1",
)

BAD: Mapping[str, list[TaskSpec]] = {
    "bamboo_agent.host_folder_mappings": [
        agent(host_folder_mappings=tuple(folder(f"v{n}", "/a", f"/a{n}") for n in range(21)))
    ],
    "bamboo_agent.host_folder_mappings[0].volume_name": [
        agent(host_folder_mappings=(folder(name),)) for name in ("", "a b", "build-dir", "a" * 256, "é")
    ],
    "bamboo_agent.host_folder_mappings[1].volume_name": [
        agent(host_folder_mappings=(folder(), folder(inside="/b")))
    ],
    "bamboo_agent.host_folder_mappings[0].source_path": [
        agent(host_folder_mappings=(folder(source=path),)) for path in BAD_PATHS
    ],
    "bamboo_agent.host_folder_mappings[0].container_path": [
        agent(host_folder_mappings=(folder(inside=path),))
        for path in (*BAD_PATHS, "/buildeng", "/buildeng/bin")
    ],
    "bamboo_agent.host_folder_mappings[1].container_path": [
        agent(host_folder_mappings=(folder(), folder("other")))
    ],
    "bamboo_agent.task_role_arn": [agent(task_role_arn=arn) for arn in BAD_ROLES],
    "bamboo_agent.execution_role_arn": [agent(execution_role_arn=arn) for arn in BAD_ROLES],
    "bamboo_agent.architecture": [agent(architecture=None)],
    "bamboo_agent.secrets": [agent(secrets=tuple(secret(f"S{n}") for n in range(101)))],
    "bamboo_agent.secrets[0].name": [
        agent(secrets=(secret(name),)) for name in ("", "1A", "BAMBOO_SERVER", "DOCKER_HOST", "ATTEMPT_ID")
    ],
    "bamboo_agent.secrets[1].name": [agent(secrets=(secret(), secret()))],
    "bamboo_agent.secrets[0].value_from": [agent(secrets=(secret("A", text),)) for text in BAD_SECRETS],
    "bamboo_agent.registry_credentials": [agent(registry_credentials=text) for text in ("x", PARAMETER_ARN)],
    "bamboo_agent.extra_containers[0].environment[0].value": [
        *[agent(limited(value)) for value in BAD_LIMITS],
        *[
            agent(linked("a", value), extra("b"))
            for value in ("unknown", "a", "bamboo-agent", "b b", "b:", "b:a.b", "b:x b:x", "b,c")
        ],
    ],
    "bamboo_agent.extra_containers[0].secrets[0].name": [
        agent(extra(secrets=(secret("A"),), environment=(variable("A", "1"),)))
    ],
    "bamboo_agent.extra_containers[0].registry_credentials": [agent(extra(registry_credentials="x"))],
    "containers.architecture": [containers(architecture=None)],
    "containers.task_role_arn": [containers(task_role_arn="r")],
    "containers.execution_role_arn": [containers(execution_role_arn="r")],
    "containers.containers[0].secrets[0].name": [
        containers(container(secrets=(secret("ATTEMPT_ID"),))),
        containers(container(secrets=(secret("A"),), environment=(variable("A", "1"),))),
    ],
    "containers.containers[0].registry_credentials": [containers(container(registry_credentials="x"))],
    "containers.containers[0].privileged": [containers(container(privileged=True))],
    "containers.containers[0].ulimits[0].name": [
        containers(container(ulimits=(Ulimit(name="files", soft=1, hard=1),)))
    ],
    "containers.containers[0].ulimits[0].soft": [
        containers(container(ulimits=(Ulimit(name="core", soft=soft, hard=3),))) for soft in (-1, 4)
    ],
    "containers.containers[0].ulimits[0].hard": [
        containers(container(ulimits=(Ulimit(name="core", soft=-1, hard=2**31),)))
    ],
    "containers.containers[0].links": [
        containers(container(links=links), container("b"))
        for links in (("unknown",), ("main",), ("b", "b"), ("b:",), ("",))
    ],
}


def cases() -> Iterator[tuple[str, TaskSpec]]:
    for path, specs in BAD.items():
        for spec in specs:
            yield path, spec


@pytest.mark.parametrize(("path", "spec"), list(cases()))
def test_what_is_wrong_is_named(path: str, spec: TaskSpec) -> None:
    """The violation leads to the field, as the protos spell it."""
    assert path in paths(spec)


@pytest.mark.parametrize("spec", [agent(linked("a", "b"), linked("b", "c"), linked("c", "a"))])
def test_a_circle_of_links_is_named_at_each_container(spec: TaskSpec) -> None:
    """Docker starts a container after those that it is linked to: none of these would ever start."""
    assert paths(spec) == [f"bamboo_agent.extra_containers[{n}].environment[0].value" for n in range(3)]


def test_the_storage_driver_counts_for_the_size_of_overrides() -> None:
    """It is known at launch alone: the longest that a container instance may name is counted."""
    plain, dind = agent(extra(image="docker:20")), agent(extra(image="docker:20-dind"))
    assert overrides_characters(dind) - overrides_characters(plain) > 256
    assert overrides_characters(dind) <= characters_at_most(dind)
