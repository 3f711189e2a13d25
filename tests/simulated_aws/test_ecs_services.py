"""DescribeServices: daemons by name, and nothing else."""

import pytest

from tests.simulated_aws.driver import make_account, refused


def test_the_named_are_daemons_and_others_are_missing() -> None:
    """Each unknown one is a failure beside the others."""
    answer = make_account(daemon_services=("router",)).ecs("DescribeServices", services=["router", "web"])
    (service,) = answer["services"]
    assert (service["serviceName"], service["schedulingStrategy"]) == ("router", "DAEMON")
    assert [(each["arn"], each["reason"]) for each in answer["failures"]] == [("web", "MISSING")]


@pytest.mark.parametrize("count", [0, 11])
def test_from_one_to_ten_at_a_time(count: int) -> None:
    """ECS API: DescribeServices, services."""
    with refused("InvalidParameterException"):
        make_account().ecs("DescribeServices", services=[f"service-{number}" for number in range(count)])


def test_a_task_can_be_told_never_to_start() -> None:
    """By its environment, for the reason that is the value."""
    account = make_account()
    account.register()
    reason = "CannotStartContainerError: exec: no such file"
    container = {"name": "agent", "environment": [{"name": "SIMULATED_START_FAILURE", "value": reason}]}
    arn = account.started(overrides={"containerOverrides": [container]})
    account.pass_ms(60_000)
    (task,) = account.ecs("DescribeTasks", tasks=[arn])["tasks"]
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert task["containers"][0]["reason"] == reason
