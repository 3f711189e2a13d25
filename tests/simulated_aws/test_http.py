"""Unmodified boto3 against the HTTP front."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from scheduler.simulated_aws.errors import ApiError, ConnectionDropped
from scheduler.simulated_aws.http import ClockReading, HttpFront, ThreadedFront
from tests.simulated_aws.stand_in import StandIn, StandInJournal

START = {"taskDefinition": "agent:1", "containerInstances": ["ci-1"]}
LAUNCHED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
CLOCK = ClockReading(epoch_ms=1_000, rate=10.0, now_ms=2_000)


def boto3_client(service: str, url: str) -> Any:
    session: Any = boto3.session.Session("AKID", "secret", region_name="eu-west-1")
    return session.client(service, endpoint_url=url, config=ONE_ATTEMPT)


class Site:
    """A front over a stand-in, with boto3's clients for it."""

    def __init__(self, url: str, backend: StandIn, closing: ExitStack) -> None:
        self.url, self.backend, self._closing = url, backend, closing
        self.faults: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        client = boto3_client(service, self.url)
        self._closing.callback(client.close)
        return client

    def get(self, path: str) -> Any:
        with urlopen(self.url + path, timeout=5) as response:
            return json.load(response)

    def post(self, path: str, body: bytes) -> int:
        with urlopen(Request(self.url + path, data=body), timeout=5) as response:
            return int(response.status)


def add_to(faults: list[dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
    def add_fault(fault: dict[str, Any]) -> None:
        faults.append({"operation": fault["operation"]})

    return add_fault


@pytest.fixture
def site() -> Iterator[Site]:
    backend, faults = StandIn(), list[dict[str, Any]]()
    front = HttpFront(backend, read_clock=lambda: CLOCK, add_fault=add_to(faults))
    with ExitStack() as closing, ThreadedFront(front) as url:
        site = Site(url, backend, closing)
        site.faults = faults
        yield site


def test_a_call_goes_there_and_back(site: Site) -> None:
    """boto3's params reach the account, and the account's answer reaches boto3's caller."""
    site.backend.answers["StartTask"] = {"tasks": [{"taskArn": "t-1", "createdAt": LAUNCHED}], "failures": []}
    answer = site.client("ecs").start_task(**START)
    assert site.backend.asked == [("ecs", "StartTask", START)]
    assert answer["tasks"] == [{"taskArn": "t-1", "createdAt": LAUNCHED}]
    assert answer["failures"] == []


def test_each_service_speaks_its_own_protocol(site: Site) -> None:
    """ECS, Auto Scaling, EC2 and STS share one port; the signature tells them apart."""
    site.client("ecs").list_tasks(startedBy="a-1")
    site.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["g"])
    site.client("ec2").describe_instances(Filters=[{"Name": "instance-id", "Values": ["i-1", "i-2"]}])
    site.client("sts").get_caller_identity()
    assert site.backend.asked == [
        ("ecs", "ListTasks", {"startedBy": "a-1"}),
        ("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["g"]}),
        ("ec2", "DescribeInstances", {"Filters": [{"Name": "instance-id", "Values": ["i-1", "i-2"]}]}),
        ("sts", "GetCallerIdentity", {}),
    ]


def test_paginators_follow_the_tokens(site: Site) -> None:
    """boto3's own paginator asks until there is no token."""
    pages: dict[str | None, dict[str, Any]] = {
        None: {"taskArns": ["t-1"], "nextToken": "more"},
        "more": {"taskArns": ["t-2"]},
    }
    site.backend.answers["ListTasks"] = lambda params: pages[params.get("nextToken")]
    found = site.client("ecs").get_paginator("list_tasks").paginate(startedBy="a-1")
    assert [page["taskArns"] for page in found] == [["t-1"], ["t-2"]]


@pytest.mark.parametrize(
    ("service", "method", "operation"),
    [
        ("ecs", "list_tasks", "ListTasks"),
        ("autoscaling", "describe_auto_scaling_groups", "DescribeAutoScalingGroups"),
        ("ec2", "describe_instances", "DescribeInstances"),
    ],
)
def test_refusals_and_mistakes_are_client_errors(
    site: Site, caplog: pytest.LogCaptureFixture, service: str, method: str, operation: str
) -> None:
    """A refusal keeps its code; a mistake of the simulation is AWS's InternalFailure, and is logged."""
    call = getattr(site.client(service), method)
    site.backend.answers[operation] = ApiError("SomeCode", "because", http_status=409)
    with pytest.raises(ClientError) as refused:
        call()
    site.backend.answers[operation] = ZeroDivisionError("a mistake")
    with pytest.raises(ClientError) as failed:
        call()
    assert refused.value.response["Error"]["Code"] == "SomeCode"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert failed.value.response["Error"]["Code"] == "InternalFailure"
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert [record.levelno for record in caplog.records if "simulated" in record.name] == [logging.ERROR]


def test_an_answer_that_aws_could_not_give_is_a_mistake(site: Site) -> None:
    """A misspelt member of an answer fails loudly instead of vanishing on the way."""
    site.backend.answers["ListTasks"] = {"taskArn": []}
    with pytest.raises(ClientError, match="InternalFailure"):
        site.client("ecs").list_tasks()


def test_a_modelled_error_has_its_own_class(site: Site) -> None:
    """boto3 finds the exception of the code."""
    client = site.client("ecs")
    site.backend.answers["ListTasks"] = ApiError("ClusterNotFoundException", "Cluster not found.")
    with pytest.raises(client.exceptions.ClusterNotFoundException):
        client.list_tasks()


def test_a_dropped_connection_gives_no_answer(site: Site) -> None:
    """The call has reached the account, the caller cannot know it, and the front serves on."""
    client = site.client("ecs")
    site.backend.answers["StartTask"] = ConnectionDropped()
    with pytest.raises(ConnectionClosedError):
        client.start_task(**START)
    assert site.backend.asked == [("ecs", "StartTask", START)]
    assert client.list_tasks()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_unsigned_request_is_refused(site: Site) -> None:
    """Without a signature there is no service to ask."""
    with pytest.raises(HTTPError) as caught:
        site.post("/", b"Action=GetCallerIdentity&Version=2011-06-15")
    with caught.value as response:
        assert response.code == 403
        assert b"<Code>MissingAuthenticationToken</Code>" in response.read()


def test_the_clock_can_be_read(site: Site) -> None:
    """Another process learns how the account's time runs."""
    assert site.get("/_simulation/clock") == {"epoch_ms": 1_000, "rate": 10.0, "now_ms": 2_000}


def test_the_journal_can_be_followed(site: Site) -> None:
    """A reader that has seen N entries asks for those after them."""
    site.backend.journal = StandInJournal([{"n": 1}, {"n": 2}, {"n": 3}])
    assert site.get("/_simulation/journal") == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert site.get("/_simulation/journal?after=2") == [{"n": 3}]
    assert site.get("/_simulation/journal?after=3") == []


def test_the_journal_is_up_to_date(site: Site) -> None:
    """What is due by now has happened before the journal is shown, without a call in between."""
    site.backend.due = [{"n": 1}]
    assert site.get("/_simulation/journal") == [{"n": 1}]


@pytest.mark.parametrize("after", ["-1", "x", "", "%D9%A1"])
def test_the_journal_refuses_what_is_not_a_number(site: Site, after: str) -> None:
    """`after` counts entries."""
    with pytest.raises(HTTPError) as caught:
        site.get(f"/_simulation/journal?after={after}")
    with caught.value as response:
        assert response.code == 400


def test_a_fault_can_be_added(site: Site) -> None:
    """A fault is handed on as the object it was posted as."""
    assert site.post("/_simulation/faults", b'{"operation": "StartTask"}') == 201
    assert site.faults == [{"operation": "StartTask"}]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_a_fault_that_cannot_be_understood_is_refused(site: Site, body: bytes) -> None:
    """A typing error in a test must not silently add no fault."""
    with pytest.raises(HTTPError) as caught:
        site.post("/_simulation/faults", body)
    with caught.value as response:
        assert response.code == 400
    assert site.faults == []


def test_a_front_without_a_clock_has_no_such_page() -> None:
    """The simulation's pages exist only where they were given something to show."""
    with ThreadedFront(HttpFront(StandIn())) as url, pytest.raises(HTTPError) as caught:
        urlopen(url + "/_simulation/clock", timeout=5)
    with caught.value as response:
        assert response.code == 404


def test_a_stopped_front_listens_no_more() -> None:
    """After the `with` block the port is free."""
    with ThreadedFront(HttpFront(StandIn())) as url:
        client = boto3_client("ecs", url)
        client.list_tasks()
    with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
        client.list_tasks()
    client.close()


def test_a_port_that_is_taken_is_an_error() -> None:
    """The caller hears of it, and no thread is left behind."""
    with ThreadedFront(HttpFront(StandIn())) as url:
        second = ThreadedFront(HttpFront(StandIn()), port=int(url.rpartition(":")[2]))
        with pytest.raises(OSError, match="address already in use"):
            second.__enter__()
