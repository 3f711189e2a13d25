"""Collection: a revision of ours that nobody has used for long is deregistered once nothing else is to do."""

from dataclasses import replace

import pytest

from scheduler.core.autoscaling.upkeep import Upkeep
from scheduler.core.decide import decide
from scheduler.core.model.answers import Accepted, Answer, Failure
from scheduler.core.model.backlog import WantedDefinition
from scheduler.core.model.calls import DeregisterTaskDefinition, Lane, RegisterTaskDefinition
from scheduler.core.model.facts import definition_fact, forgotten_revision_fact, revision_fact
from scheduler.core.model.plan import Plan
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import IntentRecorded, IntentState
from scheduler.core.model.revision import DAY_MS, DEREGISTER_DEFINITION, Revision
from scheduler.core.model.scaling import Hold
from scheduler.core.view import ClusterView
from tests.builders import a_view, a_world, submitted, task_id
from tests.clocks import START_MS
from tests.core.steps import Steps

POLICY = Policy()
KEY, ARN = submitted(1).definition_key, "arn:agents:7"
STALE = Revision(arn=ARN, definition_key=KEY, used_day=START_MS // DAY_MS - 40)
CALL = DeregisterTaskDefinition(task_definition_arn=ARN, definition_key=KEY)
DENIED = Failure(definite=True, blames_request=True, code="AccessDeniedException", message="not authorized")
LOST = Failure(definite=False, code="ReadTimeoutError", message="")


def deregistrations(plan: Plan) -> list[DeregisterTaskDefinition]:
    return [each for each in plan.calls if isinstance(each, DeregisterTaskDefinition)]


def intent(state: IntentState) -> IntentRecorded:
    return IntentRecorded(kind=DEREGISTER_DEFINITION, key=ARN, state=state)


def at_rest() -> Steps:
    """A world that is wholly read and has one stale revision, which its configuration would use."""
    steps = Steps(a_world())
    for fact in (definition_fact(KEY, ARN), revision_fact(STALE)):
        steps.world.remember(fact.key, fact.value)
    return steps


def collecting(answer: Answer) -> Steps:
    """The stale revision's deregistration was answered, and the answer is kept."""
    steps = at_rest()
    steps.step()
    steps.answer(CALL, answer)
    steps.step()
    return steps


def test_the_intent_and_the_withdrawal_are_kept_before_it_is_sent() -> None:
    """From then on nobody is given the revision, whatever becomes of the process."""
    plan = decide(a_view(stale_revision=STALE, definitions={KEY: ARN}), POLICY)
    assert deregistrations(plan) == [CALL]
    assert plan.settled == (intent(IntentState.OPEN), definition_fact(KEY, ""))


def test_another_revision_of_the_configuration_stays_in_use() -> None:
    """The old one of two goes; the index names the other one."""
    plan = decide(a_view(stale_revision=STALE, definitions={KEY: "arn:agents:9"}), POLICY)
    assert plan.settled == (intent(IntentState.OPEN),)


WANTED = WantedDefinition(definition_key="other", task_id=task_id(1))
PLAIN = a_view(stale_revision=STALE)


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(replace(PLAIN, wanted_definitions=(WANTED,)), id="a registration is wanted"),
        pytest.param(replace(PLAIN, slots={**PLAIN.slots, Lane.DEFINITIONS: 0}), id="the lane is busy"),
        pytest.param(replace(PLAIN, ready=False), id="AWS is not read yet"),
        pytest.param(replace(PLAIN, upkeep=Upkeep(hold=Hold(reason="x", message=""))), id="held"),
    ],
)
def test_it_can_always_wait(view: ClusterView) -> None:
    """There is no hurry: registrations, half a picture and every hold come before it, and leave no intent."""
    plan = decide(view, POLICY)
    assert deregistrations(plan) == []
    assert not [each for each in plan.settled if isinstance(each, IntentRecorded) and each.key == ARN]


def test_once_it_is_done_it_is_forgotten() -> None:
    """Neither the index nor the revisions know it; its intent is closed."""
    steps = collecting(Accepted())
    assert forgotten_revision_fact(ARN) in steps.committed
    assert intent(IntentState.DONE) in steps.committed
    assert (steps.world.definitions.registered, steps.world.revisions.knows(ARN)) == ({}, False)


def test_a_lost_answer_is_asked_for_again() -> None:
    """Deregistering twice is harmless."""
    steps = collecting(LOST)
    assert intent(IntentState.ABANDONED) in steps.committed
    steps.now_ms += POLICY.revision_pause_ms
    assert deregistrations(steps.step()) == [CALL]


def test_a_refusal_gives_the_revision_back_and_is_told() -> None:
    """Without the permission the index keeps what it had, and tomorrow is soon enough to ask again."""
    steps = collecting(DENIED)
    assert steps.world.definitions.registered == {KEY: ARN}
    assert "AccessDeniedException" in steps.world.troubles["REVISIONS_NOT_DEREGISTERED"]
    steps.now_ms += DAY_MS - 1
    assert deregistrations(steps.step()) == []
    steps.now_ms += 1
    assert deregistrations(steps.step()) == [CALL]


def test_a_request_that_comes_meanwhile_registers_anew() -> None:
    """The revision is as good as gone."""
    steps = at_rest()
    steps.step()
    steps.commit(submitted(1))
    plan = steps.step()
    register = RegisterTaskDefinition(definition_key=KEY, task_id=task_id(1))
    assert register in plan.calls


def test_a_request_that_comes_before_keeps_it() -> None:
    """A queued task needs its configuration, however long nobody else did."""
    steps = at_rest()
    steps.commit(submitted(1))
    assert deregistrations(steps.step()) == []


def test_a_process_that_died_over_it_asks_again() -> None:
    """The open intent is abandoned, the withdrawal stands, and the revision is as stale as before."""
    steps = at_rest()
    steps.step()
    (opened,) = [each for each in steps.committed if isinstance(each, IntentRecorded)]
    steps.world.close_intent(opened)
    steps.now_ms += POLICY.revision_pause_ms
    steps.step()
    assert steps.world.definitions.registered == {}
