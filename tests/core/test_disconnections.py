"""Disconnections: only a long silence counts, and only what this life of ours has seen of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.facts import disconnected_fact
from scheduler.core.model.policy import Policy
from scheduler.core.world.disconnections import Disconnections
from tests.builders import ec2_id
from tests.clocks import START_MS
from tests.strategies import MODEST

POLICY = Policy()
MINUTE_MS = 60_000
ONE = ec2_id(1)


def watched(*spells: tuple[int, int], until: int, every_ms: int = 30_000) -> Disconnections:
    """Instance 1, read every half minute for `until` minutes, away during these minutes."""
    disconnections = Disconnections(POLICY)
    for at_ms in range(0, until * MINUTE_MS + 1, every_ms):
        away = any(begin * MINUTE_MS <= at_ms < end * MINUTE_MS for begin, end in spells)
        disconnections.see({ONE: not away}, START_MS + at_ms)
    return disconnections


@pytest.mark.parametrize(("minutes", "lost"), [(1, False), (10, False), (19, False), (20, True), (60, True)])
def test_an_agent_is_lost_after_twenty_minutes(minutes: int, lost: bool) -> None:
    """In one piece; most come back within a few."""
    assert watched((0, 100), until=minutes).is_lost(ONE) is lost


def test_an_agent_that_comes_back_is_not_lost() -> None:
    """Whatever it did before; nothing is known of an end that was not read."""
    disconnections = watched((0, 25), until=25)
    assert not disconnections.is_lost(ONE)
    assert disconnections.since_ms(ONE) is None


@pytest.mark.parametrize(
    ("spells", "lost"),
    [
        (((0, 15), (20, 60)), True),
        (((0, 15), (20, 35), (50, 60)), True),
        (((0, 10), (20, 30), (50, 60)), False),
        (((0, 15), (16, 31), (50, 60)), True),
        (((0, 1), (10, 11), (20, 21), (59, 60)), False),
    ],
)
def test_blinks_add_up_over_an_hour(spells: tuple[tuple[int, int], ...], lost: bool) -> None:
    """Away for more than half of the last hour counts as lost, while it is away."""
    until = spells[-1][1] - 1
    assert watched(*spells, until=until).is_lost(ONE) is lost


def test_blinks_are_forgotten_after_an_hour() -> None:
    """Half an hour of yesterday's is no evidence against today's agent."""
    assert not watched((0, 19), (21, 39), (120, 200), until=121).is_lost(ONE)


def test_an_instance_without_a_spell_is_not_lost() -> None:
    """Nor is one of which nothing was ever read."""
    assert not watched(until=60).is_lost(ONE)
    assert not Disconnections(POLICY).is_lost(ONE)


HOURS_AGO = START_MS - 180 * MINUTE_MS
GAP_MS = 2 * POLICY.cluster_poll_ms + MINUTE_MS
"""Two readings that are no further apart than this follow each other."""


def resumed(since_ms: int, *readings_ms: int) -> Disconnections:
    """A spell that the store kept, and these readings since our start."""
    disconnections = Disconnections(POLICY)
    disconnections.remember(ONE, since_ms)
    for at_ms in readings_ms:
        disconnections.see({ONE: False}, START_MS + at_ms)
    return disconnections


def away(disconnections: Disconnections, begin_ms: int, end_ms: int) -> None:
    """Readings every half minute, all of which show it away."""
    for at_ms in range(begin_ms, end_ms + 1, 30_000):
        disconnections.see({ONE: False}, START_MS + at_ms)


@pytest.mark.parametrize(
    ("readings_ms", "lost"),
    [
        ((), False),
        ((0,), False),
        ((0, 1_000, 2_000), False),
        ((0, 120_000), False),
        ((0, 40_000, 80_000, 119_999), False),
        ((0, 40_000, 80_000, 120_000), True),
        ((0, 60_000, 120_000), True),
        ((0, 80_000, 160_000), False),
    ],
)
def test_our_downtime_is_no_evidence(readings_ms: tuple[int, ...], lost: bool) -> None:
    """It began hours ago; readings over two minutes of this life, without a gap, must show it again."""
    assert resumed(HOURS_AGO, *readings_ms).is_lost(ONE) is lost


@pytest.mark.parametrize("readings_ms", [(), (0, 30_000)])
def test_downtime_is_booked_as_no_blink(readings_ms: tuple[int, ...]) -> None:
    """The agent was away for a minute before it and is back soon after: that is no blink of 45 minutes."""
    disconnections = resumed(START_MS - 45 * MINUTE_MS, *readings_ms)
    disconnections.see({ONE: True}, START_MS + MINUTE_MS)
    away(disconnections, 2 * MINUTE_MS, 5 * MINUTE_MS)
    assert not disconnections.is_lost(ONE)


def test_a_blink_is_booked_up_to_its_last_reading() -> None:
    """When the agent came back after it nobody saw."""
    disconnections = watched((0, 100), until=1)
    disconnections.see({ONE: True}, START_MS + 40 * MINUTE_MS)
    away(disconnections, 41 * MINUTE_MS, 45 * MINUTE_MS)
    assert not disconnections.is_lost(ONE)


@pytest.mark.parametrize(("minutes", "lost"), [(0, False), (2, False), (9, False), (10, True)])
def test_a_gap_in_readings_is_no_evidence(minutes: int, lost: bool) -> None:
    """Ten minutes before it and ten after it are twenty; what was not read counts for nothing."""
    disconnections = watched((0, 100), until=10)
    away(disconnections, 50 * MINUTE_MS, (50 + minutes) * MINUTE_MS)
    assert disconnections.is_lost(ONE) is lost


@pytest.mark.parametrize(("gap_ms", "lost"), [(GAP_MS, True), (GAP_MS + 1, False)])
def test_after_a_gap_it_must_be_seen_for_a_while_again(gap_ms: int, lost: bool) -> None:
    """Three readings over two minutes, however long it was away before."""
    disconnections = watched((0, 100), until=25)
    disconnections.see({ONE: False}, START_MS + 25 * MINUTE_MS + gap_ms)
    assert disconnections.is_lost(ONE) is lost


def test_our_own_fact_leaves_the_spell_as_it_is() -> None:
    """It is applied when it is durable; what was read meanwhile stays read."""
    disconnections = watched((0, 100), until=19)
    disconnections.remember(ONE, START_MS)
    away(disconnections, 19 * MINUTE_MS + 30_000, 20 * MINUTE_MS)
    assert disconnections.is_lost(ONE)


def test_a_remembered_spell_ends_like_any_other() -> None:
    """The agent is there: the store is told to forget, and a new spell begins at its own time."""
    disconnections = resumed(HOURS_AGO)
    assert disconnections.see({ONE: True}, START_MS) == [disconnected_fact(ONE, None)]
    disconnections.see({ONE: False}, START_MS + 1)
    assert disconnections.since_ms(ONE) == START_MS + 1


def test_a_spell_is_made_durable_once_it_is_no_blink() -> None:
    """After a minute, once, with the time at which it began; a blink wears no disk."""
    disconnections = Disconnections(POLICY)
    times_ms = (0, 30_000, 59_999, 60_000, 90_000)
    told = [disconnections.see({ONE: False}, START_MS + at_ms) for at_ms in times_ms]
    assert told == [[], [], [], [disconnected_fact(ONE, START_MS)], []]


def test_a_blink_leaves_no_fact() -> None:
    """Neither when it begins nor when it ends."""
    disconnections = Disconnections(POLICY)
    assert disconnections.see({ONE: False}, START_MS) == []
    assert disconnections.see({ONE: True}, START_MS + 30_000) == []


def test_an_instance_that_is_gone_leaves_nothing_behind() -> None:
    """Its spell is over, the store forgets it, and its blinks are no other instance's."""
    disconnections = watched((0, 30), until=19)
    assert disconnections.see({}, START_MS + 20 * MINUTE_MS) == []
    assert disconnections.see({}, START_MS + 20 * MINUTE_MS + GAP_MS + 1) == [disconnected_fact(ONE, None)]
    assert disconnections.since_ms(ONE) is None
    disconnections.see({ONE: False}, START_MS + 22 * MINUTE_MS)
    disconnections.see({ONE: False}, START_MS + 25 * MINUTE_MS)
    disconnections.see({ONE: False}, START_MS + 33 * MINUTE_MS)
    assert not disconnections.is_lost(ONE)


@pytest.mark.parametrize("every", [2, 3, 5])
def test_a_list_that_leaves_it_out_ends_no_spell(every: int) -> None:
    """One of so many readings lacks the instance, over and over: its agent is as lost as ever."""
    disconnections = Disconnections(POLICY)
    for number in range(45):
        disconnections.see({} if number % every == 1 else {ONE: False}, START_MS + number * 30_000)
    assert disconnections.is_lost(ONE)


def test_a_list_that_leaves_it_out_forgets_no_blinks() -> None:
    """Of one whose agent is there at that moment, too."""
    disconnections = watched((0, 19), (21, 40), until=40)
    disconnections.see({}, START_MS + 40 * MINUTE_MS + 1)
    disconnections.see({ONE: True}, START_MS + 41 * MINUTE_MS)
    away(disconnections, 42 * MINUTE_MS, 45 * MINUTE_MS)
    assert disconnections.is_lost(ONE)


def burst(*since_minutes: int) -> int:
    """The largest burst of instances that went at these minutes."""
    disconnections = Disconnections(POLICY)
    ids = {number: ec2_id(number) for number in range(1, len(since_minutes) + 1)}
    for at_ms in range(0, 61 * MINUTE_MS, 30_000):
        there = {ids[each]: at_ms < since * MINUTE_MS for each, since in enumerate(since_minutes, start=1)}
        disconnections.see(there, START_MS + at_ms)
    return disconnections.largest_burst(ids.values())


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [((), 0), ((5,), 1), ((0, 10), 2), ((0, 11), 1), ((0, 9, 11, 18, 40), 3), ((1, 1, 1, 1), 4)],
)
def test_a_burst_is_counted_over_ten_minutes(minutes: tuple[int, ...], expected: int) -> None:
    """Those that are away now and went at about the same time."""
    assert burst(*minutes) == expected


def test_only_members_make_a_burst() -> None:
    """Old ARNs of instances long gone stay disconnected for ever."""
    disconnections = Disconnections(POLICY)
    disconnections.see({ec2_id(number): False for number in range(5)}, START_MS)
    assert disconnections.largest_burst({ec2_id(1), ec2_id(2)}) == 2


@MODEST
@given(minutes=st.lists(st.integers(0, 60), max_size=8))
def test_a_burst_is_the_fullest_window(minutes: list[int]) -> None:
    """By brute force: the window that begins with one of them and holds most."""
    windows = [sum(first <= other <= first + 10 for other in minutes) for first in minutes]
    assert burst(*minutes) == max(windows, default=0)


@MODEST
@given(readings=st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=60))
def test_nobody_is_lost_who_was_there_a_moment_ago(readings: list[tuple[int, bool]]) -> None:
    """Lost are only those whose last readings, over two minutes at least, all showed them away."""
    disconnections, now_ms, seen_ms = Disconnections(POLICY), START_MS, START_MS
    for pause_s, connected in readings:
        now_ms += pause_s * 1_000
        disconnections.see({ONE: connected}, now_ms)
        seen_ms = now_ms if connected else seen_ms
        if disconnections.is_lost(ONE):
            assert now_ms - seen_ms >= POLICY.disconnected_readings_ms
