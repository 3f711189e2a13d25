"""StartTask accepts what ECS accepts, and names every failure as ECS does."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.settings import CLIENT_EXCEPTION
from tests.clocks import VirtualClock
from tests.simulated_aws.driver import STOP_MS, Driver, container, environment, make_account, refused


def test_a_task_is_born_pending_on_the_named_container_instance() -> None:
    """An accepted task is PENDING, wanted RUNNING, and sits on the container instance that was named."""
    account = make_account()
    account.register()
    task = account.start_task(startedBy="attempt-1")["tasks"][0]
    assert (task["lastStatus"], task["desiredStatus"], task["startedBy"]) == (
        "PENDING",
        "RUNNING",
        "attempt-1",
    )
    assert task["containerInstanceArn"] == account.instance()["containerInstanceArn"]


def test_resources_are_taken_at_once() -> None:
    """The room of an accepted task is gone from remainingResources before it runs."""
    account = make_account()
    account.register()
    before = account.remaining("CPU"), account.remaining("MEMORY")
    account.started()
    assert (account.remaining("CPU"), account.remaining("MEMORY")) == (before[0] - 1024, before[1] - 4_000)


def test_an_m4_4xlarge_registers_less_memory_than_it_declares() -> None:
    """A declared 65,536 MiB registers as 64,419: a task of the declared size never fits."""
    account = make_account()
    account.register("whole", container(memoryReservation=65_536))
    assert account.remaining("MEMORY") == 64_419
    assert account.failure(account.start_task("whole")) == "RESOURCE:MEMORY"


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        ({"cpu": 16 * 1024 + 1}, "RESOURCE:CPU"),
        ({"memoryReservation": 64_420}, "RESOURCE:MEMORY"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 22}]}, "RESOURCE:PORTS"),
        ({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, "RESOURCE:GPU"),
        ({"logConfiguration": {"logDriver": "splunk"}}, "ATTRIBUTE"),
    ],
)
def test_what_does_not_fit_is_a_failure_with_a_reason(ask: dict[str, Any], reason: str) -> None:
    """A lack is a failure in an HTTP 200 answer, one reason per container instance."""
    account = make_account()
    account.register("large", container(**ask))
    assert account.failure(account.start_task("large")) == reason


def test_an_exact_fit_starts() -> None:
    """A task of exactly what remains fits."""
    account = make_account()
    account.register("whole", container(cpu=16 * 1024, memoryReservation=64_419))
    account.started("whole")
    assert (account.remaining("CPU"), account.remaining("MEMORY")) == (0, 0)


def test_a_host_port_is_taken_once() -> None:
    """Two tasks with the same fixed host port do not share a container instance; with port 0 they do."""
    account = make_account()
    account.register("fixed", container(portMappings=[{"containerPort": 80, "hostPort": 8080}]))
    account.register("free", container(portMappings=[{"containerPort": 80, "hostPort": 0}]))
    account.started("fixed")
    assert account.failure(account.start_task("fixed")) == "RESOURCE:PORTS"
    assert account.started("free") != account.started("free")


def test_a_gpu_is_handed_out_once() -> None:
    """A GPU belongs to one task at a time and is named in its container."""
    account = make_account(instance_types=("g4dn.xlarge",))
    account.register("gpu", container(resourceRequirements=[{"type": "GPU", "value": "1"}]))
    task = account.task(account.started("gpu"))
    assert len(task["containers"][0]["gpuIds"]) == 1
    assert account.failure(account.start_task("gpu")) == "RESOURCE:GPU"


def test_the_architecture_must_match() -> None:
    """A task definition for ARM64 is an ATTRIBUTE failure on x86_64 and starts on arm64."""
    arm = {"runtimePlatform": {"cpuArchitecture": "ARM64"}}
    for instance_type, failures in (("m5.large", ["ATTRIBUTE"]), ("m6g.4xlarge", [])):
        account = make_account(instance_types=(instance_type,))
        account.register("arm", **arm)
        assert [f["reason"] for f in account.start_task("arm")["failures"]] == failures


def test_overrides_of_cpu_and_memory_count() -> None:
    """Sizes in the overrides replace those of the definition in what is taken."""
    account = make_account()
    account.register()
    before = account.remaining("CPU")
    sizes = {"name": "agent", "cpu": 512, "memoryReservation": 100}
    account.started(overrides={"containerOverrides": [sizes]})
    assert before - account.remaining("CPU") == 512


def test_an_unknown_container_instance_is_missing() -> None:
    """StartTask on an unknown container instance fails with MISSING."""
    account = make_account()
    account.register()
    assert account.failure(account.start_task(instance="0" * 32)) == "MISSING"


def test_a_disconnected_agent_refuses_at_once() -> None:
    """StartTask on a container instance whose agent is not connected fails with AGENT, until it is."""
    account = make_account()
    account.register()
    ec2_id = account.instance()["ec2InstanceId"]
    account.aws.set_agent_connected(ec2_id, False)
    assert account.failure(account.start_task()) == "AGENT"
    account.aws.set_agent_connected(ec2_id, True)
    account.started()


def test_a_deregistered_container_instance_is_inactive() -> None:
    """After its EC2 instance is terminated a container instance answers INACTIVE, after an hour MISSING."""
    account = make_account()
    account.register()
    arn, ec2_id = account.instance()["containerInstanceArn"], account.instance()["ec2InstanceId"]
    account.ec2("TerminateInstances", InstanceIds=[ec2_id])
    account.pass_ms(10_000)
    assert account.failure(account.start_task(instance=arn)) == "INACTIVE"
    account.pass_ms(3_600_000)
    assert account.failure(account.start_task(instance=arn)) == "MISSING"


def test_one_call_may_start_on_some_and_fail_on_others() -> None:
    """Each named container instance gets its own answer."""
    account = make_account()
    account.register()
    arns = [account.instance()["containerInstanceArn"], "f" * 32]
    answer = account.ecs("StartTask", taskDefinition="agents", containerInstances=arns)
    assert (len(answer["tasks"]), [f["reason"] for f in answer["failures"]]) == (1, ["MISSING"])


def test_sent_twice_it_starts_two_tasks() -> None:
    """StartTask has no client token: the same call twice is two tasks under one startedBy."""
    account = make_account()
    account.register()
    assert account.started(startedBy="attempt-1") != account.started(startedBy="attempt-1")
    assert len(account.ecs("ListTasks", startedBy="attempt-1")["taskArns"]) == 2


def test_an_override_for_an_unknown_container_is_refused() -> None:
    """Overrides must name containers of the task definition."""
    account = make_account()
    account.register()
    with refused("InvalidParameterException", "Override for container named other"):
        account.start_task(overrides=environment("other", A="1"))


def test_an_unknown_task_definition_is_refused() -> None:
    """A family, revision or ARN that does not exist is a ClientException."""
    account = make_account()
    for reference in ("agents", "agents:1", "arn:aws:ecs:eu-west-1:123456789012:task-definition/agents:1"):
        with refused("ClientException", "TaskDefinition not found"):
            account.start_task(reference)


def test_another_cluster_is_refused() -> None:
    """An unknown cluster, and a missing one that means `default`, are refused."""
    account = make_account()
    for cluster in ({"cluster": "ci2"}, {}):
        with refused("ClusterNotFoundException"):
            account.aws.call("ecs", "ListTasks", cluster)


def test_the_cluster_may_be_named_by_its_arn() -> None:
    """Name and ARN of the cluster mean the same."""
    account = make_account()
    arn = account.definitions("DescribeClusters", clusters=["ci"])["clusters"][0]["clusterArn"]
    assert account.ecs("ListContainerInstances", cluster=arn) == account.ecs("ListContainerInstances")


def test_tags_of_the_definition_are_propagated_on_request() -> None:
    """propagateTags=TASK_DEFINITION adds the definition's tags; the call's own win."""
    account = make_account()
    account.register(tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "1"}])
    own = [{"key": "b", "value": "2"}]
    arn = account.started(propagateTags="TASK_DEFINITION", tags=own)
    tags = account.task(arn, include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {"a": "1", "b": "2"}


def test_the_journal_keeps_what_identifies_an_attempt() -> None:
    """The entry of a StartTask names the task, startedBy, tags and the attempt's environment."""
    account = make_account()
    account.register()
    arn = account.started(
        startedBy="attempt-1",
        tags=[{"key": "service", "value": "x"}],
        overrides=environment(ATTEMPT_ID="attempt-1", SECRET="s"),
    )
    (entry,) = [e for e in account.aws.journal.entries if e["effect"] == "StartTask"]
    assert (entry["taskArn"], entry["startedBy"], entry["tags"]) == (arn, "attempt-1", {"service": "x"})
    assert entry["environment"] == {"ATTEMPT_ID": "attempt-1"}


def test_a_new_task_waits_until_a_stopping_one_has_really_left() -> None:
    """ECS shows a stopping task's room as free at once; the agent holds the next task PENDING until it is."""
    account = make_account()
    account.register("whole", container(cpu=16 * 1024))
    first = account.started("whole")
    account.pass_ms(20_000)
    account.ecs("StopTask", task=first)
    second = account.started("whole")
    assert "pullStartedAt" not in account.task(second)
    account.pass_ms(STOP_MS)
    assert "pullStartedAt" in account.task(second)


@pytest.mark.parametrize("usable_ms", [600_000, 0])
def test_an_inactive_definition_starts_tasks_for_a_while(usable_ms: int) -> None:
    """A deregistered revision still starts tasks until its grace, a knob, has passed."""
    account = make_account(inactive_definition_usable_ms=usable_ms + 1)
    arn = account.register()["taskDefinitionArn"]
    account.definitions("DeregisterTaskDefinition", taskDefinition=arn)
    account.pass_ms(usable_ms)
    account.started(arn)
    account.pass_ms(1)
    with refused("ClientException", "inactive"):
        account.start_task(arn)


def test_whether_a_draining_container_instance_takes_tasks_is_a_knob() -> None:
    """StartTask on a DRAINING container instance fails with the knob's reason, or starts."""
    for reason in ("INACTIVE", None):
        account = make_account(draining_start_failure=reason)
        account.register()
        account.drain()
        answer = account.start_task()
        assert [failure["reason"] for failure in answer["failures"]] == ([reason] if reason else [])


def test_a_draining_container_instance_may_be_refused_as_a_client_exception() -> None:
    """ECS answers so where a state does not allow an action; nothing is in `failures` then."""
    account = make_account(draining_start_failure=CLIENT_EXCEPTION)
    account.register()
    account.drain()
    with refused("ClientException", "is DRAINING"):
        account.start_task()


def test_a_drain_stops_nothing_and_can_be_taken_back() -> None:
    """A standalone task goes on while its container instance is DRAINING; ACTIVE again, it takes tasks."""
    account = make_account()
    account.register()
    task = account.started()
    account.drain()
    assert account.task(task)["desiredStatus"] == "RUNNING"
    assert account.ecs("ListContainerInstances", status="ACTIVE")["containerInstanceArns"] == []
    account.drain("ACTIVE")
    account.started()


class CrowdedClock(VirtualClock):
    """Gives other threads a turn in the middle of a call, and counts how many calls were inside at once."""

    inside = greatest = 0

    def now_ms(self) -> int:
        self.inside += 1
        self.greatest = max(self.greatest, self.inside)
        time.sleep(0)
        self.inside -= 1
        return super().now_ms()


def test_calls_from_many_threads_are_carried_out_one_by_one() -> None:
    """Sixteen threads asking for the same room are never inside together, and get as many tasks as fit."""
    clock = CrowdedClock()
    account = Driver(clock, SimulatedAws(clock))
    account.register()
    instance = account.instance()["containerInstanceArn"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: account.start_task(instance=instance), range(40)))
    assert clock.greatest == 1
    assert sum(len(answer["tasks"]) for answer in answers) == 16
