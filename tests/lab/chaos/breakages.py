"""Breakages: careless changes of the real code, and the seeds of the fault machine that find them out."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from scheduler.lab.chaos.pool import verdicts
from scheduler.lab.chaos.run import Verdict

MOST_SEEDS = 300
"""Within how many seeds a breakage is to be found."""

SEEDS = Path(__file__).with_name("breakages.json")
"""The first seed known to find each: `python -m scripts.breakages` looks for them again."""

Patch = pytest.MonkeyPatch


class Breakage(NamedTuple):
    """What breaks the service, and the invariants that tell of it; its docstring says what was careless."""

    breaks: Callable[[Patch], None]
    invariants: tuple[str, ...]

    @property
    def name(self) -> str:
        """As in the table of seeds."""
        return self.breaks.__name__

    def finds_out(self, verdict: Verdict) -> bool:
        """Whether this tells of the breakage."""
        return verdict.invariant in self.invariants


def hurry(patch: Patch) -> None:
    """What never comes to an end is given up after forty minutes, in place of hours."""
    patch.setattr("scheduler.lab.chaos.run.PATIENCE_S", 2_400)


def verdict_on(seed: int, breakage: Breakage | None) -> Verdict:
    """What comes of a seed when the service is so broken, or when it is whole."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        if breakage is not None:
            breakage.breaks(patch)
        (verdict,) = verdicts([seed], jobs=1)
    return verdict


def first_seed(breakage: Breakage, seeds: Iterable[int]) -> int | None:
    """The first that finds the breakage, and nothing when the service is whole."""
    found = (each for each in seeds if breakage.finds_out(verdict_on(each, breakage)))
    return next((each for each in found if verdict_on(each, None).good), None)


def recorded() -> Mapping[str, int]:
    """Seeds by the name of what they find."""
    seeds: dict[str, int] = json.loads(SEEDS.read_text())
    return seeds
