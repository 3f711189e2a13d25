"""Themes of accounts: what an account is like for a whole run, larger, slower or busier than most are.

`themes.py` says how many plans have them.
"""

from dataclasses import replace
from random import Random

from scheduler.lab.chaos.coverage import LIFECYCLE
from scheduler.lab.chaos.plan import Mishap, MishapKind, Plan

_ACTS_PER_S = 39.0
"""What others make of the 40 changes a second that ECS grants (ECS Developer Guide: Request throttling)."""

_SCALING_BUCKET = (10.0, 1.0)
_SHARE_A_BUCKET = ("StartTask", "StopTask", "UpdateContainerInstancesState", "DeregisterContainerInstance")
OUTAGES = (MishapKind.UNREACHABLE, MishapKind.CREDENTIALS_EXPIRED, MishapKind.ACCESS_DENIED)
_DENIABLE = (
    "StartTask",
    "StopTask",
    "RegisterTaskDefinition",
    "SetDesiredCapacity",
    "UpdateContainerInstancesState",
    "DetachInstances",
    "TerminateInstances",
    "ListTasks",
    "DescribeTasks",
    "DescribeContainerInstances",
    "DescribeAutoScalingGroups",
    "DescribeInstances",
)
_HOUR_S = 3_600


def slow_boots(random: Random, plan: Plan) -> Plan:
    """Some instances boot for so long that they are given up, and may join after that; others are quick."""
    slowest_ms = 1_000 * random.choice((400, 900, 1_500))
    half_ms = (10_000, slowest_ms // 2)
    return replace(plan, account=replace(plan.account, launch_ms=half_ms, agent_registration_ms=half_ms))


def busy_account(random: Random, plan: Plan) -> Plan:
    """Others change things all the time, have just emptied the bucket of StartTask, and scale groups."""
    at_s = random.randint(1, plan.quiet_s // 2)
    emptied = tuple(
        Mishap(at_s=at_s, kind=MishapKind.THROTTLE, operation=each, count=random.choice((3, 8, 20)))
        for each in _SHARE_A_BUCKET
    )
    account = replace(
        plan.account, throttling=True, foreign_acts_per_s=_ACTS_PER_S, scaling_bucket=_SCALING_BUCKET
    )
    return replace(plan, account=account, mishaps=(*plan.mishaps, *emptied))


def many_instances(random: Random, plan: Plan) -> Plan:
    """A group of which a tenth is more than one, with the few jobs that there are."""
    size = random.choice((20, 30, 40))
    account = replace(plan.account, desired=size, max_size=size + random.choice((0, 5)))
    return replace(plan, account=account)


def a_lost_hour(random: Random, plan: Plan) -> Plan:
    """Work comes for more than an hour; then all that there is of the store is a copy from its beginning."""
    begin_s = random.randint(1, 300)
    restored = Mishap(at_s=begin_s, kind=MishapKind.STORE_RESTORED, for_s=_HOUR_S)
    later = tuple(replace(each, at_s=each.at_s + random.randint(0, _HOUR_S)) for each in plan.jobs)
    quiet_s = begin_s + _HOUR_S + 60
    return replace(plan, quiet_s=quiet_s, jobs=(*plan.jobs, *later), mishaps=(*plan.mishaps, restored))


def outages(random: Random, plan: Plan) -> Plan:
    """AWS cannot be reached for a while, or refuses everything or some of it, and then is as it was."""
    mishaps = tuple(
        Mishap(
            at_s=random.randint(1, plan.quiet_s // 2),
            kind=random.choice(OUTAGES),
            operation=random.choice(_DENIABLE),
            pick=random.randint(0, 99),
            for_s=random.choice((5, 60, 150, 400)),
            when=random.choice(("", *LIFECYCLE)),
        )
        for _ in range(random.choice((1, 1, 2)))
    )
    return replace(plan, mishaps=(*plan.mishaps, *mishaps))
