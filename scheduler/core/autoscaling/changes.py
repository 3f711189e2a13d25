"""What one decision changes about capacity: purchases and removals, and the sentences that tell of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduler.core.autoscaling.scale_down import NO_SHRINKAGE, Shrinkage, Situation, scale_down
from scheduler.core.autoscaling.scale_up import Growth
from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.lifecycle.removal import Ended, Moved, RemovalEvidence, advance, can_return, take_back
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, ScalingKind, WishKind
from scheduler.core.placement.packer import PackingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Removing:
    """Removals that move on, those that begin, those that end, and idle instances that stay."""

    moved: tuple[Moved, ...] = ()
    lost: tuple[Removal, ...] = ()
    ended: tuple[Ended, ...] = ()
    shrinkage: Shrinkage = NO_SHRINKAGE

    @property
    def recorded(self) -> tuple[Removal, ...]:
        """Every removal whose present step is to be made durable."""
        return (*(each.removal for each in self.moved), *self.begun)

    @property
    def begun(self) -> tuple[Removal, ...]:
        """Those of them that begin."""
        return (*self.lost, *self.shrinkage.removals)


def remove(
    upkeep: Upkeep,
    group: InstanceGroup,
    growth: Growth,
    *,
    packing: PackingResult,
    policy: Policy,
    now_ms: int,
) -> Removing:
    """What becomes of instances that go or could go; those that this decision uses stay."""
    turns = [turn for each in upkeep.removals if (turn := _turn(each, growth)) is not None]
    moved = [each for each in turns if isinstance(each, Moved)]
    ended = [each for each in turns if isinstance(each, Ended)]
    held = any(each.held for each in upkeep.removals)
    lost = [each for each in upkeep.lost if each.step is RemovalStep.TERMINATING or not held]
    room = max(0, policy.max_removals - len(upkeep.removals) - len(lost))
    returned = sum(each.removal.step is RemovalStep.RETURNING and each.removal.decrement for each in moved)
    shrinkage = NO_SHRINKAGE
    if upkeep.candidates and not held:
        situation = _situation(upkeep, group, growth, packing, size=upkeep.size + returned)
        shrinkage = _shrink(situation, policy, now_ms, room=room)
    return Removing(
        moved=tuple(moved),
        lost=tuple(lost),
        ended=tuple(ended),
        shrinkage=shrinkage,
    )


def _situation(
    upkeep: Upkeep, group: InstanceGroup, growth: Growth, packing: PackingResult, *, size: int
) -> Situation:
    """What shrinking starts from, once it is known that somebody could go."""
    return Situation(
        group=group,
        limits=upkeep.limits,
        candidates=upkeep.candidates,
        size=size,
        able=upkeep.able,
        zones=upkeep.zones,
        wanted=growth.used.union(packing.holding, (arn for _, arn in packing.placed)),
        rooms=packing.index,
        reserved=packing.unheld,
        replacing=upkeep.replacing or any(each.replaced for each in upkeep.lost),
        beyond=upkeep.beyond,
        resting=upkeep.resting,
        explain=upkeep.explain,
    )


def _shrink(situation: Situation, policy: Policy, now_ms: int, *, room: int) -> Shrinkage:
    """No more than `room` at a time; the others a while later."""
    if not room and not situation.explain:
        return NO_SHRINKAGE
    shrinkage = scale_down(situation, policy, now_ms)
    if len(shrinkage.removals) <= room:
        return shrinkage
    return replace(shrinkage, removals=shrinkage.removals[:room])


def _turn(evidence: RemovalEvidence, growth: Growth) -> Moved | Ended | None:
    """An instance that is wanted back is taken back, whatever else could be done with it."""
    removal = evidence.removal
    if can_return(evidence) and removal.ec2_instance_id in growth.returns:
        return take_back(evidence, "it is wanted again")
    return advance(evidence)


def tell(
    upkeep: Upkeep, group: InstanceGroup, growth: Growth | None, removing: Removing, now_ms: int
) -> tuple[ScalingEvent, ...]:
    """What is done, as events; without `growth` nothing is bought. A step that is begun again is old news."""
    events = [_grown(group, growth, now_ms)] if growth else []
    size = upkeep.size + (len(growth.types) if growth else 0)
    for moved in removing.moved:
        if moved.removal.step in _KINDS and _is_news(upkeep, moved.removal):
            events.append(_begun(group, moved.removal, now_ms, message=moved.message))
    for each in removing.begun:
        if _is_news(upkeep, each):
            finding = upkeep.findings.get(each.ec2_instance_id, "")
            message = f"{_why(each)}; {finding}" if finding else ""
            events.append(_begun(group, each, now_ms, message=message, size=size if each.decrement else None))
        size -= each.decrement
    events += [_removed(group, each, now_ms) for each in removing.ended if each.gone]
    events += [_deregistered(group, arn, now_ms) for arn in upkeep.leftovers]
    return tuple(events)


def _is_news(upkeep: Upkeep, removal: Removal) -> bool:
    return removal.step not in upkeep.told_steps.get(removal.ec2_instance_id, ())


def _grown(group: InstanceGroup, growth: Growth, now_ms: int) -> ScalingEvent:
    """One sentence for all that is bought."""
    asks = [each for each in growth.asks if each != NOTHING]
    headroom = len(asks) - growth.for_headroom
    waiting = asks[: headroom - growth.for_reservations]
    reserved = asks[len(waiting) : headroom]
    parts = [*_parts("tasks", waiting), *_parts("reservations", reserved)]
    parts += _parts("headroom", asks[headroom:])
    if len(asks) < len(growth.asks):
        parts.append(f"{len(growth.asks) - len(asks)} to reach the floor")
    return ScalingEvent(
        kind=ScalingKind.GROW,
        group=group.name,
        at_ms=now_ms,
        code="DEMAND" if waiting else "RESERVATION" if reserved else "HEADROOM" if asks else "FLOOR",
        message="container instances are bought: " + ", ".join(parts),
        desired_before=group.desired,
        desired_after=group.desired + len(growth.types),
    )


def _parts(whose: str, asks: Sequence[Resources]) -> list[str]:
    return [
        f"{count} for {whose} of {each.cpu} CPU units and {each.memory_mib} MiB{_alone(each)}"
        for each, count in Counter(asks).items()
    ]


def _alone(ask: Resources) -> str:
    return ", each on one of its own" if ask.exclusive else ""


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
    RemovalCause.NOT_IN_GROUP: "it is outside the group, and nothing runs on it",
    RemovalCause.BLACK_HOLE: "what starts on it fails",
}


_UNWANTED = (RemovalCause.IDLE, RemovalCause.SURPLUS)
"""Why an instance goes that is not to be replaced."""


def _begun(
    group: InstanceGroup, removal: Removal, now_ms: int, *, message: str = "", size: int | None = None
) -> ScalingEvent:
    """A step began, for its cause unless `message` tells why. With `size`, the group shrinks by one."""
    return ScalingEvent(
        kind=_KINDS[removal.step],
        group=group.name,
        at_ms=now_ms,
        code=removal.cause.value,
        message=message or _why(removal),
        ec2_instance_id=removal.ec2_instance_id,
        container_instance_arn=removal.arn,
        desired_before=size,
        desired_after=None if size is None else size - 1,
    )


def _why(removal: Removal) -> str:
    message = _CAUSES[removal.cause]
    if not removal.replaced:
        return message
    return message + ("; the group has others" if removal.cause in _UNWANTED else "; the group replaces it")


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
