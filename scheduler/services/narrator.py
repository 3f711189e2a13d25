"""The narrator: what the loop decided, as log lines; nothing is logged while nothing changes."""

from collections.abc import Iterable

import structlog

from scheduler.core.model.calls import Call, RegisterTaskDefinition, SetDesiredCapacity, StopTask
from scheduler.core.model.digest import Condition
from scheduler.core.model.records import AttemptRecorded, StoredRecord, TaskTransitioned

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
    for call in calls:
        match call:
            case SetDesiredCapacity(group=group, desired=desired):
                log.info("group.grow", group=group, desired=desired)
            case StopTask(ecs_task_arn=arn, reason=reason):
                log.info("task.stop", ecs_task=arn, reason=reason)
            case RegisterTaskDefinition(definition_key=key, task_id=task_id):
                log.info("definition.register", hash=key, task=task_id)


def narrate_conditions(before: Iterable[Condition], after: Iterable[Condition]) -> None:
    """One line for each condition that began, and for each that ended."""
    known, standing = {each.reason: each for each in before}, {each.reason: each for each in after}
    for reason in standing.keys() - known.keys():
        log.warning("condition.began", condition=reason, message=standing[reason].message)
    for reason in known.keys() - standing.keys():
        log.info("condition.ended", condition=reason)


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
