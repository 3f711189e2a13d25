"""Reconciliation: each rule, and what must never be made of evidence."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.lifecycle.reconcile import Change, reconcile
from scheduler.core.lifecycle.transitions import EDGES
from scheduler.core.model.answers import Failure
from scheduler.core.model.attempt import Attempt, AttemptState, ContainerExit, StopCategory, StopReason
from scheduler.core.model.evidence import AttemptEvidence
from scheduler.core.model.plan import Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from tests.builders import an_ecs_task, an_end, an_evidence, attempt, stop_reason
from tests.clocks import START_MS
from tests.strategies import MODEST

POLICY = Policy()
NOW_MS = START_MS + 1_000_000
WINDOW_MS = POLICY.visibility_window_ms
LOST = Failure(definite=False, code="ReadTimeout", message="no answer")

OPEN = attempt()
STARTED = attempt(state=AttemptState.STARTED, ecs_task_arn=an_ecs_task(OPEN).arn)
UNKNOWN = attempt(state=AttemptState.UNKNOWN)

S, A = TaskState, AttemptState


def outcome(evidence: AttemptEvidence) -> tuple[TaskState, AttemptState]:
    """The task's and the attempt's state afterwards."""
    change = reconcile(evidence, NOW_MS, POLICY)
    if isinstance(change, Transition):
        assert change.attempt is not None
        assert change.previous is evidence.state
        return change.state, change.attempt.state
    return evidence.state, (change or evidence.attempt).state


def seen(of: Attempt, status: str, state: TaskState = S.ASSIGNED, **changes: Any) -> AttemptEvidence:
    return an_evidence(of, state=state, seen=an_ecs_task(of, last_status=status, **changes))


def refused(category: StopCategory, number: int = 1, lacking: int = 0, untried: int = 3) -> AttemptEvidence:
    failure = Failure(definite=True, code=category, message="", reason=stop_reason(category=category))
    refusal = an_evidence(attempt(number=number), failure=failure)
    return replace(refusal, lacking=lacking, untried=untried)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (an_evidence(OPEN), (S.ASSIGNED, A.OPEN)),
        # 1. It was seen.
        (seen(OPEN, "PROVISIONING"), (S.STARTING, A.STARTED)),
        (seen(OPEN, "PENDING"), (S.STARTING, A.STARTED)),
        (seen(OPEN, "ACTIVATING"), (S.STARTING, A.STARTED)),
        (seen(OPEN, "RUNNING"), (S.RUNNING, A.STARTED)),
        (seen(OPEN, "DEPROVISIONING"), (S.STARTING, A.STARTED)),
        (seen(OPEN, "STOPPED", stop=an_end(0)), (S.SUCCEEDED, A.ENDED)),
        (seen(STARTED, "PENDING", S.STARTING), (S.STARTING, A.STARTED)),
        (seen(STARTED, "RUNNING", S.STARTING), (S.RUNNING, A.STARTED)),
        (seen(STARTED, "PENDING", S.RUNNING), (S.RUNNING, A.STARTED)),
        (seen(STARTED, "STOPPING", S.RUNNING), (S.RUNNING, A.STARTED)),
        (seen(STARTED, "STOPPED", S.RUNNING, stop=an_end(0)), (S.SUCCEEDED, A.ENDED)),
        (seen(STARTED, "STOPPED", S.RUNNING, stop=an_end(1)), (S.FAILED, A.ENDED)),
        (seen(STARTED, "DELETED", S.RUNNING, stop=an_end(0)), (S.SUCCEEDED, A.ENDED)),
        (seen(UNKNOWN, "RUNNING"), (S.RUNNING, A.ADOPTED)),
        (seen(UNKNOWN, "STOPPED", stop=an_end(0)), (S.SUCCEEDED, A.ENDED)),
        # 2. It was refused for certain.
        (refused(StopCategory.CAPACITY), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.CAPACITY, number=50), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE, number=50), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.CAPACITY, untried=0), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE, lacking=9, untried=1), (S.QUEUED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE, lacking=3, untried=0), (S.FAILED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE, lacking=10, untried=40), (S.FAILED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.ATTRIBUTE, lacking=1, untried=-1), (S.FAILED, A.DEFINITE_FAILURE)),
        (refused(StopCategory.REJECTED), (S.FAILED, A.DEFINITE_FAILURE)),
        # 3. The answer was lost.
        (an_evidence(OPEN, failure=LOST), (S.ASSIGNED, A.UNKNOWN)),
        (an_evidence(UNKNOWN, failure=LOST), (S.ASSIGNED, A.UNKNOWN)),
    ],
)
def test_what_was_heard_decides(evidence: AttemptEvidence, expected: tuple[TaskState, AttemptState]) -> None:
    """Each rule, with the states that ECS skips."""
    assert outcome(evidence) == expected


@pytest.mark.parametrize("of", [OPEN, UNKNOWN])
@pytest.mark.parametrize(
    ("search_ms", "expected"),
    [(0, S.ASSIGNED), (WINDOW_MS - 1, S.ASSIGNED), (WINDOW_MS, S.QUEUED), (WINDOW_MS + 1, S.QUEUED)],
)
def test_only_a_search_begun_after_the_window_abandons(
    of: Attempt, search_ms: int, expected: TaskState
) -> None:
    """What counts is when the search that found nothing was sent, not when its answer came."""
    evidence = an_evidence(of, unknown_since_ms=START_MS, absent_as_of_ms=START_MS + search_ms)
    state, attempt_state = outcome(evidence)
    assert state is expected
    assert (attempt_state is A.ABANDONED) is (expected is S.QUEUED)


def test_an_attempt_that_is_not_missed_is_never_abandoned() -> None:
    """Searches without a lost answer say nothing: the answer may still be under way."""
    assert reconcile(an_evidence(OPEN, absent_as_of_ms=NOW_MS), NOW_MS, POLICY) is None


def missing(state: TaskState = S.STARTING, **changes: int) -> AttemptEvidence:
    """ECS has been answering MISSING for long enough, of a task that was seen before it ran just before."""
    since_ms = START_MS + POLICY.missing_grace_ms
    fields: dict[str, Any] = {
        "absent_since_ms": since_ms,
        "absent_as_of_ms": since_ms + POLICY.lost_after_ms,
        "absences": POLICY.lost_readings,
        "starting_as_of_ms": since_ms - POLICY.unseen_ms,
    }
    return an_evidence(STARTED, state=state, **(fields | changes))


@pytest.mark.parametrize(
    ("evidence", "then"),
    [
        (missing(), (S.QUEUED, A.ENDED)),
        (missing(S.RUNNING), (S.FAILED, A.ENDED)),
        # One MISSING, or a few within a moment, or soon after the start: no evidence.
        (missing(absences=1), (S.STARTING, A.STARTED)),
        (missing(S.RUNNING, absences=2), (S.RUNNING, A.STARTED)),
        (missing(absent_since_ms=START_MS + 400_000), (S.STARTING, A.STARTED)),
        (missing(absent_since_ms=0, absent_as_of_ms=START_MS + 200_000), (S.STARTING, A.STARTED)),
        # It may have run unseen.
        (missing(starting_as_of_ms=START_MS), (S.FAILED, A.ENDED)),
    ],
)
def test_missing_is_believed_after_several_readings_over_a_while(
    evidence: AttemptEvidence, then: tuple[TaskState, AttemptState]
) -> None:
    """Then the task is lost, and launched again only if it surely never ran."""
    assert outcome(evidence) == then


@pytest.mark.parametrize("stop", [None, an_end(None), stop_reason(), an_end(0, container="sidekick")])
def test_a_missing_exit_code_is_never_success(stop: StopReason | None) -> None:
    """No account, no code, no containers, or only another container's 0: the task failed."""
    assert outcome(seen(STARTED, "STOPPED", S.RUNNING, stop=stop)) == (S.FAILED, A.ENDED)


def test_a_task_that_was_found_beats_the_lost_answer() -> None:
    """The true answer comes after the failure and after a search in vain: the attempt is adopted."""
    evidence = replace(
        seen(UNKNOWN, "PENDING"), failure=LOST, unknown_since_ms=START_MS, absent_as_of_ms=NOW_MS
    )
    assert outcome(evidence) == (S.STARTING, A.ADOPTED)


def test_a_refusal_for_lack_of_room_is_no_counted_attempt() -> None:
    """It is the cluster's condition, not the task's; other failures use the budget."""
    for category, counted in ((StopCategory.CAPACITY, False), (StopCategory.REJECTED, True)):
        change = reconcile(refused(category), NOW_MS, POLICY)
        assert isinstance(change, Transition)
        assert change.attempt is not None
        assert change.attempt.counted is counted


def test_a_refusal_without_a_cause_is_permanent() -> None:
    """An error that nobody classified is told to the client instead of being repeated."""
    failure = Failure(definite=True, code="AccessDeniedException", message="not authorized")
    change = reconcile(an_evidence(failure=failure), NOW_MS, POLICY)
    assert isinstance(change, Transition)
    assert change.state is S.FAILED
    assert change.stop_reason == StopReason(
        category=StopCategory.REJECTED, code="AccessDeniedException", message="not authorized"
    )


times = st.none() | st.integers(START_MS, NOW_MS)
evidences = st.builds(
    lambda attempt_state, state, status, exit_code, failure, absent_ms, since_ms: an_evidence(
        of := attempt(state=attempt_state),
        state=state,
        seen=None if status is None else an_ecs_task(of, last_status=status, stop=an_end(exit_code)),
        failure=failure,
        absent_as_of_ms=absent_ms,
        unknown_since_ms=since_ms,
    ),
    attempt_state=st.sampled_from([A.OPEN, A.UNKNOWN, A.STARTED, A.ADOPTED]),
    state=st.sampled_from([S.ASSIGNED, S.STARTING, S.RUNNING]),
    status=st.sampled_from([None, "PENDING", "RUNNING", "STOPPING", "STOPPED", "A_NEW_ONE"]),
    exit_code=st.none() | st.integers(0, 2),
    failure=st.sampled_from([None, LOST, Failure(definite=True, code="x", message="")]),
    absent_ms=times,
    since_ms=times,
)


@MODEST
@given(evidence=evidences)
def test_no_evidence_breaks_the_states(evidence: AttemptEvidence) -> None:
    """Whatever is heard: the attempt keeps its identity, and room is held exactly while the task is out."""
    change: Change | None = reconcile(evidence, NOW_MS, POLICY)
    if isinstance(change, Transition):
        assert change.attempt is not None
        assert change.attempt.attempt_id == evidence.attempt.attempt_id
        assert change.attempt.holds_room is (change.state not in {*TERMINAL_STATES, S.QUEUED})
        assert (change.stop_reason is not None) is (change.state in TERMINAL_STATES)
        possible = evidence.state is S.ASSIGNED or evidence.attempt.state in (A.STARTED, A.ADOPTED)
        assert change.state in EDGES[change.previous] or not possible
    elif change is not None:
        assert change.holds_room


@MODEST
@given(evidence=evidences)
def test_a_change_that_was_made_is_not_made_again(evidence: AttemptEvidence) -> None:
    """The same evidence, looked at once more, changes nothing while the task is out."""
    change = reconcile(evidence, NOW_MS, POLICY)
    after = evidence
    if isinstance(change, Transition):
        after = replace(evidence, attempt=change.attempt or evidence.attempt, state=change.state)
    elif change is not None:
        after = replace(evidence, attempt=change)
    if after.attempt.holds_room and after.failure is None:
        assert reconcile(after, NOW_MS, POLICY) is None


def ended(
    text: str,
    *,
    state: TaskState = S.STARTING,
    code: str = "TaskFailedToStart",
    ran: bool = False,
    **changes: int,
) -> AttemptEvidence:
    """An ECS task that is STOPPED without an exit code, for the reason that its main container names."""
    stop = stop_reason(containers=(ContainerExit(name="agent", reason=text),), code=code)
    end = replace(an_ecs_task(STARTED), last_status="STOPPED", stop=stop, ran=ran)
    return an_evidence(STARTED, state=state, seen=end, **changes)


@pytest.mark.parametrize(
    ("evidence", "then"),
    [
        (ended("CannotStartContainerError: x"), S.QUEUED),
        (ended("CannotStartContainerError: x", launches=2), S.QUEUED),
        (ended("CannotStartContainerError: x", launches=3), S.FAILED),
        (ended("CannotPullContainerError: x"), S.QUEUED),
        (ended("CannotPullContainerError: x", launches=2), S.FAILED),
        (ended("OutOfMemoryError: x"), S.FAILED),
        # Its instance is gone: only a reading just before says that it had not begun.
        (ended("", code="TerminationNotice", starting_as_of_ms=NOW_MS - POLICY.unseen_ms), S.QUEUED),
        (ended("", code="TerminationNotice", starting_as_of_ms=NOW_MS - POLICY.unseen_ms - 1), S.FAILED),
        (ended("", code="TerminationNotice"), S.FAILED),
        # Work that ran is not run again, whether a reading or ECS's own times show that it did.
        (ended("CannotStartContainerError: x", state=S.RUNNING), S.FAILED),
        (ended("CannotStartContainerError: x", ran=True), S.FAILED),
    ],
)
def test_only_what_never_ran_is_launched_again(evidence: AttemptEvidence, then: TaskState) -> None:
    """A few times, and only for reasons that another instance may not have."""
    assert outcome(evidence) == (then, A.ENDED)


@pytest.mark.parametrize(("seen_ms", "then"), [(0, S.QUEUED), (POLICY.unseen_ms + 1, S.FAILED)])
def test_one_whose_instance_went_before_its_stop_may_have_run(seen_ms: int, then: TaskState) -> None:
    """That it is to be stopped for a late start says no more than that nobody has seen it run."""
    evidence = ended("", code="TerminationNotice", starting_as_of_ms=NOW_MS - seen_ms)
    late = replace(evidence, attempt=replace(STARTED, stop_wish=StopCategory.START_TIMEOUT))
    assert outcome(late) == (then, A.ENDED)


@pytest.mark.parametrize("ran", [False, True])
def test_what_ran_unseen_did_start(ran: bool) -> None:
    """Readings that lag show it starting until it is stopped for that: its instance is not to blame."""
    change = reconcile(ended("", code="UserInitiated", ran=ran), NOW_MS, POLICY)
    assert isinstance(change, Transition)
    assert change.attempt is not None
    assert change.attempt.started_ms == (NOW_MS if ran else None)


def test_an_abandoned_attempt_uses_up_no_retry() -> None:
    """Nothing of it ever failed."""
    late = an_evidence(UNKNOWN, absent_as_of_ms=START_MS + WINDOW_MS, unknown_since_ms=START_MS)
    change = reconcile(late, NOW_MS, POLICY)
    assert isinstance(change, Transition)
    assert change.attempt is not None
    assert (change.attempt.state, change.attempt.counted) == (A.ABANDONED, False)
