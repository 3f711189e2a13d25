"""A Bamboo agent: the agent itself, the sidekick that lends it a volume, and the extra containers."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from scheduler.core.agents import docker_in_docker, pbc
from scheduler.core.agents.definition import (
    AgentSettings,
    Json,
    Outline,
    add_secrets,
    add_ulimits,
    container_definition,
    variable,
)
from scheduler.core.agents.definition import task_definition as whole_definition
from scheduler.core.agents.docker_in_docker import is_docker_in_docker
from scheduler.core.agents.launch import ATTEMPT_ID, Launch, container_override, variables
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES, SIDEKICK
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    ContainerSize,
    ExtraContainer,
    HostFolderMapping,
    Secret,
    Ulimit,
)

AGENT_NAME = "bamboo-agent"
SIDEKICK_NAME = "bamboo-agent-sidekick"
RESERVED_NAMES = frozenset({AGENT_NAME, SIDEKICK_NAME})
"""Names that no extra container may have."""

OWN_VARIABLES = frozenset(
    {
        *("BAMBOO_SERVER", "IMAGE_ID", "ecs_cluster", "DOCKER_HOST", "RESULT_ID", "ecs_container_arn"),
        *("QUEUE_TIMESTAMP", "SUBMIT_TIMESTAMP", "RESULT_UUID", ATTEMPT_ID),
    }
)
"""Variables that the agent is given, and that no secret may be."""

WORKING_DIRECTORY = "/buildeng"
"""The sidekick's image brings this directory and the entry point in it."""

BUILD_VOLUME = "build-dir"
"""The volume that all containers but the sidekick share."""

_ENTRY_POINT = "/buildeng/run-agent.sh"
_BUILD_PATH = "/buildeng/bamboo-agent-home/xml-data/build-dir"
_NOT_QUEUED_MS = -1


class ExtraConfiguration(NamedTuple):
    """What of an extra container its definition is made from."""

    name: str
    image: str
    size: ContainerSize | None
    ulimits: tuple[Ulimit, ...]
    links: tuple[str, ...]
    secrets: tuple[Secret, ...]
    registry_credentials: str


class Configuration(NamedTuple):
    """What of a spec its definition is made from, and nothing else: builds that agree in it share one."""

    server_url: str
    sidekick_image: str
    image: str
    size: ContainerSize | None
    extra_containers: tuple[ExtraConfiguration, ...]
    host_folder_mappings: tuple[HostFolderMapping, ...]
    secrets: tuple[Secret, ...]
    registry_credentials: str
    outline: Outline


def configuration(spec: BambooAgentSpec) -> Configuration:
    """What this build shares with others."""
    return Configuration(
        server_url=spec.server_url,
        sidekick_image=spec.sidekick_image,
        image=spec.image,
        size=spec.size,
        extra_containers=tuple([_extra_configuration(each) for each in spec.extra_containers]),
        host_folder_mappings=spec.host_folder_mappings,
        secrets=spec.secrets,
        registry_credentials=spec.registry_credentials,
        outline=Outline(spec.task_role_arn, spec.execution_role_arn, spec.architecture or Architecture.ANY),
    )


def task_definition(spec: Configuration, settings: AgentSettings) -> Json:
    """The definition that every build with this configuration shares."""
    containers = [
        _agent(spec, settings),
        _sidekick(spec),
        *[_extra(extra, settings) for extra in spec.extra_containers],
    ]
    folders = [
        {"name": each.volume_name, "host": {"sourcePath": each.source_path}}
        for each in spec.host_folder_mappings
    ]
    volumes = [{"name": BUILD_VOLUME}, *folders]
    return whole_definition(spec.outline, containers, settings) | {"volumes": volumes}


def ask(spec: Configuration) -> Resources:
    """What the task asks for: all its containers, the sidekick too."""
    total = (MAIN_SIZES[spec.size] + SIDEKICK).on(spec.outline.architecture)
    for extra in spec.extra_containers:
        total += EXTRA_SIZES[extra.size]
    return total


def container_overrides(spec: BambooAgentSpec, launch: Launch) -> list[Json]:
    """The agent's environment for this launch, then what the extra containers were given."""
    given = [
        container_override(extra.name, _command(extra, launch), variables(extra.environment))
        for extra in spec.extra_containers
    ]
    agent: Json = {"name": AGENT_NAME, "environment": _agent_environment(spec, launch)}
    return [agent, *[override for override in given if override]]


def _agent(spec: Configuration, settings: AgentSettings) -> Json:
    definition = container_definition(
        AGENT_NAME, spec.image, MAIN_SIZES[spec.size], essential=True, settings=settings
    )
    definition["entryPoint"] = [_ENTRY_POINT]
    definition["workingDirectory"] = WORKING_DIRECTORY
    definition["volumesFrom"] = [{"sourceContainer": SIDEKICK_NAME}]
    definition["links"] = [extra.name for extra in spec.extra_containers]
    definition["mountPoints"] = [
        _build_mount(),
        *[_mount(each.volume_name, each.container_path) for each in spec.host_folder_mappings],
    ]
    definition["environment"] = [
        variable("BAMBOO_SERVER", spec.server_url),
        # The client's own spelling, untrimmed: by it the CI server knows the image.
        variable("IMAGE_ID", spec.image),
        variable("ecs_cluster", settings.cluster),
        *_docker_host(spec.extra_containers),
    ]
    add_secrets(definition, spec.secrets, spec.registry_credentials)
    return definition


def _docker_host(extras: Iterable[ExtraConfiguration]) -> list[Json]:
    """Where the agent's Docker commands go: to the first docker-in-docker beside it, if there is one."""
    names = (extra.name for extra in extras if is_docker_in_docker(extra.image))
    return [variable("DOCKER_HOST", f"tcp://{name}:{docker_in_docker.PORT}") for name in islice(names, 1)]


def _sidekick(spec: Configuration) -> Json:
    # No hard limit, as nothing runs in it. Not essential: its volume outlives its process. No log
    # configuration either: it has nothing to say.
    definition: Json = {
        "name": SIDEKICK_NAME,
        "image": spec.sidekick_image.strip(),
        "memoryReservation": SIDEKICK.memory_mib,
        "essential": False,
    }
    add_secrets(definition, (), spec.registry_credentials)
    return definition


def _extra(extra: ExtraConfiguration, settings: AgentSettings) -> Json:
    image = docker_in_docker.image_to_run(extra.image, dict(settings.image_overrides))
    definition = container_definition(
        extra.name, image, EXTRA_SIZES[extra.size], essential=False, settings=settings
    )
    if is_docker_in_docker(extra.image):
        definition["privileged"] = True
    definition["links"] = list(extra.links)
    definition["mountPoints"] = [_build_mount()]
    add_ulimits(definition, extra.ulimits)
    add_secrets(definition, extra.secrets, extra.registry_credentials)
    return definition


def _extra_configuration(extra: ExtraContainer) -> ExtraConfiguration:
    return ExtraConfiguration(
        name=extra.name,
        image=extra.image,
        size=extra.size,
        ulimits=pbc.ulimits(extra.environment),
        links=pbc.links(extra.environment),
        secrets=extra.secrets,
        registry_credentials=extra.registry_credentials,
    )


def _command(extra: ExtraContainer, launch: Launch) -> tuple[str, ...]:
    if is_docker_in_docker(extra.image):
        return docker_in_docker.command(extra.commands, launch.storage_driver)
    return extra.commands


def _build_mount() -> Json:
    return _mount(BUILD_VOLUME, _BUILD_PATH)


def _mount(volume: str, path: str) -> Json:
    return {"sourceVolume": volume, "containerPath": path}


def _agent_environment(spec: BambooAgentSpec, launch: Launch) -> list[Json]:
    queued_ms = _NOT_QUEUED_MS if spec.queue_time_ms is None else spec.queue_time_ms
    return [
        variable("RESULT_ID", spec.result_id),
        variable("ecs_container_arn", launch.container_instance_arn),
        variable("QUEUE_TIMESTAMP", str(queued_ms)),
        variable("SUBMIT_TIMESTAMP", str(launch.submit_ms)),
        variable("RESULT_UUID", launch.request_id),
        variable(ATTEMPT_ID, launch.attempt_id),
    ]
