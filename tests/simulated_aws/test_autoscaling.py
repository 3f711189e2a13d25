"""The Auto Scaling group: launches, limits, victims, replacements, suspended processes."""

import pytest

from scheduler.simulated_aws.shapes import Shape
from tests.simulated_aws.driver import BOOT_MS, HOUR_MS, Driver, make_account, refused


def first_instance(account: Driver) -> str:
    return next(iter(account.members()))


def test_the_desired_instances_are_there_from_the_start() -> None:
    """At the start the group's desired instances are InService and registered."""
    account = make_account(desired_capacity=3)
    assert list(account.members().values()) == ["InService"] * 3
    assert {i["ec2InstanceId"] for i in account.instances()} == set(account.members())


def test_the_desired_instances_may_have_to_boot_first() -> None:
    """With booted_at_start off, the group begins empty and launches."""
    account = make_account(booted_at_start=False)
    assert account.members() == {}
    account.pass_ms(BOOT_MS)
    assert len(account.instances()) == 1


def test_a_launch_takes_its_time() -> None:
    """Asked, Pending, InService, registered with ECS: each at its own time."""
    account = make_account(desired_capacity=0)
    account.set_desired(1)
    assert account.members() == {}
    account.pass_ms(1_000)
    assert list(account.members().values()) == ["Pending"]
    account.pass_ms(20_000)
    assert (list(account.members().values()), account.instances()) == (["InService"], [])
    account.pass_ms(30_000)
    assert len(account.instances()) == 1


def test_launches_balance_the_zones() -> None:
    """Instances are spread evenly over the group's zones."""
    account = make_account(desired_capacity=6)
    zones = [member["AvailabilityZone"] for member in account.described_group()["Instances"]]
    assert {zone: zones.count(zone) for zone in zones} == dict.fromkeys(
        ["eu-west-1a", "eu-west-1b", "eu-west-1c"], 2
    )


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        (11, "New SetDesiredCapacity value 11 is above max value 10 for the AutoScalingGroup."),
        (0, "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup."),
    ],
)
def test_desired_stays_within_min_and_max(desired: int, message: str) -> None:
    """A desired capacity outside the group's sizes is refused in AWS's words and changes nothing."""
    account = make_account(min_size=1, desired_capacity=2)
    with refused("ValidationError", message):
        account.set_desired(desired)
    assert account.described_group()["DesiredCapacity"] == 2


def test_lowering_desired_terminates_a_victim_of_the_groups_choice() -> None:
    """A lower desired capacity really ends instances, and what runs on them."""
    account = make_account(desired_capacity=3, new_instances_protected_from_scale_in=False)
    account.set_desired(1)
    account.pass_ms(1_000)
    assert sorted(account.members().values()) == ["InService", "Terminating", "Terminating"]
    account.pass_ms(10_000)
    assert (len(account.members()), len(account.instances())) == (1, 1)


def test_protected_instances_survive_a_lower_desired() -> None:
    """Scale-in protection keeps every member, although desired is lower."""
    account = make_account(desired_capacity=3)
    account.set_desired(1)
    account.pass_ms(HOUR_MS)
    assert list(account.members().values()) == ["InService"] * 3
    assert account.described_group()["DesiredCapacity"] == 1


def test_a_terminated_member_is_replaced() -> None:
    """Whoever terminates a member directly gets a replacement; desired does not change."""
    account = make_account()
    gone = first_instance(account)
    account.ec2("TerminateInstances", InstanceIds=[gone])
    account.pass_ms(30_000 + BOOT_MS)
    account.pass_ms(HOUR_MS // 2)
    assert gone not in account.members()
    assert list(account.members().values()) == ["InService"]
    assert len(account.instances()) == 1


def test_replacement_stops_while_its_process_is_suspended() -> None:
    """With ReplaceUnhealthy suspended a terminated member stays listed; resumed, it is replaced."""
    account = make_account()
    gone = first_instance(account)
    account.group("SuspendProcesses", ScalingProcesses=["ReplaceUnhealthy"])
    account.ec2("TerminateInstances", InstanceIds=[gone])
    account.pass_ms(HOUR_MS)
    assert list(account.members()) == [gone]
    assert account.described_group()["Instances"][0]["HealthStatus"] == "Unhealthy"
    account.group("ResumeProcesses", ScalingProcesses=["ReplaceUnhealthy"])
    account.pass_ms(HOUR_MS)
    assert gone not in account.members()


def test_a_terminated_member_is_noticed_once_health_checks_resume() -> None:
    """With HealthCheck suspended a terminated member passes for healthy; resumed, it is replaced."""
    account = make_account()
    gone = first_instance(account)
    account.group("SuspendProcesses", ScalingProcesses=["HealthCheck"])
    account.ec2("TerminateInstances", InstanceIds=[gone])
    account.pass_ms(HOUR_MS)
    assert account.described_group()["Instances"][0]["HealthStatus"] == "Healthy"
    account.group("ResumeProcesses", ScalingProcesses=["HealthCheck"])
    account.pass_ms(HOUR_MS)
    assert list(account.members().values()) == ["InService"]
    assert gone not in account.members()


def test_nothing_is_launched_while_launch_is_suspended() -> None:
    """With Launch suspended desired rises and nothing comes; resumed, the group catches up."""
    account = make_account(desired_capacity=0)
    account.group("SuspendProcesses", ScalingProcesses=["Launch"])
    account.set_desired(2)
    account.pass_ms(HOUR_MS)
    assert account.members() == {}
    account.group("ResumeProcesses", ScalingProcesses=["Launch"])
    account.pass_ms(BOOT_MS)
    assert len(account.instances()) == 2


def test_suspended_processes_are_shown() -> None:
    """The group lists what is suspended; without names everything is."""
    account = make_account()
    account.group("SuspendProcesses", ScalingProcesses=["AZRebalance"])
    assert [p["ProcessName"] for p in account.described_group()["SuspendedProcesses"]] == ["AZRebalance"]
    account.group("SuspendProcesses")
    assert len(account.described_group()["SuspendedProcesses"]) == 9


def test_unknown_processes_are_refused() -> None:
    """A bogus process name is a ValidationError and suspends nothing."""
    account = make_account()
    with refused("ValidationError", "Bogus"):
        account.group("SuspendProcesses", ScalingProcesses=["AZRebalance", "Bogus"])
    assert account.described_group()["SuspendedProcesses"] == []


def test_an_unknown_group_is_refused_or_not_found() -> None:
    """Acts on an unknown group are refused; a describe just does not find it."""
    account = make_account()
    with refused("ValidationError", "not found"):
        account.aws.call("autoscaling", "SuspendProcesses", {"AutoScalingGroupName": "other"})
    answer = account.aws.call(
        "autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["other"]}
    )
    assert answer["AutoScalingGroups"] == []


def test_a_cooldown_is_honoured_on_request() -> None:
    """HonorCooldown refuses a change soon after the last activity; without it the change goes through."""
    account = make_account(desired_capacity=0)
    account.set_desired(1)
    account.pass_ms(BOOT_MS)
    with refused("ScalingActivityInProgress"):
        account.group("SetDesiredCapacity", DesiredCapacity=2, HonorCooldown=True)
    account.set_desired(2)
    account.pass_ms(HOUR_MS)
    account.group("SetDesiredCapacity", DesiredCapacity=3, HonorCooldown=True)


def test_activities_tell_what_the_group_did() -> None:
    """Launches are activities, newest first, in progress until the instance is InService."""
    account = make_account()
    account.set_desired(2)
    account.pass_ms(1_000)
    activities = account.group("DescribeScalingActivities")["Activities"]
    assert [a["StatusCode"] for a in activities] == ["InProgress", "Successful"]
    assert "increasing the capacity from 1 to 2" in activities[0]["Cause"]


def test_activities_come_in_pages() -> None:
    """Paging visits each activity once."""
    account = make_account(desired_capacity=3)
    first = account.group("DescribeScalingActivities", MaxRecords=2)
    rest = account.group("DescribeScalingActivities", MaxRecords=2, NextToken=first["NextToken"])
    ids = {a["ActivityId"] for a in [*first["Activities"], *rest["Activities"]]}
    assert (len(ids), "NextToken" in rest) == (3, False)


def test_the_launch_source_is_one_of_three() -> None:
    """A group shows its launch template, mixed-instances policy or launch configuration, and no other."""
    kinds = {
        "launch_template": "LaunchTemplate",
        "mixed_instances": "MixedInstancesPolicy",
        "requirements_in_overrides": "MixedInstancesPolicy",
        "requirements_in_template": "MixedInstancesPolicy",
        "launch_configuration": "LaunchConfigurationName",
    }
    for kind, member in kinds.items():
        group = make_account(launch_source=kind).described_group()
        assert [name for name in set(kinds.values()) if name in group] == [member]


def test_a_launch_configuration_names_its_type() -> None:
    """DescribeLaunchConfigurations finds the group's configuration by name."""
    account = make_account(launch_source="launch_configuration", instance_types=("c5.4xlarge",))
    name = account.described_group()["LaunchConfigurationName"]
    found = account.aws.call(
        "autoscaling", "DescribeLaunchConfigurations", {"LaunchConfigurationNames": [name]}
    )
    assert found["LaunchConfigurations"][0]["InstanceType"] == "c5.4xlarge"


@pytest.mark.parametrize("kind", ["mixed_instances", "requirements_in_overrides", "requirements_in_template"])
def test_a_mixed_group_chooses_the_type(kind: str) -> None:
    """A mixed-instances group launches types of its own choice: its overrides', or all that match."""
    types = ("m5.4xlarge", "c5.4xlarge")
    account = make_account(launch_source=kind, instance_types=types, desired_capacity=10)
    assert {m["InstanceType"] for m in account.described_group()["Instances"]} == set(types)


def test_requirements_stand_in_the_overrides_or_in_the_launch_template() -> None:
    """Where they are, no type is named; a template's type gives way to requirements in an override."""
    types = ("m5.large", "m5.4xlarge")
    requirements = {
        "VCpuCount": {"Min": 2, "Max": 16},
        "MemoryMiB": {"Min": 8_192, "Max": 65_536},
        "AllowedInstanceTypes": list(types),
    }
    named = {"InstanceType": "m5.large"}
    in_overrides = make_account(launch_source="requirements_in_overrides", instance_types=types)
    assert launch_source_of(in_overrides) == ([{"InstanceRequirements": requirements}], named)
    in_template = make_account(launch_source="requirements_in_template", instance_types=types)
    assert launch_source_of(in_template) == ([], {"InstanceRequirements": requirements})


def launch_source_of(account: Driver) -> tuple[list[Shape], Shape]:
    """The overrides of a mixed-instances group, and its launch template's data without the image."""
    policy = account.described_group()["MixedInstancesPolicy"]["LaunchTemplate"]
    template_id = policy["LaunchTemplateSpecification"]["LaunchTemplateId"]
    found = account.ec2("DescribeLaunchTemplateVersions", LaunchTemplateId=template_id)
    data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return policy["Overrides"], {name: data[name] for name in data if name != "ImageId"}
