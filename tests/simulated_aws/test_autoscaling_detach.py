"""DetachInstances: what it refuses, how a member leaves, and what the instance is afterwards."""

from typing import Any

import pytest

from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.launches import GROUP_TAG, TEMPLATE_TAG
from tests.simulated_aws.driver import BOOT_MS, DETACH_MS, HOUR_MS, Driver, make_account, refused

NOBODY = "i-" + "0" * 17


def group_of(count: int, **settings: Any) -> tuple[Driver, list[str]]:
    """An account whose group has so many members, and their ids."""
    account = make_account(**{"desired_capacity": count, "max_size": 30, **settings})
    return account, list(account.members())


def test_a_detached_member_leaves_and_the_group_is_one_smaller() -> None:
    """With decrement desired falls at once, the member is Detaching for a while and then not listed."""
    account, (leaving, staying) = group_of(2)
    account.detach(leaving)
    assert account.members() == {leaving: "Detaching", staying: "InService"}
    assert account.described_group()["DesiredCapacity"] == 1
    account.pass_ms(DETACH_MS)
    assert account.members() == {staying: "InService"}
    account.pass_ms(HOUR_MS)
    assert list(account.members()) == [staying]


def test_without_decrement_the_member_is_replaced() -> None:
    """Desired stays as it is, so the group launches another instance."""
    account, (leaving,) = group_of(1)
    account.detach(leaving, decrement=False)
    account.pass_ms(BOOT_MS)
    (replacement,) = account.members()
    assert (replacement != leaving, account.described_group()["DesiredCapacity"]) == (True, 1)


def test_a_detached_instance_goes_on_running_and_stays_registered() -> None:
    """Detaching ends nothing: EC2 and ECS show the instance as before, and nobody owns it."""
    account, (leaving,) = group_of(1)
    account.detach(leaving)
    account.pass_ms(HOUR_MS)
    assert account.ec2_instance(leaving)["State"]["Name"] == "running"
    assert [(i["ec2InstanceId"], i["status"]) for i in account.instances()] == [(leaving, "ACTIVE")]


def test_detaching_loses_the_protection() -> None:
    """ProtectedFromScaleIn is false as soon as the member is Detaching."""
    account, (leaving,) = group_of(1)
    account.detach(leaving)
    assert account.described_group()["Instances"][0]["ProtectedFromScaleIn"] is False


@pytest.mark.parametrize("removes", [True, False])
def test_whether_detaching_takes_the_groups_tag_is_a_knob(removes: bool) -> None:
    """The tag aws:autoscaling:groupName goes with the membership, or stays, as the knob says."""
    account, (leaving,) = group_of(1, detach_removes_group_tag=removes)
    account.detach(leaving)
    assert GROUP_TAG in tag_keys(account, leaving)
    account.pass_ms(DETACH_MS)
    assert (GROUP_TAG in tag_keys(account, leaving)) is not removes
    assert TEMPLATE_TAG in tag_keys(account, leaving)


def tag_keys(account: Driver, ec2_id: str) -> set[str]:
    return {tag["Key"] for tag in account.ec2_instance(ec2_id)["Tags"]}


def test_each_instance_has_an_activity() -> None:
    """The answer has one activity per instance, in progress; it succeeds when the member is gone."""
    account, ids = group_of(2)
    begun = account.detach(*ids)
    assert [a["Description"] for a in begun] == [f"Detaching EC2 instance: {i}" for i in ids]
    assert {a["StatusCode"] for a in begun} == {"InProgress"}
    account.pass_ms(DETACH_MS)
    later = account.activities(ActivityIds=[a["ActivityId"] for a in begun])
    assert [a["StatusCode"] for a in later] == ["Successful", "Successful"]


def test_twenty_instances_are_detached_at_once() -> None:
    """21 ids are refused in AWS's words, 20 are not."""
    account, ids = group_of(21)
    with refused("ValidationError", "^ValidationError: List exceeds the maximum number of instances"):
        account.detach(*ids)
    assert len(account.detach(*ids[:20])) == 20


def test_only_members_can_be_detached() -> None:
    """An id that the group does not list is refused, and so is one that has left."""
    account, (leaving, _) = group_of(2)
    with refused("ValidationError", f"The instance {NOBODY} is not part of Auto Scaling group ci-agents"):
        account.detach(NOBODY)
    account.detach(leaving)
    account.pass_ms(DETACH_MS)
    with refused("ValidationError", f"The instance {leaving} is not part of Auto Scaling group"):
        account.detach(leaving)


def test_only_members_in_service_can_be_detached() -> None:
    """A member that is Pending, or Detaching already, is refused."""
    account, (leaving,) = group_of(1)
    account.set_desired(2)
    account.pass_ms(1_000)
    pending = next(i for i, state in account.members().items() if state == "Pending")
    with refused("ValidationError", f"The instance {pending} is not in InService or Standby"):
        account.detach(pending)
    account.detach(leaving)
    with refused("ValidationError", f"The instance {leaving} is not in InService or Standby"):
        account.detach(leaving)


def test_the_min_size_is_kept() -> None:
    """With decrement the desired capacity may not fall below the min size; without, nothing falls."""
    account, (first, second) = group_of(2, min_size=1)
    message = (
        "AutoScalingGroup ci-agents has min-size=1, max-size=30, and desired-size=2. "
        "To detach 2 instances, please update the AutoScalingGroup sizes appropriately."
    )
    with refused("ValidationError", message):
        account.detach(first, second)
    assert len(account.detach(first, second, decrement=False)) == 2


def test_detaching_is_all_or_nothing() -> None:
    """One id that cannot be detached, and none is."""
    account, (member,) = group_of(1)
    with refused("ValidationError"):
        account.detach(member, NOBODY)
    assert (account.members(), account.described_group()["DesiredCapacity"]) == ({member: "InService"}, 1)


def test_a_detaching_instance_is_nobodys_health_check() -> None:
    """Terminated while it detaches, or just before, the instance is not replaced."""
    account, (first, second) = group_of(2)
    account.ec2("TerminateInstances", InstanceIds=[second])
    account.detach(first, second)
    account.ec2("TerminateInstances", InstanceIds=[first])
    account.pass_ms(HOUR_MS)
    assert account.members() == {}
    assert account.effects(Effect.INSTANCE_UNHEALTHY) == []


def test_the_journal_tells_who_was_detached() -> None:
    """The call and the end of each detaching are effects."""
    account, (leaving,) = group_of(1)
    account.detach(leaving)
    account.pass_ms(DETACH_MS)
    (call,) = account.effects(Effect.DETACH_INSTANCES)
    assert (call["ec2InstanceIds"], call["previous"], call["desiredCapacity"]) == ([leaving], 1, 0)
    assert [e["ec2InstanceId"] for e in account.effects(Effect.INSTANCE_DETACHED)] == [leaving]
