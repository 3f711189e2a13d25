"""Invariants of causes: nothing is started, ended or removed without a good one."""

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskEvent, TaskState
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.scene import EVERYTHING, Ending, Scene
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin
from scheduler.ports.store import TaskFilter
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.journal import Effect

_OWN_ENDS = (StopCategory.EXIT, StopCategory.ESSENTIAL_EXITED)
_FORGETS_MS = 3_600_000
"""How long ECS lists what has stopped."""

_CANCEL_MS = 60_000
"""How long a start that was sent before its task was cancelled may take to have its effect."""


# ---- at each effect


def nothing_runs_twice(scene: Scene, entry: Entry) -> str | None:
    """What has run is not started again, unless it may be and its instance took it along.

    It is known to have run by its exit, or by having run for so long that a reading must have shown it. A
    start that was given up may come late: by then its task may have run under another attempt. So may one
    that a restored store has forgotten. What ECS has forgotten by now is lost, and may have been all along.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    if entry.fields["startedBy"] in scene.book.given_up.keys() | scene.book.forgotten:
        return None
    task_id = entry.fields["tags"]["ecs-scheduler:task"]
    for each in scene.truth.tasks.values():
        ours = each.task_id == task_id and each.epoch == scene.book.epoch
        ours = ours and each.attempt_id not in scene.book.forgotten
        if not ours or (task_id in scene.book.may_run_again and _is_forgotten(each, entry.at_ms)):
            continue
        if is_findable(scene, each) and _has_run(scene, each):
            return f"{task_id} is started again after {each.arn} ended with {each.exit_code}"
    return None


def _is_forgotten(task: EcsTask, now_ms: int) -> bool:
    return task.stopped_ms is not None and now_ms - task.stopped_ms >= _FORGETS_MS


def _has_run(scene: Scene, task: EcsTask) -> bool:
    if task.running_ms is None or task.stopped_ms is None:
        return False
    if task.exit_code is not None:
        return task.stop_code == "EssentialContainerExited"
    seen = task.stopped_ms - task.running_ms > Policy().unseen_ms + scene.blind_ms()
    return seen and task.task_id not in scene.book.may_run_again


def is_findable(scene: Scene, task: EcsTask) -> bool:
    """Whether a search within the window had to find it, so that it was not given up for good reasons."""
    if task.attempt_id not in scene.book.given_up:
        return True
    hidden = scene.plan.account.read_lag_ms or scene.befalls(MishapKind.PARTIAL_READ)
    return not (task.late or hidden or task.container_instance_arn not in scene.truth.statuses)


def what_is_cancelled_is_not_started(scene: Scene, entry: Entry) -> str | None:
    """A task whose cancellation was accepted a while ago is not started."""
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE or entry.late:
        return None
    task_id = entry.fields["tags"]["ecs-scheduler:task"]
    since_ms = scene.book.cancelled_ms.get(task_id)
    if since_ms is None or entry.at_ms - since_ms < _CANCEL_MS:
        return None
    return f"{task_id} is started {(entry.at_ms - since_ms) // 1_000} s after it was cancelled"


def nothing_wanted_is_stopped(scene: Scene, entry: Entry) -> str | None:
    """What runs for a task that was neither cancelled nor kept waiting for too long is not stopped.

    But by what a life had sent whose store was restored: the copy may know nothing of the wish.
    """
    if entry.effect != Effect.STOP_TASK or entry.origin is not Origin.SERVICE:
        return None
    if entry.late or entry.posthumous:
        return None
    task = scene.truth.tasks[entry.fields["taskArn"]]
    held = scene.believed(task) and task.attempt_id in scene.book.held
    if not held or task.attempt_id in scene.book.wishes or task.task_id in scene.book.cancelled_ms:
        return None
    return f"{task.arn} is stopped while {task.task_id} is {scene.book.states[task.task_id]}"


# ---- at the end


def nothing_ends_before_its_task(scene: Scene, ending: Ending) -> str | None:
    """A task is not told as ended while its ECS task goes on, on an instance that ECS knows."""
    for each in scene.truth.tasks.values():
        ended_ms = scene.book.ended_ms.get(each.task_id)
        if ended_ms is None or not scene.believed(each):
            continue
        known = ended_ms <= scene.truth.gone_ms.get(each.container_instance_arn, ended_ms)
        if known and each.stopped_ms is not None and each.stopped_ms > ended_ms:
            state, late_ms = scene.book.states[each.task_id], each.stopped_ms - ended_ms
            return f"{each.task_id} was {state} {late_ms} ms before {each.arn} was STOPPED"
    return None


def nothing_fails_without_a_cause(scene: Scene, ending: Ending) -> str | None:
    """A task that has FAILED was started before, or is larger than every instance.

    Or its start, of which nothing was heard, is older than ECS remembers: by clocks that differ so much, or
    in a store of an hour ago.
    """
    old = any(map(scene.befalls, (MishapKind.STORE_RESTORED, MishapKind.OLD_STORE_RESTORED)))
    doubtful = old or scene.spread_ms() >= Policy().visibility_window_ms
    largest = [INSTANCE_TYPES[each] for each in scene.plan.account.instance_types]
    started = {each.task_id for each in scene.truth.tasks.values()}
    for task in ending.store.list_tasks(TaskFilter(), "", EVERYTHING):
        fits = any(
            task.ask.cpu <= each.cpu_units and task.ask.memory_mib <= each.memory_mib for each in largest
        )
        reason = task.status.stop_reason
        if doubtful and reason is not None and reason.code == "NOT_FOUND":
            continue
        if task.status.state is TaskState.FAILED and fits and task.task_id not in started:
            return f"{task.task_id} was never started: {reason}"
    return None


def an_end_is_told_as_it_was(scene: Scene, ending: Ending) -> str | None:
    """What exited with 0 has not FAILED by its exit, and nothing is CANCELLED that nobody has cancelled."""
    good = {each.attempt_id for each in scene.truth.tasks.values() if each.exit_code == 0}
    for task in ending.store.list_tasks(TaskFilter(), "", EVERYTHING):
        state, reason = task.status.state, task.status.stop_reason
        if state is TaskState.CANCELLED and task.task_id not in scene.book.cancelled_ms:
            return f"{task.task_id} is CANCELLED, and nobody has cancelled it"
        by_exit = state is TaskState.FAILED and reason is not None and reason.category in _OWN_ENDS
        if by_exit and task.attempts and task.attempts[-1].attempt_id in good:
            return f"{task.task_id} is FAILED by {reason}, and exited with 0"
    return None


def no_timeout_comes_early(scene: Scene, ending: Ending) -> str | None:
    """A timeout that a task has used up is over: since its submission, since ECS took it, or since it ran.

    What was stopped for its start may be told as ended by a later life, whose clock was set.
    """
    since_ms: dict[tuple[str, TaskState], int] = {}
    for event in ending.store.events_after(0, EVERYTHING):
        task, at_ms = event.task, event.task.status.updated_ms
        since_ms[task.task_id, task.status.state] = at_ms
        used_ms, allowed_ms = 0, 0
        if task.status.state is TaskState.EXPIRED:
            used_ms, allowed_ms = at_ms - task.submitted_ms, _queue_ms(scene, event)
        elif (state := _timed_out_in(event)) is not None:
            used_ms, allowed_ms = at_ms - since_ms[task.task_id, state], _allowed_ms(scene, event, state)
            used_ms += scene.spread_ms() if state is TaskState.STARTING else 0
        if used_ms < allowed_ms:
            return f"{task.task_id} is {task.status.state} after {used_ms} of {allowed_ms} ms"
    return None


def _queue_ms(scene: Scene, event: TaskEvent) -> int:
    return event.task.timeouts.queue_ms or 1_000 * scene.plan.tuning.queue_timeout_s


def _allowed_ms(scene: Scene, event: TaskEvent, state: TaskState) -> int:
    timeouts = event.task.timeouts
    if state is TaskState.RUNNING:
        return timeouts.run_ms or 0
    return timeouts.start_ms or 1_000 * scene.plan.tuning.start_timeout_s


def _timed_out_in(event: TaskEvent) -> TaskState | None:
    """The state whose timeout its last attempt has used up, once that is told."""
    wish = event.task.attempts[-1].stop_wish if event.task.attempts else None
    if wish is StopCategory.RUN_TIMEOUT and event.task.status.state is TaskState.STOPPING:
        return TaskState.RUNNING
    ends = event.previous_state is TaskState.STARTING and event.task.status.state is not TaskState.RUNNING
    return TaskState.STARTING if wish is StopCategory.START_TIMEOUT and ends else None
