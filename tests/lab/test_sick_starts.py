"""Starts that fail: a sick instance is taken out, a broken configuration rests, and nobody else pays."""

from collections.abc import Iterable
from itertools import cycle, islice

from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import Container, ContainersSpec, EnvironmentVariable, Task, TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import harms
from tests.lab.worlds import MINUTE_MS, REGULAR, VirtualService

POLICY = Policy(cluster_poll_ms=10_000, eager_poll_ms=5_000, census_poll_ms=60_000)
BROKEN = 'CannotStartContainerError: exec: "/run-agnt.sh": no such file or directory'
FULL_DISK = "CannotCreateContainerError: no space left on device"


def a_service(size: int, *, run_minutes: int = 5, spare: int = 4, policy: Policy = POLICY) -> VirtualService:
    """As many idle instances as the group must have."""
    run_ms = run_minutes * MINUTE_MS
    simulation = SimulationSettings(
        min_size=size, max_size=size + spare, desired_capacity=size, run_ms=(run_ms, run_ms)
    )
    service = VirtualService(simulation=simulation, policy=policy)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    service.let_pass(0.5)
    return service


def work(image: str, *, failure: str = "", ask: Resources = REGULAR) -> ContainersSpec:
    """One container of this image, that never starts if there is a `failure`."""
    environment = (EnvironmentVariable(name="SIMULATED_START_FAILURE", value=failure),) if failure else ()
    agent = Container(name="agent", image=image, resources=ask, environment=environment)
    return ContainersSpec(containers=(agent,))


def submit(service: VirtualService, images: Iterable[str], *, failure: str = "") -> None:
    """One task an image."""
    for image in images:
        service.submit(1, spec=work(image, failure=failure))


def images(count: int) -> list[str]:
    """So many, of three kinds in turn."""
    return list(islice(cycle(("java:1", "node:1", "python:1")), count))


def drained(service: VirtualService) -> list[str]:
    """EC2 ids that were drained as black holes, in order."""
    return [each.ec2_instance_id for each in service.log(ScalingKind.DRAIN) if each.code == "BLACK_HOLE"]


def waits_ms(tasks: Iterable[Task]) -> list[int]:
    """From submit to running, shortest first."""
    return sorted((each.status.started_ms or 1 << 60) - each.submitted_ms for each in tasks)


def test_an_instance_on_which_everything_fails_is_quarantined_and_replaced() -> None:
    """Tasks of three images fail on it in a row and start well elsewhere: all of them run in the end."""
    service = a_service(4)
    submit(service, images(8))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 8, limit_minutes=5)
    sick = service.tasks()[0].attempts[-1].ec2_instance_id
    service.account.set_start_failure(sick, FULL_DISK)
    for _ in range(6):
        submit(service, images(6))
        service.let_pass(1)
    assert drained(service) == [sick]
    condition = service.conditions().get("INSTANCES_QUARANTINED", "")
    assert sick in condition or sick not in service.members()
    assert service.finish(limit_minutes=40)
    assert service.states() == {TaskState.SUCCEEDED: 44}
    assert service.run_until(lambda: sick not in service.members() and service.has_size(4), limit_minutes=40)
    assert (harms(service.account.journal), service.strays()) == ([], [])
    assert "INSTANCES_QUARANTINED" not in service.conditions()
    evidence = service.log(ScalingKind.EVIDENCE)
    assert [(each.code, each.ec2_instance_id) for each in evidence] == [("BLACK_HOLE", sick)]


def test_one_broken_configuration_rests_and_hurts_no_instance() -> None:
    """Its tasks fail wherever they go, so the rest of them wait, are named, and try again one at a time."""
    service = a_service(4)
    submit(service, images(4))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 4, limit_minutes=5)
    submit(service, ["broken:1"] * 40, failure=BROKEN)
    service.let_pass(3)
    assert "broken:1" in service.conditions()["CONFIGURATIONS_FAIL_TO_START"]
    assert "no such file" in service.conditions()["CONFIGURATIONS_FAIL_TO_START"]
    assert service.states()[TaskState.QUEUED] > 15
    assert [each.rejects[0][0] for each in service.engine.loop.digest.unplaced] == [
        "its configuration broken:1 fails to start and rests"
    ]
    assert drained(service) == []
    assert service.desired == 4, "what rests is no demand"
    assert service.finish(limit_minutes=120)
    assert sum(service.starts().values()) < 90


def test_a_configuration_that_is_mended_runs_after_its_rest() -> None:
    """The registry had a bad day: the first that starts well lets all others go."""
    service = a_service(3)
    submit(service, images(3))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 3, limit_minutes=5)
    for each in service.members():
        service.account.set_start_failure(each, FULL_DISK)
    submit(service, ["again:1"] * 16)
    service.let_pass(1)
    assert "CONFIGURATIONS_FAIL_TO_START" in service.conditions()
    for each in service.members():
        service.account.set_start_failure(each)
    assert service.run_until(lambda: service.states()[TaskState.QUEUED] == 0, limit_minutes=10)
    assert "CONFIGURATIONS_FAIL_TO_START" not in service.conditions()


def test_a_cancelled_task_of_a_resting_configuration_ends_at_once() -> None:
    """Where it waits makes no difference."""
    service = a_service(3)
    submit(service, images(3))
    service.run_until(lambda: service.states()[TaskState.RUNNING] == 3, limit_minutes=5)
    submit(service, ["broken:1"] * 30, failure=BROKEN)
    service.let_pass(1)
    waiting = [each.task_id for each in service.tasks() if each.status.state is TaskState.QUEUED]
    assert waiting
    for each in waiting:
        service.cancel(each)
    service.let_pass(0.5)
    assert service.states()[TaskState.QUEUED] == 0
    assert service.finish(limit_minutes=10)


def a_morning(broken: Iterable[str]) -> VirtualService:
    """A tenant that submits ten tasks a minute, and another one of broken ones, three minutes on."""
    service = a_service(20, run_minutes=3)
    for minute in range(15):
        service.submit(10, tenant="steady", spec=work(images(3)[minute % 3]))
        for image in broken if minute == 3 else ():
            service.submit(1, tenant="clumsy", spec=work(image, failure=BROKEN))
        service.let_pass(1)
    service.let_pass(2)
    return service


def p99_wait_ms(service: VirtualService) -> int:
    """The steady tenant's."""
    waits = waits_ms(each for each in service.tasks() if each.tenant == "steady")
    return waits[int(len(waits) * 0.99)]


def test_one_tenants_broken_entry_point_costs_nobody_else_time() -> None:
    """200 tasks on 20 instances: nobody is quarantined, and the other's p99 wait stays within 1.2 times."""
    beside = a_morning(["broken:1"] * 200)
    assert drained(beside) == []
    assert p99_wait_ms(beside) <= 1.2 * p99_wait_ms(a_morning([]))


def test_one_tenants_broken_images_cost_two_instances_at_most() -> None:
    """200 tasks of 40 images on 20 instances look like black holes at first; a tenth is the limit."""
    service = a_morning([f"broken:{number % 40}" for number in range(200)])
    assert len(drained(service)) <= 2
    assert {each.status.state for each in service.tasks() if each.tenant == "steady"} <= {
        TaskState.SUCCEEDED,
        TaskState.RUNNING,
    }
