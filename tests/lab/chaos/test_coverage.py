"""What the fault machine met: aims at every cell of the table, and what becomes of those that stay empty."""

from collections import Counter
from dataclasses import replace

import pytest

from scheduler.core.model.removal import RemovalStep
from scheduler.lab.chaos.aims import ROUND, ROUNDS, with_aims
from scheduler.lab.chaos.coverage import CELLS, ENOUGH_SEEDS, LIFECYCLE, table
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.report import Report

PLAIN = replace(draw(2), mishaps=())


def aimed_at(seeds: range) -> Counter[tuple[str, str]]:
    """How often a kind waits for a state in these plans, whatever else is drawn."""
    plans = (with_aims(replace(PLAIN, seed=seed)) for seed in seeds)
    return Counter((each.kind.value, each.when) for plan in plans for each in plan.mishaps)


@pytest.mark.parametrize("first", [1, 2_000])
def test_each_kind_waits_for_an_instance_that_is_taken_back(first: int) -> None:
    """In every round of seeds, wherever one begins."""
    aims = aimed_at(range(first, first + ROUND))
    assert all(aims[kind, RemovalStep.RETURNING] for kind in MishapKind)


def test_each_kind_waits_for_each_state() -> None:
    """Within so many rounds, but for one that comes once a run; and within those that leave no cell empty."""
    missing = {(kind.value, state) for kind, state in CELLS} - aimed_at(range(1, ROUNDS * ROUND + 1)).keys()
    assert {kind for kind, _ in missing} == {MishapKind.SECOND_SCHEDULER}
    assert not missing - aimed_at(range(1, ENOUGH_SEEDS + 1)).keys()


def test_an_aim_brings_about_what_it_waits_for() -> None:
    """Calls are struck that are made in the state, launches come in it, and there is a revision to go."""
    plans = [with_aims(replace(PLAIN, seed=seed)) for seed in range(1, ENOUGH_SEEDS)]
    aims = [(each, plan) for plan in plans for each in plan.mishaps]
    calls = {each.operation for each, _ in aims if each.kind is MishapKind.THROTTLE}
    launches = [plan for each, plan in aims if each.kind is MishapKind.NEVER_JOINS]
    gone = [plan for each, plan in aims if each.kind is MishapKind.REVISION_GONE]
    assert {"StartTask", "StopTask", "DetachInstances", "TerminateInstances"} < calls
    assert all(MishapKind.DESIRED_CHANGED in {each.kind for each in plan.mishaps} for plan in launches)
    assert all({1, 2} <= {job.image for job in plan.jobs if not job.when} for plan in gone)


def test_three_plans_in_four_have_no_aims() -> None:
    """They are as they were drawn."""
    assert all(with_aims(replace(PLAIN, seed=seed)) == replace(PLAIN, seed=seed) for seed in (2, 3, 4))


def report_of(seeds: int, *, empty: int) -> Report:
    """What came of so many good seeds, which have met all but some of the cells."""
    return Report(seeds=seeds, coverage=Counter({(kind.value, state): 1 for kind, state in CELLS[empty:]}))


@pytest.mark.parametrize(
    ("seeds", "empty", "good"),
    [(ENOUGH_SEEDS - 1, 1, True), (ENOUGH_SEEDS, 1, False), (ENOUGH_SEEDS, 0, True)],
)
def test_an_empty_cell_fails_a_run_of_many_seeds(seeds: int, empty: int, good: bool) -> None:
    """A machine that does not meet what it is for is broken; a few seeds cannot tell."""
    assert report_of(seeds, empty=empty).good is good


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        (4, "1 of {} cells are empty after 4 seeds, which is no failure before 2,100"),
        (2_100, "1 of {} cells are empty after 2,100 seeds, which is a failure"),
    ],
)
def test_empty_cells_are_named(seeds: int, told: str) -> None:
    """State by state, with what they mean."""
    report = report_of(seeds, empty=1)
    assert list(report.cells())[-2:] == [told.format(len(CELLS)), "  QUEUED: throttle"]
    assert report.as_json()["empty_cells"] == ["throttle at QUEUED"]


def test_a_full_table_says_so() -> None:
    """In one line."""
    report = report_of(4, empty=0)
    assert list(report.cells())[-1] == f"each of the {len(CELLS)} cells was met"
    assert report.as_json()["empty_cells"] == []


def test_the_table_is_even() -> None:
    """Each count stands below the end of its state's name, however large it is."""
    met = {(kind.value, state): 7 ** (number % 8) for number, (kind, state) in enumerate(CELLS)}
    _, heads, *rows = table(met)
    assert len(rows) == len(MishapKind)
    assert {len(each) for each in rows} == {len(heads)}
    assert len(heads.split()) == len(LIFECYCLE)
