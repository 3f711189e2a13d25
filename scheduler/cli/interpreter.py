"""The interpreter, tuned for one process that answers calls, commits and decides on three threads."""

import gc
import sys

SWITCH_INTERVAL_S = 0.0005
"""Python's own 5 ms is how long the event loop may wait behind a thread that computes."""

GC_THRESHOLDS = (5_000, 20, 20)
"""Allocations between two collections of the young, and how many of those make one of the next generation.
Python's own (700, 10, 10) took 8 % of a core that accepts tasks as fast as it can."""


def tune() -> None:
    """Call it once everything is loaded.

    What is in memory by then, modules and the queue, stays: nothing is to be found in it. Looking through it
    again and again held up every caller; the p99 of Schedule halved without.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
