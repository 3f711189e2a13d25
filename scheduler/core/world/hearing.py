"""Hearing: what each kind of outcome teaches the World.

One rule a kind of call. A failed reading teaches nothing but that it is to be read again; a failed act
teaches whether it may have had its effect.
"""

from dataclasses import replace

from scheduler.core.model.answers import (
    ENDED_STATUSES,
    EcsTask,
    Failure,
    GroupSeen,
    InstancesSeen,
    Outcome,
    Started,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.attempt import StopCategory, StopReason
from scheduler.core.model.calls import (
    ActivateInstances,
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
    FindAttempt,
    InspectInstance,
    ListRevisions,
    RegisterTaskDefinition,
    SaveConsole,
    SetDesiredCapacity,
    StartTask,
    StopTask,
    SuspendAZRebalance,
    TakeCensus,
    TerminateInstances,
)
from scheduler.core.model.records import IntentRecorded, IntentState
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from scheduler.core.world import hearing_capacity as capacity
from scheduler.core.world import hearing_definitions as definitions
from scheduler.core.world.failing_calls import forget_gone, note_failures, overcome
from scheduler.core.world.hearing_starts import judge_starts
from scheduler.core.world.parts import Parts
from scheduler.core.world.timeouts import queued_until_ms

AZ_REBALANCE = "AZRebalance"
"""The Auto Scaling process that moves instances between zones."""


STRAY = "its start was given up as lost"
"""The stoppedReason of a task that shows up under an attempt that was given up."""

_TOO_LATE = StopReason(
    category=StopCategory.CAPACITY, code="THROTTLED", message="AWS throttled its start for too long"
)
_DISAPPOINTING = "SHAPE_NOT_HELD"
"""The trouble that stands while nothing is bought for a shape, because what was bought did not hold it."""


def hear(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    """Folds one outcome into the World."""
    note_failures(parts, outcome)
    _learn(parts, outcome, now_ms)
    forget_gone(parts, now_ms)


def _learn(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    match outcome.call:
        case StartTask() as call:
            _start(parts, call, outcome, now_ms)
        case FindAttempt() as call:
            _search(parts, call, outcome, now_ms)
        case DescribeTasks():
            _tasks(parts, outcome)
        case DescribeContainerInstances():
            _instances(parts, outcome, now_ms)
        case DescribeGroup():
            _group(parts, outcome, now_ms)
        case DescribeInstanceTypes():
            if isinstance(outcome.answer, TypesSeen):
                parts.growth.declare(outcome.answer.types)
        case SetDesiredCapacity() as call:
            _desired(parts, call, outcome, now_ms)
        case RegisterTaskDefinition() as call:
            definitions.registration(parts, call, outcome, now_ms)
        case DeregisterTaskDefinition() as call:
            definitions.deregistration(parts, call, outcome, now_ms)
        case (ListRevisions() | DescribeRevision()) as call:
            definitions.scan(parts, call, outcome, now_ms)
        case SuspendAZRebalance():
            _group(parts, outcome, now_ms)
        case TakeCensus():
            capacity.census(parts, outcome)
        case DescribeHazards():
            capacity.hazards(parts, outcome)
        case DescribeFailedLaunches():
            capacity.failed_launches(parts, outcome, now_ms)
        case DeregisterInstance() as call:
            capacity.deregistration(parts, call, outcome, now_ms)
        case DrainInstances() | ActivateInstances() | DetachInstances() | TerminateInstances():
            capacity.removal(parts, outcome, now_ms)
        case InspectInstance():
            parts.removals.heard(capacity.without_daemons(parts, outcome), now_ms)
        case SaveConsole() as call:
            capacity.console(parts, call, outcome, now_ms)


def _start(parts: Parts, call: StartTask, outcome: Outcome, now_ms: int) -> None:
    match outcome.answer:
        case Started(task=task):
            parts.attempts.see(task, outcome.sent_ms, call.attempt_id)
        case Failure(throttled=True) as failure:
            _throttled_start(parts, call, failure, now_ms)
        case Failure() as failure:
            parts.attempts.fail(call.attempt_id, failure, now_ms)
            definitions.withdraw(parts, call, failure)
            if _is_for_want_of_room(failure):
                parts.agenda.hurry(now_ms)


def _throttled_start(parts: Parts, call: StartTask, failure: Failure, now_ms: int) -> None:
    """The account's condition, not the instance's: the intent waits for a token, if it is still wanted.

    What is assigned has no deadline: one that is throttled for longer than it may wait is put back to expire.
    """
    track = parts.attempts.track_of(call.attempt_id)
    if track is not None and track.state is TaskState.STOPPING:
        parts.attempts.fail(call.attempt_id, failure, now_ms)
    elif track is not None and now_ms >= queued_until_ms(parts, track):
        parts.attempts.fail(call.attempt_id, replace(failure, throttled=False, reason=_TOO_LATE), now_ms)
    else:
        parts.agenda.repeat(call, now_ms + parts.policy.capacity_pauses_ms[0])


def _is_for_want_of_room(failure: Failure) -> bool:
    reason = failure.reason
    return reason is not None and reason.category is StopCategory.CAPACITY


def _search(parts: Parts, call: FindAttempt, outcome: Outcome, now_ms: int) -> None:
    if not isinstance(outcome.answer, TasksSeen):
        return
    if not outcome.answer.tasks:
        parts.attempts.miss(call.attempt_id, outcome.sent_ms)
        parts.agenda.unstop(parts.agenda.searches.missed(call.attempt_id))
    elif parts.agenda.searches.is_stray(call.attempt_id):
        _stray(parts, call.attempt_id, outcome.answer.tasks[0], now_ms)
    else:
        parts.attempts.see(outcome.answer.tasks[0], outcome.sent_ms, call.attempt_id)


def _stray(parts: Parts, attempt_id: str, task: EcsTask, now_ms: int) -> None:
    """The task of an attempt that this store abandoned: nothing else is ever stopped for being unknown."""
    parts.agenda.unstop(task.arn)
    if task.last_status in ENDED_STATUSES:
        parts.agenda.searches.end(attempt_id)
    else:
        parts.agenda.stop(StopTask(ecs_task_arn=task.arn, reason=STRAY), now_ms)
        parts.agenda.searches.found_alive(attempt_id, task.arn, now_ms)


def _tasks(parts: Parts, outcome: Outcome) -> None:
    if isinstance(outcome.answer, TasksSeen):
        for task in outcome.answer.tasks:
            parts.attempts.see(task, outcome.sent_ms)
        for arn in outcome.answer.missing:
            parts.attempts.miss_task(arn, outcome.sent_ms)


def _instances(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    if not isinstance(outcome.answer, InstancesSeen):
        return
    seen = outcome.answer.instances
    parts.settled += parts.fleet.see_instances(seen, outcome.sent_ms)
    parts.instances_read_ms = outcome.sent_ms
    capacity.compare(parts, now_ms, instances_anew=True)
    parts.starts.forget(parts.fleet.group.members if parts.fleet.group else (), now_ms)
    judge_starts(parts)
    _judge_arrivals(parts, now_ms)
    # A refusal is believed until the instance has been read again, a failed start for a while longer.
    parts.suspects = {pair: until for pair, until in parts.suspects.items() if until > outcome.sent_ms}


def _group(parts: Parts, outcome: Outcome, now_ms: int) -> None:
    if isinstance(outcome.answer, GroupSeen):
        group = outcome.answer.group
        parts.fleet.see_group(group)
        capacity.compare(parts, now_ms, instances_anew=False)
        _judge_arrivals(parts, now_ms)
        if parts.growth.has_grown(group.desired):
            overcome(parts, SetDesiredCapacity)
        parts.group_read_ms = outcome.sent_ms
        suspended = AZ_REBALANCE in group.suspended_processes
        if suspended:
            overcome(parts, SuspendAZRebalance)
        parts.agenda.want_az_rebalance_suspended(now_ms, suspended=suspended)


def _judge_arrivals(parts: Parts, now_ms: int) -> None:
    """What was bought is held against what it was bought for, in the first readings that show it."""
    fleet, growth = parts.fleet, parts.growth
    supply = fleet.supply(now_ms)
    arrivals = fleet.take_arrivals()
    for instance in arrivals:
        offered = fleet.offered(instance.arn) or NOTHING
        growth.arrive(instance, offered, in_flight=supply.in_flight, now_ms=now_ms)
        parts.arrivals.note_boot(instance, now_ms)
    capacity.launches_recovered(parts, in_flight=supply.in_flight)
    capacity.late_launches(parts, supply.in_flight, now_ms, arrived=bool(arrivals))
    growth.look_ahead(supply, now_ms)
    growth.settle(fleet.offered, now_ms)
    shapes = sorted(growth.disappointing(now_ms))
    parts.troubles.pop(_DISAPPOINTING, None)
    if shapes:
        parts.troubles[_DISAPPOINTING] = _disappointment(shapes)


def _disappointment(shapes: list[Resources]) -> str:
    first = shapes[0]
    others = f" and {len(shapes) - 1} other shapes" if len(shapes) > 1 else ""
    return (
        f"an instance bought for {first.cpu} CPU units, {first.memory_mib} MiB and {first.gpus} GPUs{others} "
        "did not hold it: the group chose a smaller type, or daemon tasks took the room; none is bought for "
        "it for a while; give the group larger types"
    )


def _desired(parts: Parts, call: SetDesiredCapacity, outcome: Outcome, now_ms: int) -> None:
    """The caller answers with the group as it is after the act, whether it was needed or not."""
    state = IntentState.DONE
    if isinstance(outcome.answer, GroupSeen):
        before = parts.fleet.group
        parts.fleet.see_group(outcome.answer.group)
        if before is not None and outcome.answer.group.desired > before.desired:
            parts.growth.ask(call)
        parts.growth.succeed()
    elif isinstance(outcome.answer, Failure):
        state = IntentState.FAILED_DEFINITE if outcome.answer.definite else IntentState.ABANDONED
        parts.growth.fail(call, now_ms)
        parts.agenda.hurry(now_ms)
    parts.settled.append(IntentRecorded(kind="set_desired", key=call.group, state=state))
