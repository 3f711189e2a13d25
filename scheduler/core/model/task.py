"""Tasks: requests for agents and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from scheduler.core.model.attempt import Attempt, StopReason
from scheduler.core.model.container_parts import ContainerDependency, HealthCheck, MountPoint, Volume
from scheduler.core.model.resources import Architecture, Resources


class TaskState(StrEnum):
    """Where a task stands. Transitions are data: `core/lifecycle/transitions.py`."""

    QUEUED = "QUEUED"
    ASSIGNED = "ASSIGNED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


TERMINAL_STATES = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.EXPIRED})
"""States that a task never leaves."""


class ContainerSize(StrEnum):
    """Symbolic sizes of Bamboo containers; amounts are in `core/agents/sizes.py`."""

    XSMALL = "XSMALL"
    SMALL = "SMALL"
    REGULAR = "REGULAR"
    LARGE = "LARGE"
    XLARGE = "XLARGE"
    XXLARGE = "XXLARGE"
    LARGE_4X = "LARGE_4X"
    LARGE_8X = "LARGE_8X"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentVariable:
    """One environment variable. Its value is a secret: it is masked wherever it leaves the service."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A variable `name` whose value ECS fetches at launch; `value_from` is its ARN or a parameter's name."""

    name: str
    value_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulimit:
    """A limit of a container's processes. -1 is none."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFolderMapping:
    """A folder of the container instance, mounted into the main container as volume `volume_name`."""

    volume_name: str
    source_path: str
    container_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container with explicit resources. Its memory is a reservation.

    `registry_credentials` is the ARN of the secret with which the image is pulled; empty for none. `links`
    name other containers, each with `:alias` if wanted. An empty entry point, working directory or user is
    the image's own.
    """

    name: str
    image: str
    resources: Resources
    command: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    essential: bool = False
    secrets: tuple[Secret, ...] = ()
    registry_credentials: str = ""
    privileged: bool = False
    ulimits: tuple[Ulimit, ...] = ()
    links: tuple[str, ...] = ()
    entry_point: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    mount_points: tuple[MountPoint, ...] = ()
    health_check: HealthCheck | None = None
    depends_on: tuple[ContainerDependency, ...] = ()
    stop_timeout_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersSpec:
    """A plain list of containers, for any CI server. The first is the main one.

    Empty roles are the service's own, if it has any; `architecture` is None only before validation.
    `exclusive`: nothing else is to be on its container instance.
    """

    kind: Literal["containers"] = "containers"
    containers: tuple[Container, ...]
    task_role_arn: str = ""
    execution_role_arn: str = ""
    architecture: Architecture | None = Architecture.ANY
    volumes: tuple[Volume, ...] = ()
    exclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ExtraContainer:
    """A container beside a Bamboo agent. `size` is None only before validation."""

    name: str
    image: str
    size: ContainerSize | None
    commands: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    secrets: tuple[Secret, ...] = ()
    registry_credentials: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BambooAgentSpec:
    """A Bamboo build agent. `queue_time_ms` is when its build entered Bamboo's own queue.

    `secrets` are the main container's, `registry_credentials` those of its image and the sidekick's. Empty
    roles are the service's own, if it has any; `architecture` is None only before validation.
    `exclusive`: nothing else is to be on its container instance.
    """

    kind: Literal["bamboo_agent"] = "bamboo_agent"
    result_id: str
    build_key: str
    server_url: str
    sidekick_image: str
    image: str
    size: ContainerSize | None
    extra_containers: tuple[ExtraContainer, ...] = ()
    queue_time_ms: int | None = None
    host_folder_mappings: tuple[HostFolderMapping, ...] = ()
    task_role_arn: str = ""
    execution_role_arn: str = ""
    architecture: Architecture | None = Architecture.ANY
    secrets: tuple[Secret, ...] = ()
    registry_credentials: str = ""
    exclusive: bool = False


TaskSpec = BambooAgentSpec | ContainersSpec


def main_image(spec: TaskSpec) -> str:
    """The image of the main container, as the client spelled it."""
    return spec.image if isinstance(spec, BambooAgentSpec) else spec.containers[0].image


def result_id_of(spec: TaskSpec) -> str:
    """The result that the task works for; empty where the spec knows of none."""
    return spec.result_id if isinstance(spec, BambooAgentSpec) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a task may wait, start and run; None takes the policy's default.

    `queue_ms` counts from its acceptance, `start_ms` from ECS's acceptance, `run_ms` from RUNNING.
    """

    queue_ms: int | None = None
    start_ms: int | None = None
    run_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What a client asks for. (tenant, request_id) is the idempotency key.

    `may_run_again`: its work may be repeated when its instance is lost while it runs.
    """

    request_id: str
    tenant: str
    priority: int
    labels: Mapping[str, str]
    spec: TaskSpec
    timeouts: Timeouts = Timeouts()
    may_run_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedTask:
    """What the scheduler keeps in memory of a task; its spec and labels stay in the store.

    `enqueue_revision` is the revision that accepted it, or an older one that a reservation has kept for it:
    its place in the queue for life. The exit code
    of `main_container` decides whether it succeeded. `image`, `build_key` and `result_id` name what it
    runs. Of one that an earlier life of the service accepted the image is empty, and the result id as well if
    its build has not reserved.
    """

    task_id: str
    tenant: str
    priority: int
    ask: Resources
    definition_key: str
    main_container: str
    enqueue_revision: int
    submitted_ms: int
    timeouts: Timeouts = Timeouts()
    may_run_again: bool = False
    image: str = ""
    build_key: str = ""
    result_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """The part of a task that changes."""

    state: TaskState
    revision: int
    updated_ms: int
    started_ms: int | None = None
    stopped_ms: int | None = None
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A whole task as readers see it. `spec` and all but the last attempt are left out of events."""

    task_id: str
    request_id: str
    tenant: str
    priority: int
    labels: Mapping[str, str]
    build_key: str
    ask: Resources
    submitted_ms: int
    status: TaskStatus
    timeouts: Timeouts = Timeouts()
    may_run_again: bool = False
    spec: TaskSpec | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent:
    """One change of a task; `previous_state` is None for its first event."""

    revision: int
    previous_state: TaskState | None
    task: Task
