"""Failing calls: each failure stands for its subject, as one condition a kind of call."""

import pytest

from scheduler.core.model.answers import Accepted, Answer, GroupSeen, TasksSeen
from scheduler.core.model.calls import (
    Call,
    DescribeGroup,
    DescribeTasks,
    DrainInstances,
    TerminateInstances,
)
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.world.world import World
from tests.builders import a_group, a_removal, ec2_id, instance_arn
from tests.clocks import START_MS
from tests.core.clusters import THROTTLED, refused
from tests.core.steps import Steps

PROTECTED = refused("OperationNotPermitted")
MINUTE_MS = 60_000


def terminate(*numbers: int) -> Call:
    return TerminateInstances(ec2_instance_ids=tuple(map(ec2_id, numbers)))


def drain(*numbers: int) -> Call:
    return DrainInstances(arns=tuple(map(instance_arn, numbers)))


def read(*tasks: str) -> Call:
    return DescribeTasks(task_arns=tasks)


class Desk:
    """A World that hears answers to calls nobody sent."""

    def __init__(self) -> None:
        self.world = World(Policy(), "ci")
        self.steps = Steps(self.world)

    def remove(self, *numbers: int, step: RemovalStep) -> None:
        for number in numbers:
            self.world.removals.record(a_removal(number, step=step), START_MS)

    def hear(self, call: Call, answer: Answer, after_ms: int = 0) -> dict[str, str]:
        """The troubles that stand afterwards."""
        self.steps.now_ms = START_MS + after_ms
        self.steps.under_way.append((call, self.steps.now_ms))
        self.steps.answer(call, answer)
        return self.world.troubles


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_success_for_one_says_nothing_of_another(desk: Desk) -> None:
    """EC2 ended the second instance and still refuses to end the first: the condition stands."""
    desk.remove(1, 2, step=RemovalStep.TERMINATING)
    desk.hear(terminate(1), PROTECTED)
    troubles = desk.hear(terminate(2), Accepted())
    assert ec2_id(1) in troubles["INSTANCES_NOT_TERMINATED"]


def test_it_ends_when_its_own_subject_goes_well(desk: Desk) -> None:
    """The last of those that were refused was terminated."""
    desk.remove(1, 2, step=RemovalStep.TERMINATING)
    assert "and 1 others" in desk.hear(terminate(1, 2), PROTECTED)["INSTANCES_NOT_TERMINATED"]
    assert ec2_id(2) in desk.hear(terminate(1), Accepted())["INSTANCES_NOT_TERMINATED"]
    assert desk.hear(terminate(2), Accepted()) == {}


def test_it_ends_when_its_subject_is_gone(desk: Desk) -> None:
    """Somebody else ended the instance: nothing is left to be refused."""
    desk.remove(1, step=RemovalStep.TERMINATING)
    desk.hear(terminate(1), PROTECTED)
    desk.world.removals.end(ec2_id(1), START_MS)
    assert desk.hear(DescribeGroup(group="ci"), THROTTLED).keys() == {"GROUP_UNREADABLE"}


def test_it_ends_when_its_subject_is_past_the_step(desk: Desk) -> None:
    """What was not terminated for a while is leaving by now."""
    desk.remove(1, step=RemovalStep.TERMINATING)
    desk.hear(terminate(1), PROTECTED)
    desk.remove(1, step=RemovalStep.LEAVING)
    assert desk.hear(DescribeGroup(group="ci"), GroupSeen(group=a_group())) == {}


def test_one_that_was_refused_by_itself_is_told(desk: Desk) -> None:
    """ECS drained the others of the batch; those that it does not know any more are no trouble."""
    desk.remove(1, 2, 3, step=RemovalStep.DRAINING)
    refusals = ((instance_arn(1), "BUSY"), (instance_arn(2), "MISSING"))
    troubles = desk.hear(drain(1, 2, 3), Accepted(refused=refusals))
    assert troubles == {"INSTANCES_NOT_DRAINED": f"BUSY ({instance_arn(1)})"}


def test_a_batch_that_was_read_says_nothing_of_another(desk: Desk) -> None:
    """Readings of tasks come in batches; while one of them fails, tasks are unreadable."""
    for arn in ("a", "b"):
        desk.world.agenda.watch(arn, START_MS)
    desk.hear(read("a"), THROTTLED)
    assert desk.hear(read("b"), TasksSeen(tasks=())).keys() == {"TASKS_UNREADABLE"}
    assert desk.hear(read("a"), TasksSeen(tasks=())) == {}


def test_what_aws_denies_is_not_news_each_minute(desk: Desk) -> None:
    """A drain that is denied is given up, rests and begins again: one condition all the while."""
    desk.remove(1, step=RemovalStep.DRAINING)
    desk.world.fleet.ec2_ids[instance_arn(1)] = ec2_id(1)
    desk.hear(drain(1), refused("AccessDenied"))
    desk.world.removals.end(ec2_id(1), START_MS)
    call, seen = DescribeGroup(group="ci"), GroupSeen(group=a_group())
    assert desk.hear(call, seen, MINUTE_MS).keys() == {"INSTANCES_NOT_DRAINED"}
    assert desk.hear(call, seen, 2 * MINUTE_MS) == {}
