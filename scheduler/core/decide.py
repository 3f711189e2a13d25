"""decide(view, policy) -> Plan: the whole thinking of the service, from outside.

Reconcile attempts with what was heard of them, pack the queue onto free room, grow the group for what is
left, let go of what is idle or sick, learn, and send the calls whose time has come. Same view, same plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from scheduler.core.autoscaling.changes import Removing, held, remove, tell
from scheduler.core.autoscaling.scale_up import Growth, largest_suited, scale_up
from scheduler.core.lifecycle.reconcile import Change, reconcile
from scheduler.core.lifecycle.wishes import grant
from scheduler.core.model.attempt import Attempt, StopCategory, StopReason
from scheduler.core.model.calls import (
    ACTS,
    CAPACITY_ACTS,
    LANE_OF,
    Call,
    DeregisterInstance,
    DeregisterTaskDefinition,
    Lane,
    RegisterTaskDefinition,
    SetDesiredCapacity,
)
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.group import InstanceType
from scheduler.core.model.plan import Placement, Plan, Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import FactRecorded, IntentRecorded, IntentState, ScalingRecorded
from scheduler.core.model.removal import REMOVE, removal_text
from scheduler.core.model.resources import Resources
from scheduler.core.model.revision import DEREGISTER_DEFINITION, Revision
from scheduler.core.model.scaling import ScalingEvent
from scheduler.core.model.task import QueuedTask, TaskState
from scheduler.core.placement.packer import PackingResult, RejectCounter, pack
from scheduler.core.view import ClusterView


def decide(view: ClusterView, policy: Policy) -> Plan:
    """The plan for this view. Pure: no clock, no randomness, nothing outside is touched."""
    changes = _reconciled(view, policy)
    packing = _pack(view, policy)
    view = _with_slots_for_leftovers(view, starts=len(packing.placed))
    learned = _learned(view)
    growth = _grow(view, packing, learned, policy=policy)
    removing = _remove(view, packing, growth, policy)
    hold = view.upkeep.hold
    placed = () if hold and hold.everything else packing.placed
    registrations = _registrations(view) if view.ready and not (hold and hold.everything) else ()
    purchases = _purchases(view, growth)
    unused = _unused(view)
    news = bool(purchases) and _desired(view, growth) != view.capacity.asked
    events = _told(view, growth if news else None, removing)
    others = () if hold else (*purchases, *_deregistrations(unused))
    acts, intents = _acts(view, (*registrations, *others), removing)
    return Plan(
        placements=tuple(_placement(view, task, arn) for task, arn in placed),
        transitions=_one_each(
            (
                *(each for each in changes if isinstance(each, Transition)),
                *_hopeless(view, packing, growth, policy),
            )
        ),
        attempts=tuple(each for each in changes if isinstance(each, Attempt)),
        settled=(
            *view.settled,
            *intents,
            *learned,
            *_withdrawn(view, unused),
            *(ScalingRecorded(event=each) for each in events),
        ),
        calls=_within_slots(view, acts, starts=len(placed)),
        unplaced=_unplaced(view, packing, growth) if view.explain else (),
        scaling=events,
        kept=removing.shrinkage.kept,
        hold=hold,
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
    slots = min(_free_slots(view), policy.max_placements_per_decision)
    limit = max(0, min(slots, policy.max_unknown_attempts - view.lost_attempts)) if view.ready else 0
    unwanted = frozenset(each.task.task_id for each in view.wishes)
    return pack(
        view.backlog,
        view.rooms,
        limit=limit,
        suspects=view.suspects,
        lacking=view.lacking,
        unwanted=unwanted,
        reserved=view.reserved,
    )


def _free_slots(view: ClusterView) -> int:
    """What the acts that are due leave of the lane of starts."""
    return view.slots[Lane.TASK_MODIFY] - sum(LANE_OF[type(each)] is Lane.TASK_MODIFY for each in view.due)


def _with_slots_for_leftovers(view: ClusterView, *, starts: int) -> ClusterView:
    """Leftovers that ECS cannot be asked to forget now wait: their intents would stay open for nothing."""
    slots = max(0, _free_slots(view) - starts) if view.ready else 0
    if len(view.upkeep.leftovers) <= slots:
        return view
    return replace(view, upkeep=replace(view.upkeep, leftovers=view.upkeep.leftovers[:slots]))


def _grow(
    view: ClusterView, packing: PackingResult, learned: tuple[FactRecorded, ...], *, policy: Policy
) -> Growth:
    """Nothing is bought on half a picture, while the last ask is under way, or on sizes about to change."""
    if not view.ready:
        return Growth()
    capacity = view.capacity
    if replaced := sum(each.replaced for each in view.upkeep.lost):
        capacity = replace(capacity, in_flight=capacity.in_flight + replaced)
    growth = scale_up(capacity, packing, view.upkeep.limits, headroom=policy.headroom)
    if view.capacity.growing or learned:
        return Growth(returns=growth.returns, used=growth.used)
    return growth


def _remove(view: ClusterView, packing: PackingResult, growth: Growth, policy: Policy) -> Removing:
    """Nothing goes on half a picture, nor while sizes are unknown by which to tell what is wanted."""
    group = view.capacity.group
    if not view.ready or group is None or not view.capacity.types:
        return Removing()
    return remove(view.upkeep, group, growth, packing=packing, policy=policy, now_ms=view.now_ms)


def _told(view: ClusterView, growth: Growth | None, removing: Removing) -> tuple[ScalingEvent, ...]:
    """What is done about capacity, or what would be; without `growth` nothing is bought."""
    group, hold = view.capacity.group, view.upkeep.hold
    if group is None or (hold is not None and hold.passing):
        return ()
    events = tell(view.upkeep, group, growth, removing, view.now_ms)
    return held(events, hold.reason, view.upkeep.told) if hold else events


def _placement(view: ClusterView, task: QueuedTask, arn: str) -> Placement:
    return Placement(
        task=task,
        container_instance_arn=arn,
        ec2_instance_id=view.ec2_ids[arn],
        task_definition_arn=view.definitions[task.definition_key],
    )


_Act = tuple[Call, IntentRecorded]
"""An act other than StartTask, and the intent that must be durable before it is sent."""


def _registrations(view: ClusterView) -> tuple[_Act, ...]:
    wanted = view.wanted_definitions[: max(0, view.slots[Lane.DEFINITIONS])]
    return tuple(
        (
            RegisterTaskDefinition(definition_key=each.definition_key, task_id=each.task_id),
            _open("register", each.definition_key),
        )
        for each in wanted
    )


def _unused(view: ClusterView) -> Revision | None:
    """The revision to be deregistered now; registrations go first, and nobody is in a hurry for this."""
    idle = view.slots[Lane.DEFINITIONS] > 0 and not view.wanted_definitions
    return view.stale_revision if idle and view.ready and view.upkeep.hold is None else None


def _deregistrations(unused: Revision | None) -> tuple[_Act, ...]:
    if unused is None:
        return ()
    call = DeregisterTaskDefinition(task_definition_arn=unused.arn, definition_key=unused.definition_key)
    return ((call, _open(DEREGISTER_DEFINITION, unused.arn)),)


def _withdrawn(view: ClusterView, unused: Revision | None) -> tuple[FactRecorded, ...]:
    """Whoever asks for its configuration from now on gets a new revision."""
    if unused is None or view.definitions.get(unused.definition_key) != unused.arn:
        return ()
    return (definition_fact(unused.definition_key, ""),)


def _purchases(view: ClusterView, growth: Growth) -> tuple[_Act, ...]:
    """One SetDesiredCapacity for everything that is to be bought, if the group may be asked now."""
    group = view.capacity.group
    if not growth.types or group is None or view.slots[Lane.GROUP] <= 0 or view.capacity.resting:
        return ()
    desired = _desired(view, growth)
    call = SetDesiredCapacity(group=group.name, desired=desired, types=growth.types, asks=growth.asks)
    return ((call, _open("set_desired", group.name, str(desired))),)


def _desired(view: ClusterView, growth: Growth) -> int:
    group = view.capacity.group
    return (group.desired if group else 0) + len(growth.types)


def _acts(
    view: ClusterView, acts: Sequence[_Act], removing: Removing
) -> tuple[list[Call], list[IntentRecorded]]:
    """The calls to send now, and the intents to keep.

    What is held leaves no intent. The act of a removal's step is sent by the World once the step is durable.
    """
    calls, intents = [call for call, _ in acts], [intent for _, intent in acts]
    if view.upkeep.hold is None:
        calls += [DeregisterInstance(arn=arn) for arn in view.upkeep.leftovers]
        intents += [_open("deregister", arn) for arn in view.upkeep.leftovers]
        intents += [_open(REMOVE, each.ec2_instance_id, removal_text(each)) for each in removing.recorded]
        intents += [
            IntentRecorded(kind=REMOVE, key=each.removal.ec2_instance_id, state=IntentState.DONE)
            for each in removing.ended
        ]
    return calls, intents


def _open(kind: str, key: str, payload: str = "") -> IntentRecorded:
    return IntentRecorded(kind=kind, key=key, state=IntentState.OPEN, payload=payload)


def _within_slots(view: ClusterView, acts: Iterable[Call], *, starts: int) -> tuple[Call, ...]:
    """The acts, then the due calls that their lanes still have slots for."""
    slots = dict(view.slots)
    slots[Lane.TASK_MODIFY] -= starts
    chosen = []
    for call in (*acts, *(each for each in view.due if _may_be_sent(view, each))):
        lane = LANE_OF[type(call)]
        if slots[lane] > 0:
            slots[lane] -= 1
            chosen.append(call)
    return tuple(chosen)


def _may_be_sent(view: ClusterView, call: Call) -> bool:
    """While something holds us we look and do nothing; on half a picture we leave the group alone."""
    hold = view.upkeep.hold
    if hold is not None and isinstance(call, CAPACITY_ACTS if not hold.everything else ACTS):
        return False
    return view.ready or not isinstance(call, CAPACITY_ACTS)


def _hopeless(view: ClusterView, packing: PackingResult, growth: Growth, policy: Policy) -> list[Transition]:
    """Waiting tasks that can never run: a refused definition, or a shape that no type holds."""
    refused = [
        _failed(task, StopReason(category=StopCategory.REJECTED, code=why.code, message=why.message))
        for task, why in view.rejected
    ]
    placed = {task.task_id for task, _ in packing.placed}
    never = (
        _failed(task, _never_fits(view, group.ask))
        for group, _ in (packing.left if growth.never else ())
        if group.ask in growth.never
        for task in group.heads
        if task.task_id not in placed
    )
    return refused + list(islice(never, policy.max_placements_per_decision))


def _failed(task: QueuedTask, reason: StopReason) -> Transition:
    return Transition(
        task_id=task.task_id, previous=TaskState.QUEUED, state=TaskState.FAILED, stop_reason=reason
    )


def _never_fits(view: ClusterView, ask: Resources) -> StopReason:
    largest = largest_suited(ask, view.capacity.types)
    room = largest.allocatable
    message = (
        f"no instance type of the group holds it; the largest is {largest.name} with "
        f"{room.cpu} CPU units, {room.memory_mib} MiB and {room.gpus} GPUs for tasks"
    )
    if not ask.suits(room):
        message = f"no instance type of the group is {ask.architecture}; the largest is {largest.name}"
    return StopReason(category=StopCategory.NEVER_FITS, code="NEVER_FITS", message=message)


def _learned(view: ClusterView) -> tuple[FactRecorded, ...]:
    """Types whose instances registered less than known so far, or for the first time."""
    known = {each.name: each for each in view.capacity.types}
    return tuple(
        instance_type_fact(name, _least(known[name], registered))
        for name, registered in sorted(view.registered_by_type.items())
        if name in known and _is_news(known[name], registered)
    )


def _is_news(known: InstanceType, registered: Resources) -> bool:
    return not known.learned or _least(known, registered) != known.registered


def _least(known: InstanceType, registered: Resources) -> Resources:
    """By dimension, so that a type is never thought larger than one of its instances was.

    A type's architecture is EC2's to tell.
    """
    least = registered.smaller(known.registered) if known.learned else registered
    return least.on(known.allocatable.architecture)


def _unplaced(view: ClusterView, packing: PackingResult, growth: Growth) -> tuple[Unplaced, ...]:
    """What found no place, with reasons; who waits only for a slot has no reject."""
    if not packing.left:
        return _resting(view)
    counter = RejectCounter(packing.index)
    others = [
        (health.value, count)
        for health, count in sorted(view.health.items())
        if count and health is not InstanceHealth.SCHEDULABLE
    ]
    rejects = {ask: (*counter.count(ask), *others) for ask in packing.blocked}  # tenants ask for the same
    unplaced = [
        Unplaced(
            group.tenant,
            group.priority,
            ask := group.ask,
            count,
            rejects.get(ask, ()),
            ask in growth.clamped,
        )
        for group, count in packing.left
    ]
    return (*unplaced, *_resting(view))


def _resting(view: ClusterView) -> tuple[Unplaced, ...]:
    """What is not to be placed: no instance would do."""
    able = view.health.get(InstanceHealth.SCHEDULABLE, 0)
    return tuple(
        Unplaced(
            tenant=each.tenant,
            priority=each.priority,
            ask=each.ask,
            waiting=each.count,
            rejects=((each.why, able),),
        )
        for each in view.resting
    )
