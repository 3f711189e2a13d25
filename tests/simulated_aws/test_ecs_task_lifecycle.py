"""A task's life: PENDING, RUNNING, DEACTIVATING, STOPPED, forgotten."""

from typing import Any

import pytest

from tests.simulated_aws.driver import (
    HOUR_MS,
    RUN_MS,
    START_MS,
    STOP_MS,
    Driver,
    container,
    environment,
    make_account,
    refused,
)


def running_task(account: Driver, **params: Any) -> str:
    account.register("agents", container(), container("database", essential=False))
    arn = account.started(**params)
    account.pass_ms(START_MS)
    return arn


def test_a_task_runs_once_its_image_is_pulled_and_its_containers_are_created() -> None:
    """PENDING becomes RUNNING after pull and creation, and startedAt appears then."""
    account = make_account()
    account.register()
    arn = account.started()
    account.pass_ms(START_MS - 1)
    assert (account.task(arn)["lastStatus"], "startedAt" in account.task(arn)) == ("PENDING", False)
    account.pass_ms(1)
    assert (account.task(arn)["lastStatus"], "startedAt" in account.task(arn)) == ("RUNNING", True)


def test_an_image_is_pulled_once_per_container_instance() -> None:
    """The second task with the same image starts as soon as its containers are created."""
    account = make_account()
    running_task(account)
    second = account.started()
    account.pass_ms(1_000)
    assert account.task(second)["lastStatus"] == "RUNNING"


def test_a_running_container_has_no_exit_code() -> None:
    """exitCode is absent until the container exits."""
    account = make_account()
    arn = running_task(account)
    assert all("exitCode" not in c for c in account.task(arn)["containers"])


def test_the_exit_of_the_main_container_ends_the_task() -> None:
    """The essential container's exit stops the others; the task is STOPPED when they are gone."""
    account = make_account()
    arn = running_task(account, overrides=environment(SIMULATED_EXIT_CODE="3"))
    account.pass_ms(RUN_MS)
    stopping = account.task(arn)
    assert (stopping["lastStatus"], stopping["desiredStatus"]) == ("DEACTIVATING", "STOPPED")
    account.pass_ms(STOP_MS)
    stopped = account.task(arn)
    assert (stopped["lastStatus"], stopped["stopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert [c["exitCode"] for c in stopped["containers"]] == [3, 143]


def test_the_environment_says_how_long_a_task_runs() -> None:
    """SIMULATED_RUN_MS in an override replaces the drawn run time."""
    account = make_account()
    arn = running_task(account, overrides=environment(SIMULATED_RUN_MS="5000"))
    account.pass_ms(5_000)
    assert account.task(arn)["desiredStatus"] == "STOPPED"


@pytest.mark.parametrize("text", ["abc", "", "-1", "1.5", "9" * 13, "\u0661"])
def test_an_unusable_environment_is_none(text: str) -> None:
    """A value that is no such number changes nothing: the task runs as long as without it."""
    account = make_account()
    arn = running_task(account, overrides=environment(SIMULATED_RUN_MS=text, SIMULATED_EXIT_CODE=text))
    account.pass_ms(RUN_MS - 1)
    assert account.task(arn)["desiredStatus"] == "RUNNING"
    account.pass_ms(1 + STOP_MS)
    assert account.task(arn)["containers"][0]["exitCode"] == 0


def test_run_times_follow_from_the_seed_and_started_by() -> None:
    """The same seed and startedBy run equally long, whatever else the account did before."""
    ends = set()
    for others in (0, 3):
        account = make_account(run_ms=(1_000, 1_000_000))
        account.register()
        for _ in range(others):
            account.started(startedBy="other")
        arn = account.started(startedBy="attempt-1")
        account.pass_ms(1_100_000)
        task = account.task(arn)
        ends.add(task["stoppingAt"] - task["startedAt"])
    assert len(ends) == 1


def test_a_stopping_task_shows_its_room_as_free() -> None:
    """remainingResources rises when the task is told to stop, before it is STOPPED."""
    account = make_account()
    before = account.remaining("CPU")
    arn = running_task(account)
    account.ecs("StopTask", task=arn)
    assert account.task(arn)["lastStatus"] == "DEACTIVATING"
    assert account.remaining("CPU") == before


def test_a_stopped_task_keeps_the_reason_it_was_given() -> None:
    """StopTask's reason becomes stoppedReason; a second StopTask changes nothing and frees nothing."""
    account = make_account()
    arn = running_task(account)
    account.ecs("StopTask", task=arn, reason="cancelled")
    free = account.remaining("CPU")
    account.ecs("StopTask", task=arn, reason="again")
    account.pass_ms(STOP_MS)
    task = account.task(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "cancelled")
    assert account.remaining("CPU") == free


def test_a_container_that_ignores_sigterm_is_killed_at_its_stop_timeout() -> None:
    """After stopTimeout comes SIGKILL: exit code 137, not 143."""
    account = make_account(stop_ms=(60_000, 60_000))
    account.register("agents", container(stopTimeout=5))
    arn = account.started()
    account.pass_ms(START_MS)
    account.ecs("StopTask", task=arn)
    account.pass_ms(5_000)
    assert account.task(arn)["containers"][0]["exitCode"] == 137


def test_an_exit_before_the_stop_signal_keeps_its_own_code() -> None:
    """A task whose main container ends during the stop grace shows that exit code, not the signal's."""
    account = make_account()
    arn = running_task(account, overrides=environment(SIMULATED_RUN_MS="1000"))
    account.ecs("StopTask", task=arn)
    account.pass_ms(STOP_MS)
    assert account.task(arn)["containers"][0]["exitCode"] == 0


def test_a_pending_task_can_be_stopped() -> None:
    """A task stopped before it ran has neither startedAt nor exit codes."""
    account = make_account()
    account.register()
    arn = account.started()
    account.ecs("StopTask", task=arn)
    account.pass_ms(HOUR_MS // 2)
    task = account.task(arn)
    assert task["lastStatus"] == "STOPPED"
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]


def test_an_unknown_task_cannot_be_stopped() -> None:
    """StopTask of an unknown task is an InvalidParameterException."""
    with refused("InvalidParameterException", "The referenced task was not found"):
        make_account().ecs("StopTask", task="0" * 32)


def test_stop_task_deletes_the_tags() -> None:
    """A task loses its tags when it is stopped by StopTask."""
    account = make_account()
    arn = running_task(account, tags=[{"key": "a", "value": "1"}])
    account.ecs("StopTask", task=arn)
    assert account.task(arn, include=["TAGS"])["tags"] == []


def test_every_step_raises_the_version() -> None:
    """A later state always carries a greater version, of the task and of its container instance."""
    account = make_account()
    account.register()
    arn = account.started()
    versions, of_instance = [], []
    for step_ms in (0, START_MS, RUN_MS, STOP_MS):
        account.pass_ms(step_ms)
        versions.append(account.task(arn)["version"])
        of_instance.append(account.instance()["version"])
    assert versions == sorted(set(versions))
    assert of_instance == sorted(set(of_instance))


def test_a_stopped_task_is_forgotten_after_an_hour() -> None:
    """A STOPPED task is described and listed for an hour, then MISSING and in no list."""
    account = make_account()
    arn = running_task(account, startedBy="attempt-1")
    instance = account.instance()["containerInstanceArn"]
    account.pass_ms(RUN_MS + STOP_MS + HOUR_MS - 1)
    assert account.task(arn)["lastStatus"] == "STOPPED"
    account.pass_ms(1)
    assert account.failure(account.ecs("DescribeTasks", tasks=[arn])) == "MISSING"
    for where in ({}, {"containerInstance": instance}):
        assert account.ecs("ListTasks", desiredStatus="STOPPED", **where)["taskArns"] == []


def test_a_termination_stops_its_tasks_without_exit_codes() -> None:
    """Tasks of a terminated instance are STOPPED with the instance named, no exit code, no startedAt."""
    account = make_account()
    arn = running_task(account)
    ec2_id = account.instance()["ec2InstanceId"]
    account.ec2("TerminateInstances", InstanceIds=[ec2_id])
    account.pass_ms(10_000)
    task = account.task(arn)
    assert task["stoppedReason"] == f"Host EC2 (instance {ec2_id}) terminated."
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


def test_whether_a_terminated_task_keeps_its_start_is_a_knob() -> None:
    """With the knob turned, a terminated task still shows startedAt."""
    account = make_account(terminated_task_keeps_started_at=True)
    arn = running_task(account)
    account.ec2("TerminateInstances", InstanceIds=[account.instance()["ec2InstanceId"]])
    account.pass_ms(10_000)
    assert "startedAt" in account.task(arn)


def test_a_disconnected_agent_reports_late() -> None:
    """What happens while the agent is disconnected becomes visible when it is back."""
    account = make_account()
    arn = running_task(account)
    ec2_id = account.instance()["ec2InstanceId"]
    account.aws.set_agent_connected(ec2_id, False)
    account.pass_ms(RUN_MS + STOP_MS)
    assert (account.task(arn)["lastStatus"], account.task(arn)["connectivity"]) == ("RUNNING", "DISCONNECTED")
    account.aws.set_agent_connected(ec2_id, True)
    account.pass_ms(STOP_MS)
    assert account.task(arn)["lastStatus"] == "STOPPED"


def test_a_disconnected_instance_leaves_a_ghost_when_terminated() -> None:
    """A container instance whose agent was disconnected is not deregistered with its EC2 instance."""
    account = make_account(replace_unhealthy_ms=(HOUR_MS, HOUR_MS))
    arn = running_task(account)
    ec2_id = account.instance()["ec2InstanceId"]
    account.aws.set_agent_connected(ec2_id, False)
    account.ec2("TerminateInstances", InstanceIds=[ec2_id])
    account.pass_ms(HOUR_MS // 2)
    assert (account.instance()["status"], account.instance()["agentConnected"]) == ("ACTIVE", False)
    account.aws.set_agent_connected(ec2_id, True)
    assert account.instance()["agentConnected"] is False
    assert account.task(arn)["lastStatus"] == "RUNNING"


def test_counts_follow_the_tasks() -> None:
    """runningTasksCount and pendingTasksCount of container instance and cluster follow each step."""
    account = make_account()
    account.register()
    account.started()
    counts = []
    for step_ms in (0, START_MS, RUN_MS + STOP_MS):
        account.pass_ms(step_ms)
        cluster = account.definitions("DescribeClusters", clusters=["ci"])["clusters"][0]
        counts.append((cluster["pendingTasksCount"], cluster["runningTasksCount"]))
        assert account.instance()["runningTasksCount"] == cluster["runningTasksCount"]
    assert counts == [(1, 0), (0, 1), (0, 0)]


@pytest.mark.parametrize(("reserved_mib", "starts"), [(4, False), (5, False), (6, True), (None, True)])
def test_docker_creates_no_container_that_reserves_less_than_6_mib(
    reserved_mib: int | None, starts: bool
) -> None:
    """ECS has accepted its definition, and the task."""
    account = make_account()
    account.register("agents", container(), container("sidekick", memoryReservation=reserved_mib, memory=100))
    arn = account.started()
    account.pass_ms(START_MS)
    task = account.task(arn)
    assert (task.get("stopCode") is None) is starts
    if not starts:
        assert task["stopCode"] == "TaskFailedToStart"
        assert "Minimum memory reservation allowed is 6MB" in task["containers"][0]["reason"]
