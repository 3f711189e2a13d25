"""A tenant that asks for something else each time: it is held to its lines, and to no fewer tasks."""

from collections import Counter

from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import VirtualService


def ask_for_five_shapes(service: VirtualService, tenant: str = "bamboo") -> int:
    """Two tasks of each; returns how many were accepted."""
    before = len(service.tasks())
    for number in range(1, 6):
        service.submit(2, Resources(cpu=100 * number, memory_mib=100), tenant=tenant)
    return len(service.tasks()) - before


def test_the_limit_outlives_the_process_and_ends_with_the_queue() -> None:
    """Full, it stays full through a crash, and hinders no other tenant. Once all is placed it is free."""
    simulation = SimulationSettings(min_size=0, max_size=2, desired_capacity=0)
    service = VirtualService(simulation=simulation, policy=Policy(max_lines_per_tenant=3))
    assert ask_for_five_shapes(service) == 6
    service.driver.crash()
    assert ask_for_five_shapes(service) == 6  # longer lines, and no other
    assert ask_for_five_shapes(service, tenant="other") == 6
    assert service.finish()
    service.driver.crash()
    assert ask_for_five_shapes(service) == 6
    assert service.finish()
    assert service.states() == Counter({TaskState.SUCCEEDED: 24})
