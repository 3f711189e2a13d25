"""Another scheduler of the same group, without any mark of ours: each raises desired capacity for itself."""

from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import harms
from tests.lab.worlds import MINUTE_MS, MOST, VirtualService

RUN_MS = (10 * MINUTE_MS, 10 * MINUTE_MS)


def a_service(desired: int) -> VirtualService:
    """So many idle instances, in a group whose members are protected from scale-in."""
    simulation = SimulationSettings(min_size=0, max_size=6, desired_capacity=desired, run_ms=RUN_MS)
    service = VirtualService(simulation=simulation)
    assert service.run_until(lambda: service.engine.loop.digest.idle == desired)
    return service


def test_a_raise_that_another_takes_back_is_made_again() -> None:
    """It set what it had computed before ours: no task is ended, and what waits gets its instances."""
    service = a_service(1)
    service.submit(4, MOST)
    assert service.run_until(lambda: service.desired == 4, limit_minutes=2)
    service.account.set_desired(2)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 4, limit_minutes=10)
    assert service.finish(limit_minutes=30)
    assert service.states() == {TaskState.SUCCEEDED: 4}
    assert harms(service.account.journal) == []


def test_what_another_has_asked_for_is_in_flight() -> None:
    """It is not bought a second time for what waits here."""
    service = a_service(1)
    service.account.set_desired(3)
    service.let_pass(0.2)
    service.submit(3, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 3, limit_minutes=10)
    assert service.desired == 3
