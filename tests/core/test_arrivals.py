"""Arrivals: who should have joined the cluster long ago."""

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


def overdue(arrivals: Arrivals, after_ms: int) -> list[str]:
    return list(arrivals.overdue(START_MS + after_ms))


@pytest.mark.parametrize(("after_ms", "late"), [(0, False), (299_999, False), (300_000, True)])
def test_a_member_may_take_five_minutes(after_ms: int, late: bool) -> None:
    """From the first reading of ours that showed it in service."""
    arrivals = Arrivals(POLICY)
    arrivals.see(members(1), set(), START_MS)
    arrivals.see(members(1), set(), START_MS + after_ms)
    assert overdue(arrivals, after_ms) == ([ONE] if late else [])


def booted(*boots_ms: int) -> Arrivals:
    """An instance is awaited, and others have taken so long to boot."""
    arrivals = Arrivals(POLICY)
    arrivals.see({}, set(), START_MS)
    for number, boot_ms in enumerate(boots_ms, start=2):
        arrivals.note_boot(an_instance(number, launched_ms=START_MS), START_MS + boot_ms)
    arrivals.see(members(1), set(), START_MS)
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
    arrivals.see(members(1), set(), START_MS)
    arrivals.note_boot(an_instance(3, launched_ms=START_MS - 1), START_MS + 9_000_000)
    assert overdue(arrivals, 300_000) == [ONE]


def test_the_slowest_boot_is_forgotten_after_a_hundred() -> None:
    """A slow day teaches no patience for good."""
    assert overdue(booted(900_000, *[60_000] * 100), 300_000) == [ONE]


@pytest.mark.parametrize("state", ["Pending", "Pending:Wait", "Standby", "Warmed:Stopped", "Terminating"])
def test_only_members_in_service_are_awaited(state: str) -> None:
    """The others are on their way, or nobody asked them to come."""
    arrivals = Arrivals(POLICY)
    arrivals.see(members(1, lifecycle_state=state), set(), START_MS)
    assert overdue(arrivals, 10_000_000) == []


def test_one_that_joins_is_awaited_no_longer() -> None:
    """If it is missing again, its time begins anew: lists blink."""
    arrivals = Arrivals(POLICY)
    for at_ms, listed in ((0, set()), (200_000, {ONE}), (250_000, set())):
        arrivals.see(members(1), listed, START_MS + at_ms)
    assert overdue(arrivals, 549_999) == []
    assert overdue(arrivals, 550_000) == [ONE]


def test_one_that_left_the_group_is_awaited_no_longer() -> None:
    """Nobody waits for what is no member."""
    arrivals = Arrivals(POLICY)
    arrivals.see(members(1), set(), START_MS)
    arrivals.see({}, set(), START_MS + 1)
    assert overdue(arrivals, 10_000_000) == []
