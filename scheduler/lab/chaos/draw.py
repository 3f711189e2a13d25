"""Drawing: one seed -> one plan. The same seed gives the same plan on every machine.

Swarm testing: a plan has few kinds of mishaps, drawn anew each time, since a run that has all of them seldom
gets far enough for two to meet in a way that matters (Groce et al., Swarm Testing, ISSTA 2012).
"""

from random import Random

from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.task import ContainerSize, TaskState
from scheduler.lab.chaos.aims import with_aims
from scheduler.lab.chaos.plan import Account, Job, Mishap, MishapKind, Plan, Tuning
from scheduler.lab.chaos.themes import OF_THEMES, with_themes
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.partial_reads import PARTIAL_READS

ACTS = (
    "StartTask",
    "StopTask",
    "RegisterTaskDefinition",
    "SetDesiredCapacity",
    "UpdateContainerInstancesState",
    "DetachInstances",
    "TerminateInstances",
    "DeregisterContainerInstance",
    "SuspendProcesses",
)
"""What a mishap of calls strikes most often. Another one here would move every draw: see `themes.py`."""

READS = (
    "DescribeTasks",
    "ListTasks",
    "ListContainerInstances",
    "DescribeContainerInstances",
    "DescribeAutoScalingGroups",
    "DescribeInstances",
    "DescribeScalingActivities",
    "DescribeInstanceTypes",
)

MOMENTS = (
    *(each.value for each in TaskState if each is not TaskState.EXPIRED),
    *(each.value for each in RemovalStep),
)
"""Task states, then removal steps: what a mishap that is drawn can wait for. EXPIRED is left to `aims.py`."""

_FAMILIES = (("m4.4xlarge",), ("m5.xlarge",), ("m5.2xlarge",), ("m5.xlarge", "m5.4xlarge"))
_SIZES = (ContainerSize.XSMALL, ContainerSize.SMALL, ContainerSize.SMALL, ContainerSize.REGULAR)
_TENANTS = ("bamboo", "mobile", "platform")


def draw(seed: int) -> Plan:
    """The plan of this seed."""
    random = Random(seed)
    account = _account(random)
    quiet_s = random.randint(240, 900)
    plan = Plan(
        seed=seed,
        quiet_s=quiet_s,
        account=account,
        tuning=_tuning(random),
        jobs=_jobs(random, account, quiet_s),
        mishaps=_mishaps(random, quiet_s),
    )
    return with_aims(with_themes(plan))


def _account(random: Random) -> Account:
    types = random.choice(_FAMILIES)
    min_size = random.choice((0, 1, 1, 2))
    max_size = min_size + random.randint(1, 5)
    boot_s = random.choice((10, 30, 90))
    lags = random.random() < 0.35
    return Account(
        instance_types=types,
        launch_source="mixed_instances" if len(types) > 1 else "launch_template",
        min_size=min_size,
        max_size=max_size,
        desired=random.randint(min_size, min(max_size, min_size + 2)),
        launch_ms=(boot_s * 500, boot_s * 1_000),
        agent_registration_ms=(boot_s * 500, boot_s * 1_500),
        read_lag_ms=random.choice((1_000, 5_000, 20_000, 60_000)) if lags else 0,
        group_lag_ms=random.choice((0, 2_000, 10_000, 30_000)) if lags else 0,
        throttling=random.random() < 0.3,
        foreign_calls_per_s=random.choice((0.0, 5.0, 18.0)),
        draining_refuses=random.random() < 0.8,
        terminated_keeps_started_at=random.random() < 0.5,
        detach_removes_tag=random.random() < 0.5,
    )


def _tuning(random: Random) -> Tuning:
    slow = random.random() < 0.25
    return Tuning(
        store="sqlite" if random.random() < 0.15 else "memory",
        observe_only=random.random() < 0.02,
        keep_last_instance=random.random() < 0.6,
        idle_timeout_s=random.choice((10, 30, 120)),
        task_poll_s=random.choice((2, 5, 10)),
        cluster_poll_s=random.choice((5, 10, 15)),
        disconnected_after_s=random.choice((180, 300, 1_200)),
        queue_timeout_s=random.choice((300, 900, 1_920)),
        start_timeout_s=random.choice((120, 300, 900)),
        max_starting=random.choice((1, 4)),
        instance_max_age_s=random.choice((1_200, 604_800, 604_800, 604_800)),
        to_effect_ms=(2, 3_000) if slow else (2, 80),
        to_outcome_ms=(2, 6_000) if slow else (2, 80),
    )


def _jobs(random: Random, account: Account, quiet_s: int) -> tuple[Job, ...]:
    largest = max((INSTANCE_TYPES[each] for each in account.instance_types), key=lambda each: each.vcpus)
    bursts = sorted(random.randint(0, quiet_s) for _ in range(random.randint(1, 3)))
    jobs: list[Job] = []
    for at_s in bursts:
        share = random.choice((0.1, 0.25, 0.6, 0.9))
        for _ in range(random.randint(1, 6)):
            jobs.append(_job(random, at_s + random.randint(0, 20), share, largest.vcpus, largest.memory_mib))
    return tuple(jobs)


_ENDLESS_S = 36_000
"""Work that never ends by itself: a run timeout ends it, as a cancellation may be lost with its store."""


def _job(random: Random, at_s: int, share: float, vcpus: int, memory_mib: int) -> Job:
    """Most ask for what `share` of the largest type holds, and want nothing else.

    Some come just when an instance is drained: only then is one taken back.
    """
    too_large = random.random() < 0.02
    run_timeout_s = _seldom(random, 0.1, (10, 60, 300))
    return Job(
        at_s=at_s,
        tenant=random.choice(_TENANTS),
        priority=random.choice((0, 0, 0, 5, -5)),
        cpu=int(vcpus * 1_024 * (2 if too_large else share)),
        memory_mib=int(memory_mib * share * 0.9),
        image=random.randint(0, 2),
        run_s=random.choice((2, 20, 60, 200, 400 if run_timeout_s is None else _ENDLESS_S)),
        exit_code=random.choice((0, 0, 0, 1)),
        queue_s=_seldom(random, 0.1, (20, 120, 600)),
        start_s=_seldom(random, 0.1, (15, 60)),
        run_timeout_s=run_timeout_s,
        may_run_again=random.random() < 0.3,
        cancel_after_s=_seldom(random, 0.15, (0, 1, 5, 30, 120, 400)),
        repeats_s=tuple(random.choice((1, 10, 300)) for _ in range(random.choice((0, 0, 0, 1, 2)))),
        changed_s=_seldom(random, 0.1, (1, 30, 300)),
        invalid=random.random() < 0.02,
        size=random.choice(_SIZES) if random.random() < 0.2 else None,
        extras=random.choice((0, 0, 0, 1, 2)),
        when=RemovalStep.DRAINING.value if random.random() < 0.15 else "",
    )


def _seldom(random: Random, chance: float, values: tuple[int, ...]) -> int | None:
    return random.choice(values) if random.random() < chance else None


_KINDS = [each for each in MishapKind if each not in OF_THEMES]


def _mishaps(random: Random, quiet_s: int) -> tuple[Mishap, ...]:
    kinds = random.sample(_KINDS, random.randint(1, 6))
    mishaps = [_mishap(random, random.choice(kinds), quiet_s) for _ in range(random.randint(1, 14))]
    return tuple(sorted(mishaps, key=lambda each: each.at_s))


def _mishap(random: Random, kind: MishapKind, quiet_s: int) -> Mishap:
    """Half of them wait for a state: those that last for a moment are seldom met by chance."""
    operation = random.choice(ACTS if random.random() < 0.7 else READS)
    if kind is MishapKind.PARTIAL_READ:
        operation = random.choice(PARTIAL_READS)
    elif kind is MishapKind.LATE_EFFECT:
        operation = random.choice(ACTS)
    waits = random.random() < 0.5
    return Mishap(
        at_s=random.randint(1, quiet_s // 2 if waits else quiet_s),
        kind=kind,
        operation=operation,
        pick=random.randint(0, 99),
        count=random.choice((1, 1, 1, 2, 3, 8)),
        for_s=random.choice((1, 5, 20, 60, 150, 400)),
        when=random.choice(MOMENTS) if waits else "",
        nth=random.choice((1, 1, 2)),
    )
