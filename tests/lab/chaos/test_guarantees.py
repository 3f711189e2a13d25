"""`docs/guarantees.md` and the invariants: each promise is held by one, and each one holds a promise."""

import re
from pathlib import Path

from scheduler.lab.chaos import invariants

PAGE = Path(__file__).parents[3] / "docs" / "guarantees.md"
HELD_BY = re.compile(r"^\* fault machine[^:]*: (.*(?:\n  .*)*)", re.MULTILINE)
KNOWN = dict(invariants.sentences())


def names_on_the_page() -> list[str]:
    """Invariants that promises are said to be held by."""
    return [name for held in HELD_BY.findall(PAGE.read_text()) for name in re.findall(r"`(\w+)`", held)]


def test_every_invariant_holds_a_promise() -> None:
    """One that is not on the page holds what nobody was promised."""
    assert KNOWN.keys() - set(names_on_the_page()) == set()


def test_every_invariant_on_the_page_exists() -> None:
    """Under the name by which a seed that breaks it is told."""
    assert set(names_on_the_page()) - KNOWN.keys() == set()


def test_every_function_that_judges_a_scene_is_listed() -> None:
    """None is written and then never asked."""
    folder = Path(invariants.__file__).parent
    judging = re.compile(r"^def ([a-z]\w*)\(\s*scene: Scene\b[^)]*\) -> str \| None:", re.MULTILINE)
    written = {name for path in folder.glob("*.py") for name in judging.findall(path.read_text())}
    assert len(written) > 30
    assert written <= KNOWN.keys()
