"""Invariants of causes: nothing is started, ended or removed without a good one."""

from collections import Counter
from collections.abc import Sequence

from scheduler.core.model.attempt import Attempt, StopCategory, StopReason
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
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
        return task.exited
    seen = task.stopped_ms - task.running_ms > Policy().unseen_ms + scene.blind_ms()
    return seen and task.task_id not in scene.book.may_run_again


def is_findable(scene: Scene, task: EcsTask) -> bool:
    """Whether a search within the window had to find it, so that it was not given up for good reasons."""
    if task.attempt_id not in scene.book.given_up:
        return True
    shows_ms = task.started_ms + scene.plan.account.read_lag_ms
    until_ms = scene.book.opened[task.attempt_id] + Policy().visibility_window_ms
    hidden = shows_ms >= until_ms or scene.befalls(MishapKind.PARTIAL_READ)
    return not hidden and task.container_instance_arn in scene.truth.statuses


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
    in a store of an hour ago. Or a permission was taken away, which it was told.
    """
    old = any(map(scene.befalls, (MishapKind.STORE_RESTORED, MishapKind.OLD_STORE_RESTORED)))
    doubtful = old or scene.spread_ms() >= Policy().visibility_window_ms
    starts = ("StartTask", "RegisterTaskDefinition")
    denied = any(
        each.kind is MishapKind.ACCESS_DENIED and each.operation in starts for each in scene.plan.mishaps
    )
    largest = [INSTANCE_TYPES[each] for each in scene.plan.account.instance_types]
    started = {each.task_id for each in scene.truth.tasks.values()}
    for task in ending.store.list_tasks(TaskFilter(), "", EVERYTHING):
        fits = any(
            task.ask.cpu <= each.cpu_units and task.ask.memory_mib <= each.memory_mib for each in largest
        )
        reason = task.status.stop_reason
        if doubtful and reason is not None and reason.code == "NOT_FOUND":
            continue
        if denied and reason is not None and reason.category is StopCategory.REJECTED:
            continue
        if task.status.state is TaskState.FAILED and fits and task.task_id not in started:
            return f"{task.task_id} was never started: {reason}"
    return None


def an_end_is_told_as_it_was(scene: Scene, ending: Ending) -> str | None:
    """What exited with 0 has not FAILED by its exit, and nothing is CANCELLED that nobody has cancelled.

    Nor what ended by itself before it was asked to stop; what did not has not FAILED by its exit.
    """
    truth = {each.attempt_id: each for each in scene.truth.tasks.values()}
    for task in ending.store.list_tasks(TaskFilter(), "", EVERYTHING):
        state, reason = task.status.state, task.status.stop_reason
        if state is TaskState.CANCELLED and task.task_id not in scene.book.cancelled_ms:
            return f"{task.task_id} is CANCELLED, and nobody has cancelled it"
        mine = truth.get(task.attempts[-1].attempt_id) if task.attempts else None
        if mine is None or mine.exit_code is None or not scene.believed(mine):
            continue
        by_exit = state is TaskState.FAILED and reason is not None and reason.category in _OWN_ENDS
        if by_exit and (mine.exit_code == 0 or not mine.exited):
            return f"{task.task_id} is FAILED by {reason}, and ended with {mine.exit_code} {mine.stop_code}"
        if state is TaskState.CANCELLED and mine.exited:
            return f"{task.task_id} is CANCELLED, and had exited by itself with {mine.exit_code}"
    return None


def launches_are_used_up(scene: Scene, ending: Ending) -> str | None:
    """Nothing is launched more often than it may be, and nothing gives up before that for want of a start.

    What fails to start fails elsewhere too, or not: it takes three launches to know, and two of an image.
    """
    policy = Policy()
    of_image = {StopCategory.IMAGE: policy.max_image_attempts}
    launched = Counter(each.task_id for each in scene.truth.tasks.values() if scene.believed(each))
    for row in ending.store.list_tasks(TaskFilter(), "", EVERYTHING):
        task = ending.store.get(row.task_id) or row
        used, reason = sum(each.counted for each in task.attempts), task.status.stop_reason
        most = max(used, launched[task.task_id])
        if most > policy.max_attempts:
            return f"{task.task_id} was launched {most} times"
        if reason is None or task.status.state is not TaskState.FAILED:
            continue
        due = of_image.get(reason.category, policy.max_attempts)
        if used < due and _never_began(scene, task.attempts[-1:], reason):
            return f"{task.task_id} is FAILED by {reason} after {used} of {due} launches"
    return None


def _never_began(scene: Scene, last: Sequence[Attempt], reason: StopReason) -> bool:
    """Whether that was why it failed: what was stopped for its start may have run in the meantime."""
    if not last:
        return False
    if reason.category is not StopCategory.START_TIMEOUT:
        return reason.category in (StopCategory.IMAGE, StopCategory.CANNOT_START)
    mine = [each for each in scene.truth.tasks.values() if each.attempt_id == last[0].attempt_id]
    return all(each.running_ms is None and each.stop_code == "UserInitiated" for each in mine)
