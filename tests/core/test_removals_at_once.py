"""Removals at once: thousands of idle instances go in portions, so that each step stays short."""

from typing import Any

import pytest

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.autoscaling.changes import remove
from scheduler.core.autoscaling.scale_up import Growth
from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import Limits
from scheduler.core.placement.packer import pack
from tests.builders import a_candidate, a_group, a_member, a_removal, a_removal_evidence, an_index
from tests.clocks import START_MS

POLICY = Policy(max_removals=20)
MANY = 50
NOTHING_PLACED = pack((), an_index(), limit=0)


@pytest.mark.parametrize(("under_way", "begun"), [(0, 20), (15, 5), (20, 0), (30, 0)])
def test_no_more_than_so_many_are_under_way(under_way: int, begun: int) -> None:
    """Of fifty that are idle."""
    removing = remove(
        upkeep(under_way), group(), Growth(), packing=NOTHING_PLACED, policy=POLICY, now_ms=START_MS
    )
    assert len(removing.shrinkage.removals) == begun


def test_a_sick_one_goes_all_the_same() -> None:
    """It does no good; others wait for it."""
    lost = a_removal(99, cause=RemovalCause.DISCONNECTED, step=RemovalStep.DETACHING, decrement=False)
    removing = remove(
        upkeep(20, lost=(lost,)), group(), Growth(), packing=NOTHING_PLACED, policy=POLICY, now_ms=START_MS
    )
    assert removing.begun == (lost,)


def group() -> InstanceGroup:
    members = [a_member(number) for number in range(1, MANY + 1)]
    return a_group(*members, min_size=0, max_size=MANY, desired=MANY)


def upkeep(under_way: int, **changes: Any) -> Upkeep:
    """Fifty that have been idle for an hour, and so many others on their way out."""
    idle = [a_candidate(number, idle_since_ms=START_MS - 3_600_000) for number in range(1, MANY + 1)]
    removals = tuple(a_removal_evidence(a_removal(100 + number)) for number in range(under_way))
    fields: dict[str, Any] = {
        "limits": Limits(floor=0, ceiling=MANY),
        "size": MANY,
        "able": MANY,
        "removals": removals,
    }
    return Upkeep(candidates=Candidates(idle), **(fields | changes))
