"""Agents that go silent: blinks are sat out, lost ones replaced, and a failure of the region is neither."""

from typing import get_args

import pytest

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import acts, detached, harms, lowered
from tests.lab.worlds import MINUTE_MS, MOST, VirtualService

PATIENT = Policy(cluster_poll_ms=20_000, eager_poll_ms=5_000, census_poll_ms=60_000)
"""Readings three times a minute: hours of virtual time are long."""

HOUR = (60 * MINUTE_MS, 60 * MINUTE_MS)


def a_service(size: int = 3, *, seed: int = 0) -> VirtualService:
    """As many idle instances as the group is to have at least, and tasks that run for an hour."""
    simulation = SimulationSettings(min_size=size, max_size=size + 3, desired_capacity=size, run_ms=HOUR)
    service = VirtualService(seed=seed, simulation=simulation, policy=PATIENT)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    service.let_pass(1)
    return service


def disconnect(service: VirtualService, *ec2_ids: str) -> None:
    for each in ec2_ids:
        service.account.set_agent_connected(each, False)


def connect(service: VirtualService, *ec2_ids: str) -> None:
    for each in ec2_ids:
        service.account.set_agent_connected(each, True)


def registered(service: VirtualService) -> list[str]:
    """EC2 ids behind the container instances that ECS lists."""
    return [each["ec2InstanceId"] for each in service.account.instances() if each["containerInstances"]]


def test_an_agent_away_for_long_costs_its_instance() -> None:
    """Replaced without decrement, its EC2 instance ended, and what ECS still listed deregistered.

    A restart of the service does not begin its twenty minutes anew.
    """
    service = a_service()
    lost = service.members()[0]
    disconnect(service, lost)
    service.let_pass(12)
    service.driver.crash()
    service.let_pass(7)
    assert lost in service.members()
    assert service.run_until(lambda: service.has_size(3) and lost not in registered(service), limit_minutes=6)
    assert detached(service.account.journal, decrement=False) == [lost]
    assert detached(service.account.journal, decrement=True) == []
    assert (lowered(service.account.journal), service.strays()) == ([], [])
    assert [each.code for each in service.log(ScalingKind.REMOVED)] == ["DISCONNECTED"]


@pytest.mark.parametrize("kind", get_args(FaultKind)[:5])
def test_a_deregistration_that_fails_is_repeated(kind: FaultKind) -> None:
    """Lost answers, errors before and after the effect, throttles: ECS forgets the instance all the same."""
    service = a_service()
    service.account.faults.add(Fault(operation="DeregisterContainerInstance", kind=kind, count=2))
    lost = service.members()[0]
    disconnect(service, lost)
    assert service.run_until(lambda: lost not in service.members(), limit_minutes=25)
    assert service.run_until(lambda: service.has_size(3) and lost not in registered(service), limit_minutes=9)
    service.let_pass(0.5)
    assert service.conditions() == {}


def test_an_agent_that_comes_back_in_time_costs_nothing() -> None:
    """Away for a quarter of an hour: nothing is done."""
    service = a_service()
    before, instances = len(service.account.journal.entries), service.members()
    disconnect(service, instances[0])
    service.let_pass(15)
    connect(service, instances[0])
    service.let_pass(30)
    assert acts(service.account.journal, since=before) == []
    assert service.members() == instances


def test_an_agent_that_blinks_for_most_of_an_hour_costs_its_instance() -> None:
    """Four minutes in six, never long in one piece."""
    service = a_service()
    lost = service.members()[0]
    for _ in range(9):
        disconnect(service, lost)
        service.let_pass(4)
        if lost not in service.members():
            break
        connect(service, lost)
        service.let_pass(2)
    assert service.run_until(lambda: service.has_size(3), limit_minutes=10)
    assert detached(service.account.journal, decrement=False) == [lost]


def test_an_agent_that_blinks_now_and_then_costs_nothing() -> None:
    """Four minutes in ten."""
    service = a_service()
    before, instances = len(service.account.journal.entries), service.members()
    for _ in range(12):
        disconnect(service, instances[0])
        service.let_pass(4)
        connect(service, instances[0])
        service.let_pass(6)
    assert acts(service.account.journal, since=before) == []


def test_tasks_of_a_lost_instance_run_again_only_if_they_may() -> None:
    """They end as INSTANCE_LOST once ECS has given up the instance."""
    service = a_service(1)
    service.submit(1)
    service.submit(1, may_run_again=True)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=10)
    (lost,) = service.members()
    disconnect(service, lost)
    assert service.finish(limit_minutes=120)
    first, second = service.tasks()
    assert first.status.state is TaskState.FAILED
    assert first.status.stop_reason is not None
    assert first.status.stop_reason.category is StopCategory.INSTANCE_LOST
    assert second.status.state is TaskState.SUCCEEDED
    assert service.starts() == {first.task_id: 1, second.task_id: 2}
    assert detached(service.account.journal, decrement=False) == [lost]


def test_an_agent_that_goes_silent_while_its_instance_drains_does_not_stop_the_removal() -> None:
    """What was meant is done once it counts as lost: the group shrinks by it."""
    simulation = SimulationSettings(min_size=1, max_size=4, desired_capacity=2)
    service = VirtualService(simulation=simulation, policy=PATIENT)
    assert service.run_until(lambda: any(each.step is RemovalStep.DRAINING for each in service.removals()))
    (removal,) = service.removals()
    disconnect(service, removal.ec2_instance_id)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=40)
    assert detached(service.account.journal, decrement=True) == [removal.ec2_instance_id]
    assert service.run_until(lambda: len(registered(service)) == 1, limit_minutes=5)
    assert service.strays() == []


def test_a_mass_disconnect_is_sat_out() -> None:
    """Eight agents of ten are away for 45 minutes under load: nothing is taken away, and little is bought.

    Neither by a service that was restarted meanwhile. Each task takes most of an instance: two more of them
    than there are instances justify two more instances, and the silent ones none.
    """
    service = a_service(10)
    service.submit(10, MOST, may_run_again=True)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 10, limit_minutes=10)
    away = service.members()[:8]
    disconnect(service, *away)
    service.let_pass(5)
    service.submit(2, MOST)
    service.let_pass(10)
    service.driver.crash()
    service.let_pass(30)
    assert "MASS_DISCONNECT" in service.conditions()
    assert service.desired == 12
    assert harms(service.account.journal) == []
    assert detached(service.account.journal, decrement=False) == []
    connect(service, *away)
    assert service.finish(limit_minutes=120)
    assert service.states() == {TaskState.SUCCEEDED: 12}
    assert service.starts().total() == 12
    told = [each.kind for each in service.log() if each.code == "MASS_DISCONNECT"]
    # Each life of the service tells what it finds.
    assert told == [ScalingKind.CONDITION_BEGAN, ScalingKind.CONDITION_BEGAN, ScalingKind.CONDITION_ENDED]
