"""In-process clients behave as boto3's do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
)

from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped, NeverConnected
from tests.simulated_aws.stand_in import Canned, StandIn

START = {"taskDefinition": "agent:1", "containerInstances": ["ci-1"]}


def ecs(**answers: Canned) -> tuple[Any, StandIn]:
    backend = StandIn(answers)
    return InProcessClient(backend, "ecs"), backend


def test_a_method_calls_its_operation() -> None:
    """`start_task` is ECS's StartTask, and its answer has boto3's metadata."""
    client, backend = ecs(StartTask={"tasks": [{"taskArn": "t-1"}]})
    answer = client.start_task(**START)
    assert backend.asked == [("ecs", "StartTask", START)]
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert answer == {"tasks": [{"taskArn": "t-1"}]}


def test_a_service_without_the_operation_has_no_such_method() -> None:
    """A misspelt method is an AttributeError, as on a boto3 client."""
    client, _ = ecs()
    with pytest.raises(AttributeError, match="star_task"):
        client.star_task(**START)


@pytest.mark.parametrize(
    "params",
    [
        {"taskDefinition": "a"},
        {**START, "count": 1},
        {**START, "cluster": 1},
        {**START, "containerInstances": "x"},
    ],
)
def test_params_are_validated_before_the_call(params: dict[str, Any]) -> None:
    """What boto3 refuses to send never reaches the account."""
    client, backend = ecs()
    with pytest.raises(ParamValidationError):
        client.start_task(**params)
    assert backend.asked == []


def test_an_error_is_a_client_error() -> None:
    """Code, message, status and operation are where boto3 puts them."""
    client, _ = ecs(StartTask=ApiError("ThrottlingException", "Rate exceeded", http_status=429))
    with pytest.raises(ClientError) as caught:
        client.start_task(**START)
    assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert caught.value.operation_name == "StartTask"


def test_a_modelled_error_has_its_own_class() -> None:
    """`client.exceptions.ClusterNotFoundException` is raised for its code, from any client of the service."""
    client, _ = ecs(StartTask=ApiError("ClusterNotFoundException", "Cluster not found."))
    other, _ = ecs()
    with pytest.raises(other.exceptions.ClusterNotFoundException):
        client.start_task(**START)


def test_a_dropped_connection_is_a_closed_connection() -> None:
    """An answer that never comes is the error that botocore raises for it."""
    client, _ = ecs(StartTask=ConnectionDropped())
    with pytest.raises(ConnectionClosedError):
        client.start_task(**START)


def test_a_connection_that_was_never_made_is_told_apart() -> None:
    """botocore has an exception of its own for it: nothing was sent."""
    client, _ = ecs(StartTask=NeverConnected())
    with pytest.raises(EndpointConnectionError):
        client.start_task(**START)


def test_a_mistake_of_the_simulation_is_raised_as_it_is() -> None:
    """A bug must not look like AWS being down."""
    client, _ = ecs(StartTask=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        client.start_task(**START)


def test_nothing_is_shared_with_the_account() -> None:
    """Neither the caller's later changes to its params nor to its answer reach the account's state."""
    state: dict[str, Any] = {"tasks": [{"containers": [{"name": "agent"}], "startedAt": None}]}
    client, backend = ecs(StartTask=state)
    params: dict[str, Any] = {**START, "containerInstances": ["ci-1"]}
    answer = client.start_task(**params)
    answer["tasks"][0]["containers"].append("changed")
    params["containerInstances"].append("changed")
    assert state["tasks"][0]["containers"] == [{"name": "agent"}]
    assert backend.asked[0][2]["containerInstances"] == ["ci-1"]
    assert "startedAt" not in answer["tasks"][0]


def test_times_are_kept() -> None:
    """Timestamps stay aware datetimes."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    client, _ = ecs(DescribeTasks={"tasks": [{"createdAt": moment}]})
    assert client.describe_tasks(tasks=["t"])["tasks"][0]["createdAt"] == moment


def test_clients_of_all_services_can_be_made() -> None:
    """Each simulated service has a client with its own operations, and a close as boto3's."""
    for service, method in (
        ("autoscaling", "describe_auto_scaling_groups"),
        ("ec2", "describe_instances"),
        ("sts", "get_caller_identity"),
    ):
        client = InProcessClient(StandIn(), service)
        assert getattr(client, method)()["ResponseMetadata"]["HTTPStatusCode"] == 200
        client.close()
