"""Cases C: who is usable, fresh or stale among connected, disconnected, foreign and drained instances."""

from typing import Any

import pytest

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.policy import Policy
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger
from tests.builders import a_group, a_member, an_instance, ec2_id, instance_arn
from tests.clocks import START_MS

DAY_MS = 86_400_000
POLICY = Policy(instance_max_age_ms=DAY_MS, instance_age_jitter=1e-9)


def partition(*instances: dict[str, Any], in_group: tuple[bool, ...] = (True,) * 4) -> Fleet:
    """Four instances after two readings, all empty; the group could grow."""
    fleet = Fleet(POLICY, Ledger())
    members = [a_member(number) for number, inside in enumerate(in_group, 1) if inside]
    group: InstanceGroup = a_group(*members, max_size=50)
    fleet.see_group(group)
    seen = [an_instance(number, **each) for number, each in enumerate(instances, 1)]
    for at_ms in (START_MS, START_MS + 5_000):
        fleet.see_instances(seen, at_ms)
    return fleet


def age(days: int) -> dict[str, Any]:
    """Launched so many days ago."""
    return {"launched_ms": START_MS - days * DAY_MS}


def health(fleet: Fleet) -> list[InstanceHealth]:
    """Of the four, in order."""
    return [fleet.health[instance_arn(number)] for number in range(1, 5)]


def test_c01_disconnected() -> None:
    """Whoever is disconnected is that, whatever its age; of the others only the young get tasks."""
    away = {"agent_connected": False}
    assert health(partition(age(0), age(0) | away, age(2), age(2) | away)) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.DISCONNECTED,
        InstanceHealth.STALE,
        InstanceHealth.DISCONNECTED,
    ]


def test_c02_not_in_the_group() -> None:
    """Fresh is the first alone; the unused old one may go, and strangers are judged apart."""
    fleet = partition(age(0), age(0), age(2), age(2), in_group=(True, False, True, False))
    assert health(fleet) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.NOT_IN_GROUP,
        InstanceHealth.STALE,
        InstanceHealth.NOT_IN_GROUP,
    ]
    assert [each.ec2_instance_id for each in fleet.candidates.old()] == [ec2_id(3)]


def test_c03_draining() -> None:
    """Fresh is the first alone. Differs from the seed, which ends what others drained: not ours to end."""
    draining = {"status": "DRAINING"}
    fleet = partition(
        age(0), age(0) | draining, age(2), age(2) | draining, in_group=(True, False, True, True)
    )
    assert health(fleet) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.NOT_IN_GROUP,
        InstanceHealth.STALE,
        InstanceHealth.DRAINING,
    ]
    assert [each.ec2_instance_id for each in fleet.candidates.old()] == [ec2_id(3)]


@pytest.mark.parametrize("days", [0, 2])
def test_c01_a_disconnected_instance_is_no_candidate_for_idleness(days: int) -> None:
    """Nobody knows what runs on it."""
    fleet = partition(*([age(days) | {"agent_connected": False}] * 4))
    assert len(fleet.candidates) == 0
