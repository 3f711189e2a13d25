"""`ecs-scheduler chaos`: what it prints, and how it ends."""

import json
from dataclasses import replace

import pytest
import structlog
from typer.testing import CliRunner

from scheduler.adapters.aws import failures
from scheduler.cli.app import app
from scheduler.lab.chaos import mishaps
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import Mishap, MishapKind, Plan
from scheduler.lab.chaos.run import DEFECT, MACHINE, Verdict, play
from scheduler.lab.chaos.shrink import shrink
from tests.lab.chaos.breakages_of_capacity import act_while_held

RUNNER = CliRunner()


def test_a_seed_is_told() -> None:
    """Its plan, its story and its verdict."""
    result = RUNNER.invoke(app, ["chaos", "--seed", "4"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("plan of seed 4")
    assert any(" service  StartTask " in line for line in lines)
    assert lines[-1].startswith("seed 4: all invariants hold")


def test_many_seeds_are_summed_up() -> None:
    """How many, how many failed, a row for each kind of mishap, and what was never met."""
    result = RUNNER.invoke(app, ["chaos", "--seeds", "1..4"])
    assert result.exit_code == 0
    assert result.stdout.startswith("4 seeds, ")
    lines = result.stdout.splitlines()
    assert sum(line.startswith(tuple(MishapKind)) for line in lines) == len(MishapKind)
    assert "cells are empty after 4 seeds, which is no failure before 2,100" in result.stdout


def test_a_failing_seed_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and a smaller plan that fails alike comes with its own story."""
    act_while_held(monkeypatch)
    result = RUNNER.invoke(app, ["chaos", "--seed", "1", "--output", "json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["invariant"] == "what_is_held_is_left_alone"
    assert len(told["smallest"]) < len(told["plan"])


def unread_launch_times(seed: int) -> Plan:
    """EC2 does not tell when instances were launched, of which the service's log tells."""
    mishap = Mishap(at_s=0, kind=MishapKind.THROTTLE, operation="DescribeInstances", count=3)
    return replace(draw(seed), mishaps=(mishap,))


def test_the_log_of_the_service_is_not_in_its_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the times of the wall's clock: nothing that replays, and no JSON."""
    monkeypatch.setattr("scheduler.cli.chaos.draw", unread_launch_times)
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        result = RUNNER.invoke(app, ["chaos", "--seed", "4", "--output", "json"])
    finally:
        structlog.configure(**before)
    assert json.loads(result.stdout)["good"]


WRONG = [
    ([], "give --seed N or --seeds A..B"),
    (["--seed", "1", "--seeds", "1..2"], "give --seed N or --seeds A..B"),
    (["--seed", "1000000000"], "'--seed': Input should be less than or equal to 999999999"),
    (["--seeds", "2..1"], "expected A..B with A up to B, not '2..1'"),
    (["--seeds", "x"], "expected A..B with A up to B, not 'x'"),
    (["--seeds", "1..999999999999"], "'--seeds': no seed is above 999,999,999"),
    (["--seeds", "0..10000000"], "at most 10,000,000 seeds, not 0..10000000"),
    (["--seeds", "1..2", "--jobs", "257"], "'--jobs': Input should be less than or equal to 256"),
    (["--seeds", "1..2", "--no-shrink"], "--shrink and --no-shrink: with --seed only"),
    (["--seed", "1", "--jobs", "1"], "--jobs: with --seeds only"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_what_is_to_be_played_must_be_clear(arguments: list[str], told: str) -> None:
    """One seed or a range of them that can be played, and no option that would be of no effect."""
    result = RUNNER.invoke(app, ["chaos", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [told in line for line in result.stderr.splitlines()].count(True) == 1


def test_another_exception_is_another_failure() -> None:
    """Neither it nor a failure of the machine itself is a smaller story of the first."""
    plan, played = draw(1), []

    def play_one(smaller: Plan) -> Verdict:
        played.append(smaller)
        return Verdict(seed=1, invariant=DEFECT, defect="KeyError (there.py:do)")

    assert shrink(plan, DEFECT, defect="KeyError (here.py:do)", play_one=play_one) == plan
    assert len(played) > 1
    assert shrink(plan, DEFECT, defect="KeyError (there.py:do)", play_one=play_one) != plan


# ---- whose failure an exception is


def fail(*_: object) -> None:
    """What is called instead of something of the machine's or the service's."""
    raise ZeroDivisionError("no such luck")


def test_a_mishap_that_fails_is_the_machines_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of the service; the seed is told."""
    monkeypatch.setattr(mishaps, "KINDS", {})
    verdict = play(unread_launch_times(4))
    assert (verdict.invariant, verdict.defect) == (MACHINE, "KeyError (mishaps.py:befall)")


def test_a_judge_that_fails_is_the_machines_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it looks at a call of the service's."""
    monkeypatch.setattr("scheduler.lab.chaos.service.ON_CALL", (fail,))
    verdict = play(draw(4))
    assert (verdict.invariant, verdict.message[:17]) == (MACHINE, "ZeroDivisionError")


def test_a_refusal_that_is_not_caught_is_the_services_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated AWS is there to raise it."""
    monkeypatch.setattr(failures, "ClientError", KeyError)
    verdict = play(unread_launch_times(4))
    assert verdict.invariant == DEFECT
    assert "ThrottlingException" in verdict.message or "RequestLimitExceeded" in verdict.message
    assert verdict.defect == "ClientError (clients.py:_call)"
