"""Invariants of stops: what is not wanted any more is asked to stop.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.lab.chaos.manners import reads_honestly
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.truth import EcsTask

_PATIENCE_MS = 600_000
"""What throttles, lost calls and lagging lists may take together."""


def what_is_cancelled_is_stopped(scene: Scene, ending: Ending) -> str | None:
    """What runs is soon asked to stop once its task was cancelled, over restarts as well."""
    for each in scene.truth.tasks.values():
        since_ms = scene.book.cancelled_ms.get(each.task_id)
        if since_ms is not None and scene.believed(each) and _ran_on(scene, each, since_ms):
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
        if ours and _ran_on(scene, each, since_ms or 0):
            return f"{each.arn} of {each.task_id} ran on under an attempt that was given up"
    return None


def _ran_on(scene: Scene, task: EcsTask, since_ms: int) -> bool:
    """Until it ended by itself, though the last life of the service had all the time to ask.

    One that another scheduler holds up asks nobody.
    """
    if task.stopped_ms is None or task.asked_ms is not None or _is_held_up(scene):
        return False
    could_ms = max(since_ms, task.started_ms, scene.life_ms)
    return task.stopped_ms - could_ms > _PATIENCE_MS + scene.blind_ms()


def _is_held_up(scene: Scene) -> bool:
    return any(each.kind is MishapKind.SECOND_SCHEDULER for each in scene.plan.mishaps)
