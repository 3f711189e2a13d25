"""Notices: which scaling events are told to the world outside, and under which title."""

from dataclasses import dataclass

from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.ports.telemetry import Notice, Title


@dataclass(frozen=True, slots=True)
class Rule:
    """Events of this kind, and of this code unless it is empty, have this title; None: they are not told."""

    kind: ScalingKind
    code: str
    title: Title | None


RULES: tuple[Rule, ...] = (
    Rule(ScalingKind.GROW, "", Title.GROUP_GROWN),
    # A removal is told of at its one step without return.
    Rule(ScalingKind.TERMINATE, RemovalCause.DISCONNECTED, Title.DISCONNECTED_REPLACED),
    Rule(ScalingKind.TERMINATE, RemovalCause.NEVER_JOINED, Title.NEVER_JOINED_REPLACED),
    Rule(ScalingKind.TERMINATE, "", Title.INSTANCE_REMOVED),
    Rule(ScalingKind.LAUNCH_FAILED, "", Title.LAUNCH_FAILED),
    Rule(ScalingKind.CONDITION_BEGAN, "GROUP_AT_MAX_SIZE", Title.GROUP_AT_MAX_SIZE),
    Rule(ScalingKind.CONDITION_BEGAN, "INSTANCES_QUARANTINED", Title.BLACK_HOLE),
    Rule(ScalingKind.CONDITION_BEGAN, "", Title.CONDITION_BEGAN),
    Rule(ScalingKind.CONDITION_ENDED, "", Title.CONDITION_ENDED),
    Rule(ScalingKind.DRAIN, "", None),
    Rule(ScalingKind.TAKE_BACK, "", None),
    Rule(ScalingKind.DETACH, "", None),
    Rule(ScalingKind.DEREGISTER, "", None),
    Rule(ScalingKind.REMOVED, "", None),
    Rule(ScalingKind.EVIDENCE, "", None),
    Rule(ScalingKind.WISHED, "", None),
)
"""The first that fits wins."""


def notice_of(event: ScalingEvent) -> Notice | None:
    """The event as it is told. What was only found right, and not done, is no news to anybody outside."""
    if event.held:
        return None
    fits = (each for each in RULES if each.kind is event.kind and each.code in ("", event.code))
    rule = next(fits, None)
    if rule is None or rule.title is None:
        return None
    return Notice(rule.title, _sentence(event))


def _sentence(event: ScalingEvent) -> str:
    subject = event.ec2_instance_id or event.code
    sizes = ""
    if event.desired_after is not None:
        sizes = f" (desired capacity {event.desired_before} to {event.desired_after})"
    return f"{event.group}: {subject}: {event.message}{sizes}"
