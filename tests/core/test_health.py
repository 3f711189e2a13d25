"""The health of a container instance: the first rule that applies wins."""

from itertools import combinations
from typing import Any

import pytest

from scheduler.core.lifecycle.health import RULES, Standing, classify
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import GroupMember
from tests.builders import a_member, an_instance

SICKNESSES: dict[InstanceHealth, dict[str, Any]] = {
    InstanceHealth.SCHEDULABLE: {},
    InstanceHealth.NOT_IN_GROUP: {"member": None},
    InstanceHealth.DRAINING: {"status": "DRAINING"},
    InstanceHealth.NOT_ACTIVE: {"status": "REGISTERING"},
    InstanceHealth.DISCONNECTED: {"agent_connected": False},
    InstanceHealth.NOT_IN_SERVICE: {"member": a_member(lifecycle_state="Terminating:Wait")},
    InstanceHealth.LEAVING: {"claimed": True},
    InstanceHealth.SUSPECT: {"suspect": True},
    InstanceHealth.STALE: {"too_old": True},
}


def health_of(**sickness: Any) -> InstanceHealth:
    member: GroupMember | None = sickness.pop("member", a_member())
    standing = Standing(
        claimed=sickness.pop("claimed", False),
        suspect=sickness.pop("suspect", False),
        too_old=sickness.pop("too_old", False),
    )
    return classify(an_instance(**sickness), member, standing)


@pytest.mark.parametrize("health", InstanceHealth)
def test_each_sickness_has_its_name(health: InstanceHealth) -> None:
    """One thing wrong gives its own health; nothing wrong is schedulable."""
    assert health_of(**SICKNESSES[health]) is health


@pytest.mark.parametrize(("first", "second"), list(combinations([health for health, _ in RULES], 2)))
def test_an_earlier_rule_wins(first: InstanceHealth, second: InstanceHealth) -> None:
    """Of two things wrong the more telling one is told."""
    assert health_of(**(SICKNESSES[second] | SICKNESSES[first])) is first


@pytest.mark.parametrize("state", ["Pending", "Pending:Wait", "Standby", "Detaching", "Warmed:Stopped"])
def test_only_members_in_service_get_tasks(state: str) -> None:
    """Whatever else the group is doing with an instance, it is not ours to use."""
    assert health_of(member=a_member(lifecycle_state=state)) is InstanceHealth.NOT_IN_SERVICE


def test_a_draining_stranger_is_a_stranger() -> None:
    """Not in the group comes first: it may be anybody's."""
    assert health_of(status="DRAINING", agent_connected=False, member=None) is InstanceHealth.NOT_IN_GROUP
