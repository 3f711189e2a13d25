"""Starts that ECS refuses for certain: another instance is tried, and nothing is tried for ever."""

from scheduler.core.agents import AgentSettings
from scheduler.core.model.answers import INSTANCE_UNFIT
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.settings import CLIENT_EXCEPTION, SimulationSettings
from tests.lab.worlds import CLUSTER, FAMILY, MOST, REGULAR, VirtualService

LOG_DRIVER = "com.amazonaws.ecs.capability.logging-driver.splunk"
SPLUNK = AgentSettings(family=FAMILY, cluster=CLUSTER, log_driver="splunk")
"""A log driver that the agents of the instances do not offer, so that ECS refuses with ATTRIBUTE."""

LARGE = Resources(cpu=4_096, memory_mib=16_000)


def a_service(size: int, agents: AgentSettings | None = SPLUNK) -> VirtualService:
    """As many idle instances, which the group must have; it could have three more."""
    simulation = SimulationSettings(min_size=size, max_size=size + 3, desired_capacity=size)
    service = VirtualService(simulation=simulation, agents=agents)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    return service


def refusals(service: VirtualService) -> int:
    """How often the account was asked for a start."""
    return service.account.journal.calls["StartTask"]


def test_what_no_instance_can_run_fails_and_says_so() -> None:
    """Each instance is tried once, whether there are one or five; nothing is bought for it."""
    for size in (1, 2, 5):
        service = a_service(size)
        service.submit(1)
        assert service.finish(limit_minutes=3)
        (task,) = service.tasks()
        assert task.status.state is TaskState.FAILED
        assert task.status.stop_reason is not None
        assert task.status.stop_reason.category is StopCategory.ATTRIBUTE
        assert (refusals(service), service.desired) == (size, size)


def test_in_a_mixed_group_the_instance_that_can_run_it_is_found() -> None:
    """One of six offers what it needs, and looks as good as the others; each is asked once at most."""
    service = a_service(6)
    able = service.members()[-1]
    service.account._container_instance(able).attributes[LOG_DRIVER] = None
    service.submit(1)
    assert service.finish(limit_minutes=20)
    assert service.states() == {TaskState.SUCCEEDED: 1}
    assert service.tasks()[0].attempts[-1].ec2_instance_id == able
    assert refusals(service) <= 6


def test_one_that_is_refused_holds_up_nobody_of_its_shape() -> None:
    """It avoids the instances that refused it, and others are placed there."""
    service = a_service(3)
    able = service.members()[-1]
    service.account._container_instance(able).attributes[LOG_DRIVER] = None
    service.submit(1, LARGE)
    service.submit(20, REGULAR)
    assert service.finish(limit_minutes=30)
    assert service.states() == {TaskState.SUCCEEDED: 21}


def test_what_is_drained_between_two_readings_ends_no_task() -> None:
    """ECS refuses the start by an exception that names the container instance: another instance takes it."""
    simulation = SimulationSettings(
        min_size=2, max_size=2, desired_capacity=2, draining_start_failure=CLIENT_EXCEPTION
    )
    service = VirtualService(simulation=simulation)
    service.submit(1, MOST)
    assert service.finish()
    drained = service.account.instances()[:1]
    arns = [arn["containerInstanceArn"] for each in drained for arn in each["containerInstances"]]
    service.account.call(
        "ecs",
        "UpdateContainerInstancesState",
        {"cluster": CLUSTER, "containerInstances": arns, "status": "DRAINING"},
    )
    service.submit(2, MOST)
    assert service.run_until(lambda: INSTANCE_UNFIT in reasons(service), limit_minutes=1)
    assert service.finish(limit_minutes=30)
    assert service.states() == {TaskState.SUCCEEDED: 3}


def reasons(service: VirtualService) -> list[str]:
    """Why the newest attempt of each task has ended."""
    attempts = [task.attempts[-1] for task in service.tasks() if task.attempts]
    return [each.stop_reason.code for each in attempts if each.stop_reason is not None]
