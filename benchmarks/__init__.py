"""Benchmarks: what the service promises about speed, measured against a named baseline in the same run.

Lives here: one module a bench (`placement`, `backlog`, `schedule`, `watch`, `start`), each with a
`run() -> list[Ratio]`; the parts that they measure with. `python -m benchmarks [name...]` runs them.
Workloads are seeded; subject and baseline take turns (A B A B) and medians are compared, because machines are
never quiet. docs/benchmarks.md tells each method and the figures seen.

May import: everything of the service. Nothing of the service imports this.

Words: a *ratio* is one figure with its goal; a *subject* is what is measured, a *baseline* what it is
compared to; a *round* is one turn of both.
"""
