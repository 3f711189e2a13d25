"""Aims: one plan in four has mishaps that wait for what chance seldom meets, and jobs that bring it about.

An instance is taken back (RETURNING) only when it was idle, is drained, and its room is wanted before it is
let go; the step lasts until ECS has answered once. Of mishaps that are drawn by chance one in thousands meets
it. An aimed plan has a group that soon shrinks, and jobs that come as the first instance is drained and want
all the room there is: one of them is cancelled, one fails, and one expires before there is room.

Kinds and states take turns, so that nothing is left to luck: in every `ROUND` seeds each kind waits for
RETURNING, and in `ROUNDS` such rounds for each state.
"""

from dataclasses import replace
from random import Random

from scheduler.core.model.removal import RemovalStep
from scheduler.lab.chaos.coverage import LIFECYCLE
from scheduler.lab.chaos.plan import Account, Job, Mishap, MishapKind, Plan
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

ROUNDS = 4
"""In which a kind has waited for all states, some in each."""

_ONE_PLAN_IN = 4
_KINDS = tuple(MishapKind)
ROUND = _ONE_PLAN_IN * len(_KINDS)

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
    aims += [_aim(random, _KINDS[partner], state) for state in LIFECYCLE[round_ % ROUNDS :: ROUNDS]]
    plan = _shrinking(plan)
    return replace(plan, jobs=(*plan.jobs, *_wanting_all(plan.account)), mishaps=(*aims, *plan.mishaps))


def _aim(random: Random, kind: MishapKind, state: str) -> Mishap:
    """The calls that it strikes are those by which an instance is drained and taken back, or seen so."""
    reads = kind is MishapKind.PARTIAL_READ
    return Mishap(
        at_s=1,
        kind=kind,
        operation="DescribeContainerInstances" if reads else "UpdateContainerInstancesState",
        pick=random.randint(0, 99),
        count=random.choice((1, 2)),
        for_s=random.choice((5, 20, 60, 400)),
        when=state,
    )


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
    smallest = min((INSTANCE_TYPES[each] for each in account.instance_types), key=lambda each: each.vcpus)
    job = Job(
        at_s=1,
        tenant="bamboo",
        priority=0,
        cpu=int(smallest.cpu_units * _SHARE),
        memory_mib=int(smallest.memory_mib * _SHARE),
        image=0,
        run_s=20,
        when=RemovalStep.DRAINING.value,
    )
    cancelled = replace(job, priority=5, run_s=200, cancel_after_s=60)
    failing = replace(job, exit_code=1)
    expiring = replace(job, priority=-9, queue_s=5)
    return (*[job] * account.max_size, cancelled, failing, expiring)
