"""The agenda: what is read or repeated, when, and never twice at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.answers import Answer, Failure, Outcome, TasksSeen, TypesSeen
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.calls import (
    Call,
    DescribeContainerInstances,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeTasks,
    FindAttempt,
    InspectInstance,
    StopTask,
    SuspendAZRebalance,
    TakeCensus,
)
from scheduler.core.model.policy import Policy
from scheduler.core.world.agenda import BATCH, Agenda
from tests.builders import an_ecs_task, attempt, instance_arn
from tests.clocks import START_MS
from tests.core.steps import start_of
from tests.strategies import MODEST

POLICY = Policy()
TYPES = DescribeInstanceTypes(group="ci")
HAZARDS = DescribeHazards(group="ci")
SWEEPS: list[Call] = [
    DescribeContainerInstances(),
    DescribeGroup(group="ci"),
    TYPES,
    TakeCensus(),
    HAZARDS,
]
FAILED = Failure(definite=False, code="ReadTimeout", message="no answer")
THROTTLED = Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate exceeded")
LOST = attempt(state=AttemptState.UNKNOWN)
SEARCH = FindAttempt(attempt_id=LOST.attempt_id, container_instance_arn=LOST.container_instance_arn)
SEEN = TypesSeen(types=())


def an_agenda() -> Agenda:
    return Agenda(POLICY, "ci")


def a_quiet_agenda() -> Agenda:
    """Everything was read a moment ago."""
    agenda = an_agenda()
    for call in SWEEPS:
        ask(agenda, call)
    return agenda


def ask(agenda: Agenda, call: Call, answer: Answer = SEEN, at_ms: int = START_MS) -> None:
    agenda.sent(call, at_ms)
    agenda.heard(Outcome(call=call, answer=answer, sent_ms=at_ms), at_ms)


def due(agenda: Agenda, after_ms: int = 0) -> list[Call]:
    return list(agenda.due(START_MS + after_ms))


def test_everything_is_read_at_the_start() -> None:
    """Instances, group and types, at once."""
    assert due(an_agenda()) == SWEEPS


def test_a_reading_under_way_is_not_asked_for_again() -> None:
    """However late its answer is."""
    agenda = an_agenda()
    agenda.sent(SWEEPS[0], START_MS)
    assert due(agenda, 3_600_000) == SWEEPS[1:]


def test_each_reading_has_its_pause() -> None:
    """Instances and group every five seconds, types every ten minutes."""
    agenda = a_quiet_agenda()
    assert due(agenda, POLICY.cluster_poll_ms - 1) == []
    assert due(agenda, POLICY.cluster_poll_ms) == SWEEPS[:2]
    assert due(agenda, POLICY.types_poll_ms) == SWEEPS


def test_a_failed_reading_is_soon_asked_for_again() -> None:
    """Without the types nothing can grow: ten minutes would be an outage."""
    agenda = a_quiet_agenda()
    ask(agenda, TYPES, FAILED)
    assert TYPES in due(agenda, POLICY.cluster_poll_ms)


def test_a_hurried_cluster_is_read_every_second() -> None:
    """Instances are expected: a fresh one is used within a second of its registration."""
    agenda = a_quiet_agenda()
    agenda.hurry(START_MS)
    assert due(agenda, POLICY.eager_poll_ms) == SWEEPS[:2]


def test_what_was_throttled_is_not_hurried() -> None:
    """Where others use up AWS's budget the ordinary pace leaves some of it for looks at what is drained."""
    agenda = a_quiet_agenda()
    ask(agenda, SWEEPS[0], THROTTLED)
    agenda.hurry(START_MS)
    assert due(agenda, POLICY.eager_poll_ms) == [SWEEPS[1]]
    ask(agenda, SWEEPS[0], SEEN)
    agenda.hurry(START_MS)
    assert SWEEPS[0] in due(agenda, POLICY.eager_poll_ms)


def test_a_lost_attempt_is_looked_for_with_growing_pauses() -> None:
    """After 1, 2, 4, 8 seconds, then every 15, and never while a search is under way."""
    agenda = a_quiet_agenda()
    agenda.searches.begin(LOST, START_MS)
    at_ms = START_MS
    for pause_ms in (0, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000):
        at_ms += pause_ms
        assert SEARCH not in list(agenda.due(at_ms - 1))
        assert SEARCH in list(agenda.due(at_ms))
        agenda.sent(SEARCH, at_ms)
        assert SEARCH not in list(agenda.due(at_ms + 60_000))
        agenda.heard(Outcome(call=SEARCH, answer=TasksSeen(tasks=()), sent_ms=at_ms), at_ms)


def test_an_abandoned_attempt_is_looked_out_for_a_few_times() -> None:
    """Its task may show up after all; after an hour or so nobody looks any more."""
    agenda = a_quiet_agenda()
    agenda.searches.look_out(LOST, START_MS)
    assert agenda.searches.is_stray(LOST.attempt_id)
    at_ms = START_MS
    for pause_ms in POLICY.stray_pauses_ms:
        at_ms += pause_ms
        assert SEARCH not in list(agenda.due(at_ms - 1))
        assert SEARCH in list(agenda.due(at_ms))
        ask(agenda, SEARCH, TasksSeen(tasks=()), at_ms)
        assert agenda.searches.is_stray(LOST.attempt_id)
        assert agenda.searches.missed(LOST.attempt_id) == ""
    assert not agenda.searches.is_stray(LOST.attempt_id)


def test_a_last_look_out_that_failed_is_repeated() -> None:
    """What nobody answered does not say that the task is not there."""
    agenda = a_quiet_agenda()
    agenda.searches.look_out(LOST, START_MS)
    for _ in POLICY.stray_pauses_ms:
        ask(agenda, SEARCH, FAILED)
    assert agenda.searches.is_stray(LOST.attempt_id)
    assert SEARCH in due(agenda, POLICY.stray_pauses_ms[-1])


def test_a_stop_is_repeated_until_it_is_taken_back() -> None:
    """StopTask is harmless to repeat, and goes before everything else."""
    agenda, call = a_quiet_agenda(), StopTask(ecs_task_arn="arn", reason="cancelled by its client")
    agenda.stop(call, START_MS)
    assert due(agenda)[0] == call
    agenda.sent(call, START_MS)
    assert call not in due(agenda, POLICY.stop_repeat_ms - 1)
    assert due(agenda, POLICY.stop_repeat_ms)[0] == call
    agenda.unstop("arn")
    assert call not in due(agenda, POLICY.stop_repeat_ms)


def test_a_stop_that_is_sent_as_its_task_is_seen_stopped_is_not_repeated() -> None:
    """The decision that sends it closes the attempt: it would be repeated for good."""
    closed = attempt(state=AttemptState.ENDED, ecs_task_arn="arn")
    agenda, call = a_quiet_agenda(), StopTask(ecs_task_arn="arn", reason="cancelled by its client")
    agenda.stop(call, START_MS)
    assert due(agenda) == [call]
    agenda.forget(closed)
    agenda.sent(call, START_MS)
    assert call not in due(agenda, 3_600_000)


def test_no_kind_of_reading_starves_another() -> None:
    """However many starts are lost, sweeps go first, and searches and readings of tasks take turns."""
    agenda = an_agenda()
    for number in range(60):
        agenda.searches.begin(attempt(number), START_MS)
    for number in range(5 * BATCH):
        agenda.watch(an_ecs_task(attempt(1_000 + number)).arn, START_MS)
    calls = due(agenda, POLICY.task_poll_ms)
    assert calls[: len(SWEEPS)] == SWEEPS
    turns = calls[len(SWEEPS) : len(SWEEPS) + 10]
    assert [type(call) for call in turns] == [FindAttempt, DescribeTasks] * 5


def test_a_found_attempt_is_not_looked_for() -> None:
    """Its task is read like any other."""
    agenda = a_quiet_agenda()
    agenda.searches.begin(LOST, START_MS)
    agenda.searches.end(LOST.attempt_id)
    assert due(agenda, 1) == []


def test_a_throttled_start_is_repeated_once_after_its_pause() -> None:
    """The same call; and it is most urgent when it is due."""
    agenda, call = an_agenda(), start_of(attempt())
    agenda.repeat(call, START_MS + 1_000)
    assert due(agenda, 999) == SWEEPS
    assert due(agenda, 1_000) == [call, *SWEEPS]
    agenda.sent(call, START_MS + 1_000)
    assert due(agenda, 60_000) == SWEEPS


def test_rebalancing_of_zones_is_suspended_when_it_is_on() -> None:
    """It is asked for when a reading shows it on, and only then."""
    agenda = a_quiet_agenda()
    agenda.want_az_rebalance_suspended(START_MS, suspended=False)
    assert due(agenda) == [SuspendAZRebalance(group="ci")]
    agenda.want_az_rebalance_suspended(START_MS, suspended=True)
    assert due(agenda) == []


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 50])
def test_tasks_are_read_in_batches(count: int) -> None:
    """As many as one call takes, every task once."""
    agenda = a_quiet_agenda()
    arns = [an_ecs_task(attempt(number)).arn for number in range(count)]
    for arn in arns:
        agenda.watch(arn, START_MS)
    reads = [call for call in due(agenda, POLICY.task_poll_ms) if isinstance(call, DescribeTasks)]
    assert [arn for call in reads for arn in call.task_arns] == arns
    assert all(len(call.task_arns) <= BATCH for call in reads)


def reads(agenda: Agenda, after_ms: int) -> list[Call]:
    return [call for call in due(agenda, after_ms) if isinstance(call, DescribeTasks)]


def test_a_round_of_readings_goes_on_until_all_are_read() -> None:
    """What found no slot is due as soon as there is one, and not only in the next round."""
    agenda, poll_ms = a_quiet_agenda(), POLICY.task_poll_ms
    for number in range(3 * BATCH):
        agenda.watch(an_ecs_task(attempt(number)).arn, START_MS)
    first, second, third = reads(agenda, poll_ms)
    ask(agenda, first, TasksSeen(tasks=()), START_MS + poll_ms)
    assert reads(agenda, poll_ms + 100) == [second, third]
    assert agenda.next_ms() <= START_MS + poll_ms, "it waits for a slot and for nothing else"
    for call in (second, third):
        ask(agenda, call, TasksSeen(tasks=()), START_MS + poll_ms + 100)
    assert reads(agenda, 2 * poll_ms - 1) == []
    assert reads(agenda, 2 * poll_ms + 100) == [first, second, third]


def test_a_task_that_is_closed_during_a_round_is_not_read() -> None:
    """Nobody wants to know of it any more."""
    agenda, closed = a_quiet_agenda(), attempt(ecs_task_arn=an_ecs_task(attempt()).arn)
    agenda.watch(closed.ecs_task_arn, START_MS)
    assert len(reads(agenda, POLICY.task_poll_ms)) == 1
    agenda.forget(closed)
    assert reads(agenda, POLICY.task_poll_ms) == []


def test_with_one_slot_at_a_time_all_kinds_of_readings_have_their_turn() -> None:
    """Searches, looks at what is drained, and readings of tasks, however many of each are due."""
    agenda, looks = a_quiet_agenda(), [InspectInstance(arn=instance_arn(number)) for number in range(9)]
    for number in range(9):
        agenda.searches.begin(attempt(number), START_MS)
    for number in range(3 * BATCH):
        agenda.watch(an_ecs_task(attempt(1_000 + number)).arn, START_MS)
    at_ms, kinds = START_MS + POLICY.task_poll_ms, list[type]()
    for _ in range(9):
        call = next(iter(agenda.due(at_ms, looks)))
        agenda.sent(call, at_ms)
        kinds.append(type(call))
    assert kinds == [FindAttempt, InspectInstance, DescribeTasks] * 3


def test_a_closed_attempt_is_forgotten() -> None:
    """Nothing is read, looked for or repeated for it."""
    agenda = a_quiet_agenda()
    closed = attempt(ecs_task_arn=an_ecs_task(attempt()).arn)
    agenda.watch(closed.ecs_task_arn, START_MS)
    agenda.searches.begin(closed, START_MS)
    agenda.repeat(start_of(closed), START_MS)
    agenda.forget(closed)
    assert due(agenda, POLICY.cluster_poll_ms - 1) == []


happenings = st.lists(
    st.tuples(st.sampled_from(["watch", "search", "send", "hear"]), st.integers(0, 3_000)), max_size=25
)


@MODEST
@given(happened=happenings)
def test_it_wakes_for_something(happened: list[tuple[str, int]]) -> None:
    """When nothing is due, the next time at which something is lies ahead."""
    agenda, now_ms, under_way = an_agenda(), START_MS, list[Call]()
    for number, (what, pause_ms) in enumerate(happened):
        now_ms += pause_ms
        if what == "watch":
            agenda.watch(an_ecs_task(attempt(number)).arn, now_ms)
        elif what == "search":
            agenda.searches.begin(attempt(number), now_ms)
        elif what == "send":
            for call in list(agenda.due(now_ms)):
                agenda.sent(call, now_ms)
                under_way.append(call)
        elif under_way:
            agenda.heard(Outcome(call=under_way.pop(), answer=FAILED, sent_ms=now_ms), now_ms)
        assert list(agenda.due(now_ms)) or agenda.next_ms() > now_ms
