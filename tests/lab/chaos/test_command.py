"""`ecs-scheduler chaos`: what it prints, and how it ends."""

import json

import pytest
from typer.testing import CliRunner

from scheduler.cli.app import app
from scheduler.lab.chaos.plan import MishapKind
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
    assert "cells are empty after 4 seeds, which is no failure before 2,000" in result.stdout


def test_a_failing_seed_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and a smaller plan that fails alike comes with its own story."""
    act_while_held(monkeypatch)
    result = RUNNER.invoke(app, ["chaos", "--seed", "1", "--output", "json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["invariant"] == "what_is_held_is_left_alone"
    assert len(told["smallest"]) < len(told["plan"])


@pytest.mark.parametrize(
    "arguments", [[], ["--seed", "1", "--seeds", "1..2"], ["--seeds", "2..1"], ["--seeds", "x"]]
)
def test_what_is_to_be_played_must_be_clear(arguments: list[str]) -> None:
    """One seed or a range of them, from a first to a last."""
    assert RUNNER.invoke(app, ["chaos", *arguments]).exit_code == 2
