"""Throttling: AWS's documented token buckets on the account's clock."""

from typing import Any

import pytest

from scheduler.simulated_aws.buckets import BUCKETS
from scheduler.simulated_aws.errors import ApiError
from tests.simulated_aws.driver import Driver, make_account, refused

NOBODY = "i-" + "0" * 17


def throttled_account(**settings: Any) -> Driver:
    return make_account(throttling=True, **settings)


def answered(account: Driver, service: str, operation: str, most: int, **params: Any) -> int:
    """How many of `most` calls at one moment are answered, or refused for another reason."""
    codes = ("ThrottlingException", "Throttling", "RequestLimitExceeded")
    count = 0
    for _ in range(most):
        try:
            account.aws.call(service, operation, params)
        except ApiError as error:
            if error.code in codes:
                return count
        count += 1
    return count


def test_nothing_is_throttled_unless_told_so() -> None:
    """By default the account answers any number of calls."""
    assert answered(make_account(), "ecs", "ListTasks", 500, cluster="ci") == 500


@pytest.mark.parametrize(
    ("service", "operation", "params", "burst"),
    [
        ("ecs", "ListContainerInstances", {"cluster": "ci"}, 100),
        ("ecs", "StopTask", {"cluster": "ci", "task": "0" * 32}, 100),
        ("ecs", "RegisterTaskDefinition", {"family": "f"}, 20),
        ("ecs", "DescribeClusters", {}, 50),
        ("ecs", "ListTaskDefinitions", {}, 50),
        ("ec2", "DescribeInstances", {}, 50),
        ("ec2", "DescribeInstances", {"MaxResults": 100}, 100),
        ("ec2", "TerminateInstances", {"InstanceIds": [NOBODY]}, 100),
        ("ec2", "TerminateInstances", {"InstanceIds": [NOBODY] * 500}, 2),
        ("autoscaling", "DescribeAutoScalingGroups", {}, 100),
        ("sts", "GetCallerIdentity", {}, 300),
    ],
)
def test_each_bucket_has_its_burst(service: str, operation: str, params: dict[str, Any], burst: int) -> None:
    """As many calls as the bucket holds are answered at one moment, and no more."""
    assert answered(throttled_account(), service, operation, 300, **params) == burst


def test_a_bucket_fills_at_its_rate() -> None:
    """Empty, it answers 20 reads a second later; after long quiet it holds its burst and no more."""
    account = throttled_account()
    answered(account, "ecs", "ListTasks", 300, cluster="ci")
    for wait_ms, calls in ((1_000, 20), (100, 2), (3_600_000, 100)):
        account.pass_ms(wait_ms)
        assert answered(account, "ecs", "ListTasks", 300, cluster="ci") == calls


def test_operations_share_a_bucket() -> None:
    """Reads of tasks and of container instances draw on one budget; starting tasks has another."""
    account = throttled_account()
    account.register()
    instance = account.instance()["containerInstanceArn"]
    answered(account, "ecs", "ListTasks", 300, cluster="ci")
    assert answered(account, "ecs", "ListContainerInstances", 1, cluster="ci") == 0
    assert account.started(instance=instance)


def test_others_take_from_the_same_budget() -> None:
    """What others of the account call does not come back; when they take it all, nothing does."""
    for foreign_per_s, calls in ((15.0, 5), (20.0, 0), (90.0, 0)):
        account = throttled_account(foreign_calls_per_s={"ecs_cluster_resource_read": foreign_per_s})
        answered(account, "ecs", "ListTasks", 300, cluster="ci")
        account.pass_ms(1_000)
        assert answered(account, "ecs", "ListTasks", 300, cluster="ci") == calls


@pytest.mark.parametrize(("bucket", "calls"), [((5, 1), 5), ((200, 1), 200)])
def test_the_bucket_of_auto_scaling_is_a_knob(bucket: tuple[float, float], calls: int) -> None:
    """Auto Scaling publishes no numbers, so both few and many can be tried."""
    account = throttled_account(auto_scaling_bucket=bucket)
    assert answered(account, "autoscaling", "DescribeAutoScalingGroups", 300) == calls


def test_a_throttled_call_has_no_effect_and_is_counted() -> None:
    """Refused in the service's words, it starts nothing, and the journal counts a rejection."""
    account = throttled_account()
    account.register()
    instance = account.instance()["containerInstanceArn"]
    for _ in range(100):
        account.start_task(instance=instance, overrides={"cpu": "1", "memory": "1"})
    with refused("ThrottlingException", "Rate exceeded"):
        account.start_task(instance=instance)
    assert len(account.ecs("ListTasks")["taskArns"]) == 100
    assert account.aws.journal.rejections["StartTask", "ThrottlingException"] == 1


def test_every_operation_of_ecs_ec2_and_logs_has_a_bucket() -> None:
    """No operation is free of throttling by mistake, and each bucket names its source."""
    aws = make_account().aws
    offered = {name for service in ("ecs", "ec2", "logs") for name in aws.operations(service)}
    assert {operation for bucket in BUCKETS for operation in bucket.operations} == offered
    assert all(": " in bucket.source for bucket in BUCKETS)
