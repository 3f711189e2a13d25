"""Invariants of stops: what is not wanted any more is asked to stop.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.rules_of_manners import reads_honestly
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.truth import EcsTask

_PATIENCE_MS = 600_000
"""What throttles, lost calls and lagging lists may take together."""


def what_is_cancelled_is_stopped(scene: Scene, ending: Ending) -> str | None:
    """What runs is soon asked to stop once its task was cancelled, over restarts as well."""
    for each in scene.truth.tasks.values():
        since_ms = scene.book.cancelled_ms.get(each.task_id)
        if since_ms is not None and scene.believed(each) and _ran_on(scene, ending, each, since_ms):
            return f"{each.arn} ran on after {each.task_id} was cancelled, and was never asked to stop"
    return None


def strays_are_stopped(scene: Scene, ending: Ending) -> str | None:
    """What shows up under an attempt that was given up is stopped, unless the process has died meanwhile.

    Judged where readings are honest: it is looked for a few times, and each of these may be lied to.
    """
    if not reads_honestly(scene.plan):
        return None
    for each in scene.truth.tasks.values():
        since_ms = scene.book.given_up.get(each.attempt_id)
        ours = each.epoch == scene.book.epoch and since_ms is not None and since_ms > scene.life_ms
        if ours and _ran_on(scene, ending, each, since_ms or 0):
            return f"{each.arn} of {each.task_id} ran on under an attempt that was given up"
    return None


def may_yet_be_stopped(scene: Scene, now_ms: int) -> bool:
    """Whether something unwanted runs for which there was not enough time yet."""
    book, allowed_ms = scene.book, _PATIENCE_MS + scene.blind_ms()
    for each in scene.truth.tasks.values():
        since_ms = book.cancelled_ms.get(each.task_id, book.given_up.get(each.attempt_id))
        runs = each.epoch == book.epoch and each.asked_ms is None and _end_ms(scene, each, now_ms) == now_ms
        if runs and since_ms is not None and now_ms - _could_ms(scene, each, since_ms) <= allowed_ms:
            return True
    return False


def _ran_on(scene: Scene, ending: Ending, task: EcsTask, since_ms: int) -> bool:
    """Until it ended by itself, or to the end, though the last life of the service had all the time to ask.

    One that another scheduler holds up asks nobody.
    """
    if task.asked_ms is not None or scene.befalls(MishapKind.SECOND_SCHEDULER):
        return False
    ran_ms = _end_ms(scene, task, ending.at_ms) - _could_ms(scene, task, since_ms)
    return ran_ms > _PATIENCE_MS + scene.blind_ms()


def _could_ms(scene: Scene, task: EcsTask, since_ms: int) -> int:
    """Since when it could be asked to stop."""
    return max(since_ms, task.started_ms, scene.in_touch_ms())


def _end_ms(scene: Scene, task: EcsTask, now_ms: int) -> int:
    """When it began to end, or its instance was gone: nobody needs to ask any more. Now if it runs."""
    if task.ends_ms is not None:
        return task.ends_ms
    arn, ec2_id = task.container_instance_arn, task.ec2_instance_id
    return min(scene.truth.gone_ms.get(arn, now_ms), scene.truth.terminated_ms.get(ec2_id, now_ms))
