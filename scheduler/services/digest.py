"""The digest: the World, summed up for readers in other threads."""

from scheduler.core.model.digest import ClusterDigest, Condition, Unplaced
from scheduler.core.model.resources import NOTHING
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
    )


def _conditions(
    world: World, unplaced: tuple[Unplaced, ...], now_ms: int, before: ClusterDigest
) -> tuple[Condition, ...]:
    since = {each.reason: each.since_ms for each in before.conditions}
    standing = {**world.troubles}
    group = world.fleet.group
    if group is not None and any(each.clamped for each in unplaced):
        standing["GROUP_AT_MAX_SIZE"] = (
            f"waiting tasks need more than the {group.max_size} instances that {group.name} may have; "
            "raise its max size"
        )
    return tuple(
        Condition(reason=reason, message=message, since_ms=since.get(reason, now_ms))
        for reason, message in sorted(standing.items())
    )
