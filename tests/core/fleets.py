"""A fleet sorted anew from its instances: what its indexes are held against."""

from collections import Counter
from typing import Any

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.group import Candidate
from scheduler.core.world.fleet import Fleet

REMOVABLE = (InstanceHealth.SCHEDULABLE, InstanceHealth.STALE)


def candidates_of(fleet: Fleet) -> Candidates:
    """Members that could be removed, looked for one by one."""
    return Candidates(
        Candidate(
            arn=arn,
            ec2_instance_id=instance.ec2_instance_id,
            availability_zone=instance.availability_zone,
            launched_ms=instance.launched_ms,
            too_old=arn in fleet.ages.in_turn,
            idle_since_ms=idle_since_ms,
        )
        for arn, instance in fleet.instances.items()
        for idle_since_ms in (_idle_since_ms(fleet, arn),)
        if fleet.health[arn] in REMOVABLE and (arn in fleet.ages.in_turn or idle_since_ms is not None)
    )


def ranks_of(fleet: Fleet) -> dict[str, Any]:
    """How the fleet has sorted itself, one instance at a time."""
    return {
        "counts": +fleet.counts,
        "zones": +fleet.ranks.zones,
        "ids": {each: set(fleet.ranks.of(each)) for each in InstanceHealth},
        "disconnected": set(fleet.disconnected),
    }


def ranks_rebuilt(fleet: Fleet) -> dict[str, Any]:
    """The same, counted anew."""
    able = [fleet.instances[arn] for arn, each in fleet.health.items() if each is InstanceHealth.SCHEDULABLE]
    return {
        "counts": Counter(fleet.health.values()),
        "zones": Counter(each.availability_zone for each in able),
        "ids": {
            wanted: {fleet.ec2_ids[arn] for arn, health in fleet.health.items() if health is wanted}
            for wanted in InstanceHealth
        },
        "disconnected": {arn for arn, each in fleet.instances.items() if not each.agent_connected},
    }


def _idle_since_ms(fleet: Fleet, arn: str) -> int | None:
    idle = fleet.idleness.of(arn)
    return idle.since_ms if idle and idle.readings > 1 else None
