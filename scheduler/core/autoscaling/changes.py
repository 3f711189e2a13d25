"""What one decision changes about capacity: purchases and removals, and the sentences that tell of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scheduler.core.autoscaling.scale_down import NO_SHRINKAGE, Shrinkage, Situation, scale_down
from scheduler.core.autoscaling.scale_up import Growth
from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.lifecycle.removal import Ended, RemovalEvidence, advance, can_return
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import NOTHING
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, ScalingKind, WishKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Removing:
    """Removals that begin or move on, those that end, and idle instances that stay."""

    moved: tuple[Removal, ...] = ()
    ended: tuple[Ended, ...] = ()
    shrinkage: Shrinkage = NO_SHRINKAGE

    @property
    def recorded(self) -> tuple[Removal, ...]:
        """Every removal whose present step is to be made durable."""
        return (*self.moved, *self.shrinkage.removals)


def remove(
    upkeep: Upkeep,
    group: InstanceGroup,
    growth: Growth,
    *,
    placed: Iterable[str],
    policy: Policy,
    now_ms: int,
) -> Removing:
    """What becomes of instances that go or could go; `placed` are ARNs that this decision gives tasks to."""
    turns = [turn for each in upkeep.removals if (turn := _turn(each, growth)) is not None]
    moved = [each for each in turns if isinstance(each, Removal)]
    ended = [each for each in turns if isinstance(each, Ended)]
    held = any(each.held for each in upkeep.removals)
    lost = [each for each in upkeep.lost if not (held and each.step is RemovalStep.DETACHING)]
    returned = sum(each.step is RemovalStep.RETURNING and each.decrement for each in moved)
    situation = Situation(
        group=group,
        limits=upkeep.limits,
        candidates=upkeep.candidates,
        size=upkeep.size + returned,
        able=upkeep.able,
        zones=upkeep.zones,
        wanted=growth.used.union(placed),
        replacing=upkeep.replacing or bool(upkeep.lost),
        beyond=upkeep.beyond,
    )
    return Removing(
        moved=(*moved, *lost),
        ended=tuple(ended),
        shrinkage=NO_SHRINKAGE if held else scale_down(situation, policy, now_ms),
    )


def _turn(evidence: RemovalEvidence, growth: Growth) -> Removal | Ended | None:
    """An instance that is wanted back is taken back, whatever else could be done with it."""
    removal = evidence.removal
    if can_return(evidence) and removal.ec2_instance_id in growth.returns:
        return replace(removal, step=RemovalStep.RETURNING)
    return advance(evidence)


def tell(
    upkeep: Upkeep, group: InstanceGroup, growth: Growth | None, removing: Removing, now_ms: int
) -> tuple[ScalingEvent, ...]:
    """What is done, as events; without `growth` nothing is bought."""
    events = [_grown(group, growth, now_ms)] if growth else []
    size = group.desired + (len(growth.types) if growth else 0)
    for each in removing.recorded:
        if each.step is not RemovalStep.LEAVING:
            shrinks = each.decrement and each.step is RemovalStep.DRAINING
            events.append(_moved(group, each, now_ms, size=size if shrinks else None))
            size -= shrinks
    events += [_removed(group, each, now_ms) for each in removing.ended if each.gone]
    events += [_deregistered(group, arn, now_ms) for arn in upkeep.leftovers]
    return tuple(events)


def _grown(group: InstanceGroup, growth: Growth, now_ms: int) -> ScalingEvent:
    """One sentence for all that is bought."""
    asks = [each for each in growth.asks if each != NOTHING]
    counts = Counter(asks)
    parts = [
        f"{count} for tasks of {each.cpu} CPU units and {each.memory_mib} MiB"
        for each, count in counts.items()
    ]
    if len(asks) < len(growth.asks):
        parts.append(f"{len(growth.asks) - len(asks)} to reach the floor")
    return ScalingEvent(
        kind=ScalingKind.GROW,
        group=group.name,
        at_ms=now_ms,
        code="DEMAND" if asks else "FLOOR",
        message="container instances are bought: " + ", ".join(parts),
        desired_before=group.desired,
        desired_after=group.desired + len(growth.types),
    )


_KINDS = {
    RemovalStep.DRAINING: ScalingKind.DRAIN,
    RemovalStep.DETACHING: ScalingKind.DETACH,
    RemovalStep.TERMINATING: ScalingKind.TERMINATE,
    RemovalStep.RETURNING: ScalingKind.TAKE_BACK,
}

_CAUSES = {
    RemovalCause.IDLE: "it has been idle for long, and nothing that waits would use it",
    RemovalCause.SURPLUS: "the group is larger than the operator's target",
    RemovalCause.STALE: "it is too old",
    RemovalCause.DISCONNECTED: "its agent has been disconnected for too long",
    RemovalCause.NEVER_JOINED: "it has not registered in the cluster",
}


_UNWANTED = (RemovalCause.IDLE, RemovalCause.SURPLUS)
"""Why an instance goes that is not to be replaced."""


def _moved(group: InstanceGroup, removal: Removal, now_ms: int, *, size: int | None) -> ScalingEvent:
    """With `size`, the group is to shrink by one from there."""
    message = _CAUSES[removal.cause]
    if removal.step is RemovalStep.RETURNING:
        message = "it is wanted again"
    elif not removal.decrement:
        message += "; the group has others" if removal.cause in _UNWANTED else "; the group replaces it"
    return ScalingEvent(
        kind=_KINDS[removal.step],
        group=group.name,
        at_ms=now_ms,
        code=removal.cause.value,
        message=message,
        ec2_instance_id=removal.ec2_instance_id,
        container_instance_arn=removal.arn,
        desired_before=size,
        desired_after=None if size is None else size - 1,
    )


def _removed(group: InstanceGroup, ended: Ended, now_ms: int) -> ScalingEvent:
    return ScalingEvent(
        kind=ScalingKind.REMOVED,
        group=group.name,
        at_ms=now_ms,
        code=ended.removal.cause.value,
        message=ended.message,
        ec2_instance_id=ended.removal.ec2_instance_id,
        container_instance_arn=ended.removal.arn,
    )


def _deregistered(group: InstanceGroup, arn: str, now_ms: int) -> ScalingEvent:
    return ScalingEvent(
        kind=ScalingKind.DEREGISTER,
        group=group.name,
        at_ms=now_ms,
        code="LEFTOVER",
        message="ECS lists it, and no EC2 instance stands behind it any more",
        container_instance_arn=arn,
    )


def wished(wish: ScaleWish) -> ScalingEvent:
    """An operator's wish was accepted."""
    sizes = {
        WishKind.FLOOR: f"never fewer than {wish.size} container instances",
        WishKind.TARGET: f"{wish.size} container instances, neither more nor fewer",
        WishKind.CLEAR: "no wish any more: demand alone decides",
    }
    return ScalingEvent(
        kind=ScalingKind.WISHED,
        group=wish.group,
        at_ms=wish.at_ms,
        code=wish.kind.value,
        message=f"the operator wishes: {sizes[wish.kind]}",
    )


def held_key(event: ScalingEvent) -> str:
    """What tells one held action from another, so that each is told once."""
    return f"{event.kind} {event.ec2_instance_id or event.container_instance_arn} {event.desired_after or ''}"


def held(events: Sequence[ScalingEvent], reason: str, told: frozenset[str]) -> tuple[ScalingEvent, ...]:
    """The same actions as what would be done, without those told already."""
    return tuple(replace(each, held=reason) for each in events if held_key(each) not in told)
