"""Arrivals: who should have joined the cluster long ago."""

from collections.abc import Collection

import pytest

from scheduler.core.model.group import GroupMember
from scheduler.core.model.policy import Policy
from scheduler.core.world.arrivals import Arrivals
from tests.builders import a_member, an_instance, ec2_id
from tests.clocks import START_MS

POLICY = Policy()
ONE = ec2_id(1)


def members(*numbers: int, lifecycle_state: str = "InService") -> dict[str, GroupMember]:
    return {ec2_id(number): a_member(number, lifecycle_state=lifecycle_state) for number in numbers}


def read(arrivals: Arrivals, *times_ms: int, listed: Collection[str] = ()) -> None:
    """Complete listings in which member 1 is, or is not."""
    for at_ms in times_ms:
        arrivals.see(members(1), listed, START_MS + at_ms, anew=True)


def overdue(arrivals: Arrivals, after_ms: int) -> list[str]:
    """Who is, once the cluster was listed again after this time."""
    read(arrivals, after_ms - 1, after_ms)
    return list(arrivals.overdue())


@pytest.mark.parametrize(("after_ms", "late"), [(1, False), (299_999, False), (300_000, True)])
def test_a_member_may_take_five_minutes(after_ms: int, late: bool) -> None:
    """From the first reading of ours that showed it in service."""
    arrivals = Arrivals(POLICY)
    read(arrivals, 0)
    assert overdue(arrivals, after_ms) == ([ONE] if late else [])


def test_only_listings_of_the_cluster_count() -> None:
    """It may have joined long ago while ECS could not be read, whatever the group says meanwhile."""
    arrivals = Arrivals(POLICY)
    read(arrivals, 0, 1_000, 2_000)
    for at_ms in (300_000, 600_000, 900_000):
        arrivals.see(members(1), (), START_MS + at_ms, anew=False)
    assert list(arrivals.overdue()) == []
    read(arrivals, 901_000)
    assert list(arrivals.overdue()) == [ONE]


def test_one_listing_after_a_long_silence_is_not_enough() -> None:
    """Lists lag: three must lack it."""
    arrivals = Arrivals(POLICY)
    read(arrivals, 0, 900_000)
    assert list(arrivals.overdue()) == []


def test_time_begins_with_a_listing() -> None:
    """A member that only the group has shown is held against the next one, not against the last."""
    arrivals = Arrivals(POLICY)
    arrivals.see(members(1), (), START_MS, anew=False)
    read(arrivals, 100_000, 200_000, 300_000)
    assert list(arrivals.overdue()) == []


def booted(*boots_ms: int) -> Arrivals:
    """An instance is awaited, and others have taken so long to boot."""
    arrivals = Arrivals(POLICY)
    arrivals.see({}, set(), START_MS, anew=True)
    for number, boot_ms in enumerate(boots_ms, start=2):
        arrivals.note_boot(an_instance(number, launched_ms=START_MS), START_MS + boot_ms)
    read(arrivals, 0)
    return arrivals


@pytest.mark.parametrize(
    ("boots_ms", "patience_ms"),
    [((), 300_000), ((100_000,), 300_000), ((200_000, 240_000, 100_000), 480_000)],
)
def test_slow_boots_teach_patience(boots_ms: tuple[int, ...], patience_ms: int) -> None:
    """Twice the slowest that was seen, if that is more."""
    arrivals = booted(*boots_ms)
    assert (overdue(arrivals, patience_ms - 1), overdue(arrivals, patience_ms)) == ([], [ONE])


def test_a_boot_that_we_did_not_watch_teaches_nothing() -> None:
    """An instance that was there before us may have worked for days."""
    arrivals = Arrivals(POLICY)
    arrivals.note_boot(an_instance(2), START_MS + 9_000_000)
    read(arrivals, 0)
    arrivals.note_boot(an_instance(3, launched_ms=START_MS - 1), START_MS + 9_000_000)
    assert overdue(arrivals, 300_000) == [ONE]


def test_the_slowest_boot_is_forgotten_after_a_hundred() -> None:
    """A slow day teaches no patience for good."""
    assert overdue(booted(900_000, *[60_000] * 100), 300_000) == [ONE]


@pytest.mark.parametrize("state", ["Pending", "Pending:Wait", "Standby", "Warmed:Stopped", "Terminating"])
def test_only_members_in_service_are_awaited(state: str) -> None:
    """The others are on their way, or nobody asked them to come."""
    arrivals = Arrivals(POLICY)
    for at_ms in (0, 1_000_000, 2_000_000):
        arrivals.see(members(1, lifecycle_state=state), (), START_MS + at_ms, anew=True)
    assert list(arrivals.overdue()) == []


@pytest.mark.parametrize("missing_until_ms", [600_000, 2_999_999])
def test_one_that_was_ever_listed_has_joined(missing_until_ms: int) -> None:
    """A list that leaves it out, for however long, is wrong: past that time it is too old to be judged."""
    arrivals = Arrivals(POLICY)
    read(arrivals, 0, listed={ONE})
    read(arrivals, *range(5_000, missing_until_ms, 60_000))
    assert overdue(arrivals, missing_until_ms) == []


def test_one_that_left_the_group_is_awaited_no_longer() -> None:
    """Nobody waits for what is no member."""
    arrivals = Arrivals(POLICY)
    read(arrivals, 0, 200_000, 400_000)
    assert list(arrivals.overdue()) == [ONE]
    arrivals.see({}, (), START_MS + 400_001, anew=False)
    assert list(arrivals.overdue()) == []
