"""Tasks and their containers: the records, the cluster's register of them, and how ECS shows them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from scheduler.simulated_aws.container_instances import ContainerInstance
from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.resources import Resources
from scheduler.simulated_aws.shapes import Shape, present, utc
from scheduler.simulated_aws.task_definitions import TaskDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a container does, known before it starts: how long it runs and how it ends.

    `start_failure` is why it never runs, if it does not. `healthy` is what a health check finds.
    """

    run_ms: int
    exit_code: int
    start_failure: str | None = None
    healthy: bool = True


@dataclass(slots=True, eq=False)
class Container:
    """One container of a task. Its exit code is absent until it exits, and for ever if it never ran.

    An `awaited` one exits by itself, because others start after it; all others run as long as the task.
    """

    arn: str
    definition: Shape
    work: Work
    awaited: bool = False
    health_status: str = "UNKNOWN"
    last_status: str = "PENDING"
    runtime_id: str | None = None
    exit_code: int | None = None
    reason: str | None = None

    @property
    def essential(self) -> bool:
        """Whether the task ends with it; true unless the definition says otherwise."""
        return bool(self.definition.get("essential", True))


@dataclass(slots=True, eq=False, kw_only=True)
class Task:
    """One task, until ECS forgets it."""

    arn: str
    sequence: int
    definition: TaskDefinition
    instance: ContainerInstance
    containers: list[Container]
    ask: Resources
    work: Work
    group: str
    created_ms: int
    started_by: str | None = None
    overrides: Shape = field(default_factory=dict)
    tags: list[Shape] = field(default_factory=list)
    last_status: str = "PENDING"
    desired_status: str = "RUNNING"
    version: int = 1
    admitted: bool = False
    gpu_ids: list[str] = field(default_factory=list)
    agent_gpu_ids: list[str] = field(default_factory=list)
    pull_started_ms: int | None = None
    pull_stopped_ms: int | None = None
    started_ms: int | None = None
    stopping_ms: int | None = None
    execution_stopped_ms: int | None = None
    stopped_ms: int | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None

    @property
    def health_status(self) -> str:
        """The worst of its essential containers (ECS API: HealthCheck)."""
        found = {container.health_status for container in self.containers if container.essential}
        return next(status for status in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if status in found)

    @property
    def main(self) -> Container:
        """The first essential container: the one whose exit ends the task."""
        return next(container for container in self.containers if container.essential)


class Tasks:
    """The cluster's tasks, indexed as ListTasks asks for them."""

    def __init__(self) -> None:
        self._created = 0
        self._by_id: dict[str, Task] = {}
        self._running: dict[str, Task] = {}
        self._by_started_by: defaultdict[str, dict[str, Task]] = defaultdict(dict)
        self._by_instance: defaultdict[str, dict[str, Task]] = defaultdict(dict)

    def next_sequence(self) -> int:
        """The place of the next task in the order of creation."""
        self._created += 1
        return self._created

    def add(self, task: Task) -> None:
        """Enter a new task in every index."""
        self._by_id[resource_id(task.arn)] = task
        self._running[task.arn] = task
        self._by_instance[task.instance.arn][task.arn] = task
        if task.started_by:
            self._by_started_by[task.started_by][task.arn] = task

    def find(self, reference: str) -> Task | None:
        """By id or ARN."""
        found = self._by_id.get(resource_id(reference))
        return found if found and reference in (found.arn, resource_id(found.arn)) else None

    def on(self, instance: ContainerInstance) -> list[Task]:
        """The tasks of one container instance, STOPPED ones too, oldest first."""
        return list(self._by_instance.get(instance.arn, {}).values())

    def started_by(self, started_by: str) -> Iterable[Task]:
        """The tasks started under one name, oldest first."""
        return self._by_started_by.get(started_by, {}).values()

    def all(self) -> Iterable[Task]:
        """Every task that ECS still remembers, oldest first."""
        return self._by_id.values()

    def running(self) -> Iterable[Task]:
        """The tasks whose desired status is RUNNING, oldest first."""
        return self._running.values()

    def mark_stopping(self, task: Task) -> None:
        """The task's desired status is STOPPED from now on."""
        task.desired_status = "STOPPED"
        self._running.pop(task.arn, None)

    def forget(self, task: Task) -> None:
        """Remove a task from every index."""
        self._by_id.pop(resource_id(task.arn), None)
        self._by_instance[task.instance.arn].pop(task.arn, None)
        if task.started_by:
            self._by_started_by[task.started_by].pop(task.arn, None)
            if not self._by_started_by[task.started_by]:
                del self._by_started_by[task.started_by]


def task_shape(task: Task, cluster_arn: str, *, with_tags: bool) -> Shape:
    """ECS API: Task. What is not known yet is left out: startedAt, exit codes, the reason of the stop."""
    optional = present(
        startedBy=task.started_by,
        stopCode=task.stop_code,
        stoppedReason=task.stopped_reason,
        tags=task.tags if with_tags else None,
    )
    return {
        "taskArn": task.arn,
        "clusterArn": cluster_arn,
        "taskDefinitionArn": task.definition.arn,
        "containerInstanceArn": task.instance.arn,
        "availabilityZone": task.instance.ec2_instance.availability_zone,
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "cpu": str(task.ask.cpu),
        "memory": str(task.ask.memory_mib),
        "group": task.group,
        "launchType": "EC2",
        "connectivity": "CONNECTED" if task.instance.agent_connected else "DISCONNECTED",
        "enableExecuteCommand": False,
        "healthStatus": task.health_status,
        "version": task.version,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []} | task.overrides,
        "containers": [_container_shape(container, task) for container in task.containers],
        "attachments": [],
        "attributes": [],
        **optional,
        **_times(task),
    }


def _times(task: Task) -> Shape:
    times = {
        "createdAt": task.created_ms,
        "connectivityAt": task.created_ms,
        "pullStartedAt": task.pull_started_ms,
        "pullStoppedAt": task.pull_stopped_ms,
        "startedAt": task.started_ms,
        "stoppingAt": task.stopping_ms,
        "executionStoppedAt": task.execution_stopped_ms,
        "stoppedAt": task.stopped_ms,
    }
    return {name: utc(time_ms) for name, time_ms in times.items() if time_ms is not None}


def _container_shape(container: Container, task: Task) -> Shape:
    definition = container.definition
    uses_gpu = any(need["type"] == "GPU" for need in definition.get("resourceRequirements", ()))
    return {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": container.last_status,
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": container.health_status,
        "cpu": str(definition.get("cpu", 0)),
        **present(
            runtimeId=container.runtime_id,
            exitCode=container.exit_code,
            reason=container.reason,
            memory=_text(definition.get("memory")),
            memoryReservation=_text(definition.get("memoryReservation")),
            gpuIds=task.gpu_ids if uses_gpu else None,
        ),
    }


def _text(size: int | None) -> str | None:
    return None if size is None else str(size)
