"""What a container of a plain list may have beside image and resources, and the volumes that it mounts."""

from dataclasses import dataclass
from enum import StrEnum


class ContainerCondition(StrEnum):
    """What must be so of a container before those that depend on it start (ECS API: ContainerDependency)."""

    START = "START"
    COMPLETE = "COMPLETE"
    SUCCESS = "SUCCESS"
    HEALTHY = "HEALTHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume of a task: a folder of the container instance, a Docker volume that stays there, or neither.

    One that is neither begins empty and goes with the task.
    """

    name: str
    source_path: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoint:
    """Where a container sees a volume."""

    source_volume: str
    container_path: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A command that tells whether a container is healthy; what is None, or 0 retries, is as ECS has it."""

    command: tuple[str, ...]
    interval_s: int | None = None
    timeout_s: int | None = None
    retries: int = 0
    start_period_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDependency:
    """What must be so of another container first. `condition` is None only before validation."""

    container_name: str
    condition: ContainerCondition | None
