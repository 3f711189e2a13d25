"""Leftovers: what the service still keeps in memory of tasks, attempts and instances that are over.

Its parts are walked, whatever they are: a book that grows for ever is found without being named.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from scheduler.lab.chaos.truth import Truth

KEPT_FOR_A_TIME = (
    ".arrivals._joined_ms",  # an hour: who blinks in a listing is no newcomer
    ".deadlines._heap",  # until their time has come, however their tasks ended
    ".agenda.searches",  # three quarters of an hour: a start that was given up may show up yet
    ".fleet.disconnections._blinks",  # an hour: for so long absences are added up
    ".membership.",  # ten minutes: who is missing from a listing is not gone
    ".starts._of",  # an hour: what of a configuration failed in a row, and on which instances
    ".removals._rests",  # a minute, and until the next refusal
    ".removals.told",  # until the next refusal
)
"""Parts that forget by the clock. They are as large as what happens in that time."""

LONGEST_KEPT_S = 3_900
"""After so long not even these have anything left."""

_OURS = ("scheduler.core.", "scheduler.services.")
"""Not the adapters: a store is there to keep, and what AWS answered is kept by number (`LaunchTimes`)."""

_DEEPEST = 8


def what_is_over(truth: Truth, tasks: Collection[str]) -> frozenset[str]:
    """Tasks, attempts and instances that have ended. `tasks` are the ids of those that have."""
    over = {*tasks, *(each.attempt_id for each in truth.tasks.values() if not each.alive)}
    over |= truth.terminated_ms.keys() - {truth.ec2_ids[arn] for arn in truth.statuses}
    over |= truth.ec2_ids.keys() - truth.statuses.keys()
    return frozenset(over - {""})


def leftovers(
    books: object, over: Collection[str], *, exempt: tuple[str, ...] = KEPT_FOR_A_TIME
) -> tuple[str, ...]:
    """Where in the books something is named that is over."""
    return tuple(
        f"{path}: {name}"
        for path, name in _named(books, "", _DEEPEST)
        if name in over and not path.startswith(exempt)
    )


def _named(thing: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every text in there, with the attributes that lead to it."""
    if isinstance(thing, str):
        yield path, thing
    elif depth == 0:
        return
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from _named(key, path, depth - 1)
            yield from _named(value, path, depth - 1)
    elif isinstance(thing, Collection):
        for each in thing:
            yield from _named(each, path, depth - 1)
    elif type(thing).__module__.startswith(_OURS):
        for name in _attributes(thing):
            yield from _named(getattr(thing, name, None), f"{path}.{name}", depth - 1)


def _attributes(thing: Any) -> Iterator[str]:
    slots = getattr(type(thing), "__slots__", ())
    yield from (slots,) if isinstance(slots, str) else slots
    yield from getattr(thing, "__dict__", ())
