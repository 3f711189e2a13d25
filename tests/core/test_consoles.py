"""Consoles: what a sick instance said is saved before its end, which waits only so long."""

from typing import Any

import pytest

from scheduler.core.model.answers import Accepted, Answer, ConsoleSaved
from scheduler.core.model.calls import Call, SaveConsole, TerminateInstances
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.hearing_capacity import _CONSOLE_LENGTH
from scheduler.core.world.removals import Surroundings
from tests.builders import M4_4XLARGE, a_removal, an_instance, ec2_id, instance_arn
from tests.clocks import START_MS
from tests.core.clusters import LOST
from tests.core.region import Region
from tests.core.test_removals import due, removals

NEVER_JOINED = a_removal(1, cause=RemovalCause.NEVER_JOINED, step=RemovalStep.TERMINATING, arn="")
SAVE = SaveConsole(ec2_instance_id=ec2_id(1), cause=RemovalCause.NEVER_JOINED)
TERMINATE = TerminateInstances(ec2_instance_ids=(ec2_id(1),))
TIMEOUT_MS = Policy().console_timeout_ms


def test_its_console_is_saved_before_it_is_ended() -> None:
    """And only then, however often that is looked at."""
    under_way = removals(NEVER_JOINED)
    assert due(under_way) == [SAVE]
    under_way.sent(SAVE, START_MS)
    assert due(under_way, 1_000) == []
    under_way.console_heard(SAVE, START_MS + 2_000)
    assert due(under_way, 2_000) == [TERMINATE]


def test_its_end_waits_no_longer_than_the_timeout() -> None:
    """Whatever became of the call."""
    under_way = removals(NEVER_JOINED)
    under_way.sent(SAVE, START_MS)
    assert due(under_way, TIMEOUT_MS - 1) == []
    assert due(under_way, TIMEOUT_MS) == [TERMINATE]


SICK = (RemovalCause.DISCONNECTED, RemovalCause.NEVER_JOINED, RemovalCause.BLACK_HOLE)


@pytest.mark.parametrize("cause", RemovalCause)
def test_the_console_of_a_sick_instance_is_saved_and_no_other(cause: RemovalCause) -> None:
    """Nothing ails one that is idle, or old, or outside: nobody will ask what it said."""
    going = a_removal(1, cause=cause, step=RemovalStep.TERMINATING)
    save = SaveConsole(ec2_instance_id=ec2_id(1), cause=cause)
    assert due(removals(going)) == [save if cause in SICK else TERMINATE]


def test_one_whose_agent_is_lost_on_its_way_out_is_sick() -> None:
    """Whatever it was to go for."""
    going = a_removal(1, cause=RemovalCause.IDLE, step=RemovalStep.TERMINATING)
    silent = Surroundings(listed=an_instance(), lifecycle_state=None, busy=False, lost=True)
    assert due(removals(going), around=silent) == [
        SaveConsole(ec2_instance_id=ec2_id(1), cause=RemovalCause.IDLE)
    ]


@pytest.mark.parametrize("step", [RemovalStep.DRAINING, RemovalStep.DETACHING, RemovalStep.LEAVING])
def test_no_earlier_step_waits_for_a_console(step: RemovalStep) -> None:
    """Only the end of the instance takes it away; the group replaces a lost one without delay."""
    going = a_removal(1, cause=RemovalCause.DISCONNECTED, step=step)
    assert not any(isinstance(each, SaveConsole) for each in due(removals(going)))


def told(answer: Answer) -> list[ScalingEvent]:
    """What the scaling log has of a console, of a member that never joined and was ended all the same."""
    region = Region(2)
    region.run(1, 2, ask=M4_4XLARGE)
    region.truth.desired = 3
    missing = region.truth.launch(region.steps.now_ms)
    truth_answer = region.truth.answer

    def answered(call: Call) -> Any:
        return answer if isinstance(call, SaveConsole) else truth_answer(call)

    region.truth.answer = answered  # type: ignore[method-assign]  # the region has no other hook for it
    region.minutes(6)
    assert missing not in region.truth.launched
    events = [each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)]
    return [each for each in events if each.kind is ScalingKind.EVIDENCE]


def test_the_log_names_the_stream_that_has_it() -> None:
    """And nothing of what it says."""
    (event,) = told(ConsoleSaved(output="panic", stream="pbc-ec2-instance-stale/i-1"))
    assert event.message == "its console output is in the log stream pbc-ec2-instance-stale/i-1"
    assert event.code == "NEVER_JOINED"


def test_what_could_not_be_written_is_kept_up_to_a_length() -> None:
    """The end of it, which says most, and why it is not in the log group."""
    (event,) = told(ConsoleSaved(output="x" * 9_000 + "kernel panic", problem="log group ci: denied"))
    assert event.message.startswith(
        "its console output is not in the log group: log group ci: denied; it ends: x"
    )
    assert event.message.endswith("kernel panic")
    assert len(event.message) < _CONSOLE_LENGTH + 200


def test_a_call_that_came_to_nothing_ends_nothing_but_the_wait() -> None:
    """There is nothing to tell."""
    assert told(LOST) == []
    assert told(Accepted()) == []


def test_the_evidence_names_the_cause_of_the_removal() -> None:
    """Also of an agent that was lost for good; what ran elsewhere goes on."""
    region = Region(3)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.go_silent(1)
    region.minutes(25)
    assert instance_arn(1) not in region.truth.instances
    events = [each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)]
    assert [(each.code, each.ec2_instance_id) for each in events if each.kind is ScalingKind.EVIDENCE] == [
        ("DISCONNECTED", ec2_id(1))
    ]
