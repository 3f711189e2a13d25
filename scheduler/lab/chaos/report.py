"""Reports: what came of many seeds, failures by invariant, and what the mishaps met."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scheduler.lab.chaos.coverage import LIFECYCLE, empty_cells, is_due, table, told
from scheduler.lab.chaos.invariants import sentences
from scheduler.lab.chaos.plan import MishapKind
from scheduler.lab.chaos.run import MACHINE, Verdict

_SEEDS_SHOWN = 8
_OF_THE_MACHINE = "No exception is the fault machine's own: that would say nothing of the service."


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
        sentence = dict(sentences()) | {MACHINE: _OF_THE_MACHINE}
        for invariant, verdicts in sorted(self.failures.items()):
            seeds = " ".join(str(each.seed) for each in verdicts[:_SEEDS_SHOWN])
            more = " ..." if len(verdicts) > _SEEDS_SHOWN else ""
            yield f"{invariant}: {len(verdicts)} seeds: {seeds}{more}"
            yield f"  {sentence[invariant]}"
            yield f"  {verdicts[0].seed}: {verdicts[0].message}"

    @property
    def good(self) -> bool:
        """Whether no seed broke anything, and the mishaps met all that so many seeds must have met."""
        return not self.failed and not (is_due(self.seeds) and empty_cells(self.coverage))

    def cells(self) -> Iterator[str]:
        """What the mishaps met: a table, and lines about the cells that stayed empty."""
        yield from table(self.coverage)
        yield ""
        yield from told(self.coverage, self.seeds)

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "seeds": self.seeds,
            "tasks": self.tasks,
            "virtual_s": round(self.virtual_s),
            "failed": self.failed,
            "good": self.good,
            "failures": {
                invariant: [{"seed": each.seed, "message": each.message} for each in verdicts]
                for invariant, verdicts in sorted(self.failures.items())
            },
            "empty_cells": empty_cells(self.coverage),
            "coverage": {
                kind.value: {each: self.coverage[kind, each] for each in LIFECYCLE} for kind in MishapKind
            },
        }
