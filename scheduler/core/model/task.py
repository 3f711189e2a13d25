"""Tasks: requests for agents and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from scheduler.core.model.attempt import Attempt, StopReason
from scheduler.core.model.resources import Resources


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
class Container:
    """A container with explicit resources. Its memory is a reservation."""

    name: str
    image: str
    resources: Resources
    command: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    essential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersSpec:
    """A plain list of containers, for any CI server. The first is the main one."""

    kind: Literal["containers"] = "containers"
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraContainer:
    """A container beside a Bamboo agent. `size` is None only before validation."""

    name: str
    image: str
    size: ContainerSize | None
    commands: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BambooAgentSpec:
    """A Bamboo build agent. `queue_time_ms` is when its build entered Bamboo's own queue."""

    kind: Literal["bamboo_agent"] = "bamboo_agent"
    result_id: str
    build_key: str
    server_url: str
    sidekick_image: str
    image: str
    size: ContainerSize | None
    extra_containers: tuple[ExtraContainer, ...] = ()
    queue_time_ms: int | None = None


TaskSpec = BambooAgentSpec | ContainersSpec


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

    `enqueue_revision` is the revision that accepted it: its place in the queue for life. The exit code
    of `main_container` decides whether it succeeded.
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
