"""Lanes: how many calls each budget lets go, and who shares one."""

from collections import Counter, deque
from typing import get_args

import pytest

from scheduler.core.model.answers import Failure, InstancesSeen, Outcome, TasksSeen
from scheduler.core.model.calls import (
    LANE_OF,
    Act,
    ActivateInstances,
    Call,
    DeregisterInstance,
    DescribeContainerInstances,
    DescribeGroup,
    DescribeTasks,
    DrainInstances,
    Lane,
    Read,
    SetDesiredCapacity,
    StartTask,
    StopTask,
)
from scheduler.core.model.policy import Policy
from scheduler.core.world.agenda import Agenda
from scheduler.services.lanes import LaneLimit, Lanes, default_limits
from tests.clocks import START_MS

READ, SWEEP, GROUP = DescribeTasks(task_arns=("a",)), DescribeContainerInstances(), DescribeGroup(group="ci")
THROTTLED = Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate exceeded")


def lanes(*, burst: float = 10, per_second: float = 1, at_once: int = 4) -> Lanes:
    """Lanes of one limit."""
    limit = LaneLimit(burst=burst, per_second=per_second, at_once=at_once)
    return Lanes(dict.fromkeys(Lane, limit))


def read_slots(of: Lanes, now_ms: int = START_MS) -> int:
    return of.slots(now_ms)[Lane.READ]


def send(to: Lanes, call: Call, times: int, now_ms: int = START_MS) -> None:
    for _ in range(times):
        to.sent(call, now_ms)


def answered(call: Call, *, requests: int = 1) -> Outcome:
    return Outcome(call=call, answer=InstancesSeen(instances=()), sent_ms=START_MS, requests=requests)


def test_no_more_calls_are_under_way_than_allowed() -> None:
    """A full bucket does not help: slots end where `at_once` calls are under way."""
    each = lanes(burst=100, at_once=4)
    send(each, READ, 3)
    assert read_slots(each) == 1
    send(each, READ, 1)
    assert read_slots(each) == 0


def test_an_answer_frees_a_slot() -> None:
    """Whoever was heard of is no longer under way."""
    each = lanes(at_once=1)
    send(each, READ, 1)
    each.heard(answered(READ), START_MS)
    assert read_slots(each) == 1


def test_tokens_limit_calls_that_end_quickly() -> None:
    """Answers free slots but give no tokens back: those come with time."""
    each = lanes(burst=2, at_once=4)
    for _ in range(2):
        send(each, READ, 1)
        each.heard(answered(READ), START_MS)
    assert read_slots(each) == 0
    assert read_slots(each, START_MS + 1_000) == 1


def test_every_request_of_a_call_takes_a_token() -> None:
    """A reading of five pages owes four tokens when it is over: of ten, five are left."""
    each = lanes(burst=10, at_once=10)
    send(each, READ, 1)
    each.heard(answered(READ, requests=5), START_MS)
    assert read_slots(each) == 5


def test_what_is_owed_is_paid_before_the_next_call() -> None:
    """Twelve requests on ten tokens: the lane waits for the two that are owed, and for one to send with."""
    each = lanes(burst=10, per_second=1)
    send(each, READ, 1)
    each.heard(answered(READ, requests=12), START_MS)
    assert [read_slots(each, START_MS + ms) for ms in (2_999, 3_000)] == [0, 1]


def test_a_call_that_asked_nothing_gives_no_token_back() -> None:
    """Its token is spent: a store that cannot be read must not make the lane spin."""
    each = lanes(burst=1)
    send(each, READ, 1)
    each.heard(answered(READ, requests=0), START_MS)
    assert read_slots(each) == 0


def test_sweeps_are_reads_too() -> None:
    """AWS has one bucket for both: what a sweep takes is taken of the reads as well."""
    each = lanes(burst=10, at_once=10)
    send(each, SWEEP, 1)
    each.heard(answered(SWEEP, requests=5), START_MS)
    assert (each.slots(START_MS)[Lane.SWEEP], read_slots(each)) == (5, 5)


def test_sweeps_leave_half_of_the_reads_to_others() -> None:
    """In a minute of sweeps that never rest searches and readings of tasks can still be sent."""
    each, sent = Lanes(default_limits(0.5)), Counter[Lane]()
    for now_ms in range(START_MS, START_MS + 60_000, 100):
        for call in (SWEEP, READ):
            lane = LANE_OF[type(call)]
            if each.slots(now_ms)[lane]:
                each.sent(call, now_ms)
                each.heard(answered(call, requests=20 if call is SWEEP else 1), now_ms)
                sent[lane] += 1
    assert 300 <= sent[Lane.READ] <= 350
    assert 15 <= sent[Lane.SWEEP] <= 17


def test_lanes_do_not_share_tokens() -> None:
    """Reads that use up their lane leave the others alone: they never starve an act."""
    each = lanes(burst=4, at_once=4)
    send(each, READ, 4)
    assert each.slots(START_MS) == dict.fromkeys(Lane, 4) | {Lane.READ: 0}


def test_a_throttled_call_slows_its_own_lane() -> None:
    """The lane that AWS refused, and what is within it, is empty and refills at half its rate."""
    each = lanes(burst=4, at_once=4)
    send(each, READ, 1)
    each.heard(Outcome(call=READ, answer=THROTTLED, sent_ms=START_MS), START_MS)
    assert each.slots(START_MS) == dict.fromkeys(Lane, 4) | {Lane.READ: 0, Lane.SWEEP: 0}
    assert [read_slots(each, START_MS + ms) for ms in (1_000, 2_000)] == [0, 1]


def test_another_failure_slows_nobody() -> None:
    """A refusal that is no throttle says nothing about the budget."""
    each = lanes(burst=4, at_once=4)
    send(each, READ, 1)
    failure = Failure(definite=True, code="AccessDeniedException", message="")
    each.heard(Outcome(call=READ, answer=failure, sent_ms=START_MS), START_MS)
    assert read_slots(each) == 3


def test_a_store_that_fails_slows_no_lane() -> None:
    """AWS was asked nothing and has throttled nobody: its budget is as it was."""
    each = lanes(burst=4, at_once=4)
    send(each, READ, 1)
    each.heard(Outcome(call=READ, answer=THROTTLED, sent_ms=START_MS, requests=0), START_MS)
    assert read_slots(each) == 3


def test_the_smallest_share_stops_no_lane() -> None:
    """A bucket that could not hold one token would never let a call go: it is slow, and that is all."""
    each = Lanes(default_limits(0.01))
    for call in (SWEEP, READ):
        send(each, call, 1)
    assert 0 not in each.slots(START_MS + 600_000).values()


def test_the_next_token_is_the_first_of_any_empty_lane() -> None:
    """The loop is woken when the first lane that waits for a token gets one."""
    each = lanes(burst=1, per_second=2)
    assert not each.any_empty()
    send(each, READ, 1)
    assert each.any_empty()
    assert each.next_token_ms(START_MS) == START_MS + 500


def test_the_group_has_one_call_at_a_time() -> None:
    """Desired capacity has one writer: nothing else of the group is under way meanwhile."""
    each = Lanes(default_limits(0.5))
    assert each.slots(START_MS)[Lane.GROUP] == 1
    each.sent(SetDesiredCapacity(group="ci", desired=2, types=()), START_MS)
    assert each.slots(START_MS)[Lane.GROUP] == 0


def test_closed_lanes_send_nothing_and_still_hear() -> None:
    """While the service ends no call is sent; the outcomes of those under way are still counted."""
    each = lanes()
    send(each, READ, 1)
    each.close()
    each.heard(answered(READ), START_MS)
    assert set(each.slots(START_MS + 60_000).values()) == {0}


def test_our_share_is_taken_of_reads_and_not_of_starts() -> None:
    """A share of 0.5 halves what we read and register, and leaves StartTask the account's whole bucket."""
    half, whole = default_limits(0.5), default_limits(1.0)
    assert half[Lane.TASK_MODIFY] == whole[Lane.TASK_MODIFY]
    for lane in (Lane.READ, Lane.DEFINITIONS):
        assert half[lane].burst == whole[lane].burst / 2
        assert half[lane].per_second == whole[lane].per_second / 2


def test_every_call_has_a_lane() -> None:
    """No call is sent without a budget, and starts share theirs with what AWS counts as alike."""
    assert LANE_OF.keys() == {*get_args(Act), *get_args(Read)}
    assert {kind for kind, lane in LANE_OF.items() if lane is Lane.TASK_MODIFY} == {
        StartTask,
        StopTask,
        DrainInstances,
        ActivateInstances,
        DeregisterInstance,
    }


def test_definitions_are_registered_one_at_a_time() -> None:
    """Two in one family at a time may collide: "Too many concurrent attempts to create a new revision"."""
    assert Lanes(default_limits(1.0)).slots(START_MS)[Lane.DEFINITIONS] == 1


def test_reading_definitions_leaves_half_to_others() -> None:
    """Whoever follows logs describes definitions from the same bucket: 50 at once, 20 a second."""
    limit = default_limits(1.0)[Lane.DEFINITION_READ]
    assert (limit.burst, limit.per_second) == (25, 10)


def readings(tasks: int, *, share: float = 0.5, answer_ms: int = 100) -> Counter[str]:
    """How often each of so many tasks is read in a minute, with nothing else to be read."""
    agenda, budget = Agenda(Policy(), "ci"), Lanes(default_limits(share))
    under_way, seen = deque[tuple[int, DescribeTasks]](), Counter[str]()
    for number in range(tasks):
        agenda.watch(f"task-{number}", START_MS)
    for now_ms in range(START_MS, START_MS + 60_000, 50):
        while under_way and under_way[0][0] <= now_ms:
            ended = Outcome(call=under_way.popleft()[1], answer=TasksSeen(tasks=()), sent_ms=now_ms)
            agenda.heard(ended, now_ms)
            budget.heard(ended, now_ms)
        due = [each for each in agenda.due(now_ms) if isinstance(each, DescribeTasks)]
        for call in due[: read_slots(budget, now_ms)]:
            agenda.sent(call, now_ms)
            budget.sent(call, now_ms)
            under_way.append((now_ms + answer_ms, call))
            seen.update(call.task_arns)
    return seen


def test_a_large_cluster_is_read_as_fast_as_the_budget_lets_it() -> None:
    """3,000 tasks are thirty calls: at ten a second each task is read every three seconds."""
    seen = readings(3_000)
    assert len(seen) == 3_000
    assert min(seen.values()) >= 19


@pytest.mark.parametrize("tasks", [1, 250, 900])
def test_a_small_cluster_is_read_no_more_often_than_it_is_to_be(tasks: int) -> None:
    """Every two seconds, however much of the budget is left."""
    assert set(readings(tasks).values()) <= {29, 30}
