"""Wishes: tasks that a client cancels, or that use up a timeout, and what is made of them.

What waits ends at once. What runs is asked to stop and ends when ECS has stopped it; the wish stands with its
attempt until then, so it survives our own death. A start timeout is no end: the attempt is stopped and the
task launched elsewhere, because a slow start is the infrastructure's doing.
"""

from dataclasses import replace

from scheduler.core.model.attempt import Attempt, StopCategory, StopReason
from scheduler.core.model.evidence import StopWish
from scheduler.core.model.plan import Transition
from scheduler.core.model.task import TaskState

REASONS: dict[StopCategory, str] = {
    StopCategory.CANCELLED: "cancelled by its client",
    StopCategory.EXPIRED: "no room was found before its queue timeout",
    StopCategory.START_TIMEOUT: "ECS accepted it and did not run it before its start timeout",
    StopCategory.RUN_TIMEOUT: "it ran for longer than its run timeout",
}
"""One sentence a wish; ECS shows it as the stoppedReason."""

ENDS: dict[StopCategory, TaskState] = {
    StopCategory.CANCELLED: TaskState.CANCELLED,
    StopCategory.EXPIRED: TaskState.EXPIRED,
    StopCategory.START_TIMEOUT: TaskState.FAILED,
    StopCategory.RUN_TIMEOUT: TaskState.FAILED,
}
"""The state in which a wish ends a task."""


def grant(wish: StopWish) -> Transition | Attempt:
    """What the wish changes now."""
    if wish.attempt is None:
        return Transition(
            task_id=wish.task.task_id,
            previous=wish.state,
            state=ENDS[wish.category],
            stop_reason=reason_of(wish.category),
        )
    wished = replace(wish.attempt, stop_wish=wish.category)
    if wish.category is StopCategory.START_TIMEOUT:
        return wished
    return Transition(
        task_id=wish.task.task_id, previous=wish.state, state=TaskState.STOPPING, attempt=wished
    )


def reason_of(category: StopCategory, stop: StopReason | None = None) -> StopReason:
    """The wish as a reason; ECS's own account of the end is kept where there is one."""
    return StopReason(
        category=category,
        code=stop.code if stop else category.value,
        message=stop.message if stop and stop.message else REASONS[category],
        containers=stop.containers if stop else (),
    )
