"""Documented limits: each is refused one above it and accepted at it."""

from typing import Any

import pytest

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.limits import Limit
from scheduler.simulated_aws.settings import SimulationSettings
from tests.simulated_aws.driver import Driver, container, environment, make_account, refused

TABLE = {name: value for name, value in vars(limits).items() if isinstance(value, Limit)}


def test_every_limit_names_its_source() -> None:
    """The table is not empty, and each row has a positive value, a unit and a page of AWS's documentation."""
    assert len(TABLE) > 20
    assert all(limit.value > 0 and limit.unit and ": " in limit.source for limit in TABLE.values())


def start(account: Driver, **params: Any) -> None:
    params.setdefault("containerInstances", [account.instance()["containerInstanceArn"]])
    account.ecs("StartTask", taskDefinition="agents", **params)


def tags(count: int) -> list[dict[str, str]]:
    return [{"key": f"key-{n}", "value": "x"} for n in range(count)]


def overrides_of(characters: int) -> dict[str, Any]:
    """Overrides whose JSON has exactly this many characters."""
    empty = '{"containerOverrides":[{"name":"agent","environment":[{"name":"A","value":""}]}]}'
    return environment(A="x" * (characters - len(empty)))


START_TASK_CASES = [
    ({"containerInstances": ["0" * 32] * 10}, {"containerInstances": ["0" * 32] * 11}),
    ({"startedBy": "a" * 36}, {"startedBy": "a" * 37}),
    ({"startedBy": "a-Z/0_9"}, {"startedBy": "a b"}),
    ({"overrides": overrides_of(8_192)}, {"overrides": overrides_of(8_193)}),
    ({"tags": tags(50)}, {"tags": tags(51)}),
    ({"tags": [{"key": "k" * 128}]}, {"tags": [{"key": "k" * 129}]}),
    ({"tags": [{"key": "k", "value": "v" * 256}]}, {"tags": [{"key": "k", "value": "v" * 257}]}),
    ({"tags": [{"key": "aw"}]}, {"tags": [{"key": "aws:x"}]}),
]


@pytest.mark.parametrize(("accepted", "too_much"), START_TASK_CASES)
def test_start_task_keeps_its_limits(accepted: dict[str, Any], too_much: dict[str, Any]) -> None:
    """StartTask accepts what is at the limit and refuses what is above it, before anything starts."""
    account = make_account()
    account.register()
    start(account, **accepted)
    begun = len(account.ecs("ListTasks")["taskArns"])
    with refused("InvalidParameterException"):
        start(account, **too_much)
    assert len(account.ecs("ListTasks")["taskArns"]) == begun


def test_describe_calls_take_a_hundred_ids() -> None:
    """DescribeTasks and DescribeContainerInstances take 1 to 100 ids."""
    account = make_account()
    for operation, name in (("DescribeTasks", "tasks"), ("DescribeContainerInstances", "containerInstances")):
        ids = [f"{n:032x}" for n in range(101)]
        assert len(account.ecs(operation, **{name: ids[:100]})["failures"]) == 100
        for refused_ids in ([], ids):
            with refused("InvalidParameterException"):
                account.ecs(operation, **{name: refused_ids})


def test_ten_container_instances_change_state_at_once() -> None:
    """UpdateContainerInstancesState takes 1 to 10 ids."""
    account, ids = make_account(), [f"{n:032x}" for n in range(11)]
    update = "UpdateContainerInstancesState"
    assert len(account.ecs(update, containerInstances=ids[:10], status="DRAINING")["failures"]) == 10
    with refused("InvalidParameterException"):
        account.ecs(update, containerInstances=ids, status="DRAINING")


@pytest.mark.parametrize("operation", ["ListTasks", "ListContainerInstances"])
def test_ecs_pages_hold_at_most_a_hundred(operation: str) -> None:
    """maxResults is 1 to 100."""
    account = make_account()
    account.ecs(operation, maxResults=100)
    for size in (-1, 101):
        with refused("InvalidParameterException", "maxResults"):
            account.ecs(operation, maxResults=size)


def test_task_definitions_keep_their_limits() -> None:
    """255 characters of family, 10 containers and 64 KiB are accepted, more is not."""
    account = make_account()
    ten = [container(f"c{n}") for n in range(10)]
    account.register("f" * 255, *ten)
    too_much: list[tuple[str, list[dict[str, Any]]]] = [
        ("f" * 256, ten),
        ("f", [*ten, container("c10")]),
        ("f", [container(command=["x" * 65_536])]),
    ]
    for family, containers in too_much:
        with refused("ClientException", "at most"):
            account.register(family, *containers)


def test_auto_scaling_pages_hold_at_most_a_hundred() -> None:
    """MaxRecords is 1 to 100."""
    for operation in (
        "DescribeAutoScalingGroups",
        "DescribeScalingActivities",
        "DescribeLaunchConfigurations",
    ):
        with refused("ValidationError", "MaxRecords"):
            make_account().aws.call("autoscaling", operation, {"MaxRecords": 101})


def test_ec2_keeps_its_limits() -> None:
    """MaxResults is 5 to 1000, TerminateInstances takes 1,000 ids, DescribeInstanceTypes 100 names."""
    account = make_account()
    calls: list[tuple[str, dict[str, Any]]] = [
        ("DescribeInstances", {"MaxResults": 4}),
        ("DescribeInstances", {"MaxResults": 1_001}),
        ("TerminateInstances", {"InstanceIds": [f"i-{n:017x}" for n in range(1_001)]}),
        ("DescribeInstanceTypes", {"InstanceTypes": ["m5.large"] * 101}),
    ]
    for operation, params in calls:
        with refused("InvalidParameterValue"):
            account.ec2(operation, **params)


def test_unmodelled_parameters_are_refused() -> None:
    """A parameter that the model would ignore is refused, so that no test relies on it."""
    with refused("UnsupportedOperation", "filter"):
        make_account().ecs("ListContainerInstances", filter="attribute:x == y")


def test_unmodelled_inclusions_are_refused() -> None:
    """What `include` asks for beyond tags is refused, not left out."""
    account = make_account()
    ids = [account.instance()["containerInstanceArn"]]
    with refused("InvalidParameterException", "include"):
        account.ecs(
            "DescribeContainerInstances", containerInstances=ids, include=["CONTAINER_INSTANCE_HEALTH"]
        )


def test_required_parameters_are_required() -> None:
    """A missing parameter is refused in each service's own words."""
    account = make_account()
    for service, operation, code in (
        ("ecs", "RegisterTaskDefinition", "InvalidParameterException"),
        ("autoscaling", "SetDesiredCapacity", "ValidationError"),
        ("ec2", "TerminateInstances", "MissingParameter"),
    ):
        with refused(code, "Missing required parameter"):
            account.aws.call(service, operation, {})


def test_unknown_operations_are_refused() -> None:
    """An operation that no service has is refused as each service does it, and counted."""
    account = make_account()
    for service, code in (("ecs", "UnknownOperationException"), ("ec2", "InvalidAction")):
        with refused(code):
            account.aws.call(service, "MakeTea", {})
    assert account.aws.journal.rejections["MakeTea", "InvalidAction"] == 1


@pytest.mark.parametrize(
    "settings",
    [{"min_size": 3}, {"max_size": 1}, {"instance_types": ("x9.huge",)}, {"instance_types": ()}],
)
def test_impossible_accounts_are_refused(settings: dict[str, Any]) -> None:
    """Settings that no account could have are refused when they are made."""
    with pytest.raises(ValueError, match="must"):
        SimulationSettings(**settings)


def test_an_error_says_whose_fault_it_is() -> None:
    """A 5xx is the server's fault, anything else the client's."""
    assert (ApiError("X", "x", 500).fault, ApiError("X", "x").fault) == ("server", "client")
