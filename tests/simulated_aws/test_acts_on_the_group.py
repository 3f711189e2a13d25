"""What befalls the group: launches that fail or never join, instances that are killed, sizes that change."""

from typing import Any

import pytest

from scheduler.simulated_aws.journal import Effect
from tests.simulated_aws.driver import BOOT_MS, HOUR_MS, RETRY_MS, START_MS, Driver, make_account, refused

NO_CAPACITY = "We currently do not have sufficient m4.4xlarge capacity in the Availability Zone you requested"


def killed(*, spot: bool, **settings: Any) -> tuple[Driver, str, str]:
    """An account whose one instance was killed while a task ran there: account, instance, task."""
    account = make_account(**settings)
    account.register()
    task = account.started()
    account.pass_ms(START_MS)
    ec2_id = account.instance()["ec2InstanceId"]
    account.aws.terminate_instance(ec2_id, spot=spot)
    account.pass_ms(10_000)
    return account, ec2_id, task


def test_a_failed_launch_is_an_activity_and_no_instance() -> None:
    """The group shows nothing of it but a Failed activity with EC2's reason."""
    account = make_account(desired_capacity=0)
    account.aws.fail_launches(1, NO_CAPACITY)
    account.set_desired(1)
    account.pass_ms(1_000)
    (activity,) = account.activities()
    assert (activity["StatusCode"], activity["Progress"]) == ("Failed", 100)
    assert activity["StatusMessage"] == f"{NO_CAPACITY}. Launching EC2 instance failed."
    assert (account.members(), len(account.effects(Effect.LAUNCH_FAILED))) == ({}, 1)


def test_the_group_tries_again_after_a_pause() -> None:
    """Each try is a launch that may fail again; the first that succeeds ends the trying."""
    account = make_account(desired_capacity=0)
    account.aws.fail_launches(3, NO_CAPACITY)
    account.set_desired(2)
    account.pass_ms(1_000 + RETRY_MS)
    assert [a["StatusCode"] for a in account.activities()] == ["InProgress", "Failed", "Failed", "Failed"]
    account.hours_later()
    assert list(account.members().values()) == ["InService", "InService"]
    assert len(account.activities()) == 5


def test_failures_can_be_healed() -> None:
    """Told that none fails any more, the next launch succeeds."""
    account = make_account(desired_capacity=0)
    account.aws.fail_launches(1_000, NO_CAPACITY)
    account.aws.fail_launches(0, "")
    account.set_desired(1)
    account.pass_ms(BOOT_MS)
    assert len(account.instances()) == 1


def test_a_failed_launch_starts_no_cooldown() -> None:
    """HonorCooldown looks at what succeeded."""
    account = make_account(desired_capacity=0)
    account.aws.fail_launches(1, NO_CAPACITY)
    account.set_desired(1)
    account.pass_ms(1_000)
    account.group("SetDesiredCapacity", DesiredCapacity=2, HonorCooldown=True)


@pytest.mark.parametrize(("spot", "why"), [(True, "Server.SpotInstance"), (False, "Client.UserInitiated")])
def test_a_launch_that_is_killed_is_cancelled(spot: bool, why: str) -> None:
    """Killed before it was InService, its launch is Cancelled with the reason, and another one begins."""
    account = make_account(booted_at_start=False)
    account.pass_ms(1_000)
    account.aws.terminate_instance(next(iter(account.members())), spot=spot)
    account.hours_later()
    launches = [a for a in account.activities() if a["Description"].startswith("Launching")]
    assert [a["StatusCode"] for a in launches] == ["Successful", "Cancelled"]
    assert f"Termination Reason: {why}" in launches[1]["StatusMessage"]


def test_an_instance_may_never_join() -> None:
    """The next instances are InService to the group and unknown to ECS; later ones join."""
    account = make_account(desired_capacity=0)
    account.aws.set_next_launches_never_join(1)
    account.set_desired(2)
    account.hours_later()
    assert list(account.members().values()) == ["InService", "InService"]
    assert len(account.instances()) == 1


@pytest.mark.parametrize(
    ("spot", "stop_code", "reason"),
    [
        (False, "TerminationNotice", "Host EC2 (instance {}) terminated."),
        (True, "SpotInterruption", "Your Spot Task was interrupted."),
    ],
)
def test_a_killed_instance_takes_its_tasks_with_it(spot: bool, stop_code: str, reason: str) -> None:
    """Killed by its owner or by EC2: each has its own stop code and reason, and no exit code."""
    account, ec2_id, task = killed(spot=spot)
    shown = account.task(task)
    assert (shown["stopCode"], shown["stoppedReason"]) == (stop_code, reason.format(ec2_id))
    assert "exitCode" not in shown["containers"][0]


def test_the_stop_code_of_a_spot_interruption_is_a_knob() -> None:
    """Fargate's events show TerminationNotice, the API has SpotInterruption: both can be tried."""
    account, _, task = killed(spot=True, spot_stop_code="TerminationNotice")
    assert account.task(task)["stopCode"] == "TerminationNotice"


def test_a_killed_member_is_replaced() -> None:
    """The group makes up for it; the journal counts no call for the kill."""
    account, ec2_id, _ = killed(spot=True)
    account.hours_later()
    assert ec2_id not in account.members()
    assert list(account.members().values()) == ["InService"]
    assert account.aws.journal.calls["TerminateInstances"] == 0


def test_an_unknown_instance_cannot_be_acted_on() -> None:
    """An act on an instance that does not exist is an error of the test."""
    for act in (make_account().aws.terminate_instance, make_account().aws.reregister):
        with pytest.raises(LookupError, match="no EC2 instance i-0"):
            act("i-0")


def test_an_agent_may_register_anew() -> None:
    """A new ARN with all its room; the old one stays ACTIVE and disconnected, its task RUNNING for ever."""
    account = make_account()
    account.register()
    task = account.started()
    account.pass_ms(START_MS)
    old = account.instance()
    account.aws.reregister(old["ec2InstanceId"])
    account.hours_later()
    ghost, new = account.instances()
    assert (ghost["containerInstanceArn"], ghost["agentConnected"]) == (old["containerInstanceArn"], False)
    assert (new["ec2InstanceId"], new["agentConnected"]) == (old["ec2InstanceId"], True)
    assert new["remainingResources"] == new["registeredResources"]
    assert account.task(task)["lastStatus"] == "RUNNING"


def test_the_end_of_an_instance_leaves_its_ghost() -> None:
    """Terminated, the new registration deregisters itself; the old one stays until it is deregistered."""
    account = make_account(replace_unhealthy_ms=(HOUR_MS, HOUR_MS))
    old = account.instance()
    account.aws.reregister(old["ec2InstanceId"])
    account.aws.terminate_instance(old["ec2InstanceId"])
    account.pass_ms(10_000)
    assert [i["containerInstanceArn"] for i in account.instances()] == [old["containerInstanceArn"]]
    account.deregister(old["containerInstanceArn"])
    assert account.instances() == []


def test_an_agent_that_was_deregistered_may_come_back() -> None:
    """Deregistered by somebody, a running instance registers anew when told to."""
    account = make_account()
    old = account.instance()
    account.deregister(old["containerInstanceArn"])
    account.aws.reregister(old["ec2InstanceId"])
    assert account.instance()["ec2InstanceId"] == old["ec2InstanceId"]


def test_no_agent_registers_on_an_instance_that_is_gone() -> None:
    """An instance that is shutting down has no agent to register."""
    account = make_account()
    (ec2_id,) = account.members()
    account.aws.terminate_instance(ec2_id)
    with pytest.raises(LookupError, match="shutting-down"):
        account.aws.reregister(ec2_id)


@pytest.mark.parametrize(("sizes", "desired"), [((0, 1), 1), ((4, 6), 4), ((1, 5), 2)])
def test_somebody_may_change_the_sizes(sizes: tuple[int, int], desired: int) -> None:
    """A desired capacity outside the new sizes moves to the nearer one; the group's checks follow them."""
    account = make_account(desired_capacity=2)
    account.aws.set_group_limits(*sizes)
    group = account.described_group()
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (*sizes, desired)
    with refused("ValidationError", f"above max value {sizes[1]}"):
        account.set_desired(sizes[1] + 1)


def test_somebody_may_change_the_desired_capacity() -> None:
    """It happens as by SetDesiredCapacity, and is no call of the service under test."""
    account = make_account(desired_capacity=1)
    account.aws.set_desired(3)
    account.pass_ms(BOOT_MS)
    assert len(account.instances()) == 3
    assert account.aws.journal.calls["SetDesiredCapacity"] == 0


def test_impossible_sizes_are_refused() -> None:
    """Neither a min above the max nor a desired capacity outside them."""
    account = make_account(max_size=3)
    with pytest.raises(ValueError, match="min_size <= max_size"):
        account.aws.set_group_limits(2, 1)
    with pytest.raises(ValueError, match=r"within 0\.\.3, not 4"):
        account.aws.set_desired(4)
