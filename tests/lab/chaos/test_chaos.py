"""The fault machine on some seeds, and what it makes of a seed that fails."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from scheduler.core.lifecycle import reconcile
from scheduler.core.model.removal import RemovalStep
from scheduler.lab.chaos.coverage import LIFECYCLE
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import Mishap, MishapKind, Plan, Tuning
from scheduler.lab.chaos.pool import verdicts
from scheduler.lab.chaos.report import Report
from scheduler.lab.chaos.run import DEFECT, Verdict, play
from scheduler.lab.chaos.shrink import shrink, size

PARTS = [range(first, 301, 20) for first in range(1, 21)]
"""The seeds that every test run plays, in parts that as many processes as there are may share."""

AIMED = PARTS[0]
"""Every twentieth seed from the first is one of every fourth, which have aims."""

REGRESSIONS = {
    146: "the only member never joins, in a cluster that earlier ones were in",
    187: "the last of many that never join waits for more than fifty minutes",
    292: "who follows logs is not told that the process has died",
    330: "a store is lost while the process is down",
    432: "no member ever joins: nothing proves that cluster and group belong together",
    499: "an instance goes a moment after AWS denied its detach",
    673: "lists leave out an instance for all the life of a restored store, and others' work is on it",
    836: "an agent registers anew while lists leave its instance out",
    856: "the remainder of a reservation would break up the room for its large pieces",
    933: "a drain that was given up has its effect late, and its instance was taken back",
    1042: "three agents of a build get the room that was held for them at once",
    1452: "what failed on an instance turns out to fail on others as well",
    1483: "a census takes its time until it shows the task of an earlier scheduler",
    1550: "others start tasks on an instance that rests in the warm pool",
    1553: "an old ARN with a task, while its instance is being removed",
    1588: "a task takes nearly all the CPU of a type that never booted",
    1732: "of two schedulers one raises desired capacity, and no reading shows it to the other",
    1791: "an old ARN with tasks, whose instance and group are gone",
    2000: "a client comes again after all others have ended",
    2184: "an image that cannot be pulled is the fault of no instance",
    2199: "somebody raises desired capacity, and no reading shows it yet",
    2549: "a start leaves the process that is killed, whose store is then an older one",
    2605: "a drain of an earlier life has its effect after its instance was taken back",
    2884: "a process is down until all is mended",
    3039: "a start that takes too long is one of those that tell of a black hole",
    4526: "an instance that was bought comes, and is terminated at once",
    4621: "of two schedulers one detaches what the other has just started a task on",
    4629: "lists leave out an old registration until its instance has ended",
    10549: "a stop leaves the process that is killed, whose store is lost",
    12079: "an instance that lists leave out has ended",
    12675: "a restored store does not know what desired capacity was raised to",
    14535: "AZRebalance is resumed just before all is mended",
    14967: "a client asks while the process is down",
    15171: "a reading shows a smaller group, and still the member that was detached",
    18110: "tasks run, and are stopped because no reading shows it in time",
    20193: "a restored store knows nothing of a task beside which an exclusive one is started",
    30197: "a member that a human terminates is listed as one that stays, and another is bought",
    35392: "a clock is set between two lives, and the group's readings lag behind what the first one bought",
    41454: "all other agents are lost in the moment in which one that is gone is replaced",
    70261: "a start that a restored store has forgotten has its effect late",
    78093: "others use up the reads of the cluster, and eager sweeps what is left",
    100103: "a warm pool leaves 22 container instances behind that EC2 has ended",
    100683: "instances are too old as soon as they have joined, and their group never shrinks",
    100885: "of two schedulers the earlier one begins anew, and is the later one",
    101621: "one of ours is outside a group that is to be empty",
    101993: "what may run again has run, and ECS has forgotten it when a store is restored",
    103678: "a clock is set ahead by an hour, and a start that was never sent looks forgotten by ECS",
    104935: "a group comes down to a black hole, and who started well is gone",
    105217: "lists leave out an ARN whose instance has another one by now, and who runs there",
    105716: "room is held for one that wants an instance for itself",
    106693: "an instance that AWS refused to let go goes by others' hand, and its rest is remembered",
    106977: "the one that works of a full group is old and idle for long",
    107345: "what has rested from a refusal is gone",
    107544: "an instance goes between a stop for a late start and its effect, and its task had run",
    108916: "a start that had no effect is as old as the copy of the store, and ECS may have forgotten it",
    112342: "a task that ended by itself before it was cancelled, and its report was lost",
    204290: "what showed up a moment ago under a start that was given up is unforeseen",
    210449: "others leave less of AWS's readings than inspections use up, and nothing is found",
    210578: "a process that has ended lives on, as a client's request was under way",
    213147: "a start that ECS may have forgotten comes after all, and its task may run again",
    216975: "AZRebalance is resumed while what lost stores had started holds the service",
    231202: "all agents go while a detach is under way and answers are slow",
    241099: "a process that has just begun stops a task beside another scheduler, before its first census",
}
"""Seeds that once failed, and what they were drawn to be; the tests of the core have each as it is."""


@cache
def report_on(part: range) -> Report:
    """What comes of these seeds; a process plays them once, whoever asks."""
    report = Report()
    for _ in report.add(verdicts(part, jobs=1)):
        pass
    return report


def test_the_mishaps_meet_the_service_at_work() -> None:
    """In each task state and removal step, and by most kinds that wait for an instance that is taken back."""
    coverage = report_on(AIMED).coverage
    aims = [each for seed in AIMED for each in draw(seed).mishaps]
    kinds = {each.kind for each in aims if each.when == RemovalStep.RETURNING}
    met = {kind for kind in kinds if coverage[kind, RemovalStep.RETURNING]}
    assert {state for _, state in coverage} == set(LIFECYCLE)
    assert len(met) > 0.7 * len(kinds)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part[0]}..{part[-1]}")
def test_every_invariant_holds(part: range) -> None:
    """Whatever is done to the service, nothing that must never happen does."""
    report = report_on(part)
    assert not report.failures, "\n".join(report.lines())


def test_nearly_every_kind_of_mishap_is_drawn_soon() -> None:
    """By the first forty seeds, few kinds as each of them has."""
    drawn = {each.kind for seed in range(1, 41) for each in draw(seed).mishaps}
    assert len(drawn) > 0.9 * len(MishapKind)


def test_as_many_processes_as_one_likes() -> None:
    """The verdicts are the same, in the same order."""
    seeds = range(1, 7)
    assert list(verdicts(seeds, jobs=2)) == list(verdicts(seeds, jobs=1))


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_failed_once_holds(seed: int) -> None:
    """Seeds that broke an invariant before the service, or the invariant, was mended."""
    verdict = play(draw(seed))
    assert verdict.good, f"{REGRESSIONS[seed]}: {verdict.invariant}: {verdict.message}"


def test_a_pair_that_was_never_proven_is_not_waited_for_in_vain() -> None:
    """Where no member ever joins nothing is done for good: half an hour shows that as well as three do."""
    drawn = draw(1)
    account = replace(drawn.account, min_size=0, max_size=1, desired=0, read_lag_ms=0, group_lag_ms=0)
    job = replace(drawn.jobs[0], at_s=5, cpu=1_024, memory_mib=1_024, queue_s=60, invalid=False, when="")
    never = Mishap(at_s=1, kind=MishapKind.NEVER_JOINS, count=3)
    plan = Plan(seed=1, quiet_s=60, account=account, tuning=Tuning(), jobs=(job,), mishaps=(never,))
    verdict = play(plan)
    assert verdict.good
    assert 1_800 < verdict.virtual_s < 3_600


@pytest.mark.parametrize("for_s", [5, 3_600])
@pytest.mark.parametrize("kind", [MishapKind.STORE_RESTORED, MishapKind.OLD_STORE_RESTORED])
def test_no_store_is_restored_once_all_is_mended(kind: MishapKind, for_s: int) -> None:
    """However long that takes it begins before: what comes after must come to a good end."""
    plan = replace(draw(2), mishaps=(Mishap(at_s=200, kind=kind, for_s=for_s),))
    verdict = play(plan, telling=True)
    lines = "\n".join(verdict.story)
    assert verdict.good
    assert lines.index("its store is again as it was") < lines.index("no more: everything is mended")


@pytest.mark.parametrize("kind", MishapKind)
def test_every_kind_of_mishap_is_carried_out(kind: MishapKind) -> None:
    """No kind is drawn that does nothing: each strikes a service at work, of which something is seen."""
    account = replace(draw(2).account, min_size=1, desired=2, max_size=4, throttling=False)
    job = replace(draw(2).jobs[0], at_s=1, cpu=512, memory_mib=512, run_s=60, invalid=False, when="")
    job = replace(job, exclusive=True, cancel_after_s=None)
    operation = "ListTasks" if kind is MishapKind.PARTIAL_READ else "StartTask"
    mishaps = tuple(Mishap(at_s=at_s, kind=kind, operation=operation, for_s=5) for at_s in (29, 70))
    jobs = (job, *[replace(job, at_s=30, image=job.image + 1)] * 4)
    plan = Plan(seed=2, quiet_s=120, account=account, tuning=Tuning(), jobs=jobs, mishaps=mishaps)
    verdict = play(plan)
    assert verdict.good, verdict.message
    assert {each for each, _ in verdict.coverage} == {kind}


def test_a_mishap_that_strikes_nothing_is_not_counted() -> None:
    """Where nothing calls, nothing fails: an announcement is no fault that anything has met."""
    plan = replace(draw(2), mishaps=())
    never = (MishapKind.THROTTLE, MishapKind.LATE_EFFECT, MishapKind.CRASH_AT_CALL)
    operation = "DeregisterContainerInstance"
    mishaps = tuple(Mishap(at_s=1, kind=each, operation=operation, count=999) for each in never)
    assert not play(replace(plan, mishaps=mishaps)).coverage


def story_of(seed: int, hash_seed: str) -> str:
    """As told by a process of its own, which orders what has no order in its own way."""
    told = subprocess.run(
        [sys.executable, "-m", "scheduler", "chaos", "--seed", str(seed), "--no-shrink"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout


@pytest.mark.parametrize("seed", [5, 22, 43], ids=["a rival", "SQLite", "revisions"])
def test_a_seed_replays_exactly(seed: int) -> None:
    """The same number gives the same plan, the same story and the same verdict, in every process."""
    first, second = (story_of(seed, hash_seed) for hash_seed in "12")
    assert first == second
    assert len(first.splitlines()) > 50


def test_a_defect_of_the_service_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception is a broken invariant, with the place that raised it."""

    def fail(*_: object) -> bool:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(reconcile, "succeeded", fail)
    verdict = next(each for each in verdicts(PARTS[0], jobs=1) if not each.good)
    assert verdict.invariant == DEFECT
    assert "ZeroDivisionError: no such luck (test_chaos.py:fail)" in verdict.message


def spot_kill_breaks_it(plan: Plan) -> Verdict:
    """As if any spot kill beside any two jobs broke something."""
    kills = sum(each.kind is MishapKind.SPOT_KILL for each in plan.mishaps)
    broken = kills > 0 and len(plan.jobs) > 1
    return Verdict(seed=plan.seed, invariant="some" if broken else "")


def plans_with_spot_kills() -> Iterator[Plan]:
    """Plans that `spot_kill_breaks_it` breaks."""
    return (plan for seed in range(1, 1_000) if not spot_kill_breaks_it(plan := draw(seed)).good)


def test_shrinking_leaves_what_matters() -> None:
    """Of many jobs, mishaps and instances those are left without which it would not fail."""
    plan = max((next(plans) for plans in [plans_with_spot_kills()] for _ in range(20)), key=size)
    least = shrink(plan, "some", play_one=spot_kill_breaks_it)
    assert len(least.jobs) == 2
    assert [each.kind for each in least.mishaps] == [MishapKind.SPOT_KILL]
    assert size(least) < size(plan)
    assert least.tuning == replace(
        type(plan.tuning)(),
        task_poll_s=plan.tuning.task_poll_s,
        cluster_poll_s=plan.tuning.cluster_poll_s,
    )


def test_failures_are_told_by_invariant() -> None:
    """Many seeds that fail alike are one entry, with the seeds to replay."""
    report = Report()
    seeds = [Verdict(seed=each, invariant="every_task_ends", message="one is left") for each in (7, 9)]
    assert [each.seed for each in report.add([*seeds, Verdict(seed=8)])] == [7, 9, 8]
    lines = list(report.lines())
    assert lines[1] == "every_task_ends: 2 seeds: 7 9"
    assert lines[2] == "  Once the mishaps are over every task comes to its end."
    assert report.as_json()["failures"]["every_task_ends"][0] == {"seed": 7, "message": "one is left"}


def test_a_plan_prints_what_is_peculiar() -> None:
    """A line for the account, the tuning, and each part of it; defaults are left out."""
    plan = draw(5)
    lines = list(plan.lines())
    assert Counter(line.split()[0] for line in lines[3:]) == Counter(
        revision=len(plan.revisions),
        job=len(plan.jobs),
        build=len(plan.builds),
        follower=len(plan.followers),
        mishap=len(plan.mishaps),
    )
    assert "exit_code=0" not in "\n".join(lines)
