"""Hearing of capacity: what readings of the fleet and outcomes of removals teach the World."""

from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import replace

from scheduler.core.model.answers import (
    ConsoleSaved,
    EcsTask,
    FailedLaunchesSeen,
    Failure,
    GroupSeen,
    HazardsSeen,
    InstanceInspected,
    Outcome,
    TasksSeen,
)
from scheduler.core.model.calls import DeregisterInstance, DetachInstances, SaveConsole
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.facts import launch_failure_fact, pair_fact
from scheduler.core.model.group import FailedLaunch, GroupMember
from scheduler.core.model.records import IntentRecorded, IntentState, ScalingRecorded
from scheduler.core.model.removal import Removal, RemovalStep
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.parts import Parts

_DEREGISTER_REST_MS = 600_000
"""Rest before ECS is asked again to forget an instance; it does no harm meanwhile."""

_CONSOLE_LENGTH = 4_000
"""Of a console that could not be written to the log group, so many characters are kept."""

_LAUNCHES_FAIL = "LAUNCHES_FAIL"
_LAUNCHES_LATE = "LAUNCHES_LATE"
_MASS_DISCONNECT = "MASS_DISCONNECT"
_FOREIGN_TASKS = "FOREIGN_TASKS"
_FOREIGN_INSTANCES = "FOREIGN_INSTANCES"
_DRAINED_BY_OTHERS = "DRAINED_BY_OTHERS"
_NEVER_JOINED = "INSTANCES_NEVER_JOIN"
_TOO_OLD = "INSTANCES_TOO_OLD"


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
    parts.settled += parts.membership.see(members, listed, now_ms)
    _note_strangers(parts, members, now_ms)
    parts.arrivals.see(members, listed, now_ms, anew=instances_anew)
    _judge_mass_failure(parts, members, listed, now_ms)
    _note(parts, _NEVER_JOINED, _never_join(parts, members, now_ms))
    _note(parts, _TOO_OLD, fleet.ages.message(len(members)))


def _note_strangers(parts: Parts, members: Mapping[str, GroupMember], now_ms: int) -> None:
    """Instances that are there for long and are not ours to use: outside the group, or drained by others."""
    fleet = parts.fleet
    outside = {
        arn
        for arn, ec2_id in fleet.ec2_ids.items()
        if ec2_id not in members and _is_left_to_itself(parts.removals.of(ec2_id))
    }
    drained = {arn for arn, health in fleet.health.items() if health is InstanceHealth.DRAINING}
    strange = outside | drained
    parts.strange_since_ms = {
        arn: parts.strange_since_ms.get(arn, now_ms) for arn in fleet.instances if arn in strange
    }
    patience_ms = parts.policy.never_joined_after_ms
    long = {arn for arn, at_ms in parts.strange_since_ms.items() if now_ms - at_ms >= patience_ms}
    _note(parts, _FOREIGN_INSTANCES, _outside(parts, outside & long))
    _note(
        parts,
        _DRAINED_BY_OTHERS,
        f"{len(drained & long)} members were drained by somebody else and serve nobody; make them ACTIVE, or "
        "detach them"
        if drained & long
        else "",
    )


def _is_left_to_itself(removal: Removal | None) -> bool:
    """Nobody is at it, or it is waited for until nothing runs on it, which may be for good."""
    return removal is None or removal.step is RemovalStep.DRAINING


def _outside(parts: Parts, arns: Collection[str]) -> str:
    """What becomes of instances that are outside the group for long."""
    if not arns:
        return ""
    ours = sum(parts.is_ours_to_end(parts.fleet.ec2_ids[arn]) for arn in arns)
    others = len(arns) - ours
    words = [
        f"{len(arns)} container instances are in the cluster and not in the group; nothing is placed on them"
    ]
    if ours:
        words.append(f"{ours} are terminated once nothing runs on them")
    if others:
        words.append(
            f"{others} never were seen to be members or may be in a warm pool, and are not ours to end"
        )
    return "; ".join(words)


def census(parts: Parts, outcome: Outcome) -> None:
    """Every task of the cluster: whose are those that are not ours?"""
    if not isinstance(outcome.answer, TasksSeen):
        return
    parts.census_read_ms = outcome.sent_ms
    parts.rivals.see(outcome.answer.tasks)
    unknown = [each for each in outcome.answer.tasks if parts.attempts.track_of(each.started_by) is None]
    foreign = Counter(
        each.container_instance_arn
        for each in unknown
        if not _ended_meanwhile(parts, each) and not parts.fleet.daemons.is_daemon(each)
    )
    parts.unknown_tasks = frozenset(each.arn for each in unknown)
    parts.foreign_on = frozenset(foreign)
    parts.fleet.see_foreign(foreign, parts.fleet.daemons.see(unknown))
    parts.growth.keep_for_daemons(parts.fleet.daemons.footprint())
    _note(parts, _FOREIGN_TASKS, _foreign_tasks(foreign))


def without_daemons(parts: Parts, outcome: Outcome) -> Outcome:
    """A look at an instance, with daemon tasks counted and not listed: ECS ends them last, if at all."""
    seen = outcome.answer
    if not isinstance(seen, InstanceInspected):
        return outcome
    others = tuple(each for each in seen.tasks if not parts.fleet.daemons.is_daemon(each))
    daemons = len(seen.tasks) - len(others)
    return replace(outcome, answer=replace(seen, tasks=others, daemons=daemons))


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
    parts.growth.fail_launch(now_ms)
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


def console(parts: Parts, call: SaveConsole, outcome: Outcome, now_ms: int) -> None:
    """What a sick instance said; where it could not be written, the log keeps the end of it."""
    parts.removals.console_heard(call, now_ms)
    saved = outcome.answer
    if not isinstance(saved, ConsoleSaved):
        return
    message = f"its console output is in the log stream {saved.stream}"
    if not saved.stream:
        message = f"its console output is not in the log group: {saved.problem}"
    if saved.output and not saved.stream:
        message += f"; it ends: {saved.output[-_CONSOLE_LENGTH:].strip()}"
    event = ScalingEvent(
        kind=ScalingKind.EVIDENCE,
        group=parts.agenda.group,
        at_ms=now_ms,
        code=call.cause.value,
        message=message,
        ec2_instance_id=call.ec2_instance_id,
    )
    parts.settled.append(ScalingRecorded(event=event))


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
        parts.growth.launches_recovered()


def late_launches(parts: Parts, in_flight: int, now_ms: int, *, arrived: bool) -> None:
    """What is in flight for long. It counts as on its way all the same: it may come at any time."""
    fleet, launches = parts.fleet, parts.late_launches
    lacking = fleet.group.desired - len(fleet.counted) if fleet.group else 0
    launches.see(in_flight, lacking, now_ms, arrived=arrived)
    read_ms = min(parts.instances_read_ms or 0, parts.group_read_ms or 0)
    patience_ms = parts.arrivals.patience_ms(parts.policy.launches_late_after_ms)
    _note(parts, _LAUNCHES_LATE, launches.judge(read_ms, patience_ms))


def _ended_meanwhile(parts: Parts, task: EcsTask) -> bool:
    """With our own mark, and unknown for the first time: it ended while the census was on its way."""
    mark, own = task.mark, parts.own
    is_own = mark is not None and (mark.service_id, mark.store_epoch) == (own.service_id, own.store_epoch)
    return is_own and task.arn not in parts.unknown_tasks


def _forget_deregistered(parts: Parts) -> None:
    """What ECS does not list any more it has forgotten, whatever it answered."""
    for arn in parts.deregister_again_ms.keys() - parts.fleet.instances.keys():
        del parts.deregister_again_ms[arn]


def _foreign_tasks(by_arn: Mapping[str, int]) -> str:
    if not by_arn:
        return ""
    return (
        f"{sum(by_arn.values())} tasks on {len(by_arn)} container instances were not started by this "
        "service, or its store has lost them; their room is taken, and they are never stopped"
    )


def _judge_mass_failure(
    parts: Parts, members: Mapping[str, GroupMember], listed: Set[str], now_ms: int
) -> None:
    """By the members that the cluster lists: where the agents of others are is not known."""
    fleet = parts.fleet
    burst = fleet.disconnections.largest_burst(members.keys() & listed)
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


def _never_join(parts: Parts, members: Mapping[str, GroupMember], now_ms: int) -> str:
    """Why members that are not in the cluster are not replaced, if they are not."""
    if parts.replacements.too_many_never_joined(now_ms):
        return (
            f"{parts.policy.max_replacements_per_hour} members were replaced within an hour because they "
            "never registered in the cluster; no more are; look at the image, its user data and its role"
        )
    overdue = parts.arrivals.overdue()
    old = sum(parts.may_have_joined(ec2_id, members[ec2_id]) for ec2_id in overdue)
    if not old:
        return ""
    return (
        f"{old} members are not in the cluster and were there before, or are so old that they may have been, "
        "so none of these is replaced; if they never registered, terminate them"
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
