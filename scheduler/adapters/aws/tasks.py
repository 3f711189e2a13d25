"""ECS's tasks, read into the core's."""

from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import milliseconds, scrubbed
from scheduler.core.lifecycle.causes import classify_stop
from scheduler.core.model.answers import ENDED_STATUSES, EcsTask
from scheduler.core.model.attempt import ContainerExit, StopReason
from scheduler.core.model.mark import Mark, mark_of

_SERVICE = "service:"
"""How the `group` of a task of an ECS service begins (ECS API: Task)."""


def ecs_task(task: Shape) -> EcsTask:
    """A Task of DescribeTasks or StartTask. Only an ended one has a stop reason.

    Before that exit codes may be missing although the cause is named (ECS Developer Guide: Task lifecycle).
    """
    group = task.get("group", "")
    return EcsTask(
        arn=task["taskArn"],
        container_instance_arn=task.get("containerInstanceArn", ""),
        started_by=task.get("startedBy", ""),
        last_status=task["lastStatus"],
        desired_status=task.get("desiredStatus", ""),
        version=task.get("version", 0),
        ran="startedAt" in task,
        stop=_stop_reason(task) if task["lastStatus"] in ENDED_STATUSES else None,
        created_ms=milliseconds(task["createdAt"]) if "createdAt" in task else None,
        service=group.removeprefix(_SERVICE) if group.startswith(_SERVICE) else "",
    )


def task_mark(task: Shape) -> Mark | None:
    """The mark in the tags of a task described with them; None for a task that no scheduler started."""
    return mark_of({tag["key"]: tag.get("value", "") for tag in task.get("tags", ())})


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
