"""Groups of instances in which something is wrong, for cases of the seed's tests."""

from typing import Any

from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import GROUP, MINUTE_MS, VirtualService

PATIENT = Policy(cluster_poll_ms=10_000, eager_poll_ms=5_000, census_poll_ms=30_000)
"""Readings a few times a minute: hours of virtual time are long."""

REGISTERED = Resources(cpu=16_384, memory_mib=64_419)


def share(memory_percent: int, cpu_percent: int) -> Resources:
    """So much of the cases' instance, an m4.4xlarge."""
    return Resources(
        cpu=REGISTERED.cpu * cpu_percent // 100, memory_mib=REGISTERED.memory_mib * memory_percent // 100
    )


def a_service(
    size: int,
    *,
    min_size: int | None = None,
    max_size: int = 50,
    run_minutes: int = 60,
    policy: Policy = PATIENT,
    **simulation: Any,
) -> VirtualService:
    """As many idle instances, in a group that must have so many unless `min_size` says otherwise."""
    run_ms = run_minutes * MINUTE_MS
    settings = SimulationSettings(
        min_size=size if min_size is None else min_size,
        max_size=max_size,
        desired_capacity=size,
        run_ms=(run_ms, run_ms),
        **simulation,
    )
    service = VirtualService(simulation=settings, policy=policy)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size, limit_minutes=10)
    return service


def detach(service: VirtualService, ec2_id: str, *, decrement: bool = True) -> None:
    """An operator takes it out of the group."""
    service.account.call(
        "autoscaling",
        "DetachInstances",
        {"AutoScalingGroupName": GROUP, "InstanceIds": [ec2_id], "ShouldDecrementDesiredCapacity": decrement},
    )


def occupants(service: VirtualService) -> list[str]:
    """EC2 ids of the instances that tasks were placed on, in order of the tasks."""
    return [each.attempts[-1].ec2_instance_id for each in service.tasks() if each.attempts]
