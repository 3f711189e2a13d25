"""A Bamboo agent: the agent itself, the sidekick that lends it a volume, and the extra containers."""

from typing import NamedTuple

from scheduler.core.agents.definition import AgentSettings, Json, container_definition, variable
from scheduler.core.agents.launch import ATTEMPT_ID, Launch, container_override, variables
from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES, SIDEKICK
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import BambooAgentSpec, ContainerSize

AGENT_NAME = "bamboo-agent"
SIDEKICK_NAME = "bamboo-agent-sidekick"
RESERVED_NAMES = frozenset({AGENT_NAME, SIDEKICK_NAME})
"""Names that no extra container may have."""

# The sidekick's image brings this directory and the entry point in it.
_WORKING_DIRECTORY = "/buildeng"
_ENTRY_POINT = "/buildeng/run-agent.sh"
_BUILD_VOLUME = "build-dir"
_BUILD_PATH = "/buildeng/bamboo-agent-home/xml-data/build-dir"
_NOT_QUEUED_MS = -1


class ExtraConfiguration(NamedTuple):
    """What of an extra container its definition is made from."""

    name: str
    image: str
    size: ContainerSize | None


class Configuration(NamedTuple):
    """What of a spec its definition is made from, and nothing else: builds that agree in it share one."""

    server_url: str
    sidekick_image: str
    image: str
    size: ContainerSize | None
    extra_containers: tuple[ExtraConfiguration, ...]


def configuration(spec: BambooAgentSpec) -> Configuration:
    """What this build shares with others."""
    extras = [ExtraConfiguration(each.name, each.image, each.size) for each in spec.extra_containers]
    return Configuration(spec.server_url, spec.sidekick_image, spec.image, spec.size, tuple(extras))


def task_definition(spec: Configuration, settings: AgentSettings) -> Json:
    """The definition that every build with this configuration shares."""
    return {
        "family": settings.family,
        "volumes": [{"name": _BUILD_VOLUME}],
        "containerDefinitions": [
            _agent(spec, settings),
            _sidekick(spec),
            *[_extra(extra, settings) for extra in spec.extra_containers],
        ],
    }


def ask(spec: Configuration) -> Resources:
    """What the task asks for: all its containers, the sidekick too."""
    total = MAIN_SIZES[spec.size] + SIDEKICK
    for extra in spec.extra_containers:
        total += EXTRA_SIZES[extra.size]
    return total


def container_overrides(spec: BambooAgentSpec, launch: Launch) -> list[Json]:
    """The agent's environment for this launch, then what the extra containers were given."""
    given = [
        container_override(extra.name, extra.commands, variables(extra.environment))
        for extra in spec.extra_containers
    ]
    agent: Json = {"name": AGENT_NAME, "environment": _agent_environment(spec, launch)}
    return [agent, *[override for override in given if override]]


def _agent(spec: Configuration, settings: AgentSettings) -> Json:
    definition = container_definition(
        AGENT_NAME, spec.image, MAIN_SIZES[spec.size], essential=True, settings=settings
    )
    definition["entryPoint"] = [_ENTRY_POINT]
    definition["workingDirectory"] = _WORKING_DIRECTORY
    definition["volumesFrom"] = [{"sourceContainer": SIDEKICK_NAME}]
    definition["links"] = [extra.name for extra in spec.extra_containers]
    definition["mountPoints"] = [_build_mount()]
    definition["environment"] = [
        variable("BAMBOO_SERVER", spec.server_url),
        # The client's own spelling, untrimmed: by it the CI server knows the image.
        variable("IMAGE_ID", spec.image),
        variable("ecs_cluster", settings.cluster),
    ]
    return definition


def _sidekick(spec: Configuration) -> Json:
    # No hard limit: 1.25 times 4 MiB is below the 6 MiB that Docker needs since 20.10 (ECS API:
    # ContainerDefinition, memory). Not essential: its volume outlives its process. No log configuration
    # either: it has nothing to say.
    return {
        "name": SIDEKICK_NAME,
        "image": spec.sidekick_image.strip(),
        "memoryReservation": SIDEKICK.memory_mib,
        "essential": False,
    }


def _extra(extra: ExtraConfiguration, settings: AgentSettings) -> Json:
    definition = container_definition(
        extra.name, extra.image, EXTRA_SIZES[extra.size], essential=False, settings=settings
    )
    definition["mountPoints"] = [_build_mount()]
    return definition


def _build_mount() -> Json:
    return {"sourceVolume": _BUILD_VOLUME, "containerPath": _BUILD_PATH}


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
