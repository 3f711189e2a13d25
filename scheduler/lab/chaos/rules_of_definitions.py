"""Invariants of task definitions: what is registered, and what is deregistered of it.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.core.model.calls import DeregisterTaskDefinition
from scheduler.core.model.facts import REVISION_PREFIX, read_revision
from scheduler.core.model.policy import Policy
from scheduler.core.model.revision import DAY_MS
from scheduler.core.model.task import TERMINAL_STATES
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.stage import CLUSTER, SERVICE_ID
from scheduler.lab.chaos.truth import Entry, Origin
from scheduler.services.control_loop import Step
from scheduler.simulated_aws.journal import Effect


def a_configuration_is_registered_once(scene: Scene, entry: Entry) -> str | None:
    """A configuration is registered again only if nobody heard of its last revision, or that is gone.

    Nobody did if the answer was lost, or the process was killed before its outcome was durable.
    """
    if entry.effect != Effect.REGISTER_TASK_DEFINITION or entry.origin is not Origin.SERVICE or entry.unheard:
        return None
    configuration = entry.fields["tags"]["ecs-scheduler:config-hash"]
    stored = scene.book.definitions.get(configuration)
    for arn, each in scene.truth.revisions.items():
        heard = each.epoch == scene.book.epoch and not each.unheard and each.at_ms > scene.life_ms
        alike = each.active and each.configuration == configuration
        if alike and (arn == stored or heard):
            return f"{configuration} is registered again, and {arn} is ACTIVE"
    return None


def only_ours_is_deregistered(scene: Scene, entry: Entry) -> str | None:
    """No revision is deregistered that has no tags, or those of another service or cluster."""
    if entry.effect != Effect.DEREGISTER_TASK_DEFINITION or entry.origin is not Origin.SERVICE:
        return None
    arn = entry.fields["taskDefinitionArn"]
    each = scene.truth.revisions[arn]
    if (each.service, each.cluster) == (SERVICE_ID, CLUSTER):
        return None
    return f"{arn} of {each.service or 'nobody'} is deregistered"


def nothing_of_use_is_deregistered(scene: Scene, entry: Entry) -> str | None:
    """No revision is deregistered that this store registered, or used, within the last 30 days."""
    if entry.effect != Effect.DEREGISTER_TASK_DEFINITION or entry.origin is not Origin.SERVICE or entry.late:
        return None
    arn = entry.fields["taskDefinitionArn"]
    tasks = [
        each for each in scene.truth.tasks.values() if each.definition_arn == arn and scene.believed(each)
    ]
    used_ms = max([scene.truth.revisions[arn].used_ms, *(each.started_ms for each in tasks)])
    if entry.at_ms - used_ms >= Policy().revision_unused_ms - abs(scene.began_ms - scene.life_ms):
        return None
    return f"{arn} is deregistered, and was used {(entry.at_ms - used_ms) // DAY_MS} days ago"


def nothing_wanted_is_deregistered(scene: Scene, step: Step) -> str | None:
    """No revision is deregistered while a task of its configuration waits or runs."""
    for call in step.calls:
        if isinstance(call, DeregisterTaskDefinition):
            for task_id, state in scene.book.states.items():
                key = scene.book.configurations[task_id]
                if state not in TERMINAL_STATES and key == call.definition_key:
                    return f"{call.task_definition_arn} is deregistered while {task_id} is {state}"
    return None


def what_is_of_no_use_goes(scene: Scene, ending: Ending) -> str | None:
    """When all is quiet no revision is left that the store has known of, and nobody wanted, for 30 days."""
    if scene.plan.tuning.observe_only or not ending.settled:
        return None
    before_day = (scene.began_ms - Policy().revision_unused_ms) // DAY_MS
    wanted = set(scene.book.configurations.values())
    for key, value in ending.store.load().facts.items():
        if key.startswith(REVISION_PREFIX):
            each = read_revision(key.removeprefix(REVISION_PREFIX), value)
            if each.used_day < before_day and each.definition_key not in wanted:
                return f"{each.arn} was last used {scene.began_ms // DAY_MS - each.used_day} days ago"
    return None
