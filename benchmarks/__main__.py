"""`python -m benchmarks [name...]`: one JSON line a ratio on stdout, explanations on stderr.

Exit code 1 when a goal is missed, 2 for an unknown name.
"""

import sys

from benchmarks import backlog, placement, schedule, start, watch

BENCHES = {
    "placement": placement.run,
    "backlog": backlog.run,
    "schedule": schedule.run,
    "watch": watch.run,
    "start": start.run,
}


def main(names: list[str]) -> int:
    """Runs the benches of these names, or all of them."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    ok = True
    for name in names or BENCHES:
        for ratio in BENCHES[name]():
            print(ratio.line(), flush=True)
            ok = ok and ratio.ok
    return 0 if ok else 1


# The schedule bench starts processes that import this module once more.
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
