"""The fault machine bites: each breakage of the real code is found within 300 seeds."""

from itertools import takewhile
from pathlib import Path
from time import perf_counter

import pytest

from scheduler.lab.chaos import invariants
from tests.lab.chaos.breakages import MOST_SEEDS, Breakage, first_seed, recorded, verdict_on
from tests.lab.chaos.breakages_table import BREAKAGES

PAGE = Path(__file__).parents[3] / "docs" / "chaos.md"

HURRIED = ("every_task_ends", "every_intent_is_resolved", "the_group_comes_down")
"""Invariants of what has its time: here it has less, and of that the service may not be found out."""

PATIENCE_S = 60
"""How long another seed is looked for, if `draw` or the service have changed."""


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_service_is_found_out(name: str) -> None:
    """Its seed tells what was broken, by an invariant that is there to tell."""
    breakage = BREAKAGES[name]
    verdict = verdict_on(recorded()[name], breakage)
    if verdict.invariant in HURRIED:
        assert verdict_on(recorded()[name], None).good, "the whole service needs longer, too"
    if not breakage.finds_out(verdict):
        assert another_seed(breakage), f"not found any more: {verdict.message}; run scripts.breakages"


def another_seed(breakage: Breakage) -> int | None:
    """One that finds it, of those there is time for."""
    end_s = perf_counter() + PATIENCE_S
    return first_seed(breakage, takewhile(lambda _: perf_counter() < end_s, range(1, MOST_SEEDS + 1)))


def test_every_expected_invariant_exists() -> None:
    """The table speaks of invariants by the names under which they are told."""
    known = {name for name, _ in invariants.sentences()}
    assert {name for each in BREAKAGES.values() for name in each.invariants} <= known


def test_every_breakage_has_its_sentence_and_its_seed() -> None:
    """Each says what is careless, and is found within the seeds that are promised."""
    seeds = recorded()
    assert seeds.keys() == BREAKAGES.keys()
    assert max(seeds.values()) <= MOST_SEEDS
    assert all(each.breaks.__doc__ for each in BREAKAGES.values())


def test_the_page_says_in_how_many_ways() -> None:
    """And there are so many."""
    assert f"in {len(BREAKAGES)} ways" in PAGE.read_text()
