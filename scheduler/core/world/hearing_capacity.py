"""Hearing of capacity: what readings of the fleet and outcomes of removals teach the World."""

from collections import Counter
from collections.abc import Mapping

from scheduler.core.model.answers import (
    EcsTask,
    FailedLaunchesSeen,
    Failure,
    GroupSeen,
    HazardsSeen,
    Outcome,
    TasksSeen,
)
from scheduler.core.model.calls import DeregisterInstance, DetachInstances
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.facts import launch_failure_fact, pair_fact
from scheduler.core.model.group import FailedLaunch, GroupMember
from scheduler.core.model.records import IntentRecorded, IntentState, ScalingRecorded
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.parts import Parts

_DEREGISTER_REST_MS = 600_000
"""Rest before ECS is asked again to forget an instance; it does no harm meanwhile."""

NOT_DEREGISTERED = "INSTANCES_NOT_DEREGISTERED"
"""The trouble that stands while ECS does not forget an instance."""

_LAUNCHES_FAIL = "LAUNCHES_FAIL"
_MASS_DISCONNECT = "MASS_DISCONNECT"
_FOREIGN_TASKS = "FOREIGN_TASKS"
_FOREIGN_INSTANCES = "FOREIGN_INSTANCES"
_DRAINED_BY_OTHERS = "DRAINED_BY_OTHERS"
_NEVER_JOINED = "INSTANCES_NEVER_JOIN"


def compare(parts: Parts, now_ms: int, *, instances_anew: bool) -> None:
    """Holds the cluster against the group, after either was read."""
    fleet = parts.fleet
    if fleet.group is None or parts.instances_read_ms is None:
        return
    listed = set(fleet.ec2_ids.values())
    members = fleet.group.members
    if parts.pair.see(fleet.group, listed, again=instances_anew):
        parts.settled.append(pair_fact(parts.cluster, fleet.group.name))
    _forget_deregistered(parts)
    _note_strangers(parts, members, now_ms)
    parts.arrivals.see(members, listed, now_ms, anew=instances_anew)
    _judge_mass_failure(parts, members, now_ms)
    _note(parts, _NEVER_JOINED, _never_join(parts, now_ms))


def _note_strangers(parts: Parts, members: Mapping[str, GroupMember], now_ms: int) -> None:
    """Instances that are there for long and are not ours to use: of another group, or drained by others."""
    fleet = parts.fleet
    ours = [arn for arn, ec2_id in fleet.ec2_ids.items() if parts.removals.of(ec2_id) is None]
    outside = {arn for arn in ours if fleet.ec2_ids[arn] not in members}
    drained = {arn for arn in ours if fleet.health[arn] is InstanceHealth.DRAINING}
    parts.strange_since_ms = {arn: parts.strange_since_ms.get(arn, now_ms) for arn in outside | drained}
    patience_ms = parts.policy.never_joined_after_ms
    long = {arn for arn, at_ms in parts.strange_since_ms.items() if now_ms - at_ms >= patience_ms}
    _note(
        parts,
        _FOREIGN_INSTANCES,
        f"{len(outside & long)} container instances are in the cluster and not in the group; nothing is "
        "placed on them, and they are not ours to end"
        if outside & long
        else "",
    )
    _note(
        parts,
        _DRAINED_BY_OTHERS,
        f"{len(drained & long)} members were drained by somebody else and serve nobody; make them ACTIVE, or "
        "detach them"
        if drained & long
        else "",
    )


def census(parts: Parts, outcome: Outcome) -> None:
    """Every task of the cluster: whose are those that are not ours?"""
    if not isinstance(outcome.answer, TasksSeen):
        return
    parts.census_read_ms = outcome.sent_ms
    parts.rivals.see(outcome.answer.tasks)
    unknown = [each for each in outcome.answer.tasks if parts.attempts.track_of(each.started_by) is None]
    foreign = Counter(each.container_instance_arn for each in unknown if not _ended_meanwhile(parts, each))
    parts.unknown_tasks = frozenset(each.arn for each in unknown)
    parts.fleet.see_foreign(foreign)
    _note(parts, _FOREIGN_TASKS, _foreign_tasks(foreign))


def hazards(parts: Parts, outcome: Outcome) -> None:
    """Features of the group that fight this service."""
    if isinstance(outcome.answer, HazardsSeen):
        parts.hazards.asked, parts.hazards.found = True, outcome.answer.hazards
    elif isinstance(outcome.answer, Failure) and outcome.answer.definite and not outcome.answer.throttled:
        # It will not be told tomorrow either; who may not ask must not stand still for it.
        parts.hazards.asked = True


def failed_launches(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    """Launches that failed since the last one that was told; growth rests as after a refusal."""
    if not isinstance(outcome.answer, FailedLaunchesSeen):
        return
    # A group remembers for weeks: what failed before a new store's first day is none of its news.
    told_ms = parts.launch_failure_ms or parts.own.since_ms
    news = [each for each in outcome.answer.launches if each.at_ms > told_ms]
    if not news:
        return
    newest = max(each.at_ms for each in news)
    parts.launch_failure_ms = newest
    parts.growth.rest(now_ms)
    _note(parts, _LAUNCHES_FAIL, f"the group cannot launch instances: {news[-1].message}")
    parts.settled.append(launch_failure_fact(newest))
    parts.settled += [_launch_failed(parts, each) for each in news]


def removal(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    """An act or a look of a removal. Where the group stands afterwards comes with the answer."""
    parts.removals.heard(outcome, now_ms)
    parts.agenda.hurry(now_ms)
    if isinstance(outcome.call, DetachInstances):
        _detached(parts, outcome.call, outcome)


def _detached(parts: Parts, call: DetachInstances, outcome: Outcome) -> None:
    """Replacements are in flight from the moment they are asked for, and not if they were refused."""
    if isinstance(outcome.answer, GroupSeen):
        parts.fleet.see_group(outcome.answer.group)
    for ec2_id in call.ec2_instance_ids:
        if not call.decrement and parts.removals.of(ec2_id) is not None:
            parts.fleet.claim(ec2_id, replaced=not isinstance(outcome.answer, Failure))


def deregistration(parts: Parts, call: DeregisterInstance, outcome: Outcome, now_ms: int) -> None:
    """A leftover in ECS, or the last of an instance that was removed."""
    parts.removals.heard(outcome, now_ms)
    parts.agenda.hurry(now_ms)
    state = IntentState.DONE
    if isinstance(outcome.answer, Failure):
        state = IntentState.FAILED_DEFINITE if outcome.answer.definite else IntentState.ABANDONED
    # After a success too: ECS lists it until the next reading, and a denied one is denied again.
    parts.deregister_again_ms[call.arn] = now_ms + _DEREGISTER_REST_MS
    if call.arn in parts.deregistering:
        parts.settled.append(IntentRecorded(kind="deregister", key=call.arn, state=state))


def launches_recovered(parts: Parts, *, in_flight: int) -> None:
    """Nothing is awaited any more: whatever failed to launch has been launched, or is not wanted."""
    if not in_flight:
        parts.troubles.pop(_LAUNCHES_FAIL, None)


def _ended_meanwhile(parts: Parts, task: EcsTask) -> bool:
    """With our own mark, and unknown for the first time: it ended while the census was on its way."""
    mark, own = task.mark, parts.own
    is_own = mark is not None and (mark.service_id, mark.store_epoch) == (own.service_id, own.store_epoch)
    return is_own and task.arn not in parts.unknown_tasks


def _forget_deregistered(parts: Parts) -> None:
    """What ECS does not list any more it has forgotten, whatever it answered."""
    for arn in parts.deregister_again_ms.keys() - parts.fleet.instances.keys():
        del parts.deregister_again_ms[arn]
    if not parts.deregister_again_ms:
        parts.troubles.pop(NOT_DEREGISTERED, None)


def _foreign_tasks(by_arn: Mapping[str, int]) -> str:
    if not by_arn:
        return ""
    return (
        f"{sum(by_arn.values())} tasks on {len(by_arn)} container instances were not started by this "
        "service, or its store has lost them; their room is taken, and they are never stopped"
    )


def _judge_mass_failure(parts: Parts, members: Mapping[str, object], now_ms: int) -> None:
    fleet = parts.fleet
    burst = fleet.disconnections.largest_burst(members)
    befallen = fleet.mass_failure.see(burst, len(members), now_ms)
    fleet.frozen = fleet.mass_failure.frozen(now_ms)
    message = (
        f"{burst} of {len(members)} agents disconnected at about the same time: that is the region, the "
        "agent or the image, so no instance is replaced and none is bought in its place; builds go on "
        "without ECS; if they are lost for good, terminate them"
    )
    back = (
        "most agents that disconnected at about the same time have come back; for a while yet no instance is "
        "replaced and none is bought in its place: the others may follow"
    )
    _note(parts, _MASS_DISCONNECT, (message if befallen else back) if fleet.frozen else "")


def _never_join(parts: Parts, now_ms: int) -> str:
    """Why members that never joined are not replaced, if they are not."""
    overdue = sum(1 for _ in parts.arrivals.overdue())
    if overdue and not parts.pair.agreed:
        return (
            f"{overdue} members have not registered in the cluster, and no other member is in it either, so "
            "it may be the wrong one and none is replaced; if it is the right one, terminate them"
        )
    if not parts.replacements.too_many_never_joined(now_ms):
        return ""
    return (
        f"{parts.policy.max_replacements_per_hour} members were replaced within an hour because they never "
        "registered in the cluster; no more are; look at the image, its user data and its role"
    )


def _launch_failed(parts: Parts, launch: FailedLaunch) -> ScalingRecorded:
    group = parts.fleet.group
    return ScalingRecorded(
        event=ScalingEvent(
            kind=ScalingKind.LAUNCH_FAILED,
            group=group.name if group else "",
            at_ms=launch.at_ms,
            code="LAUNCH_FAILED",
            message=launch.message,
        )
    )


def _note(parts: Parts, reason: str, message: str) -> None:
    """The condition stands with this message; without one it does not stand."""
    if message:
        parts.troubles[reason] = message
    else:
        parts.troubles.pop(reason, None)
