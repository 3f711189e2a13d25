"""Invariants of neighbours: who may be on a container instance with whom.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.core.model.resources import NOTHING
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.scene import Scene
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin
from scheduler.simulated_aws.journal import Effect


def nobody_shares_with_an_exclusive_task(scene: Scene, entry: Entry) -> str | None:
    """Nothing is started beside a task that wants its instance for itself, nor such a task beside anything.

    A start that was given up may come late. What the service cannot know of counts once it could, in its
    present life: tasks of others, and those that a lost store or a given up start has left behind. Of these
    ECS shows the room as free once they are about to stop; and of one whose instance has another ARN by now
    nobody can tell where lists have a gap.
    """
    if entry.effect != Effect.START_TASK or entry.origin is not Origin.SERVICE:
        return None
    if entry.fields["startedBy"] in scene.book.given_up:
        return None
    ec2_id = scene.truth.ec2_ids[entry.fields["containerInstanceArn"]]
    new = entry.fields["tags"]["ecs-scheduler:task"]
    for each in scene.truth.alive_on(ec2_id):
        shares = _is_exclusive(scene, each.task_id) and scene.believed(each)
        elsewhere = each.container_instance_arn != entry.fields["containerInstanceArn"]
        if elsewhere and scene.befalls(MishapKind.LISTING_GAP) and not scene.believed(each):
            continue
        if shares or (_is_exclusive(scene, new) and _is_known(scene, each, entry.at_ms)):
            return f"{new} is started on {ec2_id} beside {each.arn} of {each.task_id or 'somebody'}"
    return None


def _is_exclusive(scene: Scene, task_id: str) -> bool:
    return scene.book.asks.get(task_id, NOTHING).exclusive


def _is_known(scene: Scene, task: EcsTask, now_ms: int) -> bool:
    if scene.believed(task):
        return True
    is_shown = task.status in ("PENDING", "RUNNING")
    return is_shown and now_ms - max(task.started_ms, scene.life_ms) > scene.blind_ms()
