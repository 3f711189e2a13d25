"""Hearing of task definitions: registered, refused, found again, gone."""

from scheduler.core.model.answers import (
    DEFINITION_GONE,
    Accepted,
    Failure,
    Outcome,
    Registered,
    RevisionDescribed,
    RevisionsListed,
)
from scheduler.core.model.calls import (
    DeregisterTaskDefinition,
    DescribeRevision,
    ListRevisions,
    RegisterTaskDefinition,
    StartTask,
)
from scheduler.core.model.facts import (
    definition_fact,
    family_scanned_fact,
    forgotten_revision_fact,
    revision_fact,
)
from scheduler.core.model.records import FactRecorded, IntentRecorded, IntentState
from scheduler.core.model.revision import DAY_MS, DEREGISTER_DEFINITION, Revision
from scheduler.core.world.parts import Parts


def withdraw(parts: Parts, call: StartTask, failure: Failure) -> None:
    """Somebody deregistered the revision: its configuration is registered anew."""
    track = parts.attempts.track_of(call.attempt_id)
    if failure.code == DEFINITION_GONE and track is not None:
        key = track.task.definition_key
        if parts.definitions.registered.get(key) == call.task_definition_arn:
            parts.settled.append(definition_fact(key, ""))


def registration(parts: Parts, call: RegisterTaskDefinition, outcome: Outcome, now_ms: int) -> None:
    """A revision is there, or is not: then it is asked for again, or its tasks fail."""
    state = IntentState.DONE
    if isinstance(outcome.answer, Registered):
        arn, key = outcome.answer.task_definition_arn, call.definition_key
        parts.settled += [definition_fact(key, arn), _known(arn, key, now_ms)]
    elif isinstance(outcome.answer, Failure):
        state = _refusal(parts, call, outcome.answer)
    parts.settled.append(IntentRecorded(kind="register", key=call.definition_key, state=state))


def deregistration(parts: Parts, call: DeregisterTaskDefinition, outcome: Outcome, now_ms: int) -> None:
    """A revision is INACTIVE, or it is as good as before: then its configuration is known again."""
    arn, state = call.task_definition_arn, IntentState.ABANDONED
    match outcome.answer:
        case Accepted():
            state = IntentState.DONE
            parts.settled.append(forgotten_revision_fact(arn))
        case Failure(blames_request=True):
            state = IntentState.FAILED_DEFINITE
            parts.revisions.rest(now_ms)
            _offer(parts, call.definition_key, arn)
    parts.settled.append(IntentRecorded(kind=DEREGISTER_DEFINITION, key=arn, state=state))


def scan(parts: Parts, call: ListRevisions | DescribeRevision, outcome: Outcome, now_ms: int) -> None:
    """What a store without an index finds; once everything is looked at, it is not looked for again."""
    match call, outcome.answer:
        case _, Failure(blames_request=True):
            parts.family_scan.give_up()
            return
        case ListRevisions(), RevisionsListed(arns=arns, token=token):
            parts.family_scan.heard_list((arn for arn in arns if not parts.revisions.knows(arn)), token)
        case DescribeRevision(arn=arn), RevisionDescribed(definition_key=key):
            parts.family_scan.heard_description()
            if key and not parts.revisions.knows(arn):
                parts.settled.append(_known(arn, key, now_ms))
                _offer(parts, key, arn)
        case _:
            parts.family_scan.rest(now_ms)
    if parts.family_scan.is_over:
        parts.settled.append(family_scanned_fact())


def _refusal(parts: Parts, call: RegisterTaskDefinition, failure: Failure) -> IntentState:
    """Refused for good: its tasks fail. Throttled, collided, lost, never sent: again after a rest."""
    if not failure.blames_request:
        return IntentState.ABANDONED
    if failure.reason is not None:
        # Not AWS's word on the definition: the task that was to give it cannot be read.
        parts.definitions.reject_task(call.definition_key, call.task_id, failure)
        return IntentState.ABANDONED
    parts.definitions.reject(call.definition_key, failure)
    return IntentState.FAILED_DEFINITE


def _known(arn: str, definition_key: str, now_ms: int) -> FactRecorded:
    """A revision of ours. One that was found counts as used now: how it was used, nobody knows."""
    return revision_fact(Revision(arn=arn, definition_key=definition_key, used_day=now_ms // DAY_MS))


def _offer(parts: Parts, definition_key: str, arn: str) -> None:
    """A revision that may be used, unless its configuration has one, or is being registered."""
    if parts.definitions.expect(definition_key):
        parts.settled.append(definition_fact(definition_key, arn))
