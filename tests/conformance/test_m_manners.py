"""Cases M, B10 and B11 on how AWS is asked, what its refusals mean, and what a repeated request starts."""

from collections import Counter

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.container_instances import container_instance
from scheduler.adapters.aws.container_logs import destination
from scheduler.adapters.aws.failures import start_refusal
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.lab.clock import VirtualClock
from scheduler.lab.stand_ins import in_process_clients
from scheduler.ports.logs import LogSource
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.conformance.scenes import Scene, Used, percent
from tests.lab.oracle import harms
from tests.lab.worlds import GROUP, VirtualService

INSTANCES = (Used(60, 60), Used(20, 40))
REGULAR = Resources(cpu=2_048, memory_mib=8_006)


def with_fault(operation: str, *, count: int = 1_000, instances: tuple[Used, ...] = INSTANCES) -> Scene:
    """A scene in which so many calls of an operation fail from now on."""
    scene = Scene(instances)
    scene.account.faults.add(Fault(operation=operation, kind="error_before", count=count))
    return scene


def assert_all_wait_and_then_run(scene: Scene, count: int) -> None:
    """Nothing was done while the fault stood, nothing is lost, and all run once it is over."""
    assert scene.service.states() == {TaskState.QUEUED: count}
    assert (scene.scaled_to(), scene.gone(), scene.replaced()) == ([], [], [])
    scene.account.faults.clear()
    assert scene.service.run_until(
        lambda: scene.service.states() == {TaskState.RUNNING: count}, limit_minutes=10
    )
    assert set(scene.service.starts().values()) == {1}


def test_B10_launch_times_that_cannot_be_read_stop_nothing() -> None:
    """Differs from the seed: the registration's time stands for EC2's, and the request runs at once."""
    scene = with_fault("DescribeInstances").play(percent(10, 10))
    assert (scene.where(), scene.scaled_to(), scene.gone()) == ([1], [], [])


def test_B11_a_start_that_fails_is_looked_for_and_made_again() -> None:
    """A 500 may have started it: it is searched for first. The others of the batch run, and no room is lost.

    The seed told the client to try again.
    """
    scene = with_fault("StartTask", count=1).play(percent(19, 39), *[percent(5, 5)] * 2)
    assert scene.service.states() == {TaskState.RUNNING: 3}
    assert set(scene.service.starts().values()) == {1}
    assert scene.scaled_to() == []


def test_M14_a_group_that_cannot_be_read_drains_no_queue() -> None:
    """Ten requests wait, none is lost and nothing is scaled; they run when it can be read."""
    scene = with_fault("DescribeAutoScalingGroups").play(*[percent(5, 5)] * 10)
    assert_all_wait_and_then_run(scene, 10)


@pytest.mark.parametrize("is_suspended", [False, True])
def test_M17_az_rebalance_is_suspended_once_and_not_again(is_suspended: bool) -> None:
    """It ends instances with builds on them. Somebody may have suspended it before."""
    scene = Scene(INSTANCES)
    processes = {"AutoScalingGroupName": GROUP, "ScalingProcesses": ["AZRebalance"]}
    if is_suspended:
        scene.account.call("autoscaling", "SuspendProcesses", processes)
    scene.play(percent(10, 10), minutes=20)
    assert len(list(scene.account.journal.of(Effect.SUSPEND_PROCESSES))) == 1


def test_M18_a_group_that_does_not_exist_is_named() -> None:
    """What is asked for waits. Two groups of one name there cannot be: names are unique in a region."""
    elsewhere = SimulationSettings(auto_scaling_group="another")
    service = VirtualService(simulation=elsewhere)
    service.submit(1)
    service.let_pass(5)
    assert f"No Auto Scaling group with the name {GROUP}" in service.conditions()["GROUP_UNREADABLE"]
    assert service.states() == {TaskState.QUEUED: 1}


def test_M19_an_instance_without_cpu_is_none() -> None:
    """Its agent has not reported: no task fits it, and the others are used.

    Asked of the adapter, which leaves it out of its readings: the simulated AWS registers nothing by halves.
    """
    amounts = [{"name": "MEMORY", "type": "INTEGER", "integerValue": 64_419}]
    shape = {
        "containerInstanceArn": "arn",
        "ec2InstanceId": "i-1",
        "status": "ACTIVE",
        "registeredResources": amounts,
        "remainingResources": amounts,
    }
    assert container_instance(shape, launched_ms=0) is None
    amounts.append({"name": "CPU", "type": "INTEGER", "integerValue": 16_384})
    assert container_instance(shape, launched_ms=0) is not None


def test_M20_without_requests_the_rules_go_on_and_nothing_is_bought() -> None:
    """In eight minutes the idle one goes, and in twenty the disconnected one."""
    scene = Scene((Used(0, 0, 51), Used(30, 30), Used(30, 30)))
    scene.account.set_agent_connected(scene.ec2_ids[2], False)
    scene.play(minutes=8)
    assert (scene.scaled_to(), scene.gone(), scene.replaced()) == ([], [1], [])
    scene.service.let_pass(15)
    assert (scene.scaled_to(), scene.gone(), scene.replaced()) == ([], [1], [3])


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["RESOURCE:MEMORY"], StopCategory.CAPACITY),
        (["AGENT"], StopCategory.CAPACITY),
        (["ATTRIBUTE"], StopCategory.ATTRIBUTE),
        (["MISSING"], StopCategory.CAPACITY),
        (["RESOURCE:CPU", "RESOURCE:MEMORY"], StopCategory.CAPACITY),
        ([], StopCategory.CAPACITY),
    ],
)
def test_M21_refused_starts(reasons: list[str], expected: StopCategory) -> None:
    """CAPACITY goes back to the queue, ATTRIBUTE to another instance. MISSING is no end either, unlike the
    seed: it is the instance that ECS does not know any more.

    Asked of the adapter, answer by answer: AWS gives two reasons at once, or none, to nobody who asks for one
    instance. What the loop makes of refusals is in tests/lab/test_refusals.py.
    """
    failure = start_refusal([{"arn": "arn", "reason": each} for each in reasons])
    assert failure.definite
    assert failure.reason is not None
    assert failure.reason.category is expected


def test_M23_stopped_tasks_are_read_a_hundred_at_a_time_with_ecs_own_words() -> None:
    """Of the seed's text the pieces are kept, container by container. Unknown ARNs are told as such.

    Asked of the adapter: the loop asks for no tasks that it has not started.
    """
    account = SimulatedAws(VirtualClock())
    cloud = AwsCloud(in_process_clients(account, account.settings.region), cluster="ci")
    arns = tuple(f"arn:aws:ecs:eu-west-1:123456789012:task/ci/{number:032x}" for number in range(101))
    assert cloud.describe_tasks(arns) == ((), arns)
    assert account.journal.calls["DescribeTasks"] == 2
    stop = ecs_task(
        {
            "taskArn": arns[0],
            "lastStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "bamboo-agent", "reason": "OutOfMemoryError: x"}, {"name": "sidekick"}],
        }
    ).stop
    assert stop is not None
    assert (stop.message, stop.category) == (
        "Essential container in task exited",
        StopCategory.OOM,
    )
    assert [each.reason for each in stop.containers] == ["OutOfMemoryError: x", ""]


def test_M24_instances_are_read_a_hundred_at_a_time() -> None:
    """AWS's limit; the seed asked for 99. Each reading of 101 is two lists and two descriptions."""
    size = 101
    simulation = SimulationSettings(min_size=size, desired_capacity=size, max_size=size)
    service = VirtualService(simulation=simulation)
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    calls = service.account.journal.calls
    before = Counter(calls)
    service.let_pass(1)
    asked = Counter(calls) - before
    assert asked["DescribeContainerInstances"] == asked["ListContainerInstances"] >= 10
    assert asked["ListContainerInstances"] % 2 == 0


def test_M45_a_request_that_is_repeated_after_its_start_starts_nothing() -> None:
    """The client lost the answer: it gets the task that runs."""
    scene = Scene(INSTANCES)
    for _ in range(2):
        scene.service.submit(1, REGULAR, request_id="u")
        scene.play()
    assert scene.service.states() == {TaskState.RUNNING: 1}
    assert set(scene.service.starts().values()) == {1}


def test_M48_an_instance_that_got_a_task_is_not_ended() -> None:
    """Between its drain and its end: what runs on it is seen, and it is left alone until that has ended."""
    scene = Scene((Used(50, 50), Used(0, 0, 50)), simulation={"draining_start_failure": None})
    assert scene.service.run_until(lambda: bool(scene.service.removals()), limit_minutes=10)
    scene.occupy(scene.ec2_ids[1], Used(10, 10))
    scene.play(minutes=30)
    assert scene.gone() == []
    assert harms(scene.account.journal) == []


def test_M52_the_stream_of_a_long_arn_ends_in_the_task_id_alone() -> None:
    """Long ARNs name the cluster in between, and awslogs does not.

    Asked of the adapter: the loop reads no logs. `TailLogs` reads them in tests/api.
    """
    source = LogSource(
        task_definition_arn="",
        ecs_task_arn="arn:aws:ecs:eu-west-1:123456789012:task/my-cluster/0123",
        container="bamboo-agent",
    )
    options = {"awslogs-group": "agents", "awslogs-stream-prefix": "prefix"}
    place = destination({"logDriver": "awslogs", "options": options}, source, "eu-west-1")
    assert place.stream == "prefix/bamboo-agent/0123"
