"""Notices: which scaling events are told outside, and as what."""

import pytest

from scheduler.core.model.scaling import ScalingKind
from scheduler.ports.telemetry import Title
from scheduler.services.notices import RULES, notice_of
from tests.builders import a_scaling_event


def title(kind: ScalingKind, code: str = "") -> Title | None:
    notice = notice_of(a_scaling_event(kind=kind, code=code))
    return notice.title if notice else None


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (ScalingKind.TERMINATE, "DISCONNECTED", Title.DISCONNECTED_REPLACED),
        (ScalingKind.TERMINATE, "NEVER_JOINED", Title.NEVER_JOINED_REPLACED),
        (ScalingKind.TERMINATE, "IDLE", Title.INSTANCE_REMOVED),
        (ScalingKind.CONDITION_BEGAN, "INSTANCES_QUARANTINED", Title.BLACK_HOLE),
        (ScalingKind.GROW, "DEMAND", Title.GROUP_GROWN),
        (ScalingKind.LAUNCH_FAILED, "LAUNCH_FAILED", Title.LAUNCH_FAILED),
        (ScalingKind.CONDITION_BEGAN, "GROUP_AT_MAX_SIZE", Title.GROUP_AT_MAX_SIZE),
        (ScalingKind.CONDITION_BEGAN, "MASS_DISCONNECTION", Title.CONDITION_BEGAN),
        (ScalingKind.CONDITION_ENDED, "GROUP_AT_MAX_SIZE", Title.CONDITION_ENDED),
        (ScalingKind.DETACH, "DISCONNECTED", None),
    ],
)
def test_each_event_has_its_title(kind: ScalingKind, code: str, expected: Title | None) -> None:
    """A replaced instance has the title that monitors know, and is told of once, when it is terminated."""
    assert title(kind, code) is expected


@pytest.mark.parametrize("kind", ScalingKind)
def test_every_kind_of_event_is_decided_on(kind: ScalingKind) -> None:
    """A new one is told of or not, and never by oversight."""
    assert any(rule.kind is kind and not rule.code for rule in RULES)


def test_every_title_can_come_up() -> None:
    """What is documented happens."""
    assert {rule.title for rule in RULES} == {*Title, None}


def test_what_was_not_done_is_not_told() -> None:
    """A service that only looks replaces nothing."""
    assert notice_of(a_scaling_event(held="OBSERVE_ONLY")) is None


def test_the_text_says_what_why_and_how_many() -> None:
    """The instance, if it is about one; the cause; the sizes, if they change."""
    grown = notice_of(a_scaling_event(3))
    assert grown is not None
    assert grown.text == "ci: DEMAND: tasks wait for room (desired capacity 2 to 3)"
    lost = a_scaling_event(
        kind=ScalingKind.TERMINATE,
        code="IDLE",
        ec2_instance_id="i-1",
        message="it is idle",
        desired_after=None,
    )
    removed = notice_of(lost)
    assert removed is not None
    assert removed.text == "ci: i-1: it is idle"
