"""Failing calls: the conditions that stand while AWS refuses, each for its subject.

Calls of one kind come and go for different subjects, and that EC2 ends one instance says nothing of another
that it refuses to end. So a failure stands until the same call for the same subject goes well, or the subject
is gone: forgotten, or past the step that the call was for.
"""

from collections.abc import Callable

from scheduler.core.model.answers import UNKNOWN_TO_ECS, Accepted, Failure, Outcome
from scheduler.core.model.calls import (
    ActivateInstances,
    Call,
    DeregisterInstance,
    DeregisterTaskDefinition,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeRevision,
    DescribeTasks,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    ListRevisions,
    SetDesiredCapacity,
    SuspendAZRebalance,
    TakeCensus,
    TerminateInstances,
)
from scheduler.core.model.removal import RemovalStep
from scheduler.core.world.parts import Parts

TROUBLE_OF: dict[type, str] = {
    DescribeContainerInstances: "CONTAINER_INSTANCES_UNREADABLE",
    DescribeGroup: "GROUP_UNREADABLE",
    DescribeInstanceTypes: "INSTANCE_TYPES_UNREADABLE",
    DescribeTasks: "TASKS_UNREADABLE",
    SetDesiredCapacity: "GROUP_NOT_GROWN",
    SuspendAZRebalance: "AZ_REBALANCE_NOT_SUSPENDED",
    TakeCensus: "TASKS_UNLISTED",
    DescribeHazards: "HAZARDS_UNREADABLE",
    DescribeFailedLaunches: "LAUNCHES_UNREADABLE",
    DrainInstances: "INSTANCES_NOT_DRAINED",
    ActivateInstances: "INSTANCES_NOT_ACTIVATED",
    DetachInstances: "INSTANCES_NOT_DETACHED",
    TerminateInstances: "INSTANCES_NOT_TERMINATED",
    DeregisterInstance: "INSTANCES_NOT_DEREGISTERED",
    InspectInstance: "INSTANCES_NOT_INSPECTED",
    ListRevisions: "REVISIONS_UNLISTED",
    DescribeRevision: "REVISIONS_UNREADABLE",
    DeregisterTaskDefinition: "REVISIONS_NOT_DEREGISTERED",
}
"""The trouble that stands while a kind of call fails."""

_STEP_OF: dict[type, RemovalStep] = {
    DrainInstances: RemovalStep.DRAINING,
    InspectInstance: RemovalStep.DRAINING,
    ActivateInstances: RemovalStep.RETURNING,
    DetachInstances: RemovalStep.DETACHING,
    TerminateInstances: RemovalStep.TERMINATING,
}
"""What only removals call, and in which step: past it, nothing can succeed that would end the trouble."""

_EVERYTHING = ("",)
"""The subject of a call that is for the whole cluster or group."""


def note_failures(parts: Parts, outcome: Outcome) -> None:
    """What the outcome says of each subject of its call."""
    kind = type(outcome.call)
    if kind not in TROUBLE_OF:
        return
    refused, asked = _refused(outcome), _subjects(outcome.call)
    before = parts.failing.get(kind, {})
    kept = {each: words for each, words in before.items() if each in refused or each not in asked}
    _stand(parts, kind, kept | refused)


def overcome(parts: Parts, kind: type) -> None:
    """What this kind of call was to achieve has come about, whoever did it."""
    _stand(parts, kind, {})


def forget_gone(parts: Parts, now_ms: int) -> None:
    """Nothing will be called again for what is gone, and nothing fails for it."""
    for kind in list(parts.failing):
        is_there = _presence(parts, kind, now_ms)
        standing = {subject: words for subject, words in parts.failing[kind].items() if is_there(subject)}
        _stand(parts, kind, standing)


def _stand(parts: Parts, kind: type, standing: dict[str, str]) -> None:
    if standing:
        parts.failing[kind] = standing
        parts.troubles[TROUBLE_OF[kind]] = _message(standing)
    else:
        parts.failing.pop(kind, None)
        parts.troubles.pop(TROUBLE_OF[kind], None)


def _message(standing: dict[str, str]) -> str:
    """AWS's words on the one that has failed for longest, and how many there are."""
    subject, words = next(iter(standing.items()))
    others = f" and {len(standing) - 1} others" if len(standing) > 1 else ""
    return f"{words} ({subject}{others})" if subject else words


def _refused(outcome: Outcome) -> dict[str, str]:
    match outcome.answer:
        case Failure(code=code, message=message):
            return dict.fromkeys(_subjects(outcome.call), f"{code}: {message}")
        case Accepted(refused=refused):
            return {subject: reason for subject, reason in refused if reason not in UNKNOWN_TO_ECS}
        case _:
            return {}


def _subjects(call: Call) -> tuple[str, ...]:
    match call:
        case DescribeTasks(task_arns=arns) | DrainInstances(arns=arns) | ActivateInstances(arns=arns):
            return arns
        case DetachInstances(ec2_instance_ids=ids) | TerminateInstances(ec2_instance_ids=ids):
            return ids
        case DeregisterInstance(arn=arn) | InspectInstance(arn=arn):
            return (arn,)
        case _:
            return _EVERYTHING


def _presence(parts: Parts, kind: type, now_ms: int) -> Callable[[str], bool]:
    """Whether a subject is still there to be called for."""
    if kind is DescribeTasks:
        return parts.agenda.is_watched
    if kind is DeregisterInstance:
        return parts.fleet.instances.__contains__
    if kind in _STEP_OF:
        return _removed(parts, _STEP_OF[kind], now_ms)
    return _EVERYTHING.__contains__


def _removed(parts: Parts, step: RemovalStep, now_ms: int) -> Callable[[str], bool]:
    """Whether a removal is in this step, or was given up because AWS refused it and is to be tried again."""
    there = [each for each in parts.removals if each.step is step]
    names = {name for each in there for name in (each.arn, each.ec2_instance_id)}
    ec2_ids = {name: ec2_id for arn, ec2_id in parts.fleet.ec2_ids.items() for name in (arn, ec2_id)}

    def is_there(name: str) -> bool:
        ec2_id = ec2_ids.get(name, "")
        given_up = parts.removals.of(ec2_id) is None and parts.removals.was_denied(ec2_id, now_ms)
        return name in names or given_up

    return is_there
