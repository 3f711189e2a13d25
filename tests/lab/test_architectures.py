"""Architectures through the whole service: placed where they run, bought so, refused where none is."""

from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Architecture
from scheduler.core.model.task import Container, ContainersSpec, TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import MINUTE_MS, REGULAR, VirtualService

BOTH = SimulationSettings(
    instance_types=("m5.4xlarge", "m6g.4xlarge"),
    launch_source="mixed_instances",
    min_size=0,
    max_size=4,
    desired_capacity=0,
    run_ms=(30 * MINUTE_MS, 30 * MINUTE_MS),
)
X86_ALONE = SimulationSettings(min_size=1, max_size=4, desired_capacity=1)


def spec(architecture: Architecture) -> ContainersSpec:
    agent = Container(name="agent", image="agent:1", resources=REGULAR)
    return ContainersSpec(containers=(agent,), architecture=architecture)


def architecture_of(service: VirtualService, arn: str) -> Architecture:
    return service.engine.loop._world.fleet.instances[arn].registered.architecture


def test_a_task_runs_on_its_own_architecture() -> None:
    """The group buys either type; each task waits for one that suits, and ECS has nothing to refuse."""
    service = VirtualService(simulation=BOTH)
    for architecture in (Architecture.ARM64, Architecture.X86_64, Architecture.ARM64):
        service.submit(1, spec=spec(architecture))
    assert service.run_until(lambda: service.states() == {TaskState.RUNNING: 3})
    for task in service.tasks():
        [attempt] = task.attempts
        assert architecture_of(service, attempt.container_instance_arn) is task.ask.architecture


def test_what_no_type_of_the_group_can_run_fails_and_says_so() -> None:
    """A group without an Arm type never holds such a task, however empty it is."""
    service = VirtualService(simulation=X86_ALONE)
    service.submit(1, spec=spec(Architecture.ARM64))
    assert service.finish(limit_minutes=5)
    [task] = service.tasks()
    reason = task.status.stop_reason
    assert reason is not None
    assert (task.status.state, reason.category) == (TaskState.FAILED, StopCategory.NEVER_FITS)
    assert reason.message == "no instance type of the group is ARM64; the largest is m4.4xlarge"
    assert service.desired == 1


def test_unset_runs_anywhere() -> None:
    """Without a wish every architecture suits."""
    service = VirtualService(simulation=X86_ALONE)
    service.submit(2, spec=spec(Architecture.ANY))
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 2}


def test_an_architecture_survives_a_restart() -> None:
    """What waits for it is not placed elsewhere after a crash."""
    service = VirtualService(simulation=BOTH)
    service.submit(1, spec=spec(Architecture.ARM64))
    service.driver.crash()
    [waiting] = service.store.load().live
    assert waiting.queued.ask.architecture is Architecture.ARM64
