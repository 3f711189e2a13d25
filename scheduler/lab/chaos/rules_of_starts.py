"""Invariants of starts that fail: who is taken for a black hole, and who is not.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.core.model.policy import Policy
from scheduler.core.model.records import IntentRecorded, IntentState
from scheduler.core.model.removal import REMOVE, RemovalCause, read_removal
from scheduler.lab.chaos.scene import Scene
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin
from scheduler.services.control_loop import Step
from scheduler.simulated_aws.journal import Effect

_POLICY = Policy()


def few_are_taken_for_black_holes(scene: Scene, step: Step) -> str | None:
    """At most a tenth of the group, one always, is removed as black holes at a time, and slowly."""
    policy, book = _POLICY, scene.book
    new = _new_black_holes(scene, step)
    if not new:
        return None
    under_way = sum(each.cause is RemovalCause.BLACK_HOLE for each in book.removals.values())
    largest = max(most for _, _, most in scene.truth.limits)
    allowed = max(1, int(largest * policy.quarantine_share))
    if under_way + len(new) > allowed:
        return f"{new} are to go, and {under_way} are going already"
    lately = [at_ms for at_ms in book.black_holes if at_ms >= scene.life_ms]
    now_ms = scene.true_ms(step.now_ms)
    if len(new) > 1 or (lately and now_ms - lately[-1] < policy.quarantine_pause_ms):
        return f"{new} are to go {now_ms - max(lately, default=now_ms)} ms after the last one"
    return None


def no_black_hole_without_failures(scene: Scene, step: Step) -> str | None:
    """An instance is taken for a black hole only if tasks of several configurations never ran there."""
    policy = _POLICY
    for ec2_id in _new_black_holes(scene, step):
        there = (each for each in scene.truth.tasks.values() if each.ec2_instance_id == ec2_id)
        failed = [each for each in there if _failed(each) or _took_too_long(scene, each)]
        various = {scene.book.configurations.get(each.task_id) for each in failed}
        if len(failed) < policy.black_hole_failures or len(various) < policy.black_hole_configurations:
            return f"{ec2_id} is a black hole by {[each.arn for each in failed]}"
    return None


def a_black_hole_is_found(scene: Scene, entry: Entry) -> str | None:
    """Nothing is started where the last tasks failed to start, while others started well elsewhere.

    Of one instance at a time: of several it may be that too many look sick. What speaks against it has to be
    old enough to be known; what speaks for it may be known at once.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    policy, truth = _POLICY, scene.truth
    known_ms = entry.at_ms - scene.blind_ms()
    told = [each for each in truth.tasks.values() if _is_known(scene, each, entry.at_ms)]
    ours = [each for each in told if _is_known(scene, each, known_ms)]
    ec2_id = truth.ec2_ids[entry.fields["containerInstanceArn"]]
    sick = {each.ec2_instance_id for each in ours if _failed(each)}
    bad = {each.definition_arn for each in told if _failed(each) and each.ec2_instance_id != ec2_id}
    row = [each for each in told if each.ec2_instance_id == ec2_id and (each in ours or not _failed(each))]
    failed = [each for each in row if _tells(scene, each) and each.definition_arn not in bad]
    builds = {scene.book.owners.get(each.task_id, ("", ""))[1] or each.definition_arn for each in failed}
    images = {scene.book.images.get(each.task_id, "") for each in failed} - {""}
    well = any(each.running_ms for each in ours if each.ec2_instance_id != ec2_id)
    configurations = min(len(builds), len(images))
    enough = len(failed) >= policy.black_hole_failures and configurations >= policy.black_hole_configurations
    if sick != {ec2_id} or len(failed) < len(row) or not enough or not well:
        return None
    return f"{entry.fields['taskArn']} is started on {ec2_id}, where {len(failed)} have failed to start"


def _is_known(scene: Scene, task: EcsTask, known_ms: int) -> bool:
    """Whether the present life of the service has started it, and read how that went."""
    at_ms = task.running_ms or task.stopped_ms
    return scene.believed(task) and task.started_ms > scene.life_ms and at_ms is not None and at_ms < known_ms


def _failed(task: EcsTask) -> bool:
    return task.stop_code == "TaskFailedToStart"


def _took_too_long(scene: Scene, task: EcsTask) -> bool:
    """Whether it was stopped before it ran, and not because its client wished that."""
    stopped = task.asked_ms is not None and task.running_ms is None and not task.alive
    return stopped and task.task_id not in scene.book.cancelled_ms


def _tells(scene: Scene, task: EcsTask) -> bool:
    """Whether its failure tells of its instance: not of an image, nor of a client who gave up."""
    pulled = not task.reason.startswith("CannotPull")
    return _failed(task) and pulled and task.task_id not in scene.book.cancelled_ms


def _new_black_holes(scene: Scene, step: Step) -> list[str]:
    return [
        each.key
        for each in step.records
        if isinstance(each, IntentRecorded)
        and each.kind == REMOVE
        and each.state is IntentState.OPEN
        and each.key not in scene.book.removals
        and read_removal(each.key, each.payload).cause is RemovalCause.BLACK_HOLE
    ]
