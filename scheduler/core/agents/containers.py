"""A plain list of containers: the first is the main one."""

from typing import NamedTuple

from scheduler.core.agents import docker_in_docker
from scheduler.core.agents.container_parts import Parts, add_parts, parts, volumes
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
from scheduler.core.agents.launch import ATTEMPT_ID, Launch, container_override, variables
from scheduler.core.model.container_parts import Volume
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.model.task import Container, ContainersSpec, Secret, Ulimit


class ContainerConfiguration(NamedTuple):
    """What of a container its definition is made from."""

    name: str
    image: str
    resources: Resources
    essential: bool
    secrets: tuple[Secret, ...]
    registry_credentials: str
    privileged: bool
    ulimits: tuple[Ulimit, ...]
    links: tuple[str, ...]
    parts: Parts


class Configuration(NamedTuple):
    """What of a spec its definition is made from, and nothing else."""

    containers: tuple[ContainerConfiguration, ...]
    outline: Outline
    volumes: tuple[Volume, ...]


def configuration(spec: ContainersSpec) -> Configuration:
    """What this build shares with others."""
    outline = Outline(spec.task_role_arn, spec.execution_role_arn, spec.architecture or Architecture.ANY)
    return Configuration(tuple([_configuration(each) for each in spec.containers]), outline, spec.volumes)


def task_definition(spec: Configuration, settings: AgentSettings) -> Json:
    """The definition that every build with these containers shares."""
    first, *others = spec.containers
    containers = [
        # Its exit ends the task, whatever the client said of it.
        _container(first, settings, essential=True),
        *[_container(other, settings, essential=other.essential) for other in others],
    ]
    definition = whole_definition(spec.outline, containers, settings)
    return definition | {"volumes": volumes(spec.volumes)} if spec.volumes else definition


def ask(spec: Configuration) -> Resources:
    """What the task asks for: all its containers."""
    return sum((each.resources for each in spec.containers), NOTHING.on(spec.outline.architecture))


def container_overrides(spec: ContainersSpec, launch: Launch) -> list[Json]:
    """What each container was given; the first one also learns its attempt."""
    given = [
        container_override(
            container.name, _command(container, launch), _environment(container, index, launch)
        )
        for index, container in enumerate(spec.containers)
    ]
    return [override for override in given if override]


def _configuration(container: Container) -> ContainerConfiguration:
    return ContainerConfiguration(
        name=container.name,
        image=container.image,
        resources=container.resources,
        essential=container.essential,
        secrets=container.secrets,
        registry_credentials=container.registry_credentials,
        privileged=container.privileged,
        ulimits=container.ulimits,
        links=container.links,
        parts=parts(container),
    )


def _container(container: ContainerConfiguration, settings: AgentSettings, *, essential: bool) -> Json:
    resources, image = container.resources, container.image
    if container.privileged:
        image = docker_in_docker.image_to_run(image, dict(settings.image_overrides))
    definition = container_definition(
        container.name, image, resources, essential=essential, settings=settings
    )
    if resources.gpus:
        # ECS takes the count of GPUs as text (ECS API: ResourceRequirement, value).
        definition["resourceRequirements"] = [{"type": "GPU", "value": str(resources.gpus)}]
    if container.privileged:
        definition["privileged"] = True
    if container.links:
        definition["links"] = list(container.links)
    add_parts(definition, container.parts)
    add_ulimits(definition, container.ulimits)
    add_secrets(definition, container.secrets, container.registry_credentials)
    return definition


def _command(container: Container, launch: Launch) -> tuple[str, ...]:
    """A privileged container is docker-in-docker: nothing else passes validation."""
    if container.privileged:
        return docker_in_docker.command(container.command, launch.storage_driver)
    return container.command


def _environment(container: Container, index: int, launch: Launch) -> list[Json]:
    if index:
        return variables(container.environment)
    # Ours stands in for a variable of that name: what an agent claims must be the launch that it is.
    given = [each for each in container.environment if each.name != ATTEMPT_ID]
    return [*variables(given), variable(ATTEMPT_ID, launch.attempt_id)]
