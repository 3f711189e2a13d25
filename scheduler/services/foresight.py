"""Foresight: what would be done about capacity, asked of the very code that would do it."""

from dataclasses import replace

from scheduler.core.autoscaling.limits import limits_of
from scheduler.core.decide import decide
from scheduler.core.model.calls import Lane
from scheduler.core.model.plan import Plan
from scheduler.core.model.scaling import ScalePlan, ScaleWish
from scheduler.core.world.world import World

_SLOTS = dict.fromkeys(Lane, 1_000)
"""Lanes hold nothing back that is only thought."""


def plan_for(world: World, wish: ScaleWish | None, now_ms: int) -> ScalePlan | None:
    """The next decision about capacity if `wish` (None: the present one) were the operator's.

    None before AWS was read completely.
    """
    view = world.view(now_ms, _SLOTS, explain=False)
    group = view.capacity.group
    if group is None or not view.ready:
        return None
    limits = limits_of(group, wish or world.wish, now_ms)
    upkeep = replace(view.upkeep, limits=limits, told=frozenset(), told_steps={}, explain=True)
    # What is under way or rests after a failure is told as if it were to be done now.
    capacity = replace(view.capacity, growing=False, resting=False, asked=0)
    plan = decide(replace(view, upkeep=upkeep, capacity=capacity), world.policy)
    return ScalePlan(
        group=group.name,
        desired=group.desired,
        desired_after=_desired_after(plan, group.desired),
        floor=limits.floor,
        ceiling=limits.ceiling,
        in_flight=view.capacity.in_flight,
        held=plan.hold.reason if plan.hold else "",
        actions=plan.scaling,
        kept=plan.kept,
    )


def _desired_after(plan: Plan, desired: int) -> int:
    """Once what begins now is done; removals that are under way already are not counted anew."""
    for event in plan.scaling:
        if event.desired_after is not None:
            desired = event.desired_after
    return desired
