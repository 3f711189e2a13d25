"""`chaos`: the whole service on a virtual clock, under every fault that has a name, seed by seed."""

import json
import re
from typing import Annotated

import typer

from scheduler.cli.complaint import ExitCode, complain
from scheduler.cli.options import Output, OutputFormat
from scheduler.cli.progress import progress
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import Plan
from scheduler.lab.chaos.pool import silence, verdicts
from scheduler.lab.chaos.report import Report
from scheduler.lab.chaos.run import Verdict, play
from scheduler.lab.chaos.shrink import shrink, size

_LARGEST_SEED = 999_999_999
_MOST_SEEDS = 10_000_000
_MOST_JOBS = 256
_RANGE = re.compile(r"([0-9]{1,40})\.\.([0-9]{1,40})")


def _seeds(text: str) -> str:
    """Raises typer.BadParameter unless it is A..B, or nothing."""
    if not text:
        return text
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise typer.BadParameter(f"expected A..B with A up to B, not {text!r}")
    if int(match[2]) > _LARGEST_SEED:
        raise typer.BadParameter(f"no seed is above {_LARGEST_SEED:,}")
    if int(match[2]) - int(match[1]) >= _MOST_SEEDS:
        raise typer.BadParameter(f"at most {_MOST_SEEDS:,} seeds, not {text}")
    return text


def chaos(
    *,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=_LARGEST_SEED, metavar="N", help="Replay this seed: its plan, its story, its verdict."
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="A..B", callback=_seeds, help="Play all of these, and tell which fail.")
    ] = "",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST_JOBS, metavar="J", help="Processes that share the seeds; 1 if not given."
        ),
    ] = None,
    shrinking: Annotated[
        bool | None,
        typer.Option(
            "--shrink/--no-shrink", help="Whether to look for a smaller plan that fails in the same way."
        ),
    ] = None,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Play the whole service on a virtual clock, with faults, and check what must always hold.

    A seed is everything: workload, cluster, settings and faults. The exit code is 1 if any seed fails,
    or if 2,100 seeds or more leave a kind of fault that never met some state of tasks or removals.
    """
    if (seed is None) == (not seeds):
        raise typer.BadParameter("give --seed N or --seeds A..B")
    if seed is None and shrinking is not None:
        raise typer.BadParameter("--shrink and --no-shrink: with --seed only")
    if seed is not None and jobs is not None:
        raise typer.BadParameter("--jobs: with --seeds only")
    if seed is None:
        good = _many(seeds, jobs or 1, output)
    else:
        with silence():
            good = _one(draw(seed), shrinking is not False, output)
    if not good:
        raise typer.Exit(ExitCode.REFUSED)


def _one(plan: Plan, shrinking: bool, output: Output) -> bool:
    """The story of one seed, and if it fails the smallest plan and its story."""
    verdict = play(plan, telling=True)
    least = plan
    if shrinking and not verdict.good:
        least = shrink(plan, verdict.invariant, defect=verdict.defect)
    if output is Output.JSON:
        print(json.dumps(_told(verdict) | {"plan": list(plan.lines()), "smallest": list(least.lines())}))
        return verdict.good
    print(*plan.lines(), *verdict.story, _judged(verdict), sep="\n")
    if least != plan:
        print(f"\nsmaller, of size {size(least)} instead of {size(plan)}:")
        print(*least.lines(), *(told := play(least, telling=True)).story, _judged(told), sep="\n")
    return verdict.good


def _many(seeds: str, jobs: int, output: Output) -> bool:
    first, last = map(int, seeds.split(".."))
    report = Report()
    wanted = range(first, last + 1)
    with progress("seeds", len(wanted)) as show:
        for count, each in enumerate(report.add(verdicts(wanted, jobs=jobs)), start=1):
            show(count, "")
            if not each.good:
                complain(f"seed {each.seed}: {each.invariant}")
    if output is Output.JSON:
        print(json.dumps(report.as_json()))
    else:
        print(*report.lines(), "", *report.cells(), sep="\n")
    return report.good


def _told(verdict: Verdict) -> dict[str, object]:
    return {
        "seed": verdict.seed,
        "good": verdict.good,
        "invariant": verdict.invariant,
        "message": verdict.message,
        "tasks": verdict.tasks,
        "virtual_s": verdict.virtual_s,
        "story": verdict.story,
    }


def _judged(verdict: Verdict) -> str:
    if verdict.good:
        done = f"{verdict.tasks} tasks, {verdict.virtual_s:,.0f} virtual s"
        return f"seed {verdict.seed}: all invariants hold, {done}"
    return f"seed {verdict.seed}: {verdict.invariant}: {verdict.message}"
