"""Invariants of timeouts: none comes early, and none is forgotten.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.core.model.attempt import AttemptState, StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskEvent, TaskState
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.scene import EVERYTHING, Ending, Scene

_PATIENCE_MS = 600_000
"""What a full disk and slow answers may take together."""


class _Waits:
    """What is known of each task's times, event by event, as its service's clock showed them."""

    def __init__(self, queue_ms: int) -> None:
        self._queue_ms = queue_ms
        self.since_ms: dict[tuple[str, TaskState], int] = {}
        self._earned_ms: dict[str, int] = {}

    def note(self, event: TaskEvent) -> None:
        """One more change of a task."""
        task = event.task
        self.since_ms[task.task_id, task.status.state] = task.status.updated_ms
        last = task.attempts[-1].state if task.attempts else None
        if task.status.state is TaskState.QUEUED and self._earns(task.task_id, last):
            self._earned_ms[task.task_id] = task.status.updated_ms + Policy().requeue_grace_ms

    def queued_until_ms(self, event: TaskEvent) -> int:
        """Until when it may wait: what a start cost that failed is added, of a lost answer once."""
        until_ms = event.task.submitted_ms + (event.task.timeouts.queue_ms or self._queue_ms)
        return max(until_ms, self._earned_ms.get(event.task.task_id, until_ms))

    def _earns(self, task_id: str, last: AttemptState | None) -> bool:
        if last is AttemptState.ABANDONED:
            return task_id not in self._earned_ms
        return last is AttemptState.ENDED


def no_timeout_comes_early(scene: Scene, ending: Ending) -> str | None:
    """A timeout that a task has used up is over: since its submission, since ECS took it, or since it ran.

    And nobody runs for too long who was given no limit. What was stopped for its start may be told as ended
    by a later life, whose clock was set.
    """
    waits = _Waits(1_000 * scene.plan.tuning.queue_timeout_s)
    for event in ending.store.events_after(0, EVERYTHING):
        task, at_ms = event.task, event.task.status.updated_ms
        waits.note(event)
        used_ms, allowed_ms = 0, 0
        if task.status.state is TaskState.EXPIRED:
            used_ms, allowed_ms = at_ms - task.submitted_ms, waits.queued_until_ms(event) - task.submitted_ms
        elif (state := _timed_out_in(event)) is not None:
            allowed = _allowed_ms(scene, event, state)
            if allowed is None:
                return f"{task.task_id} ran for too long, and had no limit"
            used_ms, allowed_ms = at_ms - waits.since_ms[task.task_id, state], allowed
            used_ms += scene.spread_ms() if state is TaskState.STARTING else 0
        if used_ms < allowed_ms:
            return f"{task.task_id} is {task.status.state} after {used_ms} of {allowed_ms} ms"
    return None


def a_timeout_is_kept(scene: Scene, ending: Ending) -> str | None:
    """Nothing waits in the queue or runs for longer than it may, over restarts as well.

    Judged by how long a life of the service that could act on it has not. Times of clocks that were set are
    not compared; one that another scheduler holds up may be late.
    """
    if len(scene.errors_ms) > 1 or scene.befalls(MishapKind.SECOND_SCHEDULER):
        return None
    waits = _Waits(1_000 * scene.plan.tuning.queue_timeout_s)
    due_ms: dict[str, int] = {}
    for event in ending.store.events_after(0, EVERYTHING):
        task_id, at_ms = event.task.task_id, event.task.status.updated_ms
        due = due_ms.pop(task_id, at_ms)
        late_ms = max(min(at_ms, end) - max(due, begin) for begin, end in scene.lives)
        if late_ms > _PATIENCE_MS + scene.blind_ms():
            return f"{task_id} was {event.previous_state} for {late_ms} ms more than it may"
        waits.note(event)
        run_ms = event.task.timeouts.run_ms
        if event.task.status.state is TaskState.QUEUED:
            due_ms[task_id] = waits.queued_until_ms(event)
        elif event.task.status.state is TaskState.RUNNING and run_ms is not None:
            due_ms[task_id] = at_ms + run_ms
    return None


def _allowed_ms(scene: Scene, event: TaskEvent, state: TaskState) -> int | None:
    timeouts = event.task.timeouts
    if state is TaskState.RUNNING:
        return timeouts.run_ms
    return timeouts.start_ms or 1_000 * scene.plan.tuning.start_timeout_s


def _timed_out_in(event: TaskEvent) -> TaskState | None:
    """The state whose timeout its last attempt has used up, once that is told."""
    wish = event.task.attempts[-1].stop_wish if event.task.attempts else None
    if wish is StopCategory.RUN_TIMEOUT and event.task.status.state is TaskState.STOPPING:
        return TaskState.RUNNING
    ends = event.previous_state is TaskState.STARTING and event.task.status.state is not TaskState.RUNNING
    return TaskState.STARTING if wish is StopCategory.START_TIMEOUT and ends else None
