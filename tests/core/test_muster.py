"""The muster: what EC2 owes is desired capacity less those that are there, whoever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import InstanceGroup
from scheduler.core.world.muster import Muster, is_staying, muster
from tests.builders import a_group, a_member, ec2_id
from tests.strategies import MODEST

GROUP = a_group(a_member(1), a_member(2), a_member(3))
OK = InstanceHealth.SCHEDULABLE


def seen(
    health: dict[int, InstanceHealth],
    *,
    silent: tuple[int, ...] = (),
    lost: tuple[int, ...] = (),
    leaving: tuple[int, ...] = (),
    group: InstanceGroup = GROUP,
) -> Muster:
    return muster(
        group,
        lambda wanted: {ec2_id(number) for number, each in health.items() if each is wanted},
        {ec2_id(number): f"arn-{number}" for number in silent},
        map(ec2_id, lost),
        map(ec2_id, leaving),
    )


@pytest.mark.parametrize(
    ("found", "owed"),
    [
        (seen({}), 3),
        (seen({1: OK}), 2),
        (seen({1: OK, 2: OK, 3: OK}), 0),
        (seen({1: OK}, silent=(2,)), 1),
        (seen({1: OK}, lost=(2,)), 1),
        (seen({1: OK, 2: InstanceHealth.LEAVING}, leaving=(2,)), 1),
        (seen({1: OK, 2: InstanceHealth.LEAVING}), 2),
        (seen({1: OK, 2: InstanceHealth.STALE}), 1),
        (seen({1: OK, 2: InstanceHealth.DRAINING}), 1),
        (seen({1: OK, 2: InstanceHealth.NOT_IN_SERVICE}), 2),
    ],
)
def test_the_group_owes_what_it_would_launch(found: Muster, owed: int) -> None:
    """It replaces nobody in whom it sees nothing wrong; one that is replaced by us is owed at once."""
    assert found.owed(GROUP) == owed


def test_nobody_is_owed_beyond_desired() -> None:
    """More are there than are wanted, or no group was read."""
    found = seen({1: OK, 2: OK, 3: OK})
    assert found.owed(a_group(a_member(1), desired=1)) == 0
    assert found.owed(None) == 0


def test_each_is_one_thing() -> None:
    """Who leaves is nothing else; who works under one ARN is neither silent nor lost under another."""
    found = seen({1: OK, 2: OK}, silent=(1, 2, 3), lost=(1, 2, 3), leaving=(2,))
    assert (set(found.working), set(found.leaving)) == ({ec2_id(1)}, {ec2_id(2)})
    assert (found.silent, set(found.lost)) == ({ec2_id(3): "arn-3"}, set())


def test_who_is_no_member_any_more_is_not_there() -> None:
    """Detached, or about to be: the group has launched another, or needs none."""
    group = a_group(a_member(1), a_member(2, lifecycle_state="Detaching"), a_member(3), desired=2)
    found = seen({1: OK}, leaving=(2, 7), silent=(7,), lost=(2,), group=group)
    assert (set(found.there), found.owed(group)) == ({ec2_id(1)}, 1)


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        ("InService", True),
        ("Pending:Wait", True),
        ("Standby", True),
        ("Terminating", False),
        ("Terminating:Proceed", False),
        ("Terminated", False),
        ("Detaching", False),
        ("Detached", False),
    ],
)
def test_who_is_staying(state: str, stays: bool) -> None:
    """Those that the group is not about to take away; a stranger is none, nor is anybody without a group."""
    assert is_staying(a_group(a_member(lifecycle_state=state)), ec2_id(1)) is stays
    assert not is_staying(GROUP, ec2_id(9))
    assert not is_staying(None, ec2_id(1))


numbers = st.sets(st.integers(1, 6)).map(tuple)


@MODEST
@given(
    health=st.dictionaries(st.integers(1, 6), st.sampled_from(InstanceHealth)),
    silent=numbers,
    lost=numbers,
    leaving=numbers,
)
def test_the_parts_never_overlap(
    health: dict[int, InstanceHealth],
    silent: tuple[int, ...],
    lost: tuple[int, ...],
    leaving: tuple[int, ...],
) -> None:
    """Counting them apart counts everybody once."""
    found = seen(health, silent=silent, lost=lost, leaving=leaving)
    parts = (found.working, frozenset(found.silent), found.lost, found.leaving)
    assert len(found.there) == sum(map(len, parts))
