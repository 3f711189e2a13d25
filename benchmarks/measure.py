"""What every bench measures with: ratios with goals, and rounds in which subjects take turns."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One figure and whether it keeps its goal."""

    name: str
    value: float
    goal: float
    ok: bool

    def line(self) -> str:
        """The figure as one line of JSON."""
        fields = {"name": self.name, "value": float(f"{self.value:.3g}"), "goal": self.goal, "ok": self.ok}
        return json.dumps(fields)


def at_most(goal: float, name: str, value: float) -> Ratio:
    """A figure that is good when it is small."""
    return Ratio(name=name, value=value, goal=goal, ok=value <= goal)


def at_least(goal: float, name: str, value: float) -> Ratio:
    """A figure that is good when it is large."""
    return Ratio(name=name, value=value, goal=goal, ok=value >= goal)


def medians(rounds: int, subjects: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each subject's figures. Subjects take turns, so that a slow minute meets all of them."""
    figures: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            figures[name].append(measure())
    return {name: median(values) for name, values in figures.items()}


def tell(text: str) -> None:
    """Explains, where no program reads."""
    print(text, file=sys.stderr, flush=True)
