"""A cluster at work, for tests that begin there: its World in `Steps`, and what one does with it."""

from collections.abc import Sequence
from dataclasses import replace

from scheduler.core.model.answers import Answer, Failure, TasksSeen
from scheduler.core.model.attempt import Attempt, StopCategory
from scheduler.core.model.calls import Call, FindAttempt, StartTask
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TaskState
from tests.builders import M4_4XLARGE, a_world, an_instance, instance_arn, stop_reason, submitted, task_id
from tests.clocks import START_MS
from tests.core.steps import Steps

POLICY = Policy()
KNOWN = definition_fact("definition-1", "definition-1:1")
THROTTLED = Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate exceeded")
UNREACHED = Failure(
    definite=True, never_reached=True, code="EndpointConnectionError", message="Could not connect"
)
LOST = Failure(definite=False, code="ReadTimeout", message="no answer")
NO_ROOM = Failure(
    definite=True, code="RESOURCE:MEMORY", message="", reason=stop_reason(category=StopCategory.CAPACITY)
)
REFUSED = Failure(definite=True, blames_request=True, code="ClientException", message="no such log driver")


def refused(code: str) -> Failure:
    """A failure for certain, with this code."""
    return Failure(definite=True, blames_request=True, code=code, message="refused")


def forbidden(code: str = "AccessDenied") -> Failure:
    """What IAM does not allow."""
    return replace(refused(code), forbidden=True)


def a_cluster(*numbers: int, tasks: Sequence[int] = (1,)) -> Steps:
    """These instances work, the definition is registered and its size learned, and these tasks wait."""
    steps = Steps(a_world(*(an_instance(number) for number in numbers)))
    steps.commit(KNOWN, instance_type_fact("m4.4xlarge", M4_4XLARGE))
    steps.commit(*(submitted(number) for number in tasks))
    return steps


def launched(steps: Steps) -> StartTask:
    """Makes a decision; returns the start that it sent last."""
    steps.step()
    return steps.awaited(StartTask)[-1]


def present(steps: Steps, number: int = 1) -> Attempt:
    """The attempt that a task is out under."""
    found = steps.world.attempts.tracks[task_id(number)].attempt
    assert found is not None
    return found


def state_of(steps: Steps, number: int = 1) -> TaskState:
    """Where a task stands that has not ended."""
    return steps.world.attempts.tracks[task_id(number)].state


def answer(steps: Steps, call: Call, with_: Answer) -> None:
    """The answer comes, and the next decision makes of it what it can."""
    steps.answer(call, with_)
    steps.step()


def holds(steps: Steps, number: int = 1) -> int:
    """Attempts that hold room on an instance."""
    return steps.world.ledger.load(instance_arn(number)).attempts


def pass_ms(steps: Steps, ms: int) -> None:
    """Time passes, and then a decision is made."""
    steps.now_ms += ms
    steps.step()


def search_in_vain(steps: Steps, until_ms: int) -> None:
    """Answers every search with nothing, until this long after the start."""
    while steps.now_ms < START_MS + until_ms:
        for call in steps.awaited(FindAttempt):
            steps.answer(call, TasksSeen(tasks=()))
        pass_ms(steps, 1_000)
