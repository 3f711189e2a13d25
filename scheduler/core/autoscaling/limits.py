"""Limits: between which sizes the group is kept, from its own and an operator's wish.

One rule for manual and automatic decisions: a wish narrows the limits, and whatever is decided stays within.
"""

from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.scaling import Limits, ScaleWish, WishKind


def limits_of(group: InstanceGroup, wish: ScaleWish | None, now_ms: int) -> Limits:
    """A floor raises the least, a target sets both; either is clamped to what the group may be by now."""
    least, most = group.min_size, group.max_size
    wish = standing(wish, now_ms)
    if wish is None:
        return Limits(floor=least, ceiling=most)
    size = min(max(wish.size, least), most)
    return Limits(floor=size, ceiling=size if wish.kind is WishKind.TARGET else most)


def standing(wish: ScaleWish | None, now_ms: int) -> ScaleWish | None:
    """The wish while it counts: not once its time is over, nor one for nothing any more."""
    if wish is None or wish.kind is WishKind.CLEAR:
        return None
    return None if wish.expires_ms is not None and now_ms >= wish.expires_ms else wish
