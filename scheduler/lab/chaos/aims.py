"""Aims: one plan in four has mishaps that wait for what chance seldom meets, and jobs that bring it about.

An instance is taken back (RETURNING) only when it was idle, is drained, and its room is wanted before it is
let go; the step lasts until ECS has answered once. Of mishaps that are drawn by chance one in thousands meets
it. An aimed plan has a group that soon shrinks, and jobs that come as the first instance is drained and want
all the room there is: one of them is cancelled, one fails, and one expires before there is room.

Kinds and states take turns, so that nothing is left to luck: in every `ROUND` seeds each kind waits for
RETURNING, and in `ROUNDS` such rounds for each state.
"""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.coverage import LIFECYCLE
from scheduler.lab.chaos.plan import Account, Job, Mishap, MishapKind, Plan
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

ROUNDS = 4
"""In which a kind has waited for all states, some in each."""

_ONE_PLAN_IN = 4
_KINDS = tuple(MishapKind)
ROUND = _ONE_PLAN_IN * len(_KINDS)

_DRAIN = "UpdateContainerInstancesState"
_CALLS: Mapping[str, str] = {
    TaskState.ASSIGNED: "StartTask",
    TaskState.STOPPING: "StopTask",
    RemovalStep.DETACHING: "DetachInstances",
    RemovalStep.TERMINATING: "TerminateInstances",
    RemovalStep.LEAVING: "StartTask",
}
"""Which call is made in a state; in the others, which last, instances are drained meanwhile."""

_OF_LAUNCHES = (MishapKind.FAILED_LAUNCHES, MishapKind.NEVER_JOINS)
_WITHIN_A_STEP = {*_OF_LAUNCHES, MishapKind.PARTIAL_READ, MishapKind.REGISTRATION_COLLIDES}
_NEW_IMAGE = 30
"""The first of those that no other job has: each is a configuration to be registered."""

_SLOW_MS = (500, 3_000)
"""How slowly AWS answers where something else is to come within a step that ends with an answer."""

_SHARE = 0.9
_IDLE_TIMEOUT_S = 10
_BOOT_MS = (5_000, 10_000)


def with_aims(plan: Plan) -> Plan:
    """The plan, with its aims if it is one of those that have some."""
    turn, rest = divmod(plan.seed, _ONE_PLAN_IN)
    if rest != 1:
        return plan
    random = Random(f"aims {plan.seed}")
    round_, place = divmod(turn, len(_KINDS))
    partner = (place + 1 + round_) % len(_KINDS)
    aims = [_aim(random, _KINDS[place], RemovalStep.RETURNING)]
    aims += [_aim(random, _KINDS[partner], state) for state in _states(_KINDS[partner], round_)]
    plan = _shrinking(plan)
    kinds = {each.kind for each in aims}
    if kinds & _WITHIN_A_STEP:
        plan = replace(plan, tuning=replace(plan.tuning, to_effect_ms=_SLOW_MS, to_outcome_ms=_SLOW_MS))
    aims += [_launch(plan, each.when) for each in aims if each.kind in _OF_LAUNCHES]
    jobs = _wanting_all(plan.account)
    if MishapKind.REVISION_GONE in kinds:
        jobs += tuple(replace(_job(plan.account), image=each, run_s=2) for each in (1, 2))
    colliding = [each.when for each in aims if each.kind is MishapKind.REGISTRATION_COLLIDES]
    for image, state in enumerate(colliding, start=_NEW_IMAGE):
        jobs += (replace(_job(plan.account), image=image, run_s=2, when=state),)
    return replace(plan, jobs=(*plan.jobs, *jobs), mishaps=(*aims, *plan.mishaps))


def _states(kind: MishapKind, round_: int) -> tuple[str, ...]:
    """Those of this round; of a kind that comes once a run one of them, which is not RETURNING."""
    if kind is not MishapKind.SECOND_SCHEDULER:
        return LIFECYCLE[round_ % ROUNDS :: ROUNDS]
    states = LIFECYCLE[round_ % ROUNDS : -1 : ROUNDS]
    return (states[-1 - round_ // ROUNDS % len(states)],)


def _aim(random: Random, kind: MishapKind, state: str) -> Mishap:
    """The calls that it strikes are those that are made in this state."""
    reads = kind is MishapKind.PARTIAL_READ
    return Mishap(
        at_s=1,
        kind=kind,
        operation="DescribeContainerInstances" if reads else _CALLS.get(state, _DRAIN),
        pick=random.randint(0, 99),
        count=random.choice((1, 2)),
        for_s=random.choice((5, 20, 60, 400)),
        when=state,
    )


def _launch(plan: Plan, state: str) -> Mishap:
    """Somebody wants as many instances as there may be, so that some are launched just then."""
    return Mishap(at_s=1, kind=MishapKind.DESIRED_CHANGED, pick=plan.account.max_size, when=state)


def _shrinking(plan: Plan) -> Plan:
    """The plan with instances that are idle soon, and need not stay."""
    account = replace(
        plan.account,
        min_size=0,
        desired=max(2, plan.account.desired),
        max_size=max(2, plan.account.max_size),
        launch_ms=_BOOT_MS,
        agent_registration_ms=_BOOT_MS,
    )
    tuning = replace(plan.tuning, idle_timeout_s=_IDLE_TIMEOUT_S)
    return replace(plan, account=account, tuning=tuning)


def _wanting_all(account: Account) -> tuple[Job, ...]:
    """As many jobs as the group may have instances, and some more; each wants nearly all of a small one."""
    job = replace(_job(account), when=RemovalStep.DRAINING.value)
    cancelled = replace(job, priority=5, run_s=200, cancel_after_s=60)
    failing = replace(job, exit_code=1)
    expiring = replace(job, priority=-9, queue_s=5)
    return (*[job] * account.max_size, cancelled, failing, expiring)


def _job(account: Account) -> Job:
    smallest = min((INSTANCE_TYPES[each] for each in account.instance_types), key=lambda each: each.vcpus)
    return Job(
        at_s=1,
        tenant="bamboo",
        priority=0,
        cpu=int(smallest.cpu_units * _SHARE),
        memory_mib=int(smallest.memory_mib * _SHARE),
        image=0,
        run_s=20,
    )
