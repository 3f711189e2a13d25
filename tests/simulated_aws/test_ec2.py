"""EC2: describing by id and by filter, terminating, launch templates, instance types."""

import pytest

from tests.simulated_aws.driver import HOUR_MS, Driver, make_account, refused


def described(account: Driver, **params: object) -> list[dict[str, object]]:
    answer = account.ec2("DescribeInstances", **params)
    return [instance for r in answer["Reservations"] for instance in r["Instances"]]


def by_id(*ids: str) -> dict[str, object]:
    return {"Filters": [{"Name": "instance-id", "Values": list(ids)}]}


def test_a_filter_by_id_ignores_unknown_ones() -> None:
    """An unknown id in a filter just does not match."""
    account = make_account()
    (known,) = account.members()
    assert [i["InstanceId"] for i in described(account, **by_id(known, "i-" + "0" * 17))] == [known]


def test_one_unknown_id_fails_the_whole_describe() -> None:
    """An unknown id among InstanceIds is InvalidInstanceID.NotFound, whatever the others are."""
    account = make_account()
    (known,) = account.members()
    with refused("InvalidInstanceID.NotFound", "i-0000"):
        account.ec2("DescribeInstances", InstanceIds=[known, "i-" + "0" * 17])


def test_ids_have_a_form() -> None:
    """An id that is none is Malformed, not unknown."""
    with refused("InvalidInstanceID.Malformed"):
        make_account().ec2("TerminateInstances", InstanceIds=["i-xyz"])


def test_unknown_filters_are_refused() -> None:
    """A filter that the model does not know is refused, not ignored."""
    with refused("InvalidParameterValue", "vpc-id"):
        make_account().ec2("DescribeInstances", Filters=[{"Name": "vpc-id", "Values": ["x"]}])


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("instance-state-name", "running", 3),
        ("availability-zone", "eu-west-1b", 1),
        ("instance-type", "m5.large", 0),
        ("tag:aws:autoscaling:groupName", "ci-agents", 3),
    ],
)
def test_filters_select(name: str, value: str, count: int) -> None:
    """State, zone, type and tag select instances."""
    account = make_account(desired_capacity=3)
    assert len(described(account, Filters=[{"Name": name, "Values": [value]}])) == count


def test_instances_come_in_pages() -> None:
    """MaxResults pages through all instances."""
    account = make_account(desired_capacity=8)
    first = account.ec2("DescribeInstances", MaxResults=5)
    rest = account.ec2("DescribeInstances", MaxResults=5, NextToken=first["NextToken"])
    assert (len(first["Reservations"]), len(rest["Reservations"]), "NextToken" in rest) == (5, 3, False)


def test_pages_and_ids_do_not_combine() -> None:
    """MaxResults with InstanceIds is refused."""
    account = make_account()
    with refused("InvalidParameterCombination"):
        account.ec2("DescribeInstances", InstanceIds=list(account.members()), MaxResults=5)


def test_a_termination_takes_its_time() -> None:
    """running, shutting-down, terminated; visible for about an hour, then gone."""
    account = make_account(min_size=0)
    (victim,) = account.members()
    answer = account.ec2("TerminateInstances", InstanceIds=[victim])["TerminatingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "shutting-down")
    account.pass_ms(10_000)
    assert described(account, **by_id(victim))[0]["State"] == {"Code": 48, "Name": "terminated"}
    account.pass_ms(HOUR_MS)
    assert described(account, **by_id(victim)) == []


def test_terminate_is_idempotent() -> None:
    """A second TerminateInstances succeeds and ends nothing twice."""
    account = make_account()
    ids = list(account.members())
    account.ec2("TerminateInstances", InstanceIds=ids)
    account.ec2("TerminateInstances", InstanceIds=ids)
    account.pass_ms(10_000)
    account.aws.advance()
    terminated = [e for e in account.aws.journal.entries if e["effect"] == "InstanceTerminated"]
    assert [e["ec2InstanceId"] for e in terminated] == ids


def test_terminate_is_all_or_nothing() -> None:
    """One unknown id, and no instance is terminated."""
    account = make_account()
    (known,) = account.members()
    with refused("InvalidInstanceID.NotFound"):
        account.ec2("TerminateInstances", InstanceIds=[known, "i-" + "0" * 17])
    assert described(account, **by_id(known))[0]["State"] == {"Code": 16, "Name": "running"}


def test_an_instance_terminated_while_it_boots_never_registers() -> None:
    """Terminated before its agent came up, an instance never appears in ECS."""
    account = make_account(desired_capacity=0)
    account.set_desired(1)
    account.pass_ms(21_000)
    account.group("SuspendProcesses")
    account.ec2("TerminateInstances", InstanceIds=list(account.members()))
    account.pass_ms(HOUR_MS)
    assert account.instances() == []


def test_the_launch_template_names_the_type() -> None:
    """The template that the group refers to is found by id, by name and by its alias."""
    account = make_account(instance_types=("r5.4xlarge",))
    template = account.described_group()["LaunchTemplate"]
    for key in ("LaunchTemplateId", "LaunchTemplateName"):
        answer = account.ec2("DescribeLaunchTemplateVersions", **{key: template[key]}, Versions=["$Latest"])
        data = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        assert data["InstanceType"] == "r5.4xlarge"


def test_an_unknown_launch_template_is_refused() -> None:
    """A template that does not exist is an error, in EC2's words."""
    with refused("InvalidLaunchTemplateName.NotFoundException"):
        make_account().ec2("DescribeLaunchTemplateVersions", LaunchTemplateName="other")


def test_instance_types_tell_their_declared_size() -> None:
    """vCPUs, memory, architecture and GPUs of a type are what EC2 declares."""
    names = ["m4.4xlarge", "g4dn.xlarge"]
    answer = make_account().ec2("DescribeInstanceTypes", InstanceTypes=names)
    found = {t["InstanceType"]: t for t in answer["InstanceTypes"]}
    assert found["m4.4xlarge"]["MemoryInfo"]["SizeInMiB"] == 65_536
    assert found["g4dn.xlarge"]["GpuInfo"]["Gpus"][0]["Count"] == 1
    assert "GpuInfo" not in found["m4.4xlarge"]


def test_unknown_instance_types_are_refused() -> None:
    """A type that does not exist fails the call."""
    with refused("InvalidInstanceType", "x9.huge"):
        make_account().ec2("DescribeInstanceTypes", InstanceTypes=["x9.huge"])
