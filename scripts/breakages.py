"""Looks for the seeds by which the fault machine finds each breakage out, and records them.

Run as `python -m scripts.breakages [NAME...]`, of all breakages or of those named; a recorded seed that still
finds its breakage stays. `tests/lab/chaos/test_mutations.py` plays what is recorded.
"""

import json
import sys
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.lab.chaos.breakages import MOST_SEEDS, SEEDS, first_seed, recorded
from tests.lab.chaos.breakages_table import BREAKAGES


def main(names: Collection[str]) -> int:
    """Writes the table; returns how many breakages nothing finds."""
    known = recorded() if SEEDS.exists() else {}
    wanted = [name for name in BREAKAGES if not names or name in names]
    seeds = {name: seed for name, seed in known.items() if name in BREAKAGES and name not in wanted}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, seed in zip(wanted, pool.map(look, wanted, map(known.get, wanted)), strict=True):
            print(f"{name}: {f'seed {seed}' if seed else f'not found in {MOST_SEEDS} seeds'}", flush=True)
            if seed is not None:
                seeds[name] = seed
    in_order = {name: seeds[name] for name in BREAKAGES if name in seeds}
    SEEDS.write_text(json.dumps(in_order, indent=2) + "\n")
    return len(BREAKAGES) - len(in_order)


def look(name: str, known: int | None) -> int | None:
    """The seed that is known to find it, if it still does, or else the first that does."""
    seeds = range(1, MOST_SEEDS + 1)
    return first_seed(BREAKAGES[name], seeds if known is None else (known, *seeds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
