"""Relations between plain containers: what they start after, and the volumes that they mount."""

from collections.abc import Mapping

from scheduler.core.model.container_parts import ContainerCondition, ContainerDependency, HealthCheck, Volume
from scheduler.core.model.task import Container, ContainersSpec
from scheduler.core.validate.relations import Broken, reached_from

_EXITS = frozenset({ContainerCondition.COMPLETE, ContainerCondition.SUCCESS})


def two_kinds(volume: Volume) -> Broken:
    """ECS takes one kind of volume each (ECS API: Volume)."""
    if volume.shared and volume.source_path:
        yield "shared", "false, or no source_path"


def disordered_check(check: HealthCheck) -> Broken:
    """A command says first how it is run (ECS API: HealthCheck, command)."""
    least = 2
    if len(check.command) < least or check.command[0] not in ("CMD", "CMD-SHELL"):
        yield "command", "CMD and a command with its arguments, or CMD-SHELL and one line"
    elif check.command[0] == "CMD-SHELL" and len(check.command) != least:
        # The shell would take further ones for its own (Docker docs: Dockerfile, HEALTHCHECK).
        yield "command", "one line after CMD-SHELL"


def mounts(spec: ContainersSpec) -> Broken:
    """Mounts are of the task's volumes (ECS API: MountPoint, sourceVolume), and each volume has a mount."""
    names = {volume.name for volume in spec.volumes}
    mounted = set()
    for index, container in enumerate(spec.containers):
        for at, mount in enumerate(container.mount_points):
            mounted.add(mount.source_volume)
            if mount.source_volume not in names:
                yield f"containers[{index}].mount_points[{at}].source_volume", "a volume of the task"
    for index, volume in enumerate(spec.volumes):
        if volume.name not in mounted:
            # Lists of what may be mounted go by the path in the container: unmounted, none would judge it.
            yield f"volumes[{index}].name", "a volume that a container mounts"


def dependencies(spec: ContainersSpec) -> Broken:
    """What ECS and its agent ask of the containers that others start after (ECS API: ContainerDependency)."""
    if not any(container.depends_on for container in spec.containers):
        return
    containers = {each.name: each for each in spec.containers}
    # To the agent a link is a dependency too (amazon-ecs-agent: Task.initializeContainerOrdering).
    ahead = {
        name: [link.partition(":")[0] for link in each.links] + [on.container_name for on in each.depends_on]
        for name, each in containers.items()
    }
    essential = {each.name for each in spec.containers if each.essential} | {spec.containers[0].name}
    for index, container in enumerate(spec.containers):
        for at, dependency in enumerate(container.depends_on):
            path = f"containers[{index}].depends_on[{at}]"
            target = dependency.container_name
            if target == container.name or target not in containers:
                yield f"{path}.container_name", "another container of the task"
            elif container.name in reached_from(target, ahead):
                yield f"{path}.container_name", "a container that does not wait for this one, links included"
            elif wrong := _wrong_condition(dependency, containers, essential):
                yield f"{path}.condition", wrong


def _wrong_condition(
    dependency: ContainerDependency, containers: Mapping[str, Container], essential: set[str]
) -> str:
    """What is expected instead of a condition that its container cannot fulfil."""
    if dependency.condition in _EXITS and dependency.container_name in essential:
        return "START or HEALTHY: the exit of an essential container ends the task"
    check = containers[dependency.container_name].health_check
    if dependency.condition is ContainerCondition.HEALTHY and check is None:
        return "another condition: the container has no health check"
    return ""
