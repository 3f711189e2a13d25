"""Findings: what is known of a sick instance before it is ended, for whoever asks afterwards why it was."""

from scheduler.core.model.removal import Removal, RemovalCause
from scheduler.core.world.parts import Parts

_MINUTE_MS = 60_000


def finding(parts: Parts, removal: Removal, now_ms: int) -> str:
    """What was seen of it, as a part of a sentence; empty where its cause says all."""
    match removal.cause:
        case RemovalCause.DISCONNECTED:
            return f"{_agent(parts, removal, now_ms)}, {_work(parts, removal)}"
        case RemovalCause.NEVER_JOINED:
            return _launch(parts, removal, now_ms)
        case RemovalCause.BLACK_HOLE:
            why = parts.quarantine.held.get(removal.ec2_instance_id, "")
            return f"{why}, {_work(parts, removal)}" if why else _work(parts, removal)
        case _:
            return ""


def _agent(parts: Parts, removal: Removal, now_ms: int) -> str:
    instance = parts.fleet.instances.get(removal.arn)
    since_ms = parts.fleet.disconnections.since_ms(removal.ec2_instance_id)
    words = "its agent was away for most of the last hour"
    if since_ms is not None:
        words = f"its agent has been away for {(now_ms - since_ms) // _MINUTE_MS} minutes"
    state = instance.ec2_state if instance else ""
    return f"{words}, EC2 shows it {state}" if state else words


def _work(parts: Parts, removal: Removal) -> str:
    ours = parts.ledger.load_of(removal.ec2_instance_id).attempts
    others = removal.arn in parts.fleet.instances and parts.fleet.has_others(removal.arn)
    return f"{ours} of our tasks are on it" + (" and some of others" if others else "")


def _launch(parts: Parts, removal: Removal, now_ms: int) -> str:
    group = parts.fleet.group
    member = group.members.get(removal.ec2_instance_id) if group else None
    if member is None or member.launched_ms is None:
        return ""
    minutes = (now_ms - member.launched_ms) // _MINUTE_MS
    return f"it was launched {minutes} minutes ago and is {member.lifecycle_state} in the group"
