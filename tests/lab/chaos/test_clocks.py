"""Clocks that are set, and what the invariants make of it."""

from scheduler.lab.chaos.plan import Account, Job, Mishap, MishapKind, Plan, Tuning
from scheduler.lab.chaos.run import play


def test_an_absence_may_look_longer_to_a_clock_that_was_set_ahead() -> None:
    """An agent that has been away since an earlier life is lost by the clock of this one, as promised."""
    boot_ms = (5_000, 5_000)
    job = Job(at_s=1, tenant="bamboo", priority=0, cpu=3_600, memory_mib=12_000, image=0, run_s=600)
    plan = Plan(
        seed=2,
        quiet_s=500,
        account=Account(
            instance_types=("m5.xlarge",),
            launch_source="launch_template",
            min_size=2,
            max_size=4,
            desired=2,
            launch_ms=boot_ms,
            agent_registration_ms=boot_ms,
        ),
        tuning=Tuning(disconnected_after_s=300),
        jobs=(job, job),
        mishaps=(
            Mishap(at_s=60, kind=MishapKind.AGENT_AWAY, pick=1, for_s=400),
            Mishap(at_s=150, kind=MishapKind.CLOCK_SET, pick=4),
        ),
    )
    verdict = play(plan)
    assert verdict.good, verdict.message
