"""Parts of a plain container's definition that only some containers have, as ECS takes them."""

from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from scheduler.core.agents.definition import Json
from scheduler.core.model.container_parts import ContainerDependency, HealthCheck, MountPoint, Volume
from scheduler.core.model.task import Container


class Parts(NamedTuple):
    """What a container's definition has of them. ECS overrides none of it at launch."""

    entry_point: tuple[str, ...]
    working_directory: str
    user: str
    mount_points: tuple[MountPoint, ...]
    health_check: HealthCheck | None
    depends_on: tuple[ContainerDependency, ...]
    stop_timeout_s: int | None


NO_PARTS = Parts((), "", "", (), None, (), None)
"""Most containers have none."""


_read = attrgetter(*Parts._fields)


def parts(container: Container) -> Parts:
    """What this container has."""
    return Parts._make(_read(container))


def add_parts(definition: Json, given: Parts) -> None:
    """Each part under ECS's name; what was not set is left out, so that old definitions keep their hash."""
    if given == NO_PARTS:
        return
    told: Json = {
        "entryPoint": list(given.entry_point),
        "workingDirectory": given.working_directory,
        "user": given.user,
        "mountPoints": [_mount_point(each) for each in given.mount_points],
        "healthCheck": given.health_check and _health_check(given.health_check),
        "dependsOn": [_dependency(each) for each in given.depends_on],
        "stopTimeout": given.stop_timeout_s,
    }
    definition.update((name, value) for name, value in told.items() if value)


def volumes(given: Iterable[Volume]) -> list[Json]:
    """The volumes of a definition (ECS API: Volume)."""
    return [{"name": each.name} | _kind(each) for each in given]


def _kind(volume: Volume) -> Json:
    if volume.source_path:
        return {"host": {"sourcePath": volume.source_path}}
    if volume.shared:
        # No options: those of the driver `local` would mount any folder of the container instance.
        shared = {"scope": "shared", "autoprovision": True, "driver": "local"}
        return {"dockerVolumeConfiguration": shared}
    return {}


def _mount_point(mount: MountPoint) -> Json:
    told: Json = {"sourceVolume": mount.source_volume, "containerPath": mount.container_path}
    return told | {"readOnly": True} if mount.read_only else told


def _health_check(check: HealthCheck) -> Json:
    told: Json = {
        "command": list(check.command),
        "interval": check.interval_s,
        "timeout": check.timeout_s,
        "retries": check.retries,
        "startPeriod": check.start_period_s,
    }
    # A start period of 0 is left out too: it means the same.
    return {name: value for name, value in told.items() if value}


def _dependency(dependency: ContainerDependency) -> Json:
    # Only validation sees one without a condition.
    condition = dependency.condition and dependency.condition.value
    return {"containerName": dependency.container_name, "condition": condition}
