"""Reports: what came of many seeds, failures by invariant, and what the mishaps met."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scheduler.lab.chaos.draw import MOMENTS
from scheduler.lab.chaos.invariants import sentences
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.run import Verdict

_SEEDS_SHOWN = 8
_CELLS_SHOWN = 12


@dataclass(slots=True)
class Report:
    """What came of the seeds so far."""

    seeds: int = 0
    tasks: int = 0
    virtual_s: float = 0.0
    failures: dict[str, list[Verdict]] = field(default_factory=dict)
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """Counts each verdict and hands it on."""
        for each in verdicts:
            self.seeds += 1
            self.tasks += each.tasks
            self.virtual_s += each.virtual_s
            self.coverage.update(each.coverage)
            if not each.good:
                self.failures.setdefault(each.invariant, []).append(each)
            yield each

    @property
    def failed(self) -> int:
        """How many seeds broke something."""
        return sum(map(len, self.failures.values()))

    def lines(self) -> Iterator[str]:
        """The summary for a reader."""
        hours = self.virtual_s / 3_600
        played = f"{self.seeds:,} seeds, {self.tasks:,} tasks, {hours:,.0f} hours of virtual time"
        yield f"{played}, {self.failed} failed"
        told = dict(sentences())
        for invariant, verdicts in sorted(self.failures.items()):
            seeds = " ".join(str(each.seed) for each in verdicts[:_SEEDS_SHOWN])
            more = " ..." if len(verdicts) > _SEEDS_SHOWN else ""
            yield f"{invariant}: {len(verdicts)} seeds: {seeds}{more}"
            yield f"  {told[invariant]}"
            yield f"  {verdicts[0].seed}: {verdicts[0].message}"

    def table(self) -> Iterator[str]:
        """How often each kind of mishap met each task state and removal step."""
        width = max(len(each) for each in MishapKind)
        yield " ".join([" " * width, *(f"{each[:9]:>9}" for each in MOMENTS)])
        for kind in MishapKind:
            counts = (f"{self.coverage[kind, each] or '-':>9}" for each in MOMENTS)
            yield " ".join([f"{kind:<{width}}", *counts])

    def unmet(self) -> list[tuple[str, str]]:
        """Pairs of mishap and state or step that never met; none is known to be unreachable."""
        return [(kind, each) for kind in MishapKind for each in MOMENTS if not self.coverage[kind, each]]

    def empty_cells(self) -> str:
        """One line that says so."""
        unmet, cells = self.unmet(), len(MishapKind) * len(MOMENTS)
        shown = ", ".join(f"{kind} at {state}" for kind, state in unmet[:_CELLS_SHOWN])
        more = ", ..." if len(unmet) > _CELLS_SHOWN else ""
        return f"empty cells: {len(unmet)} of {cells}{': ' if unmet else ''}{shown}{more}"

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "seeds": self.seeds,
            "tasks": self.tasks,
            "virtual_s": round(self.virtual_s),
            "failed": self.failed,
            "failures": {
                invariant: [{"seed": each.seed, "message": each.message} for each in verdicts]
                for invariant, verdicts in sorted(self.failures.items())
            },
            "empty_cells": [f"{kind} at {state}" for kind, state in self.unmet()],
            "coverage": {
                kind.value: {each: self.coverage[kind, each] for each in MOMENTS} for kind in MishapKind
            },
        }
