"""The meter counts requests of AWS, whoever makes them."""

from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.meter import Meter, metered

METADATA = {"RequestId": "r", "HTTPStatusCode": 200, "HTTPHeaders": {}, "HostId": ""}


class Repeating:
    """A client that sent each request three times before it got its answer."""

    def describe_tasks(self, **params: Any) -> dict[str, Any]:
        return {"tasks": [], "ResponseMetadata": METADATA | {"RetryAttempts": 2}}

    def list_tasks(self, **params: Any) -> dict[str, Any]:
        error: Any = {"Error": {"Code": "Throttling"}, "ResponseMetadata": METADATA | {"RetryAttempts": 2}}
        raise ClientError(error, "ListTasks")

    def start_task(self, **params: Any) -> dict[str, Any]:
        return {}


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def clients(meter: Meter) -> AwsClients:
    each: Any = Repeating()
    fields: dict[str, Any] = dict.fromkeys(AwsClients.__dataclass_fields__, each) | {"region": "eu-west-1"}
    return metered(AwsClients(**fields), meter)


def test_what_the_sdk_repeats_is_counted(clients: AwsClients, meter: Meter) -> None:
    """botocore asks again by itself when a reading is throttled; AWS's bucket pays each time."""
    clients.ecs.describe_tasks()
    assert meter.requests == 3


def test_refusals_are_counted(clients: AwsClients, meter: Meter) -> None:
    """So it does for an answer that never came."""
    with pytest.raises(ClientError):
        clients.ecs.list_tasks()
    assert meter.requests == 3


def test_acts_are_counted(clients: AwsClients, meter: Meter) -> None:
    """An act is one request, which is never repeated."""
    clients.ecs_once.start_task()
    assert meter.requests == 1


def test_each_thread_counts_its_own(clients: AwsClients, meter: Meter) -> None:
    """What another call makes at the same time is not charged to this one."""
    other = Thread(target=clients.ecs.describe_tasks)
    other.start()
    other.join()
    assert meter.requests == 0
