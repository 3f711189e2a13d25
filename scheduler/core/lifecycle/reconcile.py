"""Reconciliation: what was heard of an attempt becomes what is true of its task.

The rules are ordered; the first that applies wins:

1. its ECS task was seen: the task follows ECS's status, and one that ended without having run, for reasons
   that are not its own, goes back to the queue a few times; one that we wanted stopped ends as wished,
   unless it came to its own end before;
2. StartTask failed for certain: back to the queue, or the end, by the cause;
3. the answer was lost: the attempt is UNKNOWN and is looked for;
4. it was looked for during the whole visibility window in vain: abandoned, back to the queue, unless ECS
   may have forgotten it by now;
5. ECS has been answering MISSING for longer than it may: lost, and launched again if it never ran.
"""

from dataclasses import replace

from scheduler.core.lifecycle.causes import judged_by, succeeded
from scheduler.core.lifecycle.wishes import ENDS, reason_of
from scheduler.core.model.answers import ENDED_STATUSES, STARTING_STATUSES, EcsTask, Failure
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory, StopReason
from scheduler.core.model.evidence import AttemptEvidence
from scheduler.core.model.plan import Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TERMINAL_STATES, TaskState

_BEFORE_RUNNING = frozenset({TaskState.ASSIGNED, TaskState.STARTING})
_OWN_DOING = frozenset({StopCategory.EXIT, StopCategory.OOM, StopCategory.ESSENTIAL_EXITED})
_REQUEUED = frozenset({StopCategory.CAPACITY, StopCategory.ATTRIBUTE})
_FORGETS_MS = 3_600_000
"""How long ECS lists what has stopped, at least (ECS API: ListTasks, desiredStatus)."""

_MAX_LACKING = 10
"""So many instances without an attribute that a task needs are asked before it is taken that none has it."""

_NO_ACCOUNT = StopReason(
    category=StopCategory.INSTANCE_LOST, code="", message="ECS gave no account of its end"
)

Change = Transition | Attempt
"""A change of a task's state, or only of what is known of its attempt."""


def reconcile(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> Change | None:
    """What the evidence changes, or None."""
    if evidence.seen is not None:
        return _follow(evidence, evidence.seen, now_ms, policy)
    if evidence.failure is not None and evidence.attempt.state is AttemptState.OPEN:
        return _fail(evidence, evidence.failure, now_ms)
    if evidence.absent_as_of_ms is None:
        return None
    if evidence.attempt.state in (AttemptState.UNKNOWN, AttemptState.OPEN):
        return _abandon(evidence, evidence.absent_as_of_ms, now_ms, policy)
    return _lose(evidence, evidence.absent_as_of_ms, now_ms, policy)


def _follow(evidence: AttemptEvidence, seen: EcsTask, now_ms: int, policy: Policy) -> Change | None:
    """Rule 1."""
    attempt = _found(evidence.attempt, seen)
    if seen.last_status in ENDED_STATUSES:
        return _end(evidence, attempt, seen, now_ms, policy)
    if seen.last_status == "RUNNING" and evidence.state in _BEFORE_RUNNING:
        attempt = replace(attempt, started_ms=now_ms)
        return _transition(evidence, TaskState.RUNNING, attempt)
    if seen.last_status in STARTING_STATUSES and evidence.state is TaskState.ASSIGNED:
        return _transition(evidence, TaskState.STARTING, attempt)
    if evidence.state is TaskState.ASSIGNED:
        # It is already going away again; ECS showed us neither its start nor its run.
        return _transition(evidence, TaskState.STARTING, attempt)
    return None if attempt == evidence.attempt else attempt


def _found(attempt: Attempt, seen: EcsTask) -> Attempt:
    if attempt.state is AttemptState.OPEN:
        return replace(attempt, state=AttemptState.STARTED, ecs_task_arn=seen.arn)
    if attempt.state is AttemptState.UNKNOWN:
        return replace(attempt, state=AttemptState.ADOPTED, ecs_task_arn=seen.arn)
    return attempt


def _end(
    evidence: AttemptEvidence, attempt: Attempt, seen: EcsTask, now_ms: int, policy: Policy
) -> Transition:
    stop = judged_by(seen.stop or _NO_ACCOUNT, evidence.main_container)
    started_ms = attempt.started_ms or (now_ms if seen.ran else None)
    ended = replace(
        attempt, state=AttemptState.ENDED, started_ms=started_ms, stopped_ms=now_ms, stop_reason=stop
    )
    if succeeded(stop, evidence.main_container):
        return _transition(evidence, TaskState.SUCCEEDED, ended, stop)
    ran = seen.ran or _may_have_run_unseen(evidence, stop, now_ms, policy)
    if attempt.stop_wish is not None and stop.category not in _OWN_DOING:
        stop = reason_of(attempt.stop_wish, stop)
        ended = replace(ended, stop_reason=stop)
    return _transition(evidence, _after_end(evidence, stop, policy, ran=ran), ended, stop)


def _may_have_run_unseen(evidence: AttemptEvidence, stop: StopReason, lost_ms: int, policy: Policy) -> bool:
    """A lost instance tells nothing of its tasks: only a reading shortly before says that one never began."""
    if stop.category is not StopCategory.INSTANCE_LOST:
        return False
    starting_ms = evidence.starting_as_of_ms
    # By a clock that was set back nobody knows when the reading was.
    return starting_ms is None or not 0 <= lost_ms - starting_ms <= policy.unseen_ms


def _after_end(evidence: AttemptEvidence, stop: StopReason, policy: Policy, *, ran: bool) -> TaskState:
    """Back to the queue only what never ran, or may run again, and failed for no reason of its own."""
    ran = ran or evidence.state is TaskState.RUNNING
    repeatable = not ran or (stop.category is StopCategory.INSTANCE_LOST and evidence.may_run_again)
    if evidence.state is not TaskState.STOPPING and repeatable and _has_launches_left(evidence, stop, policy):
        return TaskState.QUEUED
    return ENDS.get(stop.category, TaskState.FAILED)


def _has_launches_left(evidence: AttemptEvidence, stop: StopReason, policy: Policy) -> bool:
    """Reasons that another instance may not have, each with its own patience."""
    launches = {
        StopCategory.START_TIMEOUT: policy.max_attempts,
        StopCategory.CANNOT_START: policy.max_attempts,
        StopCategory.INSTANCE_LOST: policy.max_attempts,
        StopCategory.IMAGE: policy.max_image_attempts,
    }
    return evidence.launches < launches.get(stop.category, 0)


def _fail(evidence: AttemptEvidence, failure: Failure, now_ms: int) -> Change:
    """Rules 2 and 3."""
    if not failure.definite:
        return replace(evidence.attempt, state=AttemptState.UNKNOWN)
    reason = failure.reason or StopReason(
        category=StopCategory.REJECTED, code=failure.code, message=failure.message
    )
    failed = replace(
        evidence.attempt,
        state=AttemptState.DEFINITE_FAILURE,
        stopped_ms=now_ms,
        stop_reason=reason,
        counted=reason.category not in _REQUEUED,
    )
    return _nothing_to_stop(evidence, failed) or _transition(
        evidence, _after_refusal(evidence, reason), failed, reason
    )


def _nothing_to_stop(evidence: AttemptEvidence, closed: Attempt) -> Transition | None:
    """A task that is STOPPING and has no ECS task (any more) ends as wished."""
    if evidence.state is not TaskState.STOPPING or closed.stop_wish is None:
        return None
    return _transition(evidence, ENDS[closed.stop_wish], closed, reason_of(closed.stop_wish))


def _after_refusal(evidence: AttemptEvidence, reason: StopReason) -> TaskState:
    if reason.category not in _REQUEUED:
        return TaskState.FAILED
    lacked_by_all = evidence.lacking > 0 and evidence.untried <= 0
    hopeless = lacked_by_all or evidence.lacking >= _MAX_LACKING
    return TaskState.FAILED if hopeless else TaskState.QUEUED


def _abandon(evidence: AttemptEvidence, absent_as_of_ms: int, now_ms: int, policy: Policy) -> Change | None:
    """Rule 4. The search that counts must itself have begun after the window.

    After a downtime of an hour it tells nothing: the task may have run to its end, and must not run twice.
    """
    since_ms = evidence.unknown_since_ms
    if since_ms is None or absent_as_of_ms < since_ms + policy.visibility_window_ms:
        return None
    if not 0 <= absent_as_of_ms - evidence.attempt.created_ms < _FORGETS_MS:
        return _forget(evidence, now_ms, policy)
    reason = StopReason(
        category=StopCategory.ABANDONED,
        code="NOT_FOUND",
        message="the answer to StartTask was lost and no task was found",
    )
    abandoned = replace(
        evidence.attempt,
        state=AttemptState.ABANDONED,
        stopped_ms=now_ms,
        stop_reason=reason,
        # Nothing of it ever failed: it does not use up a retry.
        counted=False,
    )
    return _nothing_to_stop(evidence, abandoned) or _transition(evidence, TaskState.QUEUED, abandoned, reason)


def _forget(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> Transition:
    """Rule 4, too late. What shows up after all is a stray all the same."""
    reason = StopReason(
        category=StopCategory.INSTANCE_LOST,
        code="NOT_FOUND",
        message="the answer to StartTask was lost; its task may have run, and ECS have forgotten it by now",
    )
    lost = replace(evidence.attempt, state=AttemptState.ENDED, stopped_ms=now_ms, stop_reason=reason)
    return _nothing_to_stop(evidence, lost) or _transition(
        evidence, _after_end(evidence, reason, policy, ran=True), lost, reason
    )


def _lose(evidence: AttemptEvidence, absent_as_of_ms: int, now_ms: int, policy: Policy) -> Change | None:
    """Rule 5. One MISSING is no evidence: it takes several readings in a row, over a while."""
    since_ms = evidence.absent_since_ms
    if since_ms is None or evidence.absences < policy.lost_readings:
        return None
    believed_ms = max(evidence.attempt.created_ms + policy.missing_grace_ms, since_ms + policy.lost_after_ms)
    if absent_as_of_ms < believed_ms:
        return None
    reason = StopReason(
        category=StopCategory.INSTANCE_LOST, code="MISSING", message="ECS does not know the task any more"
    )
    lost = replace(evidence.attempt, state=AttemptState.ENDED, stopped_ms=now_ms, stop_reason=reason)
    return _nothing_to_stop(evidence, lost) or _transition(
        evidence,
        _after_end(evidence, reason, policy, ran=_may_have_run_unseen(evidence, reason, since_ms, policy)),
        lost,
        reason,
    )


def _transition(
    evidence: AttemptEvidence,
    state: TaskState,
    attempt: Attempt,
    reason: StopReason | None = None,
) -> Transition:
    return Transition(
        task_id=attempt.task_id,
        previous=evidence.state,
        state=state,
        attempt=attempt,
        stop_reason=reason if state in TERMINAL_STATES else None,
    )
