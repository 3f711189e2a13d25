"""Shrinking: the smallest plan that still breaks the same invariant, found greedily."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

from scheduler.lab.chaos.plan import Account, Plan, Tuning
from scheduler.lab.chaos.run import Verdict, play

MOST_RUNS = 150
"""Plans that are tried at most: a reader waits for this."""

_PARTS = ("mishaps", "followers", "revisions", "builds", "jobs")
"""What a plan has any number of. Followers and old revisions name jobs by number: those go first."""

_Part = TypeVar("_Part")
_Play = Callable[[Plan], Verdict]


def shrink(
    plan: Plan, invariant: str, *, defect: str = "", play_one: _Play = play, runs: int = MOST_RUNS
) -> Plan:
    """The plan with fewer jobs, mishaps, instances and peculiarities.

    It still breaks `invariant`, and if an exception does, then with the same `defect`.
    """
    left = runs
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(plan):
            if left == 0:
                return plan
            left -= 1
            verdict = play_one(candidate)
            if (verdict.invariant, verdict.defect) == (invariant, defect):
                plan, smaller = candidate, True
                break
    return plan


def size(plan: Plan) -> int:
    """What shrinking makes less of."""
    return sum(len(getattr(plan, name)) for name in _PARTS) + plan.account.max_size


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Large cuts first, then one thing at a time."""
    for name in _PARTS:
        for parts in _cuts(getattr(plan, name)):
            if name != "jobs" or not (plan.revisions or plan.followers):
                changes: dict[str, Any] = {name: parts}
                yield replace(plan, **changes)
    account = plan.account
    for most in _less(account.max_size, max(account.min_size, account.desired, 1)):
        yield replace(plan, account=replace(account, max_size=most))
    for desired in _less(account.desired, account.min_size):
        yield replace(plan, account=replace(account, desired=desired))
    yield from _plainer(plan)


def _less(number: int, least: int) -> Iterator[int]:
    """The least, the middle, one less: a large group is not shrunk by one at a time."""
    if number > least:
        yield from sorted({least, (least + number) // 2, number - 1})


def _cuts(parts: tuple[_Part, ...]) -> Iterator[tuple[_Part, ...]]:
    """Without one half, one quarter... down to one part."""
    width = len(parts)
    while width:
        for begin in range(0, len(parts), width):
            yield parts[:begin] + parts[begin + width :]
        width //= 2


def _plainer(plan: Plan) -> Iterator[Plan]:
    """With one peculiarity less. How often AWS is read stays: fewer readings are no smaller a story."""
    for changes in _defaults(Account):
        yield from _changed(plan, account=replace(plan.account, **changes))
    for changes in _defaults(Tuning):
        if not any(name.endswith("poll_s") for name in changes):
            yield from _changed(plan, tuning=replace(plan.tuning, **changes))


def _defaults(kind: type[Account] | type[Tuning]) -> Iterator[dict[str, Any]]:
    for each in fields(kind):
        if each.default is not MISSING:
            yield {each.name: each.default}


def _changed(plan: Plan, *, account: Account | None = None, tuning: Tuning | None = None) -> Iterator[Plan]:
    changed = replace(plan, account=account or plan.account, tuning=tuning or plan.tuning)
    if changed != plan:
        yield changed
