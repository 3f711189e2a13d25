"""Timeouts: the deadline of the state that a task is in, and who is to be stopped."""

from collections.abc import Iterator

from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory
from scheduler.core.model.evidence import StopWish
from scheduler.core.model.task import TaskState
from scheduler.core.world.attempts import Track
from scheduler.core.world.parts import Parts

_TIMEOUTS = {
    TaskState.QUEUED: StopCategory.EXPIRED,
    TaskState.STARTING: StopCategory.START_TIMEOUT,
    TaskState.RUNNING: StopCategory.RUN_TIMEOUT,
}
"""Which timeout a task uses up in which state."""


def set_deadline(parts: Parts, track: Track, since_ms: int) -> None:
    """The deadline of the state that the task is in since `since_ms`."""
    wanted, policy = track.task.timeouts, parts.policy
    at_ms: int | None = None
    if track.state is TaskState.QUEUED:
        at_ms = queued_until_ms(parts, track)
    elif track.state is TaskState.STARTING:
        at_ms = since_ms + (wanted.start_ms or policy.start_timeout_ms)
    elif track.state is TaskState.RUNNING and wanted.run_ms is not None:
        at_ms = since_ms + wanted.run_ms
    parts.deadlines.set(track.task.task_id, at_ms)


def queued_until_ms(parts: Parts, track: Track) -> int:
    """Until when a task may wait for room."""
    at_ms = track.task.submitted_ms + (track.task.timeouts.queue_ms or parts.policy.queue_timeout_ms)
    if track.returned_ms is None:
        return at_ms
    return max(at_ms, track.returned_ms + parts.policy.requeue_grace_ms)


def earns_time(track: Track, attempt: Attempt) -> bool:
    """Whether a task that returns from this attempt may wait on, for `requeue_grace_ms`.

    Failed launches are counted, so each does. Refusals and lost answers are not: a task that is refused again
    and again, or never gets an answer, would wait for ever. What a lost answer cost is given back once.
    """
    if attempt.state is AttemptState.ABANDONED:
        return track.returned_ms is None
    return attempt.state is not AttemptState.DEFINITE_FAILURE


def wishes_of(parts: Parts, now_ms: int) -> Iterator[StopWish]:
    """Cancelled tasks, then those whose deadline has passed; not more than a decision can act on."""
    wanted = [(task_id, StopCategory.CANCELLED) for task_id in parts.cancelled]
    for task_id in parts.deadlines.due(now_ms):
        if task_id not in parts.cancelled:
            wanted.append((task_id, _TIMEOUTS[parts.attempts.tracks[task_id].state]))
    for task_id, category in wanted[: parts.policy.max_placements_per_decision]:
        track = parts.attempts.tracks[task_id]
        yield StopWish(task=track.task, state=track.state, attempt=track.attempt, category=category)
