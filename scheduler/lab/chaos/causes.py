"""Invariants of causes: nothing is started, ended or removed without a good one."""

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskEvent, TaskState
from scheduler.core.world.interlocks import likely_failures
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin
from scheduler.ports.store import TaskFilter
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.journal import Effect

_EVERYTHING = 1_000_000
_CANCEL_MS = 60_000
"""How long a start that was sent before its task was cancelled may take to have its effect."""


# ---- at each effect


def nothing_runs_twice(scene: Scene, entry: Entry) -> str | None:
    """What has run is not started again, unless it may be and its instance took it along.

    It is known to have run by its exit, or by having run for so long that a reading must have shown it. A
    start that was given up may come late: by then its task may have run under another attempt.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    if entry.fields["startedBy"] in scene.book.given_up:
        return None
    task_id = entry.fields["tags"]["ecs-scheduler:task"]
    for each in scene.truth.tasks.values():
        ours = each.task_id == task_id and each.epoch == scene.book.epoch
        ours = ours and each.attempt_id not in scene.book.forgotten
        if ours and _is_findable(scene, each) and _has_run(scene, each):
            return f"{task_id} is started again after {each.arn} ended with {each.exit_code}"
    return None


def _has_run(scene: Scene, task: EcsTask) -> bool:
    if task.running_ms is None or task.stopped_ms is None:
        return False
    if task.exit_code is not None:
        return task.stop_code == "EssentialContainerExited"
    seen = task.stopped_ms - task.running_ms > Policy().unseen_ms + scene.blind_ms()
    return seen and task.task_id not in scene.book.may_run_again


def _is_findable(scene: Scene, task: EcsTask) -> bool:
    """Whether a search within the window had to find it, so that it was not given up for good reasons."""
    if task.attempt_id not in scene.book.given_up:
        return True
    hidden = scene.plan.account.read_lag_ms or _befalls(scene, MishapKind.PARTIAL_READ)
    return not (task.late or hidden or task.container_instance_arn not in scene.truth.statuses)


def _befalls(scene: Scene, kind: MishapKind) -> bool:
    return any(each.kind is kind for each in scene.plan.mishaps)


def what_is_cancelled_is_not_started(scene: Scene, entry: Entry) -> str | None:
    """A task whose cancellation was accepted a while ago is not started."""
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE or entry.late:
        return None
    task_id = entry.fields["tags"]["ecs-scheduler:task"]
    since_ms = scene.book.cancelled_ms.get(task_id)
    if since_ms is None or entry.at_ms - since_ms < _CANCEL_MS:
        return None
    return f"{task_id} is started {(entry.at_ms - since_ms) // 1_000} s after it was cancelled"


def no_fresh_instance_goes(scene: Scene, entry: Entry) -> str | None:
    """An instance that has not joined the cluster is given the time that it may take."""
    if entry.effect != Effect.INSTANCE_TERMINATING or entry.origin is not Origin.SERVICE:
        return None
    ec2_id = entry.fields["ec2InstanceId"]
    age_ms = entry.at_ms - scene.truth.launched_ms[ec2_id]
    if ec2_id in scene.truth.ec2_ids.values() or age_ms >= Policy().never_joined_after_ms:
        return None
    return f"{ec2_id} is terminated {age_ms // 1_000} s after its launch, before it has joined"


def a_mass_failure_ends_nobody(scene: Scene, entry: Entry) -> str | None:
    """While more agents are known to be away than is likely, none of their instances is replaced."""
    if entry.effect != Effect.DETACH_INSTANCES or entry.origin is not Origin.SERVICE or entry.late:
        return None
    truth, policy = scene.truth, Policy()
    members = truth.launched.keys() - truth.detached - truth.ended
    known_ms = entry.at_ms - scene.blind_ms()
    since = {
        each: at_ms
        for each in members
        if (at_ms := truth.agents[each].away_since_ms) is not None and at_ms < known_ms
    }
    away = [each for each in entry.fields["ec2InstanceIds"] if each in since]
    window_ms = policy.mass_failure_ms - scene.blind_ms()
    if len(since) <= likely_failures(len(members), policy):
        return None
    if max(since.values()) - min(since.values()) > window_ms:
        return None
    return f"{away} are replaced while {len(since)} of {len(members)} agents are away" if away else None


# ---- at the end


def nothing_ends_before_its_task(scene: Scene, ending: Ending) -> str | None:
    """A task is not told as ended while its ECS task goes on, on an instance that ECS knows."""
    for each in scene.truth.tasks.values():
        ended_ms = scene.book.ended_ms.get(each.task_id)
        known = scene.believed(each) and each.container_instance_arn in scene.truth.statuses
        if ended_ms is not None and known and each.stopped_ms is not None and each.stopped_ms > ended_ms:
            state, late_ms = scene.book.states[each.task_id], each.stopped_ms - ended_ms
            return f"{each.task_id} was {state} {late_ms} ms before {each.arn} was STOPPED"
    return None


def nothing_fails_without_a_cause(scene: Scene, ending: Ending) -> str | None:
    """A task that has FAILED was started before, or is larger than every instance."""
    largest = [INSTANCE_TYPES[each] for each in scene.plan.account.instance_types]
    started = {each.task_id for each in scene.truth.tasks.values()}
    for task in ending.store.list_tasks(TaskFilter(), "", _EVERYTHING):
        fits = any(
            task.ask.cpu <= each.cpu_units and task.ask.memory_mib <= each.memory_mib for each in largest
        )
        if task.status.state is TaskState.FAILED and fits and task.task_id not in started:
            return f"{task.task_id} was never started: {task.status.stop_reason}"
    return None


def no_timeout_comes_early(scene: Scene, ending: Ending) -> str | None:
    """A timeout that a task has used up is over: in the queue since its submission, else since it ran."""
    queue_ms, running_ms = 1_000 * scene.plan.tuning.queue_timeout_s, dict[str, int]()
    for event in ending.store.events_after(0, _EVERYTHING):
        task, at_ms = event.task, event.task.status.updated_ms
        timeouts = task.timeouts
        if task.status.state is TaskState.RUNNING:
            running_ms[task.task_id] = at_ms
        used_ms, allowed_ms = 0, 0
        if task.status.state is TaskState.EXPIRED:
            used_ms, allowed_ms = at_ms - task.submitted_ms, timeouts.queue_ms or queue_ms
        elif _is_stopped_for_its_run(event):
            used_ms, allowed_ms = at_ms - running_ms[task.task_id], timeouts.run_ms or 0
        if used_ms < allowed_ms:
            return f"{task.task_id} is {task.status.state} after {used_ms} of {allowed_ms} ms"
    return None


def _is_stopped_for_its_run(event: TaskEvent) -> bool:
    stopping = event.task.status.state is TaskState.STOPPING
    return stopping and any(each.stop_wish is StopCategory.RUN_TIMEOUT for each in event.task.attempts)
