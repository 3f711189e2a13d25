"""Consoles: what an instance that never joined said is saved before its end, which waits only so long."""

from typing import Any

from scheduler.core.model.answers import Accepted, Answer, ConsoleSaved
from scheduler.core.model.calls import Call, SaveConsole, TerminateInstances
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.hearing_capacity import _CONSOLE_LENGTH
from tests.builders import M4_4XLARGE, a_removal, ec2_id
from tests.clocks import START_MS
from tests.core.clusters import LOST
from tests.core.region import Region
from tests.core.test_removals import due, removals

NEVER_JOINED = a_removal(1, cause=RemovalCause.NEVER_JOINED, step=RemovalStep.TERMINATING, arn="")
SAVE = SaveConsole(ec2_instance_id=ec2_id(1))
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


def test_no_other_end_is_waited_with() -> None:
    """One whose agent was there has said what it had to say elsewhere."""
    gone = a_removal(1, cause=RemovalCause.DISCONNECTED, step=RemovalStep.TERMINATING)
    assert due(removals(gone)) == [TERMINATE]


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
