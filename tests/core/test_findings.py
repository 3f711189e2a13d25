"""Findings: what the event of a sick instance's removal tells of it."""

from collections.abc import Iterable

from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from tests.builders import M4_4XLARGE, REGULAR, instance_arn
from tests.core.region import Region


def begun(region: Region) -> list[ScalingEvent]:
    """The first steps of removals."""
    events: Iterable[ScalingEvent] = (
        each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)
    )
    return [each for each in events if each.kind in (ScalingKind.DETACH, ScalingKind.TERMINATE)]


def test_a_lost_agent_is_told_with_its_time_and_the_tasks() -> None:
    """How long it was away, what EC2 says, and what is lost with it."""
    region = Region(3)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.truth.foreign[instance_arn(2)] = REGULAR
    region.go_silent(2)
    region.minutes(22)
    message = begun(region)[0].message
    assert message.startswith(
        "its agent has been disconnected for too long; the group replaces it; its agent has"
    )
    assert "away for 2" in message
    assert "1 of our tasks are on it and some of others" in message


def test_one_that_never_joined_is_told_with_its_age() -> None:
    """By AWS's clock, and what the group makes of it."""
    region = Region(2)
    region.run(1, 2, ask=M4_4XLARGE)
    region.truth.desired = 3
    region.truth.launch(region.steps.now_ms)
    region.minutes(6)
    (event,) = begun(region)
    assert event.message.endswith("it was launched 5 minutes ago and is InService in the group")
