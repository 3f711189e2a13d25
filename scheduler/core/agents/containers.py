"""A plain list of containers: the first is the main one."""

from typing import NamedTuple

from scheduler.core.agents.definition import AgentSettings, Json, container_definition, variable
from scheduler.core.agents.launch import ATTEMPT_ID, Launch, container_override, variables
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import Container, ContainersSpec


class Configuration(NamedTuple):
    """What of a container its definition is made from, and nothing else."""

    name: str
    image: str
    resources: Resources
    essential: bool


Configurations = tuple[Configuration, ...]


def configuration(spec: ContainersSpec) -> Configurations:
    """What this build shares with others."""
    return tuple(
        [Configuration(each.name, each.image, each.resources, each.essential) for each in spec.containers]
    )


def task_definition(containers: Configurations, settings: AgentSettings) -> Json:
    """The definition that every build with these containers shares."""
    first, *others = containers
    return {
        "family": settings.family,
        "containerDefinitions": [
            # Its exit ends the task, whatever the client said of it.
            _container(first, settings, essential=True),
            *[_container(other, settings, essential=other.essential) for other in others],
        ],
    }


def ask(containers: Configurations) -> Resources:
    """What the task asks for: all its containers."""
    return sum((container.resources for container in containers), NOTHING)


def container_overrides(spec: ContainersSpec, launch: Launch) -> list[Json]:
    """What each container was given; the first one also learns its attempt."""
    given = [
        container_override(container.name, container.command, _environment(container, index, launch))
        for index, container in enumerate(spec.containers)
    ]
    return [override for override in given if override]


def _container(container: Configuration, settings: AgentSettings, *, essential: bool) -> Json:
    resources = container.resources
    definition = container_definition(
        container.name, container.image, resources, essential=essential, settings=settings
    )
    if resources.gpus:
        # ECS takes the count of GPUs as text (ECS API: ResourceRequirement, value).
        definition["resourceRequirements"] = [{"type": "GPU", "value": str(resources.gpus)}]
    return definition


def _environment(container: Container, index: int, launch: Launch) -> list[Json]:
    if index:
        return variables(container.environment)
    # Ours stands in for a variable of that name: what an agent claims must be the launch that it is.
    given = [each for each in container.environment if each.name != ATTEMPT_ID]
    return [*variables(given), variable(ATTEMPT_ID, launch.attempt_id)]
