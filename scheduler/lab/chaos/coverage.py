"""Coverage: how often each kind of mishap came while something was in each state or step of the lifecycle.

No cell is out of reach: a mishap of any kind can wait for any state, and `aims.py` sees to it that each does
in its turn. A cell that stays empty over `ENOUGH_SEEDS` says that the machine does not do what it promises.
"""

from collections.abc import Iterator, Mapping

from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.plan import MishapKind

_OF_TASKS = tuple(each.value for each in TaskState)
_OF_REMOVALS = tuple(each.value for each in RemovalStep)
LIFECYCLE = (*_OF_TASKS, *_OF_REMOVALS)
"""Task states, then removal steps: what there is for a mishap to meet."""

CELLS = tuple((kind, state) for kind in MishapKind for state in LIFECYCLE)

ENOUGH_SEEDS = 2_100
"""Three times as many as each kind needs to wait for each state once."""

Met = Mapping[tuple[str, str], int]
"""How often a kind, by its value, met a state; what is not there was never met."""

_WIDTH = 5
_LETTERS = 4
_KINDS_SHOWN = 5


def empty_cells(met: Met) -> list[str]:
    """The cells that were never met, in words."""
    return [f"{kind} at {state}" for kind, state in CELLS if not met.get((kind, state))]


def table(met: Met) -> Iterator[str]:
    """Kinds by states, for a terminal of some hundred columns: a state is known by its first four letters."""
    names = max(map(len, MishapKind))
    yield f"{'':{names}} {'tasks':<{_WIDTH * len(_OF_TASKS)}}removals".rstrip()
    yield " " * names + "".join(f"{each[:_LETTERS]:>{_WIDTH}}" for each in LIFECYCLE)
    for kind in MishapKind:
        counts = (_short(met.get((kind, each), 0)) for each in LIFECYCLE)
        yield f"{kind:<{names}}" + "".join(f"{each:>{_WIDTH}}" for each in counts)


def _short(count: int) -> str:
    if not count:
        return "-"
    return str(count) if count < 10**_LETTERS else f"{count // 1_000}k"


def told(met: Met, seeds: int) -> Iterator[str]:
    """The lines below the table: which cells are empty, state by state, and whether they may be."""
    empty = len(empty_cells(met))
    if not empty:
        yield f"each of the {len(CELLS)} cells was met"
        return
    failing = "a failure" if is_due(seeds) else f"no failure before {ENOUGH_SEEDS:,}"
    yield f"{empty} of {len(CELLS)} cells are empty after {seeds:,} seeds, which is {failing}"
    for state in LIFECYCLE:
        if kinds := [kind.value for kind in MishapKind if not met.get((kind, state))]:
            more = f" and {len(kinds) - _KINDS_SHOWN} more" if len(kinds) > _KINDS_SHOWN else ""
            yield f"  {state}: {', '.join(kinds[:_KINDS_SHOWN])}{more}"


def is_due(seeds: int) -> bool:
    """Whether so many seeds must have met every cell."""
    return seeds >= ENOUGH_SEEDS
