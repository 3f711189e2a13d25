"""The narrator: what the loop decided, as log lines; nothing is logged while nothing changes."""

from collections.abc import Iterable

import structlog

from scheduler.core.model.calls import Call, DeregisterTaskDefinition, RegisterTaskDefinition, StopTask
from scheduler.core.model.digest import Condition
from scheduler.core.model.records import AttemptRecorded, ScalingRecorded, StoredRecord, TaskTransitioned
from scheduler.core.model.scaling import ScalingEvent, ScalingKind

log = structlog.get_logger()


def narrate(stored: Iterable[StoredRecord], calls: Iterable[Call]) -> None:
    """One line for each task that changed, and for each act other than a start."""
    for each in stored:
        match each.record:
            case TaskTransitioned() as moved:
                _tell_transition(each.revision, moved)
            case AttemptRecorded(attempt=attempt):
                log.info(
                    "attempt",
                    task=attempt.task_id,
                    attempt=attempt.attempt_id,
                    state=attempt.state,
                    ecs_task=attempt.ecs_task_arn,
                )
            case ScalingRecorded(event=event):
                _tell_scaling(event)
    for call in calls:
        match call:
            case StopTask(ecs_task_arn=arn, reason=reason):
                log.info("task.stop", ecs_task=arn, reason=reason)
            case RegisterTaskDefinition(definition_key=key, task_id=task_id):
                log.info("definition.register", hash=key, task=task_id)
            case DeregisterTaskDefinition(task_definition_arn=arn, definition_key=key):
                log.info("definition.deregister", hash=key, arn=arn)


def narrate_conditions(before: Iterable[Condition], after: Iterable[Condition]) -> None:
    """One line for each condition that began, and for each that ended."""
    known, standing = {each.reason: each for each in before}, {each.reason: each for each in after}
    for reason in standing.keys() - known.keys():
        log.warning("condition.began", condition=reason, message=standing[reason].message)
    for reason in known.keys() - standing.keys():
        log.info("condition.ended", condition=reason)


def _tell_scaling(event: ScalingEvent) -> None:
    """Conditions have lines of their own."""
    if event.kind in (ScalingKind.CONDITION_BEGAN, ScalingKind.CONDITION_ENDED):
        return
    wanted = {
        "instance": event.ec2_instance_id,
        "arn": event.container_instance_arn,
        "was": event.desired_before,
        "desired": event.desired_after,
        "held": event.held,
    }
    fields = {name: value for name, value in wanted.items() if value not in ("", None)}
    log.info("scaling", kind=event.kind, cause=event.code, reason=event.message, **fields)


def _tell_transition(revision: int, moved: TaskTransitioned) -> None:
    fields: dict[str, object] = {"revision": revision, "task": moved.task_id, "was": moved.previous}
    if moved.attempt is not None:
        fields |= {
            "attempt": moved.attempt.attempt_id,
            "number": moved.attempt.number,
            "instance": moved.attempt.ec2_instance_id,
        }
    reason = moved.stop_reason or (moved.attempt.stop_reason if moved.attempt else None)
    if reason is not None:
        fields |= {"category": reason.category, "code": reason.code, "reason": reason.message}
    log.info("task", state=moved.state, **fields)
