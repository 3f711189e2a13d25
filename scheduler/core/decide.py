"""decide(view, policy) -> Plan: the whole thinking of the service, from outside.

Reconcile attempts with what was heard of them, pack the queue onto free room, grow the group for what is
left, learn, and send the reads whose time has come. Same view, same plan.
"""

from collections.abc import Iterable
from itertools import islice

from scheduler.core.autoscaling.scale_up import Growth, scale_up
from scheduler.core.lifecycle.reconcile import Change, reconcile
from scheduler.core.lifecycle.wishes import grant
from scheduler.core.model.attempt import Attempt, StopCategory, StopReason
from scheduler.core.model.calls import (
    LANE_OF,
    Call,
    Lane,
    RegisterTaskDefinition,
    SetDesiredCapacity,
)
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.facts import instance_type_fact
from scheduler.core.model.group import InstanceType
from scheduler.core.model.plan import Placement, Plan, Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded, IntentRecorded, IntentState
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask, TaskState
from scheduler.core.placement.packer import PackingResult, RejectCounter, pack
from scheduler.core.view import ClusterView


def decide(view: ClusterView, policy: Policy) -> Plan:
    """The plan for this view. Pure: no clock, no randomness, nothing outside is touched."""
    changes = _reconciled(view, policy)
    packing = _pack(view, policy)
    learned = _learned(view)
    growth = _grow(view, packing, learned)
    calls, intents = _acts(view, growth)
    return Plan(
        placements=tuple(_placement(view, task, arn) for task, arn in packing.placed),
        transitions=_one_each(
            (
                *(each for each in changes if isinstance(each, Transition)),
                *_hopeless(view, packing, growth, policy),
            )
        ),
        attempts=tuple(each for each in changes if isinstance(each, Attempt)),
        settled=(*view.settled, *intents, *learned),
        calls=_within_slots(view, calls, starts=len(packing.placed)),
        unplaced=_unplaced(view, packing, growth) if view.explain else (),
    )


def _reconciled(view: ClusterView, policy: Policy) -> list[Change]:
    """What was heard of attempts, then wishes: a task changes once in a decision, by what AWS said first."""
    heard = [change for each in view.evidence if (change := reconcile(each, view.now_ms, policy))]
    changed = {each.task_id for each in heard}
    return heard + [grant(each) for each in view.wishes if each.task.task_id not in changed]


def _one_each(transitions: Iterable[Transition]) -> tuple[Transition, ...]:
    """The first transition of each task."""
    first: dict[str, Transition] = {}
    for each in transitions:
        first.setdefault(each.task_id, each)
    return tuple(first.values())


def _pack(view: ClusterView, policy: Policy) -> PackingResult:
    """Starts get the slots that stops and repeats leave over; what is about to end is not placed."""
    acts = sum(LANE_OF[type(each)] is Lane.TASK_MODIFY for each in view.due)
    slots = min(view.slots[Lane.TASK_MODIFY] - acts, policy.max_placements_per_decision)
    limit = max(0, min(slots, policy.max_unknown_attempts - view.lost_attempts)) if view.ready else 0
    unwanted = frozenset(each.task.task_id for each in view.wishes)
    return pack(view.backlog, view.rooms, limit=limit, suspects=view.suspects, unwanted=unwanted)


def _grow(view: ClusterView, packing: PackingResult, learned: tuple[FactRecorded, ...]) -> Growth:
    """No growth on half a picture, while the last ask is under way, or on sizes about to be corrected."""
    if view.capacity.growing or learned or not view.ready:
        return Growth()
    return scale_up(view.capacity, packing)


def _placement(view: ClusterView, task: QueuedTask, arn: str) -> Placement:
    return Placement(
        task=task,
        container_instance_arn=arn,
        ec2_instance_id=view.ec2_ids[arn],
        task_definition_arn=view.definitions[task.definition_key],
    )


def _acts(view: ClusterView, growth: Growth) -> tuple[list[Call], tuple[IntentRecorded, ...]]:
    """Acts other than StartTask, each with the intent that must be durable before it is sent."""
    wanted = view.wanted_definitions[: max(0, view.slots[Lane.DEFINITIONS])]
    acts: list[Call] = [
        RegisterTaskDefinition(definition_key=each.definition_key, task_id=each.task_id) for each in wanted
    ]
    intents = [_open("register", each.definition_key) for each in wanted]
    group = view.capacity.group
    may_ask = view.slots[Lane.GROUP] > 0 and not view.capacity.resting
    if growth.types and group is not None and may_ask:
        desired = group.desired + len(growth.types)
        acts.append(
            SetDesiredCapacity(group=group.name, desired=desired, types=growth.types, asks=growth.asks)
        )
        intents.append(_open("set_desired", group.name, str(desired)))
    return acts, tuple(intents)


def _open(kind: str, key: str, payload: str = "") -> IntentRecorded:
    return IntentRecorded(kind=kind, key=key, state=IntentState.OPEN, payload=payload)


def _within_slots(view: ClusterView, acts: list[Call], *, starts: int) -> tuple[Call, ...]:
    """The acts, then the due calls that their lanes still have slots for."""
    slots = dict(view.slots)
    slots[Lane.TASK_MODIFY] -= starts
    chosen = []
    for call in (*acts, *view.due):
        lane = LANE_OF[type(call)]
        if slots[lane] > 0:
            slots[lane] -= 1
            chosen.append(call)
    return tuple(chosen)


def _hopeless(view: ClusterView, packing: PackingResult, growth: Growth, policy: Policy) -> list[Transition]:
    """Waiting tasks that can never run: a refused definition, or a shape that no type holds."""
    refused = [
        _failed(task, StopReason(category=StopCategory.REJECTED, code=why.code, message=why.message))
        for task, why in view.rejected
    ]
    placed = {task.task_id for task, _ in packing.placed}
    never = (
        _failed(task, _never_fits(view))
        for group, _ in packing.left
        if group.ask in growth.never
        for task in group.heads
        if task.task_id not in placed
    )
    return refused + list(islice(never, policy.max_placements_per_decision))


def _failed(task: QueuedTask, reason: StopReason) -> Transition:
    return Transition(
        task_id=task.task_id, previous=TaskState.QUEUED, state=TaskState.FAILED, stop_reason=reason
    )


def _never_fits(view: ClusterView) -> StopReason:
    largest = view.capacity.types[-1]
    room = largest.allocatable
    return StopReason(
        category=StopCategory.NEVER_FITS,
        code="NEVER_FITS",
        message=(
            f"no instance type of the group holds it; the largest is {largest.name} with "
            f"{room.cpu} CPU units, {room.memory_mib} MiB and {room.gpus} GPUs for tasks"
        ),
    )


def _learned(view: ClusterView) -> tuple[FactRecorded, ...]:
    """Types whose instances registered less than known so far, or for the first time."""
    known = {each.name: each for each in view.capacity.types}
    return tuple(
        instance_type_fact(name, _least(known[name], registered))
        for name, registered in sorted(view.registered_by_type.items())
        if name in known and _is_news(known[name], registered)
    )


def _is_news(known: InstanceType, registered: Resources) -> bool:
    return not known.learned or _least(known, registered) != known.allocatable


def _least(known: InstanceType, registered: Resources) -> Resources:
    """By dimension, so that a type is never thought larger than one of its instances was."""
    return registered.smaller(known.allocatable) if known.learned else registered


def _unplaced(view: ClusterView, packing: PackingResult, growth: Growth) -> tuple[Unplaced, ...]:
    """What found no place, with reasons; who waits only for a slot has no reject."""
    counter = RejectCounter(packing.index)
    others = [
        (health.value, count)
        for health, count in sorted(view.health.items())
        if count and health is not InstanceHealth.SCHEDULABLE
    ]
    return tuple(
        Unplaced(
            tenant=group.tenant,
            priority=group.priority,
            ask=group.ask,
            count=count,
            rejects=(*counter.count(group.ask), *others) if group.ask in packing.blocked else (),
            clamped=group.ask in growth.clamped,
        )
        for group, count in packing.left
    )
