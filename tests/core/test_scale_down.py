"""Shrinking: who goes by name, who stays and why, and what is never gone below."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.autoscaling.scale_down import Shrinkage, Situation, least_size, scale_down
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import Candidate
from scheduler.core.model.policy import Policy, ScaleDown
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import Limits
from tests.builders import M4_4XLARGE, a_candidate, a_group, an_index, an_instance, ec2_id, instance_arn
from tests.clocks import START_MS
from tests.strategies import MODEST

POLICY = Policy()
WHOLE_TIMEOUT_MS = POLICY.idle_timeout_ms


def a_situation(*candidates: Candidate, **changes: Any) -> Situation:
    """A group of fifty at most in which these could go, and nobody else is."""
    desired = changes.pop("desired", len(candidates))
    max_size = changes.pop("max_size", 50)
    fields: dict[str, Any] = {
        "group": a_group(desired=desired, max_size=max_size),
        "limits": Limits(floor=0, ceiling=max_size),
        "candidates": Candidates(candidates),
        "size": desired,
        "able": desired,
        "zones": Counter(each.availability_zone for each in candidates),
        "wanted": frozenset(),
        "replacing": False,
        "rooms": an_index(),
        "explain": True,
    }
    return Situation(**(fields | changes))


def shrink(*candidates: Candidate, policy: Policy = POLICY, **changes: Any) -> Shrinkage:
    return scale_down(a_situation(*candidates, **changes), policy, START_MS)


def going(shrinkage: Shrinkage) -> list[str]:
    return [each.ec2_instance_id for each in shrinkage.removals]


def idle(*numbers: int, **changes: Any) -> list[Candidate]:
    return [a_candidate(number, **changes) for number in numbers]


def test_one_that_is_idle_for_long_is_drained_and_the_group_shrinks() -> None:
    """By name, whole: the removal says when it began, and why."""
    (removal,) = shrink(*idle(1), desired=3).removals
    assert (removal.ec2_instance_id, removal.arn) == (ec2_id(1), instance_arn(1))
    assert (removal.cause, removal.step) == (RemovalCause.IDLE, RemovalStep.DRAINING)
    assert (removal.decrement, removal.since_ms) == (True, START_MS)


@pytest.mark.parametrize(
    ("idle_ms", "goes"), [(None, False), (0, False), (WHOLE_TIMEOUT_MS - 1, False), (WHOLE_TIMEOUT_MS, True)]
)
def test_nobody_goes_before_the_idle_timeout(idle_ms: int | None, goes: bool) -> None:
    """Demand comes in bursts; a busy one does not go at all, and is not worth a word."""
    shrinkage = shrink(a_candidate(idle_ms=idle_ms), desired=3)
    assert bool(shrinkage.removals) is goes
    assert len(shrinkage.kept) == (idle_ms is not None and not goes)


def test_the_last_instance_stays() -> None:
    """Unless the policy lets it go; and then only where the floor does."""
    assert going(shrink(*idle(1))) == []
    keeps_none = replace(POLICY, keep_last_instance=False)
    assert going(shrink(*idle(1), policy=keeps_none)) == [ec2_id(1)]
    assert going(shrink(*idle(1), policy=keeps_none, limits=Limits(floor=1, ceiling=50))) == []


@pytest.mark.parametrize(("floor", "remain"), [(0, 1), (1, 1), (3, 3), (5, 5), (9, 5)])
def test_a_group_comes_down_to_its_floor(floor: int, remain: int) -> None:
    """As many at once as may go; those that stay are told why."""
    shrinkage = shrink(*idle(1, 2, 3, 4, 5), limits=Limits(floor=floor, ceiling=50))
    assert 5 - len(shrinkage.removals) == remain
    assert len(shrinkage.kept) == remain
    assert all("at least" in each.reason for each in shrinkage.kept)


def test_removals_under_way_count_as_gone() -> None:
    """Five are desired, three of them on their way out: one more may go, and then it is the last."""
    assert going(shrink(*idle(1, 2), desired=5, size=2)) == [ec2_id(1)]


def test_the_last_one_that_works_stays() -> None:
    """The others are disconnected, or in flight and may never come."""
    assert going(shrink(*idle(1), desired=3, able=1)) == []
    assert going(shrink(*idle(1, 2), desired=3, able=2)) == [ec2_id(1)]


def test_one_that_waiting_tasks_will_use_stays() -> None:
    """However long it was idle; or one that was given a task in this very decision."""
    shrinkage = shrink(*idle(1, 2), desired=5, wanted=frozenset({instance_arn(1)}))
    assert going(shrinkage) == [ec2_id(2)]
    assert [(each.container_instance_arn, each.reason) for each in shrinkage.kept] == [
        (instance_arn(1), "what waits, is reserved or is to stay free will use it")
    ]


def test_above_an_operator_s_target_idle_ones_go_at_once() -> None:
    """As many as are too many, however short they were idle; no more."""
    shrinkage = shrink(*idle(1, 2, 3, 4, idle_ms=0), limits=Limits(floor=2, ceiling=2))
    assert [each.cause for each in shrinkage.removals] == [RemovalCause.SURPLUS] * 2
    assert len(shrinkage.kept) == 2


def test_a_wanted_one_stays_above_the_target() -> None:
    """It is needed now; busy ones stay as well."""
    wanted = frozenset({instance_arn(1)})
    limits = Limits(floor=0, ceiling=0)
    assert (
        going(shrink(*idle(1), a_candidate(2, idle_ms=None), desired=2, wanted=wanted, limits=limits)) == []
    )


def zoned(number: int, zone: str, **changes: Any) -> Candidate:
    return a_candidate(number, availability_zone=f"us-east-1{zone}", **changes)


def test_those_go_that_leave_the_zones_balanced() -> None:
    """The zone that has most loses first; busy instances count there too."""
    candidates = (zoned(1, "a"), zoned(2, "b"), zoned(3, "c"))
    zones = Counter({"us-east-1a": 1, "us-east-1b": 3, "us-east-1c": 2})
    shrinkage = shrink(*candidates, desired=6, zones=zones, limits=Limits(floor=4, ceiling=50))
    assert going(shrinkage) == [ec2_id(2), ec2_id(3)]


def test_zones_are_counted_as_they_will_be() -> None:
    """Four in one zone and two in the other lose two of the four before any other."""
    candidates = [*(zoned(number, "a") for number in (1, 2, 3, 4)), zoned(5, "b"), zoned(6, "b")]
    shrinkage = shrink(*candidates, limits=Limits(floor=3, ceiling=50))
    assert Counter(going(shrinkage)[:2]) == Counter([ec2_id(1), ec2_id(2)])
    assert len(shrinkage.removals) == 3


def test_among_equals_the_oldest_goes() -> None:
    """Then by ARN, so that the same view gives the same plan."""
    older = a_candidate(9, launched_ms=START_MS)
    same = a_candidate(1, launched_ms=START_MS + 2)
    shrinkage = shrink(a_candidate(2), same, older, limits=Limits(floor=1, ceiling=50))
    assert going(shrinkage) == [ec2_id(9), ec2_id(1)]


def old(number: int = 1, **changes: Any) -> Candidate:
    return a_candidate(number, **({"too_old": True, "idle_ms": 0} | changes))


def test_an_old_one_goes_as_soon_as_it_is_idle() -> None:
    """The group shrinks with it while it is larger than it has to be."""
    (removal,) = shrink(old(), desired=3).removals
    assert (removal.cause, removal.decrement) == (RemovalCause.STALE, True)


def test_a_busy_old_one_in_a_group_that_can_grow_stays() -> None:
    """It gets no more tasks; whoever needs room has another one bought."""
    assert shrink(old(idle_ms=None), desired=3, able=2) == Shrinkage()


def test_an_old_one_that_the_group_cannot_do_without_is_replaced() -> None:
    """Without decrement: the group launches another."""
    (removal,) = shrink(old(), desired=1).removals
    assert (removal.cause, removal.decrement) == (RemovalCause.STALE, False)


def test_old_ones_are_replaced_one_by_one() -> None:
    """Whatever else is being replaced or in flight comes first."""
    limits = Limits(floor=3, ceiling=50)
    shrinkage = shrink(old(1), old(2), old(3), limits=limits)
    assert going(shrinkage) == [ec2_id(1)]
    assert [each.reason for each in shrinkage.kept] == ["another one is being replaced"] * 2
    assert going(shrink(old(1), limits=limits, desired=3, replacing=True)) == []


def test_old_ones_go_before_idle_ones() -> None:
    """One of two may go, and the younger one can still be used."""
    assert going(shrink(a_candidate(1), old(2))) == [ec2_id(2)]


def test_an_old_one_that_waiting_tasks_will_use_stays() -> None:
    """In a full group an old instance is better than none."""
    assert (
        shrink(old(), old(2), max_size=2, wanted=frozenset({instance_arn(1), instance_arn(2)})) == Shrinkage()
    )


def full(*candidates: Candidate, **changes: Any) -> Shrinkage:
    """In a group that cannot grow."""
    return shrink(*candidates, max_size=len(candidates), **changes)


def test_a_full_group_rotates_busy_ones() -> None:
    """Under steady load they would never be idle; one at a time, and no decrement."""
    shrinkage = full(old(1, idle_ms=None), old(2, idle_ms=None), a_candidate(3, idle_ms=None))
    assert [(each.ec2_instance_id, each.decrement) for each in shrinkage.removals] == [(ec2_id(1), False)]


def test_a_group_at_the_operator_s_target_rotates_as_a_full_one() -> None:
    """It may not grow either: old ones go on working, and are replaced one at a time."""
    limits = Limits(floor=0, ceiling=2)
    shrinkage = shrink(old(1, idle_ms=None), old(2, idle_ms=None), max_size=9, limits=limits)
    assert [(each.ec2_instance_id, each.decrement) for each in shrinkage.removals] == [(ec2_id(1), False)]


def test_a_full_group_replaces_an_idle_old_one() -> None:
    """The next task may find no room. But one that has been idle for long goes as it would if it were young:
    a group whose instances are old as soon as they have joined would never shrink.
    """
    (removal,) = full(old(1), a_candidate(2, idle_ms=None)).removals
    assert (removal.ec2_instance_id, removal.decrement) == (ec2_id(1), False)
    (removal,) = full(old(1, idle_ms=WHOLE_TIMEOUT_MS), a_candidate(2, idle_ms=None)).removals
    assert (removal.ec2_instance_id, removal.decrement) == (ec2_id(1), True)
    keeps_none = replace(POLICY, keep_last_instance=False)
    idle = old(1, idle_ms=WHOLE_TIMEOUT_MS)
    assert full(idle, desired=3, able=1).removals == ()
    assert going(full(idle, desired=3, able=1, policy=keeps_none)) == [ec2_id(1)]


@pytest.mark.parametrize("idle_ms", [None, 0])
def test_a_full_group_keeps_the_only_one_that_works(idle_ms: int | None) -> None:
    """The others are disconnected: it would have no candidate left."""
    assert full(old(1, idle_ms=idle_ms), desired=3, able=1).removals == ()


@pytest.mark.parametrize(("idle_ms", "goes"), [(None, False), (0, True)])
def test_a_group_of_one_replaces_it_when_it_is_idle(idle_ms: int | None, goes: bool) -> None:
    """There is never another one that works."""
    assert bool(full(old(idle_ms=idle_ms)).removals) is goes


candidates = st.lists(
    st.builds(
        lambda number, zone, launched, too_old, idle_ms: zoned(
            number, zone, launched_ms=launched, too_old=too_old, idle_ms=idle_ms
        ),
        number=st.integers(1, 40),
        zone=st.sampled_from("abc"),
        launched=st.integers(0, 3),
        too_old=st.booleans(),
        idle_ms=st.sampled_from([None, 0, WHOLE_TIMEOUT_MS]),
    ),
    max_size=12,
    unique_by=lambda each: each.arn,
)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Candidates among others that are busy; some removals are under way already."""
    chosen = draw(candidates)
    able = len(chosen) + draw(st.integers(0, 3))
    max_size = able + draw(st.integers(0, 4))
    floor = draw(st.integers(0, max_size))
    return a_situation(
        *chosen,
        desired=draw(st.integers(able, max_size)),
        max_size=max_size,
        limits=Limits(floor=floor, ceiling=draw(st.integers(floor, max_size))),
        size=able - draw(st.integers(0, 2)),
        able=able,
        wanted=frozenset(each.arn for each in chosen if draw(st.booleans())),
        replacing=draw(st.booleans()),
    )


@MODEST
@given(situation=situations())
def test_the_group_never_becomes_smaller_than_it_may(situation: Situation) -> None:
    """Those that shrink it leave at least the floor, and one."""
    removals = scale_down(situation, POLICY, START_MS).removals
    shrinking = sum(each.decrement for each in removals)
    assert not shrinking or situation.size - shrinking >= least_size(situation.limits, POLICY) >= 1


@MODEST
@given(situation=situations())
def test_nobody_goes_who_is_wanted_or_works(situation: Situation) -> None:
    """Only idle ones go, or old ones of a full group; a wanted one never; each one once."""
    by_arn = {each.arn: each for each in situation.candidates}
    gone = [by_arn[each.arn] for each in scale_down(situation, POLICY, START_MS).removals]
    is_full = situation.group.desired >= situation.limits.ceiling
    assert len(gone) == len({each.arn for each in gone})
    for each in gone:
        assert each.arn not in situation.wanted
        assert each.idle_since_ms is not None or (each.too_old and is_full)


@MODEST
@given(situation=situations())
def test_one_is_replaced_at_a_time(situation: Situation) -> None:
    """And none while another is, or is in flight; a full group always keeps one that works."""
    removals = scale_down(situation, POLICY, START_MS).removals
    assert sum(not each.decrement for each in removals) <= (not situation.replacing)
    if situation.group.desired >= situation.group.max_size > 1 and situation.able:
        assert any(each.decrement for each in removals) or situation.able > len(removals)


@MODEST
@given(situation=situations())
def test_everybody_is_judged_once(situation: Situation) -> None:
    """It goes, or it is idle and stays with a reason, or it is busy or old and there is nothing to say."""
    shrinkage = scale_down(situation, POLICY, START_MS)
    named = going(shrinkage) + [each.ec2_instance_id for each in shrinkage.kept]
    assert len(named) == len(set(named))
    silent = {each.ec2_instance_id for each in situation.candidates} - set(named)
    by_id = {each.ec2_instance_id: each for each in situation.candidates}
    assert all(by_id[each].idle_since_ms is None or by_id[each].too_old for each in silent)


@MODEST
@given(situation=situations())
def test_the_same_go_whether_or_not_those_that_stay_are_told(situation: Situation) -> None:
    """Nobody that could go is left out of what is looked at."""
    silent = scale_down(replace(situation, explain=False), POLICY, START_MS)
    assert silent.removals == scale_down(situation, POLICY, START_MS).removals


def test_one_that_aws_refused_to_let_go_rests() -> None:
    """It is not tried again yet, and counts as one that stays."""
    assert going(shrink(*idle(1, 2), desired=5, resting={ec2_id(1)})) == [ec2_id(2)]


@MODEST
@given(situation=situations(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_decides_nothing(situation: Situation, order: Any) -> None:
    """Same view, same plan: however they are listed, and asked twice; the zones are left as they were."""
    zones = Counter(situation.zones)
    shuffled = list(situation.candidates)
    order.shuffle(shuffled)
    first = scale_down(situation, POLICY, START_MS)
    assert scale_down(replace(situation, candidates=Candidates(shuffled)), POLICY, START_MS) == first
    assert situation.zones == zones


def half(number: int) -> ContainerInstance:
    """Instance `number`, half of it taken."""
    return an_instance(number, remaining=Resources(cpu=M4_4XLARGE.cpu // 2, memory_mib=30_000))


def test_idle_ones_stay_while_the_others_would_be_fuller_than_the_free_ratio() -> None:
    """Without any idle one 0.47 of the memory of the other would be free, with one of the two 0.73."""
    rooms = an_index(half(1), an_instance(2), an_instance(3))
    policy = replace(POLICY, free_ratio=0.5)
    shrinkage = shrink(*idle(2, 3), policy=policy, desired=3, rooms=rooms)
    assert going(shrinkage) == [ec2_id(2)]
    assert [each.reason for each in shrinkage.kept] == ["less than 0.5 of the others would be free"]


def test_exactly_the_free_ratio_is_enough() -> None:
    """The share is compared, dimension by dimension, and equal is no less."""
    busy = an_instance(1, registered=Resources(cpu=1_000, memory_mib=1_000))
    rooms = an_index(replace(busy, remaining=Resources(cpu=300, memory_mib=300)), an_instance(2))
    policy = replace(POLICY, free_ratio=0.3)
    assert going(shrink(*idle(2), policy=policy, desired=2, rooms=rooms)) == [ec2_id(2)]


def test_the_free_ratio_keeps_nothing_that_an_operator_does_not_want() -> None:
    """A target is a target: what is beyond it goes."""
    policy = replace(POLICY, free_ratio=1.0)
    assert len(going(shrink(*idle(1, 2), policy=policy, max_size=1, rooms=an_index(half(1))))) == 1


@pytest.mark.parametrize(("minute", "goes"), [(0, False), (49, False), (50, True), (59, True), (60, False)])
def test_by_the_hour_idle_ones_go_in_the_last_ten_minutes_of_one(minute: int, goes: bool) -> None:
    """What is paid for is kept; the hour is that of each instance's own life."""
    policy = replace(POLICY, scale_down=ScaleDown.BILLING_HOUR)
    (candidate,) = idle(1, launched_ms=START_MS - minute * 60_000)
    shrinkage = shrink(candidate, policy=policy, desired=2)
    assert going(shrinkage) == ([ec2_id(1)] if goes else [])
    assert [each.reason for each in shrinkage.kept] == (
        [] if goes else [f"it is in minute {minute % 60} of an hour that is paid for"]
    )
