"""Remembering: what facts and the scaling log mean to the World, beside definitions, which tasks wait for."""

from scheduler.core.model.facts import (
    DISCONNECTED_PREFIX,
    INSTANCE_TYPE_PREFIX,
    LAUNCH_FAILURE,
    MEMBER_PREFIX,
    REVISION_PREFIX,
    pair_fact,
    read_resources,
)
from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.reservation import RESERVATION_OUTCOMES, RESERVATION_PREFIX
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.parts import Parts

_FOR_ABSENCE = {
    (ScalingKind.TERMINATE, RemovalCause.NEVER_JOINED.value),
    (ScalingKind.DRAIN, RemovalCause.NOT_IN_GROUP.value),
}
"""How removals begin of instances that a list left out, which may be wrong."""


def remember(parts: Parts, key: str, value: str) -> None:
    """Takes in a fact."""
    if key.startswith(REVISION_PREFIX):
        parts.revisions.remember(key.removeprefix(REVISION_PREFIX), value)
    elif key.startswith(INSTANCE_TYPE_PREFIX):
        parts.growth.learn(key.removeprefix(INSTANCE_TYPE_PREFIX), read_resources(value))
    elif key.startswith(DISCONNECTED_PREFIX) and value:
        parts.fleet.disconnections.remember(key.removeprefix(DISCONNECTED_PREFIX), int(value))
    elif key.startswith(MEMBER_PREFIX) and value:
        parts.membership.remember(key.removeprefix(MEMBER_PREFIX), value)
    elif key == pair_fact(parts.cluster, parts.agenda.group).key:
        parts.pair.proven = True
    elif key.startswith(RESERVATION_PREFIX):
        tasks = (each.task for each in parts.attempts.tracks.values())
        parts.reservations.remember(key, value, parts.revision, tasks)
    elif key == RESERVATION_OUTCOMES:
        parts.reservations.remember_outcomes(value)
    elif key == LAUNCH_FAILURE:
        parts.launch_failure_ms = int(value)


def note_absence(parts: Parts, event: ScalingEvent, at_ms: int) -> None:
    """What was done because something was absent counts for a while, in whichever life of ours it was done.

    A leftover whose agent is there under another ARN is no absence; at a start that is not known yet.
    """
    arn, fleet = event.container_instance_arn, parts.fleet
    replaced = arn in fleet.instances and fleet.is_replaced(arn)
    leftover = event.kind is ScalingKind.DEREGISTER and not replaced
    if not event.held and (leftover or (event.kind, event.code) in _FOR_ABSENCE):
        never_joined = event.code == RemovalCause.NEVER_JOINED
        parts.replacements.note(at_ms, never_joined=never_joined)
