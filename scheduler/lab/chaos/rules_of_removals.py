"""Invariants of removals: which container instances may go, and when.

Found by `invariants.py`, where all of them are listed.
"""

from scheduler.core.model.policy import Policy
from scheduler.core.world.interlocks import likely_failures
from scheduler.lab.chaos.scene import Scene
from scheduler.lab.chaos.truth import EcsTask, Entry, Origin
from scheduler.simulated_aws.journal import Effect

_HOUR_MS = 3_600_000
_TOUCHING = (
    Effect.CONTAINER_INSTANCE_STATE_CHANGE,
    Effect.DETACH_INSTANCES,
    Effect.INSTANCE_TERMINATING,
    Effect.CONTAINER_INSTANCE_DEREGISTERED,
)


def no_busy_instance_goes(scene: Scene, entry: Entry) -> str | None:
    """Nothing with a live task is detached or terminated by us unless its agent is lost for good.

    Nobody can see what another scheduler has started a moment ago, nor what has just come of a start that was
    given up. Of what was detached only our own tasks count, and of these none that it was detached with.
    """
    removed = (Effect.DETACH_INSTANCES, Effect.INSTANCE_TERMINATING)
    if entry.effect not in removed or entry.origin is not Origin.SERVICE:
        return None
    for ec2_id in entry.fields.get("ec2InstanceIds") or [entry.fields["ec2InstanceId"]]:
        busy = [each for each in scene.truth.alive_on(ec2_id) if not _is_unforeseen(scene, each, entry)]
        if entry.effect == Effect.INSTANCE_TERMINATING and ec2_id in scene.truth.detached_ms:
            detached_ms = scene.truth.detached_ms[ec2_id]
            busy = [each for each in busy if scene.believed(each) and each.started_ms > detached_ms]
        if busy and not _is_lost(scene, ec2_id, entry.at_ms):
            return f"{entry.effect} of {ec2_id} while {len(busy)} live on it, such as {busy[0].arn}"
    return None


def _is_unforeseen(scene: Scene, task: EcsTask, entry: Entry) -> bool:
    rivals = task.epoch not in ("", scene.book.epoch)
    unforeseen = rivals or task.attempt_id in scene.book.given_up
    return unforeseen and entry.at_ms - task.started_ms <= scene.blind_ms()


def _is_lost(scene: Scene, ec2_id: str, now_ms: int) -> bool:
    """Away for as long as the settings say, by clocks that may be set, or for most of the last hour."""
    piece_ms, hour_ms = scene.truth.away_ms(ec2_id, now_ms, window_ms=_HOUR_MS, blind_ms=scene.blind_ms())
    patience_ms = 1_000 * scene.plan.tuning.disconnected_after_s - scene.spread_ms()
    return 0 < piece_ms >= patience_ms or hour_ms >= _HOUR_MS // 2


def only_lost_agents_are_deregistered(scene: Scene, entry: Entry) -> str | None:
    """No container instance is deregistered by us while its agent is connected, or at work and not lost.

    One that registered anew does not return under its old ARN.
    """
    if entry.effect != Effect.CONTAINER_INSTANCE_DEREGISTERED or entry.origin is not Origin.SERVICE:
        return None
    arn, truth = entry.fields["containerInstanceArn"], scene.truth
    if arn in truth.connected:
        return f"{arn} is deregistered while connected"
    ec2_id = truth.ec2_ids[arn]
    anew = any(
        other == ec2_id and each != arn for each, other in truth.ec2_ids.items() if each in truth.statuses
    )
    if anew or ec2_id in truth.ended or _is_lost(scene, ec2_id, entry.at_ms):
        return None
    busy = [each.arn for each in truth.tasks.values() if each.alive and each.container_instance_arn == arn]
    return f"{arn} is deregistered while {busy[0]} is on it" if busy else None


def no_fresh_instance_goes(scene: Scene, entry: Entry) -> str | None:
    """An instance that has not joined the cluster is given the time that it may take."""
    if entry.effect != Effect.INSTANCE_TERMINATING or entry.origin is not Origin.SERVICE:
        return None
    ec2_id = entry.fields["ec2InstanceId"]
    age_ms = entry.at_ms - scene.truth.launched_ms[ec2_id]
    if ec2_id in scene.truth.ec2_ids.values() or age_ms >= Policy().never_joined_after_ms:
        return None
    return f"{ec2_id} is terminated {age_ms // 1_000} s after its launch, before it has joined"


def an_unproven_pair_is_left_alone(scene: Scene, entry: Entry) -> str | None:
    """No instance is touched before a member was seen in the cluster: group and cluster may be strangers.

    But by what had left the process when it was killed and its store lost.
    """
    if entry.effect not in _TOUCHING or entry.origin is not Origin.SERVICE:
        return None
    joined = any(each in scene.truth.launched for each in scene.truth.ec2_ids.values())
    if (scene.book.proven and joined) or entry.posthumous:
        return None
    return f"{entry.effect} while no member was ever seen in the cluster"


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
    bursts = (sum(0 <= other - each <= window_ms for other in since.values()) for each in since.values())
    burst = max(bursts, default=0)
    if burst <= likely_failures(len(members), policy):
        return None
    return f"{away} are replaced while {burst} of {len(members)} agents are away" if away else None


def the_group_kills_no_work(scene: Scene, entry: Entry) -> str | None:
    """The group itself never chooses an instance with a live task as its victim.

    It is beyond anybody's help that it replaces what it finds unhealthy, or ends what others started on an
    instance in its warm pool; `zones_are_left_alone` is about the other thing that it does by itself.
    """
    if entry.effect != Effect.INSTANCE_TERMINATING or entry.origin is not Origin.AWS:
        return None
    ec2_id, truth = entry.fields["ec2InstanceId"], scene.truth
    if ec2_id in truth.condemned:
        return None
    busy = [each for each in truth.alive_on(ec2_id) if each.task_id or ec2_id in truth.served]
    return f"{ec2_id} with {len(busy)} tasks is the group's victim" if busy else None
