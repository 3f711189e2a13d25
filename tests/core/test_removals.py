"""The removals: what is sent for those under way, in which batches, and never twice at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.lifecycle.removal import is_room
from scheduler.core.model.answers import Accepted, Answer, Failure, InstanceInspected, Outcome
from scheduler.core.model.calls import (
    ActivateInstances,
    Call,
    DeregisterInstance,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    SaveConsole,
    TerminateInstances,
)
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import Removal, RemovalCause, RemovalStep
from scheduler.core.world.removals import Removals, Surroundings
from tests.builders import a_removal, an_ecs_task, an_instance, attempt, ec2_id, instance_arn
from tests.clocks import START_MS
from tests.core.clusters import LOST, THROTTLED, UNREACHED, forbidden, refused
from tests.strategies import MODEST

POLICY = Policy()
AROUND = Surroundings(listed=an_instance(), lifecycle_state="InService", busy=False, lost=False)
HELD_BACK = refused("ResourceContention")


def removals(*which: Removal) -> Removals:
    """These are under way, each at the beginning of its step."""
    under_way = Removals(POLICY, "ci")
    for each in which:
        under_way.record(each, START_MS)
    return under_way


def at(step: RemovalStep, count: int, cause: RemovalCause = RemovalCause.IDLE, **changes: bool) -> Removals:
    """So many at one step."""
    numbers = range(1, count + 1)
    return removals(
        *(
            a_removal(each, step=step, cause=cause, decrement=changes.get("decrement", True))
            for each in numbers
        )
    )


def due(
    of: Removals, after_ms: int = 0, *, around: Surroundings = AROUND, frozen: bool = False
) -> list[Call]:
    """What is to be sent, with these surroundings for all."""
    known = of.evidence(lambda removal: around)
    return list(of.due(known, START_MS + after_ms, frozen=frozen))


def send(of: Removals, answer: Answer, after_ms: int = 0) -> None:
    """Everything that is due is sent, and has this answer."""
    for call in due(of, after_ms):
        of.sent(call, START_MS + after_ms)
        outcome = Outcome(call=call, answer=answer, sent_ms=START_MS + after_ms)
        of.heard(outcome, START_MS + after_ms)


def sizes(calls: list[Call]) -> list[int]:
    """How many instances each call names."""
    return [
        len(call.arns) if isinstance(call, DrainInstances | ActivateInstances) else len(call.ec2_instance_ids)
        for call in calls
        if isinstance(call, DrainInstances | ActivateInstances | DetachInstances | TerminateInstances)
    ]


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [
        (RemovalStep.DRAINING, 23, [10, 10, 3]),
        (RemovalStep.RETURNING, 11, [10, 1]),
        (RemovalStep.DETACHING, 45, [20, 20, 5]),
        (RemovalStep.TERMINATING, 201, [100, 100, 1]),
    ],
)
def test_acts_go_in_batches_as_large_as_aws_takes_them(
    step: RemovalStep, count: int, expected: list[int]
) -> None:
    """Ten changes of status, twenty detached, a hundred terminated in a call."""
    assert sizes(due(at(step, count))) == expected


def test_each_step_has_its_act() -> None:
    """By name: instances are never chosen by anybody else."""
    one, arn = (ec2_id(1),), (instance_arn(1),)
    expected = {
        RemovalStep.DRAINING: DrainInstances(arns=arn),
        RemovalStep.DETACHING: DetachInstances(group="ci", ec2_instance_ids=one, decrement=True),
        RemovalStep.TERMINATING: TerminateInstances(ec2_instance_ids=one),
        RemovalStep.RETURNING: ActivateInstances(arns=arn),
    }
    assert {step: due(at(step, 1))[0] for step in expected} == expected


def test_those_that_shrink_the_group_are_detached_apart() -> None:
    """Whether desired capacity shrinks is one word for the whole call."""
    shrinking = a_removal(1, step=RemovalStep.DETACHING)
    replaced = a_removal(2, step=RemovalStep.DETACHING, decrement=False)
    calls = due(removals(shrinking, replaced))
    assert [
        (each.ec2_instance_ids, each.decrement) for each in calls if isinstance(each, DetachInstances)
    ] == [
        ((ec2_id(1),), True),
        ((ec2_id(2),), False),
    ]


@pytest.mark.parametrize("step", [each for each in RemovalStep if each is not RemovalStep.LEAVING])
def test_nothing_is_sent_twice_at_a_time(step: RemovalStep) -> None:
    """Nor before its pause is over; then once more, for none of it does harm."""
    under_way = at(step, 3)
    (call,) = due(under_way)
    under_way.sent(call, START_MS)
    assert due(under_way, after_ms=10**9) == []
    under_way.heard(Outcome(call=call, answer=LOST, sent_ms=START_MS), START_MS)
    pause_ms = POLICY.inspect_pause_ms if step is RemovalStep.DRAINING else POLICY.removal_repeat_ms
    assert due(under_way, after_ms=pause_ms - 1) == []
    assert due(under_way, after_ms=pause_ms) == [call]


def test_an_accepted_act_is_not_repeated() -> None:
    """What it leads to is read."""
    for step in (RemovalStep.DETACHING, RemovalStep.TERMINATING, RemovalStep.RETURNING):
        under_way = at(step, 3)
        send(under_way, Accepted())
        assert due(under_way, after_ms=10**9) == []


def test_one_that_is_refused_does_not_fail_the_rest() -> None:
    """The batch was refused as a whole: they go one by one, at once, and only the one at fault stays."""
    under_way = at(RemovalStep.DETACHING, 3)
    send(under_way, HELD_BACK)
    alone = due(under_way)
    assert sizes(alone) == [1, 1, 1]
    answers: list[Answer] = [Accepted(), HELD_BACK, Accepted()]
    for call, answer in zip(alone, answers, strict=True):
        under_way.sent(call, START_MS)
        under_way.heard(Outcome(call=call, answer=answer, sent_ms=START_MS), START_MS)
    refusals = [each.refusal for each in under_way.evidence(lambda removal: AROUND)]
    assert refusals == [None, HELD_BACK, None]
    assert sizes(due(under_way, after_ms=POLICY.removal_repeat_ms)) == [1]


def test_nobody_is_blamed_for_a_batch() -> None:
    """Its refusal says nothing of any single one of them."""
    under_way = at(RemovalStep.DETACHING, 2)
    send(under_way, HELD_BACK)
    assert [each.refusal for each in under_way.evidence(lambda removal: AROUND)] == [None, None]


@pytest.mark.parametrize("failure", [LOST, THROTTLED])
def test_a_batch_that_aws_did_not_judge_stays_together(failure: Failure) -> None:
    """Three single calls would only be throttled more."""
    under_way = at(RemovalStep.DETACHING, 3)
    send(under_way, failure)
    assert sizes(due(under_way, after_ms=POLICY.removal_repeat_ms)) == [3]


def test_one_that_ecs_does_not_know_is_told_by_itself() -> None:
    """UpdateContainerInstancesState answers with failures beside what it did."""
    under_way = at(RemovalStep.DRAINING, 2)
    send(under_way, Accepted(refused=((instance_arn(2), "MISSING"),)))
    accepted = [each.accepted for each in under_way.evidence(lambda removal: AROUND)]
    assert accepted == [True, False]


def test_the_next_step_begins_anew() -> None:
    """What was heard of the last act is no word on the next one, however late it comes."""
    under_way = at(RemovalStep.DRAINING, 1)
    (drain,) = due(under_way)
    under_way.sent(drain, START_MS)
    under_way.record(a_removal(step=RemovalStep.DETACHING), START_MS)
    under_way.heard(Outcome(call=drain, answer=Accepted(), sent_ms=START_MS), START_MS)
    (evidence,) = under_way.evidence(lambda removal: AROUND)
    assert (evidence.accepted, evidence.inspected, evidence.refusal) == (False, None, None)
    assert isinstance(due(under_way)[0], DetachInstances)


def test_tasks_are_looked_for_once_the_drain_was_accepted() -> None:
    """And again after a pause, until the instance is seen to be empty."""
    under_way = at(RemovalStep.DRAINING, 1)
    send(under_way, Accepted())
    assert due(under_way, POLICY.inspect_pause_ms - 1) == []
    assert due(under_way, POLICY.inspect_pause_ms) == [InspectInstance(arn=instance_arn(1))]
    stopping = an_ecs_task(attempt(), desired_status="STOPPED")
    still_busy = InstanceInspected(instance=an_instance(status="DRAINING"), tasks=(stopping,))
    send(under_way, still_busy, POLICY.inspect_pause_ms)
    assert due(under_way, 2 * POLICY.inspect_pause_ms) == [InspectInstance(arn=instance_arn(1))]


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.DETACHING, RemovalStep.RETURNING])
def test_one_that_moves_on_is_not_acted_on_once_more(step: RemovalStep) -> None:
    """The group is taking it away: what its step asked for would come after its end."""
    assert due(at(step, 1), around=replace(AROUND, lifecycle_state="Terminating")) == []


def test_one_with_an_attempt_of_ours_is_not_looked_at() -> None:
    """It is not empty, and our own readings tell when it is."""
    under_way = at(RemovalStep.DRAINING, 1)
    send(under_way, Accepted())
    assert due(under_way, POLICY.inspect_pause_ms, around=replace(AROUND, busy=True)) == []


def test_one_that_was_made_active_meanwhile_is_drained_again() -> None:
    """Somebody touched it, or ECS lags: it would never be seen empty and draining otherwise."""
    under_way = at(RemovalStep.DRAINING, 1)
    send(under_way, Accepted())
    send(under_way, InstanceInspected(instance=an_instance()), POLICY.inspect_pause_ms)
    assert due(under_way, 2 * POLICY.inspect_pause_ms) == [DrainInstances(arns=(instance_arn(1),))]


GHOST = an_instance(agent_connected=False, ec2_state="terminated")


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (GHOST, True),
        (replace(GHOST, ec2_state="gone"), True),
        (replace(GHOST, ec2_state="shutting-down"), False),
        (replace(GHOST, ec2_state=""), False),
        (replace(GHOST, agent_connected=True), False),
        (None, False),
    ],
)
def test_the_last_of_it_in_ecs_is_deregistered(listed: object, expected: bool) -> None:
    """Only once EC2 says that it has ended: ECS never heard of it, because its agent was away."""
    around = replace(AROUND, listed=listed)  # type: ignore[arg-type]  # an instance, or None
    calls = due(at(RemovalStep.LEAVING, 1), around=around)
    assert calls == ([DeregisterInstance(arn=instance_arn(1))] if expected else [])


def test_one_without_an_arn_is_never_deregistered() -> None:
    """It never joined."""
    gone = removals(a_removal(step=RemovalStep.LEAVING, arn="", cause=RemovalCause.NEVER_JOINED))
    assert due(gone, around=replace(AROUND, listed=GHOST)) == []


@pytest.mark.parametrize("step", RemovalStep)
@pytest.mark.parametrize("cause", RemovalCause)
def test_a_mass_failure_stops_those_before_their_point_of_no_return(
    step: RemovalStep, cause: RemovalCause
) -> None:
    """What was begun for a lost agent is not gone on with; what leaves the group already is."""
    points = {
        RemovalCause.DISCONNECTED: RemovalStep.DETACHING,
        RemovalCause.NEVER_JOINED: RemovalStep.TERMINATING,
    }
    around = replace(AROUND, listed=GHOST)
    frozen = due(at(step, 1, cause, decrement=False), around=around, frozen=True)
    assert (frozen == []) is (points.get(cause) is step)
    assert due(at(step, 1, cause, decrement=False), around=around)


def test_the_thaw_lets_them_go_on() -> None:
    """Nothing was forgotten."""
    under_way = at(RemovalStep.DETACHING, 1, RemovalCause.DISCONNECTED, decrement=False)
    assert due(under_way, frozen=True) == []
    assert len(due(under_way)) == 1


def test_they_are_due_when_the_first_of_them_is() -> None:
    """What is under way is not waited for here."""
    under_way = at(RemovalStep.DETACHING, 1)
    assert under_way.next_ms() == START_MS
    (call,) = due(under_way)
    under_way.sent(call, START_MS)
    assert under_way.next_ms() is None
    under_way.record(a_removal(2), START_MS + 5)
    assert under_way.next_ms() == START_MS + 5


def test_what_ended_is_forgotten() -> None:
    """Late answers find nobody."""
    under_way = at(RemovalStep.TERMINATING, 2)
    (call,) = due(under_way)
    under_way.end(ec2_id(1), START_MS)
    under_way.end(ec2_id(7), START_MS)
    under_way.heard(Outcome(call=call, answer=Accepted(), sent_ms=START_MS), START_MS)
    assert [each.ec2_instance_id for each in under_way] == [ec2_id(2)]
    assert (len(under_way), under_way.of(ec2_id(1))) == (1, None)


steps = st.lists(st.sampled_from(RemovalStep), max_size=40)
failures: list[Callable[[], Answer]] = [Accepted, lambda: LOST, lambda: THROTTLED, lambda: HELD_BACK]


@MODEST
@given(steps=steps, answers=st.lists(st.sampled_from(failures), min_size=6, max_size=6))
def test_no_instance_is_named_twice_in_what_is_due(
    steps: list[RemovalStep], answers: list[Callable[[], Answer]]
) -> None:
    """Whatever was answered before: one call an instance, and the one that its step asks for."""
    under_way = removals(*(a_removal(number, step=step) for number, step in enumerate(steps, start=1)))
    for turn, answer in enumerate(answers):
        named = [name for call in due(under_way, turn * 10_000) for name in names(call)]
        assert len(set(named)) == len(named)
        send(under_way, answer(), turn * 10_000)


def names(call: Call) -> list[int]:
    """The numbers of the instances that a call is for."""
    match call:
        case DrainInstances(arns=named) | ActivateInstances(arns=named):
            return [int(each[-32:], 16) for each in named]
        case DetachInstances(ec2_instance_ids=named) | TerminateInstances(ec2_instance_ids=named):
            return [int(each[2:], 16) for each in named]
        case InspectInstance(arn=arn) | DeregisterInstance(arn=arn):
            return [int(arn[-32:], 16)]
        case _:
            raise AssertionError(call)


def test_one_that_is_drained_again_is_taken_back_again() -> None:
    """By a reading that was sent after it was accepted: an older one shows what was before."""
    under_way = at(RemovalStep.RETURNING, 1)
    send(under_way, Accepted())
    drained = replace(AROUND, listed=an_instance(status="DRAINING"), read_ms=START_MS)
    assert due(under_way, 10_000, around=drained) == []
    later = replace(drained, read_ms=START_MS + 1)
    assert due(under_way, 10_000, around=later) == [ActivateInstances(arns=(instance_arn(1),))]


def test_one_that_is_at_work_is_not_terminated() -> None:
    """It was detached while its agent was away, and is back: its build ends first."""
    under_way = at(RemovalStep.TERMINATING, 1, RemovalCause.DISCONNECTED)
    detached = replace(AROUND, lifecycle_state=None, connected=True)
    assert due(under_way, around=replace(detached, busy=True)) == []
    save = SaveConsole(ec2_instance_id=ec2_id(1), cause=RemovalCause.DISCONNECTED)
    assert due(under_way, around=detached) == [save]


def test_a_drain_that_failed_is_no_room() -> None:
    """Until it is accepted nobody can take it back; one that was denied rests for a minute."""
    under_way = at(RemovalStep.DRAINING, 1)
    assert [is_room(each) for each in under_way.evidence(lambda _: AROUND)] == [True]
    send(under_way, refused("AccessDenied"))
    assert [is_room(each) for each in under_way.evidence(lambda _: AROUND)] == [False]
    assert under_way.is_resting(ec2_id(1), START_MS + 59_999)
    assert not under_way.is_resting(ec2_id(1), START_MS + 60_000)


def test_who_is_gone_does_not_rest() -> None:
    """It was denied a moment ago, went all the same, and its id never comes back."""
    under_way = at(RemovalStep.DETACHING, 1)
    send(under_way, refused("AccessDenied"))
    under_way.record(a_removal(step=RemovalStep.LEAVING), START_MS)
    under_way.end(ec2_id(1), START_MS)
    assert not under_way.was_denied(ec2_id(1), START_MS)
    assert not under_way.told


def test_what_aws_denies_stays_told() -> None:
    """It begins again after each rest; what came to an end for another reason is news again."""
    under_way = at(RemovalStep.DRAINING, 1)
    send(under_way, refused("AccessDenied"))
    under_way.end(ec2_id(1), START_MS + 59_999)
    assert under_way.told == {ec2_id(1): {RemovalStep.DRAINING}}
    under_way.end(ec2_id(1), START_MS + 60_000)
    assert under_way.told == {}


def test_steps_of_a_former_life_are_told() -> None:
    """A removal that goes on after a restart was in the log; a lost one never was drained."""
    assert at(RemovalStep.TERMINATING, 1).told[ec2_id(1)] == {
        RemovalStep.DRAINING,
        RemovalStep.DETACHING,
        RemovalStep.TERMINATING,
    }
    lost = at(RemovalStep.TERMINATING, 1, RemovalCause.DISCONNECTED)
    assert lost.told[ec2_id(1)] == {RemovalStep.TERMINATING}


PROTECTED = refused("OperationNotPermitted")


def is_held(of: Removals) -> bool:
    return any(each.held for each in of.evidence(lambda _: AROUND))


def test_one_that_ec2_does_not_end_holds_no_other() -> None:
    """Somebody protected it from termination: it stays, and is asked for again after a minute."""
    under_way = at(RemovalStep.TERMINATING, 1)
    send(under_way, PROTECTED)
    assert not is_held(under_way)
    assert [each.stuck for each in under_way.evidence(lambda _: AROUND)] == [True]
    assert due(under_way, after_ms=59_999) == []
    send(under_way, Accepted(), after_ms=60_000)
    assert [each.stuck for each in under_way.evidence(lambda _: AROUND)] == [False]


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied"])
def test_who_may_terminate_none_lets_none_go(code: str) -> None:
    """IAM's word is about us: each further one would run on outside the group."""
    under_way = at(RemovalStep.TERMINATING, 1)
    send(under_way, forbidden(code))
    assert is_held(under_way)


@pytest.mark.parametrize(("count", "expected"), [(2, False), (3, True)])
def test_where_ec2_ends_none_of_many_none_is_let_go(count: int, expected: bool) -> None:
    """A launch template that protects all its instances looks like this; each would cost money for good."""
    under_way = at(RemovalStep.TERMINATING, count)
    send(under_way, PROTECTED)
    send(under_way, PROTECTED)
    assert is_held(under_way) is expected


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.DETACHING])
def test_a_call_that_never_reached_aws_is_no_denial(step: RemovalStep) -> None:
    """The network blinked: it is tried again after the usual pause, and nothing rests for it."""
    under_way = at(step, 1)
    send(under_way, UNREACHED)
    assert not under_way.is_resting(ec2_id(1), START_MS)
    assert [each.denied for each in under_way.evidence(lambda _: AROUND)] == [False]
    assert len(due(under_way, after_ms=POLICY.removal_repeat_ms)) == 1


@pytest.mark.parametrize(("count", "expected"), [(2, False), (3, True)])
def test_a_blink_of_the_network_holds_few_terminations_up_and_no_other(count: int, expected: bool) -> None:
    """Their batch is sent again as it was; only while three are not ended no further one is let go."""
    under_way = at(RemovalStep.TERMINATING, count)
    send(under_way, UNREACHED)
    assert is_held(under_way) is expected
    assert sizes(due(under_way, after_ms=POLICY.removal_repeat_ms)) == [count]
    send(under_way, Accepted(), after_ms=POLICY.removal_repeat_ms)
    assert not is_held(under_way)
