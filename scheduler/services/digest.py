"""The digest: the World, summed up for readers in other threads."""

from collections.abc import Iterator

from scheduler.core.autoscaling.limits import limits_of, standing
from scheduler.core.model.digest import ClusterDigest, Condition, InstanceDigest, Unplaced
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.upkeep import hold_of
from scheduler.core.world.world import World


def digest_of(
    world: World, unplaced: tuple[Unplaced, ...], now_ms: int, before: ClusterDigest
) -> ClusterDigest:
    """What GetCluster shows. Conditions that stood before keep the time at which they began."""
    fleet = world.fleet
    registered = free = NOTHING
    for size, room in fleet.rooms.spots():
        registered += size.registered
        free += room.free
    readings = (world.instances_read_ms, world.group_read_ms)
    observed_ms = min((each for each in readings if each is not None), default=None)
    stale = None in readings or now_ms - (observed_ms or 0) > world.policy.stale_after_ms
    return ClusterDigest(
        cluster=before.cluster,
        group=fleet.group,
        in_flight=fleet.in_flight(now_ms),
        types=world.growth.types,
        health=dict(fleet.counts),
        idle=fleet.idle(),
        registered=registered,
        free=free,
        tasks=dict(world.attempts.counts),
        unplaced=unplaced,
        observed_ms=observed_ms,
        stale=stale,
        conditions=_conditions(world, unplaced, now_ms, before),
        revision=world.revision,
        wish=standing(world.wish, now_ms),
        reservations=tuple(world.reservations),
        reservation_outcomes=world.reservations.outcomes,
    )


def _at_max_size(group: InstanceGroup, ceiling: int) -> str:
    if ceiling < group.max_size:
        return f"waiting tasks need more than the operator's target of {ceiling} instances; raise or clear it"
    return (
        f"waiting tasks need more than the {group.max_size} instances that {group.name} may have; "
        "raise its max size"
    )


def condition_changes(before: ClusterDigest, after: ClusterDigest, now_ms: int) -> Iterator[ScalingRecorded]:
    """Conditions that began or ended, as scaling events."""
    known, standing = ({each.reason: each for each in one.conditions} for one in (before, after))
    changes = [(ScalingKind.CONDITION_BEGAN, standing[each]) for each in standing.keys() - known.keys()]
    changes += [(ScalingKind.CONDITION_ENDED, known[each]) for each in known.keys() - standing.keys()]
    for kind, condition in sorted(changes, key=lambda each: each[1].reason):
        event = ScalingEvent(
            kind=kind,
            group=after.group.name if after.group else "",
            at_ms=now_ms,
            code=condition.reason,
            message=condition.message,
        )
        yield ScalingRecorded(event=event)


def instances_of(world: World) -> tuple[InstanceDigest, ...]:
    """What ListContainerInstances shows, in the order of ARNs."""
    fleet = world.fleet
    return tuple(_instance(world, arn) for arn in sorted(fleet.instances))


def _instance(world: World, arn: str) -> InstanceDigest:
    fleet, instance = world.fleet, world.fleet.instances[arn]
    load, idle = world.ledger.load(arn), fleet.idleness.of(arn)
    foreign = fleet.foreign(arn)
    alone = world.ledger.load_of(instance.ec2_instance_id).exclusive
    group = fleet.group
    return InstanceDigest(
        instance=instance,
        group=group.name if group and instance.ec2_instance_id in group.members else "",
        health=fleet.health[arn],
        free=NOTHING if alone else (instance.registered - load.taken - foreign).floored(),
        foreign=foreign,
        tasks=load.attempts,
        starting=load.starting,
        stale=arn in fleet.ages.expired,
        idle_since_ms=idle.since_ms if idle else None,
        disconnected_since_ms=fleet.disconnections.since_ms(instance.ec2_instance_id),
        removal=world.removals.of(instance.ec2_instance_id),
    )


def _conditions(
    world: World, unplaced: tuple[Unplaced, ...], now_ms: int, before: ClusterDigest
) -> tuple[Condition, ...]:
    since = {each.reason: each.since_ms for each in before.conditions}
    standing = {**world.troubles} | {each.reason: each.message for each in world.hazards.found}
    hold = hold_of(world, now_ms)
    if hold is not None and not hold.passing:
        standing[hold.reason] = hold.message
    group = world.fleet.group
    if group is not None and any(each.clamped for each in unplaced):
        standing["GROUP_AT_MAX_SIZE"] = _at_max_size(group, limits_of(group, world.wish, now_ms).ceiling)
    return tuple(
        Condition(reason=reason, message=message, since_ms=since.get(reason, now_ms))
        for reason, message in sorted(standing.items())
    )
