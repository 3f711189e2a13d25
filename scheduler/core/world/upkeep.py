"""Upkeep of the fleet: what a decision must know of instances that go, could go, or should."""

from collections import Counter
from collections.abc import Iterator

from scheduler.core.autoscaling.limits import limits_of
from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.model.calls import Call
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import GroupMember, InstanceGroup, ReturnableInstance, SilentInstance, Supply
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import Hold
from scheduler.core.world.interlocks import OBSERVE_ONLY
from scheduler.core.world.muster import is_staying
from scheduler.core.world.parts import Parts
from scheduler.core.world.removals import Surroundings

_COUNTED = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")


def upkeep_of(parts: Parts, supply: Supply, now_ms: int) -> Upkeep:
    """What is known at `now_ms`. Nothing goes before two complete readings agree on the pair."""
    group, fleet = parts.fleet.group, parts.fleet
    if group is None:
        return Upkeep(hold=hold_of(parts, now_ms))
    limits = limits_of(group, parts.wish, now_ms)
    fleet.limit(limits.ceiling)
    agreed = parts.pair.agreed
    candidates = tuple(
        each
        for each in (fleet.candidates(now_ms) if agreed else ())
        if not parts.removals.is_resting(each.ec2_instance_id, now_ms)
    )
    return Upkeep(
        hold=hold_of(parts, now_ms),
        limits=limits,
        size=group.desired - shrinking(parts),
        removals=tuple(parts.removals.evidence(lambda removal: look(parts, removal))),
        lost=(*_lost(parts, now_ms), *_never_joined(parts, group, now_ms)) if agreed else (),
        leftovers=tuple(_leftovers(parts, now_ms)) if agreed else (),
        candidates=candidates,
        able=fleet.counts[InstanceHealth.SCHEDULABLE],
        zones=fleet.zones() if candidates else Counter(),
        replacing=supply.in_flight > 0 or any(not each.decrement for each in parts.removals),
        beyond=_beyond(parts, group),
        told=frozenset(parts.told),
    )


def hold_of(parts: Parts, now_ms: int) -> Hold | None:
    """What keeps the service from acting, the most telling first; what holds all before what holds some."""
    if parts.observe_only:
        return OBSERVE_ONLY
    return parts.pair.hold() or parts.rivals.hold(now_ms) or parts.hazards.hold()


def shrinking(parts: Parts) -> int:
    """By how much desired capacity will still shrink through removals under way."""
    steps = (RemovalStep.DRAINING, RemovalStep.DETACHING)
    return sum(
        each.decrement and each.step in steps and is_staying(parts.fleet.group, each.ec2_instance_id)
        for each in parts.removals
    )


def _beyond(parts: Parts, group: InstanceGroup) -> int:
    """By how many members the group will have more than it desires: protected ones that it cannot end.

    Members on standby or in a warm pool are none that it compares with what is desired.
    """
    counted = {ec2_id for ec2_id, each in group.members.items() if each.lifecycle_state in _COUNTED}
    going = {
        each.ec2_instance_id
        for each in parts.removals
        if not each.decrement and each.step is not RemovalStep.RETURNING
    }
    return max(0, len(counted - going) - group.desired)


def returnable(parts: Parts) -> tuple[ReturnableInstance, ...]:
    """Idle instances being removed that can still be taken back."""
    instances = parts.fleet.instances
    return tuple(
        ReturnableInstance(
            ec2_instance_id=each.ec2_instance_id, free=parts.fleet.offered(each.arn) or NOTHING
        )
        for each in parts.removals.room(lambda removal: look(parts, removal))
        if each.arn in instances and instances[each.arn].agent_connected
    )


def returning(parts: Parts) -> tuple[SilentInstance, ...]:
    """Instances that are being taken back: no place for tasks yet, but capacity for buying."""
    instances = parts.fleet.instances
    back = (each for each in parts.removals if each.step is RemovalStep.RETURNING and each.arn in instances)
    return tuple(
        SilentInstance(
            registered=instances[each.arn].registered, free=parts.fleet.offered(each.arn) or NOTHING
        )
        for each in back
    )


def look(parts: Parts, removal: Removal) -> Surroundings:
    """What the World knows of an instance that is being removed."""
    fleet = parts.fleet
    member = fleet.group.members.get(removal.ec2_instance_id) if fleet.group else None
    return Surroundings(
        listed=fleet.instances.get(removal.arn),
        lifecycle_state=member.lifecycle_state if member else None,
        busy=parts.ledger.load(removal.arn).attempts > 0 or fleet.is_occupied(removal.ec2_instance_id),
        lost=fleet.has_ended(removal.arn)
        or (not fleet.frozen and fleet.disconnections.is_lost(removal.ec2_instance_id)),
        connected=fleet.is_connected(removal.ec2_instance_id),
        read_ms=parts.instances_read_ms,
    )


def removal_calls(parts: Parts, now_ms: int) -> Iterator[Call]:
    """The calls that removals need now."""
    return parts.removals.due(lambda removal: look(parts, removal), now_ms, frozen=parts.fleet.frozen)


def _lost(parts: Parts, now_ms: int) -> Iterator[Removal]:
    """Members whose agent is lost for good; none while so many are that it cannot be they."""
    fleet = parts.fleet
    if fleet.frozen or not fleet.counts[InstanceHealth.DISCONNECTED]:
        return
    for arn, health in fleet.health.items():
        ec2_id = fleet.ec2_ids[arn]
        lost = health is InstanceHealth.DISCONNECTED and fleet.disconnections.is_lost(ec2_id)
        if lost and fleet.is_in_service(ec2_id):
            yield Removal(
                ec2_instance_id=ec2_id,
                arn=arn,
                cause=RemovalCause.DISCONNECTED,
                step=RemovalStep.DETACHING,
                decrement=False,
                since_ms=now_ms,
            )


def _never_joined(parts: Parts, group: InstanceGroup, now_ms: int) -> Iterator[Removal]:
    """Members that ought to be in the cluster and are not, a few at a time: the listing may lie."""
    replacements = parts.replacements
    if parts.fleet.frozen or replacements.too_many_never_joined(now_ms):
        return
    allowed = replacements.allowed(len(group.members), now_ms)
    for ec2_id in parts.arrivals.overdue():
        member = group.members.get(ec2_id)  # answers of acts tell of the group too, between its readings
        awaited = parts.removals.of(ec2_id) is None and _is_young(parts, member, now_ms)
        if allowed and awaited and not _has_worked(parts, ec2_id):
            allowed -= 1
            yield Removal(
                ec2_instance_id=ec2_id,
                arn="",
                cause=RemovalCause.NEVER_JOINED,
                step=RemovalStep.TERMINATING,
                decrement=False,
                since_ms=now_ms,
            )


def _has_worked(parts: Parts, ec2_instance_id: str) -> bool:
    """An attempt of ours is out on it: it joined in a former life of ours, whatever is listed now."""
    attempts = (track.attempt for track in parts.attempts.tracks.values())
    return any(
        each is not None and each.holds_room and each.ec2_instance_id == ec2_instance_id for each in attempts
    )


def _is_young(parts: Parts, member: GroupMember | None, now_ms: int) -> bool:
    launched_ms = member.launched_ms if member else None
    return launched_ms is not None and now_ms - launched_ms < parts.policy.never_joined_until_ms


def _leftovers(parts: Parts, now_ms: int) -> Iterator[str]:
    """What ECS still lists and nobody stands behind: ended by EC2, or registered anew under another ARN."""
    fleet = parts.fleet
    if not fleet.counts.total() - fleet.counts[InstanceHealth.SCHEDULABLE]:
        return
    members = len(fleet.group.members) if fleet.group else 0
    allowed = parts.replacements.allowed(members, now_ms)
    for arn, instance in fleet.instances.items():
        if instance.agent_connected or parts.removals.of(instance.ec2_instance_id) is not None:
            continue
        if arn in parts.deregistering or now_ms < parts.deregister_again_ms.get(arn, 0):
            continue
        replaced = _is_outlived(parts, arn, now_ms)
        if replaced or (allowed and fleet.has_ended(arn)):
            allowed -= not replaced
            yield arn


def _is_outlived(parts: Parts, arn: str, now_ms: int) -> bool:
    """Its agent registered anew. ECS would show our tasks on it as RUNNING for good: they get the patience
    that a lost agent gets.
    """
    since_ms = parts.fleet.replaced_ms(arn)
    if since_ms is None:
        return False
    patience_ms = parts.policy.disconnected_after_ms if parts.ledger.load(arn).attempts else 0
    return now_ms - since_ms >= patience_ms
