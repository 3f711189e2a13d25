"""DeregisterContainerInstance, draining, and the ghosts that terminations leave."""

from typing import Any

import pytest

from scheduler.simulated_aws.journal import Effect
from tests.simulated_aws.driver import HOUR_MS, RUN_MS, START_MS, Driver, make_account, refused


def busy_account(**settings: Any) -> tuple[Driver, str, str]:
    """An account with one container instance and a running task on it: account, instance, task."""
    account = make_account(**settings)
    account.register()
    task = account.started()
    account.pass_ms(START_MS)
    return account, account.instance()["containerInstanceArn"], task


def test_an_idle_container_instance_is_deregistered() -> None:
    """It is INACTIVE at once and listed no more; its EC2 instance runs on, a member of the group."""
    account = make_account()
    arn = account.instance()["containerInstanceArn"]
    shown = account.deregister(arn.rpartition("/")[2])
    assert (shown["containerInstanceArn"], shown["status"], shown["agentConnected"]) == (
        arn,
        "INACTIVE",
        False,
    )
    assert (account.instances(), list(account.members().values())) == ([], ["InService"])


@pytest.mark.parametrize("wait_ms", [0, START_MS])
def test_a_busy_container_instance_is_not_deregistered(wait_ms: int) -> None:
    """Without force it is refused while tasks are pending or running."""
    account = make_account()
    account.register()
    account.started()
    account.pass_ms(wait_ms)
    with refused("InvalidParameterException", "Found running tasks on the instance"):
        account.deregister(account.instance()["containerInstanceArn"])
    assert account.instance()["status"] == "ACTIVE"


def test_by_force_ecs_loses_sight_of_the_tasks() -> None:
    """Deregistered by force, its tasks are STOPPED for that reason, without exit codes."""
    account, arn, task = busy_account()
    assert account.deregister(arn, force=True)["runningTasksCount"] == 0
    shown = account.task(task)
    assert (shown["lastStatus"], shown["stoppedReason"]) == (
        "STOPPED",
        "Container instance deregistration forced by user",
    )
    assert "exitCode" not in shown["containers"][0]
    assert "stopCode" not in shown


def test_the_stop_code_of_an_orphan_is_a_knob() -> None:
    """No source names the stopCode of a task that was orphaned."""
    account, arn, task = busy_account(orphaned_task_stop_code="UserInitiated")
    account.deregister(arn, force=True)
    assert account.task(task)["stopCode"] == "UserInitiated"


@pytest.mark.parametrize(("terminated", "runs_on_ms"), [(False, RUN_MS), (True, 10_000)])
def test_an_orphan_goes_on_running(terminated: bool, runs_on_ms: int) -> None:
    """Its containers run until they end or their EC2 instance does, whatever ECS shows; the journal knows."""
    account, arn, task = busy_account()
    ec2_id = account.instance()["ec2InstanceId"]
    account.deregister(arn, force=True)
    if terminated:
        account.ec2("TerminateInstances", InstanceIds=[ec2_id])
    account.pass_ms(HOUR_MS)
    (orphaned,) = account.effects(Effect.TASK_ORPHANED)
    (ended,) = account.effects(Effect.ORPHANED_TASK_ENDED)
    assert (orphaned["taskArn"], ended["taskArn"]) == (task, task)
    assert ended["time_ms"] - orphaned["time_ms"] == runs_on_ms


def test_a_task_that_stops_already_is_no_orphan() -> None:
    """A task in its stop grace ends as it would have; ECS shows it as STOPPED at once."""
    account, arn, task = busy_account()
    account.ecs("StopTask", task=task, reason="enough")
    account.deregister(arn, force=True)
    assert (account.task(task)["lastStatus"], account.task(task)["stoppedReason"]) == ("STOPPED", "enough")
    assert account.effects(Effect.TASK_ORPHANED) == []


def test_only_registered_container_instances_are_deregistered() -> None:
    """An unknown one is refused, and so is one that is INACTIVE already."""
    account = make_account()
    arn = account.instance()["containerInstanceArn"]
    account.deregister(arn)
    for reference in (arn, "0" * 32):
        with refused("ClientException", "Referenced container instance .* not found"):
            account.deregister(reference, force=True)


def test_a_ghost_stays_until_it_is_deregistered() -> None:
    """Terminated with its agent disconnected it stays ACTIVE, its task RUNNING, until it is deregistered."""
    account, arn, task = busy_account()
    ec2_id = account.instance()["ec2InstanceId"]
    account.aws.set_agent_connected(ec2_id, False)
    account.ec2("TerminateInstances", InstanceIds=[ec2_id])
    account.pass_ms(24 * HOUR_MS)
    ghost = account.instance(arn)
    assert (ghost["status"], ghost["agentConnected"], account.task(task)["lastStatus"]) == (
        "ACTIVE",
        False,
        "RUNNING",
    )
    account.deregister(arn, force=True)
    assert account.instance(arn)["status"] == "INACTIVE"
    assert account.task(task)["lastStatus"] == "STOPPED"
    assert account.effects(Effect.TASK_ORPHANED) == []


def test_a_draining_instance_keeps_its_tasks_and_can_be_taken_back() -> None:
    """ACTIVE to DRAINING and back: standalone tasks run on, and each change is journalled with both ids."""
    account, arn, task = busy_account()
    account.drain()
    assert account.task(task)["desiredStatus"] == "RUNNING"
    account.drain("ACTIVE")
    assert account.instance()["status"] == "ACTIVE"
    changes = account.effects(Effect.CONTAINER_INSTANCE_STATE_CHANGE)
    assert [(c["containerInstanceArn"], c["status"]) for c in changes] == [
        (arn, "DRAINING"),
        (arn, "ACTIVE"),
    ]
    assert {c["ec2InstanceId"] for c in changes} == {account.instance()["ec2InstanceId"]}


@pytest.mark.parametrize("status", ["INACTIVE", "DEREGISTERING", "IDLE"])
def test_only_active_and_draining_can_be_set(status: str) -> None:
    """Any other state is refused and changes nothing."""
    account = make_account()
    with refused("InvalidParameterException", "status"):
        account.drain(status)
    assert account.instance()["status"] == "ACTIVE"


def test_a_deregistered_instance_cannot_be_drained() -> None:
    """An INACTIVE container instance and an unknown one are failures, each with its reason."""
    account = make_account()
    arn = account.instance()["containerInstanceArn"]
    account.deregister(arn)
    answer = account.ecs(
        "UpdateContainerInstancesState", containerInstances=[arn, "0" * 32], status="DRAINING"
    )
    assert [f["reason"] for f in answer["failures"]] == ["INACTIVE", "MISSING"]
