"""Plain containers with all that they may have, through the whole service."""

from scheduler.core.agents import expand
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.container_parts import ContainerCondition, ContainerDependency, HealthCheck
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import Container, ContainersSpec, EnvironmentVariable, TaskState
from tests.conformance.agents import registered
from tests.core.test_container_parts import SPEC
from tests.lab.worlds import VirtualService

SMALL = Resources(cpu=256, memory_mib=512)


def awaiting(condition: ContainerCondition, **told: str) -> ContainersSpec:
    """An agent that starts after a container beside it, which is told these variables."""
    fetch = Container(
        name="fetch",
        image="fetch:1",
        resources=SMALL,
        environment=tuple(EnvironmentVariable(name=name, value=value) for name, value in told.items()),
        health_check=HealthCheck(command=("CMD", "true"), interval_s=5),
    )
    dependency = ContainerDependency(container_name="fetch", condition=condition)
    agent = Container(name="agent", image="agent:1", resources=SMALL, depends_on=(dependency,))
    return ContainersSpec(containers=(agent, fetch))


def test_aws_takes_the_definition_whole() -> None:
    """AWS has what was expanded, word for word, and the task starts in its order and succeeds."""
    service = VirtualService()
    service.submit(1, spec=SPEC)
    assert service.finish()
    [definition] = registered(service)
    expected = expand(SPEC, service.settings.agents).definition
    assert definition["volumes"] == expected["volumes"]
    for found, container in zip(
        definition["containerDefinitions"], expected["containerDefinitions"], strict=True
    ):
        assert container.items() <= found.items()
    assert service.states() == {TaskState.SUCCEEDED: 1}


def test_a_task_is_starting_until_all_its_containers_have_started() -> None:
    """A script of five minutes before the agent: STARTING, not lost and not started again."""
    service = VirtualService()
    service.submit(1, spec=awaiting(ContainerCondition.SUCCESS, SIMULATED_RUN_MS="300000"))
    assert service.run_until(lambda: service.states()[TaskState.STARTING] == 1, limit_minutes=5)
    service.let_pass(4)
    assert service.states() == {TaskState.STARTING: 1}
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 1}
    assert list(service.starts().values()) == [1]


def test_a_script_that_fails_fails_its_task_once() -> None:
    """It would fail anywhere: no second launch, and no instance is blamed for it."""
    service = VirtualService()
    failing = awaiting(ContainerCondition.SUCCESS, SIMULATED_RUN_MS="1000", SIMULATED_EXIT_CODE="3")
    service.submit(6, spec=failing)
    assert service.finish()
    assert service.states() == {TaskState.FAILED: 6}
    reasons = [task.status.stop_reason for task in service.tasks()]
    assert {reason.category for reason in reasons if reason} == {StopCategory.ESSENTIAL_EXITED}
    assert set(service.starts().values()) == {1}
    assert service.log(ScalingKind.DRAIN) == []


def test_what_is_never_healthy_ends_by_the_start_timeout() -> None:
    """ECS waits for ever; the request's start timeout is what bounds it."""
    service = VirtualService()
    service.submit(1, spec=awaiting(ContainerCondition.HEALTHY, SIMULATED_HEALTH="UNHEALTHY"))
    assert service.finish(limit_minutes=240)
    [task] = service.tasks()
    assert task.status.stop_reason is not None
    assert (task.status.state, task.status.stop_reason.category) == (
        TaskState.FAILED,
        StopCategory.START_TIMEOUT,
    )
