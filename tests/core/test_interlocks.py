"""Interlocks: what no single reading shows, and what is not done meanwhile."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.answers import EcsTask
from scheduler.core.model.group import Hazard, InstanceGroup
from scheduler.core.model.mark import Mark
from scheduler.core.model.policy import Policy
from scheduler.core.world.interlocks import (
    MISMATCH,
    RIVAL,
    Hazards,
    PairProof,
    Replacements,
    Rivals,
    likely_failures,
)
from tests.builders import a_group, a_member, an_ecs_task, attempt, ec2_id
from tests.clocks import START_MS
from tests.strategies import MODEST

POLICY = Policy()
OWN = Mark(service_id="ci", store_epoch="epoch-2", since_ms=START_MS)
GROUP = a_group(a_member(1), a_member(2))


def pair(*readings: tuple[int, ...], group: InstanceGroup = GROUP) -> PairProof:
    """The proof after complete readings of the instances with these numbers."""
    proof = PairProof("cluster", "ci")
    for numbers in readings:
        proof.see(group, map(ec2_id, numbers), again=True)
    return proof


def test_a_group_of_another_cluster_holds_everything() -> None:
    """None of its members is where ours should be: the settings name somebody else's group, or cluster."""
    hold = pair((7, 8, 9)).hold()
    assert hold is not None
    assert (hold.reason, hold.everything) == (MISMATCH, True)
    for words in ("2 members of the group ci", "cluster cluster", "3 others", "ECS_ASG or ECS_CLUSTER"):
        assert words in hold.message


def test_one_member_in_the_cluster_proves_the_pair() -> None:
    """Strangers beside it are not our affair."""
    proof = pair((2, 8, 9))
    assert proof.proven
    assert proof.hold() is None


def test_an_empty_group_contradicts_nothing() -> None:
    """It may grow: what it launches will prove the pair."""
    assert pair((7,), group=a_group()).hold() is None
    assert PairProof("cluster", "ci").hold() is None


def test_the_first_proof_is_news_and_no_other() -> None:
    """It is made durable once."""
    proof = PairProof("cluster", "ci")
    told = [proof.see(GROUP, numbers, again=True) for numbers in ([], [ec2_id(1)], [ec2_id(1)], [])]
    assert told == [False, True, False, False]


def test_a_proven_pair_stays_proven_while_nobody_is_there() -> None:
    """A night without instances, or a reading that lags, unproves nothing."""
    assert pair((1,), (7,)).hold() is None


@pytest.mark.parametrize(
    ("readings", "agreed"),
    [([(1,)], False), ([(1,), (1, 2)], True), ([(1,), (), (1,)], False), ([(1,), (2,), (7,)], False)],
)
def test_removals_demand_two_readings_that_agree(readings: list[tuple[int, ...]], agreed: bool) -> None:
    """In a row, the last ones included."""
    assert pair(*readings).agreed is agreed


def test_the_same_reading_agrees_with_itself_once() -> None:
    """The group was read again, the instances were not: that is no second reading."""
    proof = PairProof("cluster", "ci")
    proof.see(GROUP, [ec2_id(1)], again=True)
    proof.see(GROUP, [ec2_id(1)], again=False)
    assert not proof.agreed


def marked(mark: Mark | None, at_ms: int | None = START_MS) -> EcsTask:
    """A task of the census."""
    return an_ecs_task(attempt(), mark=mark, created_ms=at_ms)


def rival(since_ms: int = START_MS - 1, store_epoch: str = "epoch-1", service_id: str = "ci") -> Mark:
    """Another scheduler's mark, with our service id."""
    return Mark(service_id=service_id, store_epoch=store_epoch, since_ms=since_ms)


def held(*tasks: EcsTask, after_ms: int = 0) -> bool:
    """Whether these tasks hold us."""
    rivals = Rivals(POLICY, OWN)
    rivals.see(tasks)
    hold = rivals.hold(START_MS + after_ms)
    assert hold is None or (hold.reason, hold.everything) == (RIVAL, True)
    return hold is not None


def test_the_one_that_began_later_is_passive() -> None:
    """An older scheduler marks tasks: we do nothing. A younger one does nothing itself."""
    assert held(marked(rival()))
    assert not held(marked(rival(since_ms=START_MS + 1)))


def test_of_two_that_began_together_one_is_passive() -> None:
    """The larger epoch gives way: exactly one of the two sees itself so."""
    assert held(marked(rival(since_ms=START_MS, store_epoch="epoch-1")))
    assert not held(marked(rival(since_ms=START_MS, store_epoch="epoch-3")))


@pytest.mark.parametrize(("age_ms", "passive"), [(0, True), (119_999, True), (120_000, False)])
def test_a_rival_that_is_silent_for_long_has_stopped(age_ms: int, passive: bool) -> None:
    """A living one makes new marks."""
    assert held(marked(rival()), after_ms=age_ms) is passive


@pytest.mark.parametrize(
    "task",
    [
        marked(OWN),
        marked(replace(OWN, since_ms=START_MS - 1_000)),
        marked(rival(service_id="other")),
        marked(None),
        marked(rival(), at_ms=None),
    ],
)
def test_who_is_no_rival(task: EcsTask) -> None:
    """Our own store, in this life or an earlier one; another service; anybody without a mark."""
    assert not held(task)


@pytest.mark.parametrize(("after_ms", "passive"), [(10_000, False), (10_001, True)])
def test_a_process_on_a_copy_of_our_store_is_a_rival(after_ms: int, passive: bool) -> None:
    """It has our epoch and began before us; what is marked right after our start may be our last breath."""
    former = replace(OWN, since_ms=START_MS - 1_000)
    assert held(marked(former, START_MS + after_ms)) is passive


def test_the_newest_mark_counts() -> None:
    """Tasks of a rival's first days run on for long; and a census without it forgets it."""
    old = marked(rival(), at_ms=START_MS - 10_000_000)
    assert not held(old)
    assert held(old, marked(rival()))
    rivals = Rivals(POLICY, OWN)
    rivals.see([marked(rival())])
    rivals.see([])
    assert rivals.hold(START_MS) is None


STEERED = Hazard(reason="SCALING_POLICY", message="it has a scaling policy", stops_scaling=True)
NOISY = Hazard(reason="MAX_INSTANCE_LIFETIME", message="it kills old instances")


def test_capacity_is_left_alone_until_hazards_were_read() -> None:
    """Placement goes on; the first answer of any kind ends it, for a permission may be missing."""
    hazards = Hazards()
    hold = hazards.hold()
    assert hold is not None
    assert not hold.everything
    hazards.asked = True
    assert hazards.hold() is None


@pytest.mark.parametrize(
    ("found", "reason"), [((NOISY,), None), ((NOISY, STEERED), "SCALING_POLICY"), ((), None)]
)
def test_only_hazards_that_make_numbers_wrong_hold_capacity(
    found: tuple[Hazard, ...], reason: str | None
) -> None:
    """The others are shown."""
    hazards = Hazards()
    hazards.asked, hazards.found = True, found
    hold = hazards.hold()
    assert (hold.reason if hold else None) == reason
    assert hold is None or not hold.everything


@pytest.mark.parametrize(("members", "allowed"), [(0, 1), (1, 1), (19, 1), (20, 2), (250, 25)])
def test_absence_touches_a_tenth_of_the_group(members: int, allowed: int) -> None:
    """In ten minutes, and one always."""
    assert Replacements(POLICY).allowed(members, START_MS) == allowed


def test_the_budget_of_absence_comes_back() -> None:
    """Ten minutes after each, whatever it was spent on."""
    replacements = Replacements(POLICY)
    replacements.note(START_MS, never_joined=False)
    replacements.note(START_MS + 60_000, never_joined=True)
    times = (0, 599_999, 600_000, 660_000)
    assert [replacements.allowed(30, START_MS + at_ms) for at_ms in times] == [1, 1, 2, 3]


def test_many_that_never_join_are_the_image() -> None:
    """Ten in an hour; deregistered ghosts are none of them."""
    replacements = Replacements(POLICY)
    for number in range(9):
        replacements.note(START_MS + number, never_joined=True)
    replacements.note(START_MS + 9, never_joined=False)
    assert not replacements.too_many_never_joined(START_MS + 10)
    replacements.note(START_MS + 10, never_joined=True)
    assert replacements.too_many_never_joined(START_MS + 11)
    assert not replacements.too_many_never_joined(START_MS + 3_600_000)


@MODEST
@given(members=st.integers(0, 300), pauses=st.lists(st.integers(0, 400), max_size=40))
def test_no_ten_minutes_hold_more_than_the_budget(members: int, pauses: list[int]) -> None:
    """Whoever asks before each act never does more in any window."""
    replacements, now_ms, acts = Replacements(POLICY), START_MS, []
    for pause_s in pauses:
        now_ms += pause_s * 1_000
        if replacements.allowed(members, now_ms):
            replacements.note(now_ms, never_joined=False)
            acts.append(now_ms)
    most = max(1, members // 10)
    assert all(sum(first <= at < first + POLICY.absence_ms for at in acts) <= most for first in acts)


@pytest.mark.parametrize(("members", "likely"), [(0, 2), (3, 2), (29, 2), (30, 3), (500, 50)])
def test_two_or_a_tenth_may_fail_at_a_time(members: int, likely: int) -> None:
    """More than that is the region, the agent or the image."""
    assert likely_failures(members, POLICY) == likely
