"""A group that is to come to rest after a store was lost: what its successor can do is asked of it."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from scheduler.core.autoscaling import changes
from scheduler.core.autoscaling.scale_down import NO_SHRINKAGE, Shrinkage, Situation, scale_down
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.world.arrivals import Arrivals
from scheduler.lab.chaos import run
from scheduler.lab.chaos.plan import Account, Job, Mishap, MishapKind, Plan, Tuning
from scheduler.lab.chaos.run import play

BOOT_MS = (5_000, 5_000)
JOB = Job(at_s=1, tenant="bamboo", priority=0, cpu=3_600, memory_mib=12_000, image=0, run_s=60)
STORE_LOST = Mishap(at_s=1, kind=MishapKind.STORE_LOST, when=RemovalStep.DETACHING)
PLAN = Plan(
    seed=2,
    quiet_s=500,
    account=Account(
        instance_types=("m5.xlarge",),
        launch_source="launch_template",
        min_size=1,
        max_size=4,
        desired=1,
        launch_ms=BOOT_MS,
        agent_registration_ms=BOOT_MS,
    ),
    tuning=Tuning(idle_timeout_s=30),
    jobs=(JOB, JOB, replace(JOB, run_s=90)),
    mishaps=(STORE_LOST,),
)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come soon never comes here."""
    monkeypatch.setattr(run, "PATIENCE_S", 1_800)


def test_what_a_lost_store_was_about_to_remove_may_stay() -> None:
    """Its successor knows nothing of it, and brings down all that is beside it."""
    verdict = play(PLAN)
    assert verdict.good, verdict.message


def test_a_successor_that_never_shrinks_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was about to go may stay, not the whole group."""
    shrunk = list[Shrinkage]()

    def once(situation: Situation, policy: Policy, now_ms: int) -> Shrinkage:
        shrinkage = NO_SHRINKAGE if shrunk else scale_down(situation, policy, now_ms)
        shrunk.extend([shrinkage] if shrinkage.removals else [])
        return shrinkage

    monkeypatch.setattr(changes, "scale_down", once)
    verdict = play(PLAN)
    assert verdict.invariant == "the_group_comes_down"


def test_one_that_works_on_does_not_excuse_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a lost store had started may take hours; where nothing runs any more instances go."""
    long = replace(JOB, run_s=30_000)
    lost = Mishap(at_s=40, kind=MishapKind.STORE_LOST)
    plan = replace(PLAN, jobs=(long, JOB, JOB), mishaps=(lost,))
    assert play(plan).good
    monkeypatch.setattr(changes, "scale_down", lambda *_: NO_SHRINKAGE)
    assert play(plan).invariant == "the_group_comes_down"


@pytest.mark.parametrize(("share", "told"), [(0.0, ""), (1.0, "the_books_are_closed")])
def test_what_is_kept_for_an_hour_is_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch, share: float, told: str
) -> None:
    """An idle hour at the end shows what two minutes do not."""

    def join(arrivals: Arrivals, listed: Collection[str], now_ms: int) -> None:
        arrivals._joined_ms.update(dict.fromkeys(listed, now_ms))

    monkeypatch.setattr(run, "_IDLE_SHARE", share)
    assert play(replace(PLAN, mishaps=())).good
    monkeypatch.setattr(Arrivals, "_join", join)
    assert play(replace(PLAN, mishaps=())).invariant == told
