"""What the containers of simulated tasks write: a few lines each, through the log driver `awslogs`."""

from functools import partial

from scheduler.simulated_aws.ids import resource_id
from scheduler.simulated_aws.log_groups import LogGroups
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.tasks import Container, Task

STEPS = 5
"""Lines of work, spread evenly over it."""

# What ECS says of a container whose log group is not there (ECS Developer Guide: Stopped tasks error codes).
_NO_GROUP = (
    "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to "
    "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
)


class ContainerOutput:
    """Writes for every container with `awslogs`. The driver needs no ECS agent: it writes on without one."""

    def __init__(self, region: Region, groups: LogGroups) -> None:
        self._region = region
        self._groups = groups

    def start_failure(self, task: Task) -> str | None:
        """Why a container's log driver keeps the task from starting, if one does."""
        missing = any(
            not _creates_group(each) and _group(each) not in self._groups for each in _logging(task)
        )
        return _NO_GROUP if missing else None

    def started(self, container: Container, task: Task) -> None:
        """It runs: its stream is there, and lines come until it exits."""
        if not _is_logging(container):
            return
        if _group(container) not in self._groups:
            self._groups.create_group(_group(container))
        self._groups.create_stream(_group(container), _stream(container, task))
        self._write(container, task, f"{container.definition['image']} starts")
        for step in range(1, STEPS + 1):
            due_ms = step * container.work.run_ms // (STEPS + 1)
            self._region.after(due_ms, partial(self._step, container, task, step))

    def exits(self, container: Container, task: Task, exit_code: int | None) -> None:
        """The last line; a container whose instance is gone has none."""
        if exit_code is not None and container.last_status == "RUNNING" and _is_logging(container):
            self._write(container, task, f"exits with {exit_code}")

    def _step(self, container: Container, task: Task, step: int) -> None:
        if container.last_status == "RUNNING":
            self._write(container, task, f"step {step} of {STEPS}")

    def _write(self, container: Container, task: Task, message: str) -> None:
        stream = self._groups.stream(_group(container), _stream(container, task))
        self._groups.put(stream, [(self._region.now_ms, message)])


def _logging(task: Task) -> list[Container]:
    return [container for container in task.containers if _is_logging(container)]


def _configuration(container: Container) -> Shape:
    configuration: Shape = container.definition.get("logConfiguration", {})
    return configuration


def _is_logging(container: Container) -> bool:
    return _configuration(container).get("logDriver") == "awslogs"


def _options(container: Container) -> dict[str, str]:
    options: dict[str, str] = _configuration(container).get("options", {})
    return options


def _group(container: Container) -> str:
    return _options(container).get("awslogs-group", "")


def _creates_group(container: Container) -> bool:
    return _options(container).get("awslogs-create-group") == "true"


def _stream(container: Container, task: Task) -> str:
    """`prefix/container/task id`, or the container's id (ECS Developer Guide: Using the awslogs driver)."""
    prefix = _options(container).get("awslogs-stream-prefix")
    if not prefix:
        return container.runtime_id or ""
    return f"{prefix}/{container.definition['name']}/{resource_id(task.arn)}"
