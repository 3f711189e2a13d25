"""Themes of moments: what is told from a careless change only by what comes just then.

Chance seldom brings it about: each puts a mishap where the service is to look twice, ask again or remember.
`themes.py` says how many plans have them.
"""

from dataclasses import replace
from random import Random

from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.plan import Job, Mishap, MishapKind, Plan
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES

TENANTS = ("bamboo", "mobile")
_LONG_S = 1_500
"""Work that would outlast most runs."""


def late_guests(random: Random, plan: Plan) -> Plan:
    """Others start tasks on instances that are idle, just as their drain is about to be sent."""
    mishaps = tuple(
        Mishap(
            at_s=random.randint(1, plan.quiet_s // 2),
            kind=MishapKind.FOREIGN_TASK,
            for_s=random.choice((20, 60, 150, 400)),
            when=RemovalStep.DRAINING.value,
            nth=random.choice((1, 1, 2)),
            there=True,
        )
        for _ in range(random.choice((1, 2, 3)))
    )
    account = replace(plan.account, desired=plan.account.max_size)
    tuning = replace(plan.tuning, idle_timeout_s=random.choice((10, 30)))
    return replace(plan, account=account, tuning=tuning, mishaps=(*plan.mishaps, *mishaps))


def throttled_starts(random: Random, plan: Plan) -> Plan:
    """Small jobs of many images come while something runs well elsewhere, and StartTask is throttled."""
    at_s = random.randint(0, plan.quiet_s // 3)
    first = replace(small_job(random, at_s), exclusive=True, run_s=400)
    burst = [
        replace(small_job(random, at_s), image=30 + number, when=TaskState.RUNNING.value)
        for number in range(random.randint(4, 8))
    ]
    throttle = Mishap(
        at_s=at_s,
        kind=MishapKind.THROTTLE,
        operation="StartTask",
        count=random.choice((8, 20, 60)),
        when=TaskState.RUNNING.value,
    )
    size = max(2, plan.account.desired)
    account = replace(plan.account, desired=size, max_size=max(size, plan.account.max_size))
    return replace(plan, account=account, jobs=(*plan.jobs, first, *burst), mishaps=(*plan.mishaps, throttle))


def forgotten_cancellations(random: Random, plan: Plan) -> Plan:
    """Long work is cancelled, and ECS does not hear of it: the process dies, or its StopTask is lost."""
    jobs, mishaps = list[Job](), list[Mishap]()
    for _ in range(random.choice((1, 2))):
        at_s, cancel_s = random.randint(0, plan.quiet_s // 2), random.choice((30, 120, plan.quiet_s // 3))
        jobs.append(replace(small_job(random, at_s), at_s=at_s, run_s=_LONG_S, cancel_after_s=cancel_s))
        mishaps.append(
            Mishap(
                at_s=at_s + cancel_s,
                kind=random.choice((MishapKind.CRASH_AT_COMMIT, MishapKind.LOST_CALL)),
                operation="StopTask",
                pick=random.randint(0, 9),
                count=random.choice((1, 1, 1, 2)),
            )
        )
    return replace(plan, jobs=(*plan.jobs, *jobs), mishaps=(*plan.mishaps, *mishaps))


def strays(random: Random, plan: Plan) -> Plan:
    """Long work whose start has its effect after it was given up, in half of them beside nothing else."""
    at_s = random.randint(0, plan.quiet_s // 2)
    jobs = [replace(small_job(random, at_s), run_s=_LONG_S) for _ in range(random.choice((1, 2, 4)))]
    late = Mishap(
        at_s=at_s, kind=MishapKind.LATE_EFFECT, operation="StartTask", count=random.choice((1, 2)), for_s=90
    )
    others = plan.mishaps if random.random() < 0.5 else ()
    account = replace(plan.account, throttling=False)
    return replace(plan, account=account, jobs=(*plan.jobs, *jobs), mishaps=(*others, late))


def old_at_work(random: Random, plan: Plan) -> Plan:
    """Instances of a group that cannot grow are too old while long work is on them."""
    size = random.choice((2, 2, 3))
    account = replace(plan.account, min_size=size, desired=size, max_size=size, throttling=False)
    tuning = replace(plan.tuning, instance_max_age_s=1_200)
    whole = max(INSTANCE_TYPES[each].vcpus for each in account.instance_types)
    job = replace(small_job(random, random.randint(0, plan.quiet_s // 2)), cpu=600 * whole, run_s=_LONG_S)
    return replace(plan, account=account, tuning=tuning, jobs=(*plan.jobs, *[job] * size))


def passing_wishes(random: Random, plan: Plan) -> Plan:
    """An operator wishes for more than is wanted, and never comes back: it ends by itself."""
    mishap = Mishap(
        at_s=random.randint(1, plan.quiet_s),
        kind=MishapKind.WISH,
        pick=random.randint(0, 99),
        for_s=random.choice((60, 150, 400, 1_200)),
    )
    return replace(plan, wishes_end=True, mishaps=(*plan.mishaps, mishap))


def small_job(random: Random, at_s: int) -> Job:
    """One of those that any instance has room for."""
    return Job(
        at_s=at_s + random.choice((0, 0, 60, 200)),
        tenant=random.choice(TENANTS),
        priority=0,
        cpu=256,
        memory_mib=512,
        image=0,
        run_s=random.choice((2, 20)),
    )
