"""Ages: a clock that is wrong, or a group that nobody renewed, empties no cluster."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.policy import Policy
from scheduler.core.world.ages import Ages
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger
from tests.builders import a_group, a_member, an_instance, ec2_id, instance_arn
from tests.clocks import START_MS
from tests.core.history import OLD_MS
from tests.core.region import Region
from tests.strategies import MODEST

MONTH_MS = 30 * 86_400_000
CONDITION = "INSTANCES_TOO_OLD"


def a_fleet(count: int, **changes: Any) -> Fleet:
    """So many members that work, the first the oldest, read a month after their launch."""
    fleet = Fleet(Policy(**changes), Ledger())
    fleet.see_group(a_group(*(a_member(number) for number in range(1, count + 1))))
    read(fleet, range(1, count + 1))
    return fleet


def read(fleet: Fleet, numbers: Iterable[int], *, at_ms: int = START_MS + MONTH_MS, **changes: Any) -> None:
    """The next reading has these."""
    seen = [an_instance(number, launched_ms=START_MS + number, **changes) for number in numbers]
    fleet.see_instances(seen, at_ms)


def stale(fleet: Fleet) -> set[str]:
    return {arn for arn, health in fleet.health.items() if health is InstanceHealth.STALE}


def arns(*numbers: int) -> set[str]:
    return {instance_arn(number) for number in numbers}


@pytest.mark.parametrize(("share", "at_a_time"), [(0.0, 1), (0.2, 2), (0.55, 5), (1.0, 10)])
def test_a_group_that_is_too_old_as_a_whole_goes_by_turns(share: float, at_a_time: int) -> None:
    """The oldest are the first, one always; the others go on working."""
    fleet = a_fleet(10, stale_share=share)
    assert stale(fleet) == arns(*range(1, at_a_time + 1))
    assert fleet.counts[InstanceHealth.SCHEDULABLE] == 10 - at_a_time


def test_the_next_has_its_turn_when_one_has_gone() -> None:
    """Not while it is on its way."""
    fleet = a_fleet(10)
    fleet.claim(ec2_id(1), replaced=True)
    read(fleet, range(1, 11))
    assert stale(fleet) == arns(2)
    fleet.see_group(a_group(*(a_member(number) for number in range(2, 12))))
    read(fleet, range(2, 11))
    assert stale(fleet) == arns(2, 3)


def test_one_that_cannot_work_keeps_nobody_from_its_turn() -> None:
    """Its agent is away, or somebody drains it: that may last."""
    fleet = a_fleet(10)
    seen = [an_instance(number, version=2, launched_ms=START_MS + number) for number in range(3, 11)]
    seen.append(an_instance(1, version=2, launched_ms=START_MS + 1, agent_connected=False))
    seen.append(an_instance(2, version=2, launched_ms=START_MS + 2, status="DRAINING"))
    fleet.see_instances(seen, START_MS + MONTH_MS)
    assert stale(fleet) == arns(3, 4)


def test_a_clock_that_is_corrected_makes_them_young_again() -> None:
    """Nothing is left of its jump."""
    fleet = a_fleet(10)
    read(fleet, range(1, 11), at_ms=START_MS + 600_000)
    assert (stale(fleet), fleet.counts[InstanceHealth.SCHEDULABLE]) == (set(), 10)


def test_it_is_told_while_it_may_be_the_clock() -> None:
    """When more than half of the members are too old, not with fewer, and not with the last one."""
    assert CONDITION not in Region(4, old=2).world.troubles
    assert CONDITION not in Region(1, old=1).world.troubles
    message = Region(4, old=4).world.troubles[CONDITION]
    assert message.startswith("4 of 4 members are older than 7 days by this service's clock")


@MODEST
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12),
    st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    st.integers(0, 3),
)
def test_no_more_than_the_share_and_always_someone(
    drawn: list[tuple[bool, bool]], share: float, leaving: int
) -> None:
    """Those in turn are expired and serve; as many as there are, or as the share has room for."""
    ages = Ages(Policy(stale_share=share))
    instances = {
        instance_arn(number): an_instance(number, launched_ms=START_MS - 2 * OLD_MS * old)
        for number, (old, _) in enumerate(drawn)
    }
    serving = {instance_arn(number) for number, (_, serves) in enumerate(drawn) if serves}
    ages.see(instances, START_MS)
    changed = ages.take_turns(serving, leaving=leaving, members=len(drawn))
    waiting = ages.expired & serving
    most = max(1, int(len(drawn) * share))
    assert changed == ages.in_turn <= waiting
    assert len(ages.in_turn) == min(len(waiting), max(0, most - leaving))
