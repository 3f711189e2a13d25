"""The cloud port's claims about tasks of ECS services, on both fronts of a simulated account."""

from typing import Any

import pytest

from scheduler.core.model.resources import NOTHING, Resources
from tests.contract.cloud_worlds import CLUSTER, SimulatedWorld, SimulatedWorldMaker


@pytest.fixture
def at_work(make_simulated: SimulatedWorldMaker) -> SimulatedWorld:
    """A daemon's task and a lone one on the first instance."""
    world = make_simulated(daemon_services=("router",))
    start(world, group="service:router")
    start(world)
    return world


def start(world: SimulatedWorld, **fields: Any) -> None:
    """As ECS does for its services, or somebody by hand."""
    arn = world.register(cpu=64, memoryReservation=128)
    task = {"cluster": CLUSTER, "taskDefinition": arn, "containerInstances": [world.instance_arn()]}
    world.account.call("ecs", "StartTask", task | fields)


def test_a_census_tells_daemons_from_others(at_work: SimulatedWorld) -> None:
    """With what they take; asked once a service."""
    for _ in range(2):
        counted = {each.service: (each.daemon, each.ask) for each in at_work.cloud.census()}
        assert counted == {"router": (True, Resources(cpu=64, memory_mib=128)), "": (False, NOTHING)}
    assert at_work.calls("DescribeServices") == 1


def test_an_inspection_does_too(at_work: SimulatedWorld) -> None:
    """So that an instance with nothing else is empty."""
    inspected = at_work.cloud.inspect(at_work.instance_arn())
    assert sorted(each.daemon for each in inspected.tasks) == [False, True]


def test_a_service_that_ecs_does_not_know_is_none(make_simulated: SimulatedWorldMaker) -> None:
    """It was deleted, and its task is about to follow."""
    world = make_simulated()
    start(world, group="service:gone")
    assert [each.daemon for each in world.cloud.census()] == [False]
