"""The cases: what the system before this one did, taken from its tests, and what is derived from its code.

A: which instance a task gets; B: whole cycles; C: who is usable; D: reservations; E: docker-in-docker;
F: task definitions; M: boundaries and known defects, with what is wanted instead; N: what is sent to AWS.
Each has a test here whose name carries its id. Where this service does otherwise, the docstring tells.
"""

import re
from collections.abc import Iterable
from itertools import chain


def _ids(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{number:02}" for number in range(first, last + 1)]


CASES = frozenset(
    chain(
        _ids("A", 1, 6),
        _ids("B", 1, 17),
        _ids("C", 1, 3),
        _ids("D", 1, 3),
        _ids("E", 1, 8),
        _ids("F", 1, 3),
        _ids("M", 1, 24),
        _ids("M", 30, 53),
        ["N"],
    )
)

_ID = re.compile(r"_([A-FM][0-9]{2}|N)(?=_)", re.IGNORECASE)


def cases_of(test: str) -> set[str]:
    """The ids that a test's name carries."""
    return {each.upper() for each in _ID.findall(test)} & CASES


def passed(outcomes: Iterable[tuple[str, bool]]) -> frozenset[str]:
    """The cases all of whose tests, named with whether they passed, did so."""
    seen, failed = set[str](), set[str]()
    for test, did_pass in outcomes:
        seen |= cases_of(test)
        if not did_pass:
            failed |= cases_of(test)
    return frozenset(seen - failed)
