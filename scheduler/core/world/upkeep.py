"""Upkeep of the fleet: what a decision must know of instances that go, could go, or should."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.autoscaling.limits import limits_of
from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.lifecycle.removal import RemovalEvidence, is_room
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import InstanceGroup, ReturnableInstance, SilentInstance, Supply
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import Hold
from scheduler.core.world.findings import finding
from scheduler.core.world.interlocks import OBSERVE_ONLY
from scheduler.core.world.muster import is_staying
from scheduler.core.world.parts import Parts
from scheduler.core.world.removals import Surroundings


def upkeep_of(parts: Parts, supply: Supply, removals: tuple[RemovalEvidence, ...], now_ms: int) -> Upkeep:
    """What is known at `now_ms`. Nothing goes before two complete readings agree on the pair."""
    group, fleet = parts.fleet.group, parts.fleet
    if group is None:
        return Upkeep(hold=hold_of(parts, now_ms))
    limits = limits_of(group, parts.wish, now_ms)
    fleet.limit(limits.ceiling)
    agreed = parts.pair.agreed
    allowed = parts.replacements.allowed(len(group.members), now_ms)
    outside = _outside(parts, now_ms, agreed=agreed) if agreed or _is_empty(parts, group) else ()
    absent = tuple(islice(chain(_never_joined(parts, group, now_ms), outside), allowed))
    lost = (*(_lost(parts, now_ms) if agreed else ()), *_black_holes(parts, now_ms), *absent)
    return Upkeep(
        hold=hold_of(parts, now_ms),
        limits=limits,
        size=group.desired - shrinking(parts),
        removals=removals,
        lost=lost,
        findings={each.ec2_instance_id: finding(parts, each, now_ms) for each in lost},
        leftovers=tuple(_leftovers(parts, now_ms, allowed - len(absent))),
        candidates=fleet.candidates if agreed else Candidates(),
        resting=parts.removals.resting(now_ms),
        able=fleet.counts[InstanceHealth.SCHEDULABLE],
        zones=fleet.ranks.zones,
        replacing=supply.in_flight > 0 or any(each.removal.replaced and not each.stuck for each in removals),
        beyond=_beyond(parts, group),
        told=frozenset(parts.told),
        told_steps=parts.removals.told,
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
    counted = parts.fleet.counted
    going = {
        each.ec2_instance_id
        for each in parts.removals
        if not each.decrement and each.step is not RemovalStep.RETURNING
    }
    return max(0, len(counted) - len(counted & going) - group.desired)


def returnable(parts: Parts, removals: Iterable[RemovalEvidence]) -> tuple[ReturnableInstance, ...]:
    """Idle instances being removed that can still be taken back."""
    instances = parts.fleet.instances
    return tuple(
        ReturnableInstance(
            ec2_instance_id=each.ec2_instance_id, free=parts.fleet.offered(each.arn) or NOTHING
        )
        for each in (evidence.removal for evidence in removals if is_room(evidence))
        if each.arn in instances and instances[each.arn].agent_connected
    )


def returning(parts: Parts) -> tuple[SilentInstance, ...]:
    """Instances that are being taken back: no place for tasks yet, but capacity for buying."""
    instances = parts.fleet.instances
    back = (each for each in parts.removals if each.step is RemovalStep.RETURNING and each.arn in instances)
    return tuple(
        SilentInstance(
            registered=instances[each.arn].registered,
            free=parts.fleet.offered(each.arn) or NOTHING,
            empty=not parts.fleet.is_occupied(each.ec2_instance_id),
            arn=each.arn,
        )
        for each in back
    )


def look(parts: Parts, removal: Removal) -> Surroundings:
    """What the World knows of an instance that is being removed."""
    fleet = parts.fleet
    member = fleet.group.members.get(removal.ec2_instance_id) if fleet.group else None
    busy = _has_work(parts, removal.ec2_instance_id) or fleet.is_occupied(removal.ec2_instance_id)
    waited_for = fleet.frozen or (busy and parts.policy.drain_disconnected)
    lost = not waited_for and fleet.disconnections.is_lost(removal.ec2_instance_id)
    return Surroundings(
        listed=fleet.instances.get(removal.arn),
        lifecycle_state=member.lifecycle_state if member else None,
        busy=busy,
        lost=lost or fleet.has_ended(removal.arn),
        connected=fleet.is_connected(removal.ec2_instance_id),
        read_ms=parts.instances_read_ms,
    )


def removals_of(parts: Parts) -> tuple[RemovalEvidence, ...]:
    """What is known of the removals under way."""
    return tuple(parts.removals.evidence(lambda removal: look(parts, removal)))


def _lost(parts: Parts, now_ms: int) -> Iterator[Removal]:
    """Members whose agent is lost for good; none while so many are that it cannot be they."""
    fleet, policy = parts.fleet, parts.policy
    if fleet.frozen:
        return
    for arn in fleet.disconnected:
        ec2_id = fleet.ec2_ids[arn]
        if not _is_lost(parts, arn):
            continue
        drain = policy.drain_disconnected and fleet.health[arn] is InstanceHealth.DISCONNECTED
        yield Removal(
            ec2_instance_id=ec2_id,
            arn=arn,
            cause=RemovalCause.DISCONNECTED,
            step=RemovalStep.DRAINING if drain else RemovalStep.DETACHING,
            decrement=False,
            since_ms=now_ms,
        )


def _is_lost(parts: Parts, arn: str) -> bool:
    """Whoever drained it: nobody else would ever end what ECS shows as running there.

    What others drained we do not drain as well: we would make it ACTIVE when its agent comes back. Where lost
    ones are to be drained it is waited for until nothing runs on it.
    """
    fleet, ec2_id = parts.fleet, parts.fleet.ec2_ids[arn]
    health = fleet.health[arn]
    if health not in (InstanceHealth.DISCONNECTED, InstanceHealth.DRAINING):
        return False
    if not (fleet.disconnections.is_lost(ec2_id) and fleet.is_in_service(ec2_id)):
        return False
    waited_for = health is InstanceHealth.DRAINING and parts.policy.drain_disconnected
    return not (waited_for and fleet.is_occupied(ec2_id))


def _black_holes(parts: Parts, now_ms: int) -> Iterator[Removal]:
    """The first one in quarantine that is still at work, if the pause since the last one is over."""
    fleet = parts.fleet
    if fleet.frozen or not (parts.pair.agreed and parts.quarantine.may_drain(now_ms)):
        return
    for arn, health in fleet.health.items() if parts.quarantine.held else ():
        ec2_id = fleet.ec2_ids[arn]
        resting = parts.removals.is_resting(ec2_id, now_ms)
        if health is InstanceHealth.SUSPECT and fleet.is_in_service(ec2_id) and not resting:
            yield Removal(
                ec2_instance_id=ec2_id,
                arn=arn,
                cause=RemovalCause.BLACK_HOLE,
                step=RemovalStep.DRAINING,
                decrement=False,
                since_ms=now_ms,
            )
            return


def _never_joined(parts: Parts, group: InstanceGroup, now_ms: int) -> Iterator[Removal]:
    """Members that ought to be in the cluster and are not.

    They may be all that the group has, so that no two readings agree on the pair: it was proven before.
    """
    replacements = parts.replacements
    if not parts.pair.proven or parts.fleet.frozen or replacements.too_many_never_joined(now_ms):
        return
    for ec2_id in parts.arrivals.overdue():
        member = group.members.get(ec2_id)  # answers of acts tell of the group too, between its readings
        is_new = member is not None and not parts.may_have_joined(ec2_id, member)
        awaited = is_new and parts.removals.of(ec2_id) is None
        if awaited and not _has_work(parts, ec2_id) and not parts.lists_lie():
            yield Removal(
                ec2_instance_id=ec2_id,
                arn="",
                cause=RemovalCause.NEVER_JOINED,
                step=RemovalStep.TERMINATING,
                decrement=False,
                since_ms=now_ms,
            )


def _is_empty(parts: Parts, group: InstanceGroup) -> bool:
    """It is to be empty, and was not always: what was in it and runs on is not waited for by anybody."""
    return parts.pair.proven and not group.members and group.desired == 0


def _outside(parts: Parts, now_ms: int, *, agreed: bool) -> Iterator[Removal]:
    """Instances that the group does not list any more, and on which nothing runs: somebody detached them, or
    we did and could not end them. A list of the group may lie as well.

    Unless it and the cluster are `agreed` to belong together, no others than were seen to be members.
    """
    fleet, policy = parts.fleet, parts.policy
    if fleet.frozen or not fleet.counts[InstanceHealth.NOT_IN_GROUP]:
        return
    for arn, since_ms in parts.strange_since_ms.items():
        ec2_id = fleet.ec2_ids.get(arn, "")
        if fleet.health.get(arn) is not InstanceHealth.NOT_IN_GROUP or fleet.is_replaced(arn):
            continue
        if not (agreed or parts.membership.was_member(ec2_id)):
            continue
        long = now_ms - since_ms >= policy.never_joined_after_ms
        if long and parts.is_ours_to_end(ec2_id) and _is_done(parts, arn, now_ms):
            yield Removal(
                ec2_instance_id=ec2_id,
                arn=arn,
                cause=RemovalCause.NOT_IN_GROUP,
                step=RemovalStep.DRAINING,
                decrement=False,
                since_ms=now_ms,
            )


def _is_done(parts: Parts, arn: str, now_ms: int) -> bool:
    """It has been idle for long; or its agent is lost for good, and with it what of ours ran on it."""
    fleet, idle = parts.fleet, parts.fleet.idleness.of(arn)
    if parts.removals.is_resting(fleet.ec2_ids[arn], now_ms):
        return False
    if idle is not None:
        return idle.readings > 1 and now_ms - idle.since_ms >= parts.policy.idle_timeout_ms
    return fleet.disconnections.is_lost(fleet.ec2_ids[arn]) and not fleet.has_others(arn)


def _has_work(parts: Parts, ec2_instance_id: str) -> bool:
    """An attempt of ours is out on it: so it has joined, under whichever ARN and whatever is listed now."""
    return parts.ledger.load_of(ec2_instance_id).attempts > 0


def _leftovers(parts: Parts, now_ms: int, allowed: int) -> Iterator[str]:
    """What ECS still lists and nobody stands behind: ended by EC2, or registered anew under another ARN.

    Of the former no more than `allowed`. A removal sees to its own ARN alone: an older one may hold it up.
    The group may be empty by now; what ran there is lost all the same, and ECS shows it RUNNING until then.
    """
    fleet = parts.fleet
    if not parts.pair.proven:
        return
    for arn in fleet.disconnected:
        removal = parts.removals.of(fleet.ec2_ids[arn])
        if removal is not None and removal.arn in ("", arn):
            continue
        if arn in parts.deregistering or now_ms < parts.deregister_again_ms.get(arn, 0):
            continue
        replaced = _is_outlived(parts, arn, now_ms)
        if replaced or (allowed > 0 and fleet.has_ended(arn)):
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
