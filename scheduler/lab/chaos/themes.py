"""Themes: parts of the service that some plans play on purpose, beside what every plan is drawn from.

Each theme has a random stream of its own: a new one leaves what all others draw as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from scheduler.core.model.task import ContainerSize
from scheduler.lab.chaos.plan import (
    Build,
    Follower,
    Job,
    Mishap,
    MishapKind,
    OldRevision,
    Plan,
    RevisionOwner,
)
from scheduler.lab.chaos.themes_of_accounts import (
    OUTAGES,
    a_lost_hour,
    busy_account,
    many_instances,
    outages,
    slow_boots,
)
from scheduler.lab.chaos.themes_of_moments import (
    TENANTS,
    forgotten_cancellations,
    late_guests,
    old_at_work,
    passing_wishes,
    small_job,
    strays,
    throttled_starts,
)

OF_THEMES = frozenset(
    {
        MishapKind.REVISION_GONE,
        MishapKind.REVISIONS_OF_OTHERS,
        MishapKind.REGISTRATION_COLLIDES,
        MishapKind.BLACK_HOLE,
        MishapKind.OLD_STORE_RESTORED,
        MishapKind.WARM_POOL,
        *OUTAGES,
    }
)
"""Kinds that are drawn here alone."""

_FAILED_CALLS = (
    MishapKind.THROTTLE,
    MishapKind.ERROR_BEFORE,
    MishapKind.ERROR_AFTER,
    MishapKind.LOST_CALL,
    MishapKind.LOST_ANSWER,
)
_OF_DEFINITIONS = (
    "RegisterTaskDefinition",
    "DeregisterTaskDefinition",
    "ListTaskDefinitions",
    "DescribeTaskDefinition",
)
_OTHERS_THEMES = {MishapKind.BLACK_HOLE, MishapKind.WARM_POOL, *OUTAGES}
_OF_THE_PROCESS = (MishapKind.CRASH, MishapKind.CRASH_AT_COMMIT, MishapKind.CRASH_AT_CALL)


def with_themes(plan: Plan) -> Plan:
    """The plan, with the themes that its seed draws."""
    for name, (share, theme) in _THEMES.items():
        random = Random(f"{name} {plan.seed}")
        if random.random() < share:
            plan = theme(random, plan)
    return replace(plan, mishaps=tuple(sorted(plan.mishaps, key=lambda each: each.at_s)))


def _revisions(random: Random, plan: Plan) -> Plan:
    """Revisions of earlier months, which the store knows of or has to find again, and faults around them."""
    known = random.random() < 0.7
    old = tuple(_old_revision(random, plan, known=known) for _ in range(random.randint(2, 6)))
    mishaps = [_of_definitions(random, plan) for _ in range(random.randint(1, 4))]
    if random.random() < 0.3:
        mishaps.append(_of_the_process(random, plan, MishapKind.STORE_LOST))
    jobs = list(plan.jobs)
    for each in old:
        if each.job is not None:
            jobs[each.job] = replace(jobs[each.job], at_s=random.choice((0, 2, 30)), when="")
    return replace(plan, jobs=tuple(jobs), revisions=old, mishaps=(*plan.mishaps, *mishaps))


def _old_revision(random: Random, plan: Plan, *, known: bool) -> OldRevision:
    owners = (RevisionOwner.US, RevisionOwner.US, RevisionOwner.ANOTHER_SERVICE, RevisionOwner.SOMEBODY)
    owner = random.choice(owners)
    return OldRevision(
        age_days=random.choice((0, 29, 30, 31, 31, 40, 90)),
        owner=owner,
        job=random.randrange(len(plan.jobs)) if random.random() < 0.6 else None,
        known=known and owner is RevisionOwner.US,
    )


def _of_definitions(random: Random, plan: Plan) -> Mishap:
    """Early, as is all that is done about definitions."""
    of_calls = (*_FAILED_CALLS, *_FAILED_CALLS, MishapKind.LATE_EFFECT)
    return Mishap(
        at_s=random.randint(0, plan.quiet_s // 3),
        kind=random.choice((*of_calls, *sorted(OF_THEMES - _OTHERS_THEMES))),
        operation=random.choice(_OF_DEFINITIONS),
        pick=random.randint(0, 99),
        count=random.choice((1, 1, 2, 8)),
        for_s=random.choice((5, 20, 60, 900)),
    )


def _of_the_process(random: Random, plan: Plan, kind: MishapKind) -> Mishap:
    return Mishap(
        at_s=random.randint(1, plan.quiet_s),
        kind=kind,
        pick=random.randint(0, 99),
        count=random.choice((1, 2, 8)),
        for_s=random.choice((5, 60, 150)),
    )


def _builds(random: Random, plan: Plan) -> Plan:
    """Builds that reserve, agents that come or do not, and a process that dies between."""
    builds = [_build(random, plan, f"CHAOS-B{number}") for number in range(random.choice((1, 2, 2, 3)))]
    agents = [agent for build in builds for agent in _agents(random, build)]
    kinds = (*_OF_THE_PROCESS, MishapKind.STORE_RESTORED, MishapKind.STORE_LOST, MishapKind.CLOCK_SET)
    mishaps = [_of_the_process(random, plan, random.choice(kinds)) for _ in range(random.choice((0, 1, 2)))]
    return replace(
        plan,
        tuning=replace(plan.tuning, max_reserved=random.choice((3, 6, 500))),
        builds=tuple(builds),
        jobs=(*plan.jobs, *agents),
        mishaps=(*plan.mishaps, *mishaps),
    )


def _build(random: Random, plan: Plan, key: str) -> Build:
    return Build(
        at_s=random.randint(0, plan.quiet_s),
        tenant=random.choice(TENANTS),
        key=key,
        size=random.choice((ContainerSize.XSMALL, ContainerSize.SMALL, ContainerSize.REGULAR)),
        results=random.randint(1, 5),
        expiry_s=random.choice((60, 300, 600)),
        total=random.random() < 0.2,
        again_s=tuple(random.choice((1, 20, 120)) for _ in range(random.choice((0, 0, 1, 2)))),
        changed_s=random.choice((None, None, None, 5, 100)),
        released_s=random.choice((None, None, None, 30, 200)),
    )


def _agents(random: Random, build: Build) -> list[Job]:
    """Of a stage: at about the same time, now and then one twice, or larger than reserved."""
    after_s = random.choice((0, 10, 60, 400))
    coming = random.choices(range(build.results), k=random.randint(0, build.results))
    larger = random.random() < 0.1
    return [
        Job(
            at_s=build.at_s + after_s + random.randint(0, 5),
            tenant=build.tenant if random.random() < 0.95 else "platform",
            priority=0,
            cpu=0,
            memory_mib=0,
            image=random.randint(0, 1),
            run_s=30,
            size=ContainerSize.LARGE if larger else build.size,
            extras=1,
            build=build.key,
            result=number,
            cancel_after_s=0 if random.random() < 0.1 else None,
        )
        for number in coming
    ]


def _failing_starts(random: Random, plan: Plan) -> Plan:
    """Small jobs of many configurations, an instance that starts none, or one that never starts anywhere."""
    at_s = random.randint(0, plan.quiet_s // 2)
    broken = random.random() < 0.5
    jobs = [
        replace(small_job(random, at_s), image=random.randint(20, 21) if broken else 20 + number)
        for number in range(random.randint(8, 14))
    ]
    if broken:
        jobs = [replace(each, broken=each.image == 20) for each in jobs]
    hole = Mishap(at_s=max(1, at_s - 5), kind=MishapKind.BLACK_HOLE, pick=random.randint(0, 99))
    mishaps = () if broken and random.random() < 0.5 else (hole,)
    return replace(plan, jobs=(*plan.jobs, *jobs), mishaps=(*plan.mishaps, *mishaps))


def _followers(random: Random, plan: Plan) -> Plan:
    """Clients that follow logs while CloudWatch Logs fails now and then."""
    followers = tuple(
        Follower(
            job=(job := random.randrange(len(plan.jobs))),
            at_s=plan.jobs[job].at_s + random.choice((0, 5, 60)),
            breaks_after=random.choice((1, 3, 1_000)),
        )
        for _ in range(random.randint(1, 3))
    )
    mishaps = tuple(
        Mishap(
            at_s=random.randint(0, plan.quiet_s),
            kind=random.choice(_FAILED_CALLS),
            operation=random.choice(("GetLogEvents", "GetLogEvents", "DescribeTaskDefinition")),
            count=random.choice((1, 3, 8)),
        )
        for _ in range(random.randint(1, 4))
    )
    return replace(plan, followers=followers, mishaps=(*plan.mishaps, *mishaps))


def _old_store(random: Random, plan: Plan) -> Plan:
    """The store is lost with its machine, and what replaces it is up to an hour old."""
    mishap = Mishap(
        at_s=random.randint(1, plan.quiet_s),
        kind=MishapKind.OLD_STORE_RESTORED,
        for_s=random.choice((600, 1_800, 3_600)),
    )
    return replace(plan, mishaps=(*plan.mishaps, mishap))


def _exclusive(random: Random, plan: Plan) -> Plan:
    """Some jobs want a container instance for themselves."""
    share = random.choice((0.15, 0.4, 1.0))
    jobs = (replace(each, exclusive=random.random() < share) for each in plan.jobs)
    return replace(plan, jobs=tuple(jobs))


def _warm_pool(random: Random, plan: Plan) -> Plan:
    """The group gets a warm pool, early so that it grows from it; in some its agents register at once."""
    mishaps = tuple(
        Mishap(
            at_s=random.randint(0, plan.quiet_s // 2),
            kind=MishapKind.WARM_POOL,
            pick=random.randint(0, 99),
            count=random.choice((1, 1, 2, 3)),
            for_s=random.choice((60, 150, 400)),
        )
        for _ in range(random.choice((1, 1, 2)))
    )
    account = replace(plan.account, warm_agents_wait=random.random() < 0.5)
    return replace(plan, account=account, mishaps=(*plan.mishaps, *mishaps))


_Theme = Callable[[Random, Plan], Plan]

_THEMES: Mapping[str, tuple[float, _Theme]] = {
    "builds": (0.15, _builds),
    "failing starts": (0.07, _failing_starts),
    "revisions": (0.15, _revisions),
    "followers": (0.1, _followers),
    "old store": (0.04, _old_store),
    "exclusive": (0.15, _exclusive),
    "warm pool": (0.08, _warm_pool),
    "late guests": (0.06, late_guests),
    "throttled starts": (0.05, throttled_starts),
    "forgotten cancellations": (0.05, forgotten_cancellations),
    "strays": (0.05, strays),
    "old age": (0.04, old_at_work),
    "floors": (0.05, passing_wishes),
    "slow boots": (0.04, slow_boots),
    "busy account": (0.04, busy_account),
    "many instances": (0.03, many_instances),
    "lost hour": (0.03, a_lost_hour),
    "outages": (0.08, outages),
}
"""Each with its share of the seeds."""
