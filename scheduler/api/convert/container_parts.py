"""Volumes, mounts, health checks and dependencies of plain containers, both ways.

Their durations are whole seconds, as ECS takes them. One that is not is -1, for `core.validate` to name.
"""

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration

from ecs_scheduler.v1 import task_spec_pb2
from scheduler.api.convert.enums import CONTAINER_CONDITION_OF, CONTAINER_CONDITIONS
from scheduler.core.model.container_parts import ContainerDependency, HealthCheck, MountPoint, Volume
from scheduler.core.model.task import Container

_NOT_WHOLE = -1


def volumes(messages: Iterable[task_spec_pb2.Volume]) -> tuple[Volume, ...]:
    """The volumes of a spec."""
    return tuple(
        Volume(name=each.name, source_path=each.source_path, shared=each.shared) for each in messages
    )


def mount_points(messages: Iterable[task_spec_pb2.MountPoint]) -> tuple[MountPoint, ...]:
    """Where a container sees them."""
    return tuple(
        MountPoint(
            source_volume=each.source_volume, container_path=each.container_path, read_only=each.read_only
        )
        for each in messages
    )


def health_check(container: task_spec_pb2.Container) -> HealthCheck | None:
    """A container's health check, if it has one."""
    if not container.HasField("health_check"):
        return None
    check = container.health_check
    return HealthCheck(
        command=tuple(check.command),
        interval_s=_seconds(check.interval) if check.HasField("interval") else None,
        timeout_s=_seconds(check.timeout) if check.HasField("timeout") else None,
        retries=check.retries,
        start_period_s=_seconds(check.start_period) if check.HasField("start_period") else None,
    )


def dependencies(messages: Iterable[task_spec_pb2.ContainerDependency]) -> tuple[ContainerDependency, ...]:
    """What a container starts after."""
    return tuple(
        ContainerDependency(
            container_name=each.container_name, condition=CONTAINER_CONDITION_OF.get(each.condition)
        )
        for each in messages
    )


def stop_timeout_s(container: task_spec_pb2.Container) -> int | None:
    """A container's stop timeout, if it has one."""
    return _seconds(container.stop_timeout) if container.HasField("stop_timeout") else None


def volume_message(volume: Volume) -> task_spec_pb2.Volume:
    """A volume as it was asked for."""
    return task_spec_pb2.Volume(name=volume.name, source_path=volume.source_path, shared=volume.shared)


def add_parts(message: task_spec_pb2.Container, container: Container) -> None:
    """What `message` still lacks of these parts."""
    for mount in container.mount_points:
        message.mount_points.add(
            source_volume=mount.source_volume, container_path=mount.container_path, read_only=mount.read_only
        )
    for dependency in container.depends_on:
        condition = CONTAINER_CONDITIONS[dependency.condition] if dependency.condition else None
        message.depends_on.add(container_name=dependency.container_name, condition=condition)
    if container.health_check is not None:
        message.health_check.CopyFrom(_health_check_message(container.health_check))
    if container.stop_timeout_s is not None:
        message.stop_timeout.seconds = container.stop_timeout_s


def _health_check_message(check: HealthCheck) -> task_spec_pb2.HealthCheck:
    return task_spec_pb2.HealthCheck(
        command=check.command,
        interval=_duration(check.interval_s),
        timeout=_duration(check.timeout_s),
        retries=check.retries,
        start_period=_duration(check.start_period_s),
    )


def _seconds(message: Duration) -> int:
    return message.seconds if message.nanos == 0 else _NOT_WHOLE


def _duration(seconds: int | None) -> Duration | None:
    return None if seconds is None else Duration(seconds=seconds)
