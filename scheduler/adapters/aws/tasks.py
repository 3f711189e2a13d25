"""ECS's tasks, read into the core's."""

from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import scrubbed
from scheduler.core.lifecycle.causes import classify_stop
from scheduler.core.model.attempt import ContainerExit, StopReason
from scheduler.core.model.calls import EcsTask

# ECS Developer Guide: Task lifecycle. Before STOPPED exit codes may be missing although the cause is named.
_ENDED = frozenset({"STOPPED", "DELETED"})


def ecs_task(task: Shape) -> EcsTask:
    """A Task of DescribeTasks or StartTask. Only an ended one has a stop reason."""
    return EcsTask(
        arn=task["taskArn"],
        container_instance_arn=task.get("containerInstanceArn", ""),
        started_by=task.get("startedBy", ""),
        last_status=task["lastStatus"],
        desired_status=task.get("desiredStatus", ""),
        version=task.get("version", 0),
        ran="startedAt" in task,
        stop=_stop_reason(task) if task["lastStatus"] in _ENDED else None,
    )


def _stop_reason(task: Shape) -> StopReason:
    code, message = scrubbed(task.get("stopCode", "")), scrubbed(task.get("stoppedReason", ""))
    containers = tuple(_container_exit(container) for container in task.get("containers", ()))
    return StopReason(
        category=classify_stop(code, message, containers),
        # stopCode may be absent (ECS API: Task); the commonest end is then the likeliest.
        code=code or "EssentialContainerExited",
        message=message,
        containers=containers,
    )


def _container_exit(container: Shape) -> ContainerExit:
    return ContainerExit(
        name=scrubbed(container.get("name", "")),
        exit_code=container.get("exitCode"),
        reason=scrubbed(container.get("reason", "")),
    )
