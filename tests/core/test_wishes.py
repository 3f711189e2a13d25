"""Wishes: cancelled tasks and used-up timeouts, from the moment they stand to the end they lead to."""

from dataclasses import replace

import pytest

from scheduler.core.lifecycle.reconcile import reconcile
from scheduler.core.lifecycle.wishes import ENDS, REASONS, grant
from scheduler.core.model.answers import EcsTask, Failure
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory
from scheduler.core.model.evidence import AttemptEvidence, StopWish
from scheduler.core.model.plan import Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
from tests.builders import a_task, an_ecs_task, an_end, an_evidence, attempt, stop_reason
from tests.clocks import START_MS

POLICY = Policy()
NOW_MS = START_MS + 1_000_000
S, C = TaskState, StopCategory
OPEN = attempt()
STARTED = attempt(state=AttemptState.STARTED, ecs_task_arn=an_ecs_task(OPEN).arn)


def wish(category: StopCategory, state: TaskState, of: Attempt | None = None) -> StopWish:
    return StopWish(task=a_task(), state=state, attempt=of, category=category)


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (wish(C.CANCELLED, S.QUEUED), S.CANCELLED),
        (wish(C.EXPIRED, S.QUEUED), S.EXPIRED),
        (wish(C.CANCELLED, S.ASSIGNED, OPEN), S.STOPPING),
        (wish(C.CANCELLED, S.STARTING, STARTED), S.STOPPING),
        (wish(C.CANCELLED, S.RUNNING, STARTED), S.STOPPING),
        (wish(C.RUN_TIMEOUT, S.RUNNING, STARTED), S.STOPPING),
    ],
)
def test_what_waits_ends_and_what_was_sent_is_stopped(asked: StopWish, state: TaskState) -> None:
    """A task that ECS may have is STOPPING until ECS has stopped it; the wish stands with its attempt."""
    change = grant(asked)
    assert isinstance(change, Transition)
    assert change.state is state
    if change.attempt is None:
        assert change.stop_reason is not None
        assert (change.stop_reason.category, change.stop_reason.message) == (
            asked.category,
            REASONS[asked.category],
        )
    else:
        assert change.attempt.stop_wish is asked.category


def test_a_slow_start_stops_the_attempt_and_not_the_task() -> None:
    """It is the infrastructure's doing: the task will be launched elsewhere."""
    change = grant(wish(C.START_TIMEOUT, S.STARTING, STARTED))
    assert change == replace(STARTED, stop_wish=C.START_TIMEOUT)


def ended(
    category: StopCategory,
    state: TaskState,
    *,
    exit_code: int | None = None,
    launches: int = 1,
    by_us: bool = True,
) -> AttemptEvidence:
    """The ECS task of an attempt that was to be stopped is STOPPED."""
    stop = replace(an_end(exit_code), code="UserInitiated" if by_us else "EssentialContainerExited")
    gone: EcsTask = an_ecs_task(STARTED, last_status="STOPPED", stop=stop)
    return an_evidence(replace(STARTED, stop_wish=category), state=state, seen=gone, launches=launches)


@pytest.mark.parametrize(
    ("evidence", "state", "category"),
    [
        (ended(C.CANCELLED, S.STOPPING, exit_code=143), S.CANCELLED, C.CANCELLED),
        (ended(C.CANCELLED, S.STOPPING), S.CANCELLED, C.CANCELLED),
        (ended(C.RUN_TIMEOUT, S.STOPPING, exit_code=137), S.FAILED, C.RUN_TIMEOUT),
        (ended(C.START_TIMEOUT, S.STARTING), S.QUEUED, C.START_TIMEOUT),
        (ended(C.START_TIMEOUT, S.STARTING, launches=3), S.FAILED, C.START_TIMEOUT),
        # An exit that came before our StopTask keeps its real outcome.
        (ended(C.CANCELLED, S.STOPPING, exit_code=0, by_us=False), S.SUCCEEDED, C.EXIT),
        (ended(C.CANCELLED, S.STOPPING, exit_code=2, by_us=False), S.FAILED, C.EXIT),
    ],
)
def test_the_end_is_as_wished_unless_it_came_first(
    evidence: AttemptEvidence, state: TaskState, category: StopCategory
) -> None:
    """ECS's own account is kept with it."""
    change = reconcile(evidence, NOW_MS, POLICY)
    assert isinstance(change, Transition)
    assert change.state is state
    assert change.attempt is not None
    assert change.attempt.stop_reason is not None
    assert change.attempt.stop_reason.category is category
    assert evidence.seen is not None
    assert evidence.seen.stop is not None
    assert change.attempt.stop_reason.containers == evidence.seen.stop.containers


def test_a_start_that_never_happened_has_nothing_to_stop() -> None:
    """StartTask was refused, or nobody found its task in the window: the cancelled task is at its end."""
    wished = replace(OPEN, stop_wish=C.CANCELLED)
    no_room = Failure(definite=True, code="x", message="", reason=stop_reason(category=C.CAPACITY))
    refused = an_evidence(wished, state=S.STOPPING, failure=no_room)
    unknown = replace(wished, state=AttemptState.UNKNOWN)
    late_ms = START_MS + POLICY.visibility_window_ms
    unfound = an_evidence(unknown, state=S.STOPPING, absent_as_of_ms=late_ms, unknown_since_ms=START_MS)
    for evidence in (refused, unfound):
        change = reconcile(evidence, NOW_MS, POLICY)
        assert isinstance(change, Transition)
        assert change.state is S.CANCELLED


def test_a_lost_start_that_is_found_is_adopted_to_be_stopped() -> None:
    """The task stays STOPPING; its attempt is known now, and so is what to stop."""
    unknown = replace(OPEN, state=AttemptState.UNKNOWN, stop_wish=C.CANCELLED)
    evidence = an_evidence(unknown, state=S.STOPPING, seen=an_ecs_task(OPEN, last_status="RUNNING"))
    change = reconcile(evidence, NOW_MS, POLICY)
    assert isinstance(change, Attempt)
    assert (change.state, change.ecs_task_arn) == (AttemptState.ADOPTED, STARTED.ecs_task_arn)


def test_every_wish_has_an_end_and_a_sentence() -> None:
    """Nothing is stopped without a word."""
    assert ENDS.keys() == REASONS.keys()
