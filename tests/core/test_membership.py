"""Membership: who was seen in the group is remembered for as long as it exists, across restarts."""

from scheduler.core.model.facts import member_fact
from scheduler.core.model.policy import Policy
from scheduler.core.world.membership import Membership
from tests.clocks import START_MS

POLICY = Policy()


def seen(*members: str) -> Membership:
    """These were members in the cluster, by one reading."""
    membership = Membership(POLICY, "ci")
    membership.see(members, members, START_MS)
    return membership


def test_a_member_in_the_cluster_is_a_fact_once() -> None:
    """One fact an instance, however often it is read."""
    membership = Membership(POLICY, "ci")
    facts = [membership.see({"i-1", "i-2"}, {"i-1", "i-3"}, START_MS + at_ms) for at_ms in (0, 1)]
    assert facts == [[member_fact("i-1", "ci")], []]
    assert [membership.was_member(each) for each in ("i-1", "i-2", "i-3")] == [True, False, False]


def test_one_that_leaves_the_group_is_remembered() -> None:
    """That is what it is for."""
    membership = seen("i-1")
    assert membership.see(set(), {"i-1"}, START_MS + 10**9) == []
    assert membership.was_member("i-1")


def test_one_that_is_gone_is_forgotten() -> None:
    """From the cluster and the group, for longer than a list leaves anything out."""
    membership = seen("i-1")
    assert membership.see((), (), START_MS + 1) == []
    assert membership.see((), (), START_MS + POLICY.absence_ms) == []
    assert membership.see((), (), START_MS + 1 + POLICY.absence_ms) == [member_fact("i-1", "")]
    assert not membership.was_member("i-1")


def test_a_gap_in_the_lists_forgets_nobody() -> None:
    """Each begins anew."""
    membership = seen("i-1")
    for at_ms in range(0, 10 * POLICY.absence_ms, POLICY.absence_ms // 2):
        membership.see((), ("i-1",) if at_ms % POLICY.absence_ms else (), START_MS + at_ms)
    assert membership.was_member("i-1")


def test_a_member_of_another_group_is_none_of_ours() -> None:
    """The settings named another one in a former life; what is left of it is forgotten as well."""
    membership = Membership(POLICY, "ci")
    membership.remember("i-1", "another")
    assert not membership.was_member("i-1")
    membership.see((), (), START_MS)
    assert membership.see((), (), START_MS + POLICY.absence_ms) == [member_fact("i-1", "")]


def test_a_member_of_another_group_may_become_one_of_ours() -> None:
    """It was moved, and the fact is of the last group."""
    membership = Membership(POLICY, "ci")
    membership.remember("i-1", "another")
    assert membership.see(("i-1",), ("i-1",), START_MS) == [member_fact("i-1", "ci")]
    assert membership.was_member("i-1")
