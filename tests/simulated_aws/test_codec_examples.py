"""AWS's published examples, which botocore ships, and generated values survive the way over the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.simulated_aws.codec import codec_of_service
from scheduler.simulated_aws.codec_base import service_model
from tests.simulated_aws.botocore_wire import parsed, request_of, values, with_times

EXAMPLES = {"ecs": (34, 34), "autoscaling": (64, 28), "ec2": (179, 134), "sts": (9, 9)}
"""Requests and answers per service; an example without `input` is a call without parameters."""

MISPRINTED = {("CreateImage", "input"): "'100'", ("DescribeInstanceAttribute", "output"): "'false'"}
"""Two of EC2's examples break their own model: a number and a boolean are written as text."""

USED = {
    "ecs": (
        "StartTask",
        "DescribeTasks",
        "DescribeContainerInstances",
        "RegisterTaskDefinition",
        "ListTasks",
    ),
    "autoscaling": ("DescribeAutoScalingGroups", "SetDesiredCapacity", "DescribeScalingActivities"),
    "ec2": (
        "DescribeInstances",
        "DescribeInstanceTypes",
        "DescribeLaunchTemplateVersions",
        "TerminateInstances",
    ),
    "sts": ("GetCallerIdentity",),
    "logs": ("GetLogEvents", "PutLogEvents"),
}
OPERATIONS = [(service, operation) for service, operations in USED.items() for operation in operations]


def examples(service: str, side: str) -> Iterator[tuple[OperationModel, dict[str, Any]]]:
    published = Loader().load_service_model(service, "examples-1")["examples"]
    for name, of_operation in published.items():
        operation = service_model(service).operation_model(name)
        shape = operation.input_shape if side == "input" else operation.output_shape
        for example in of_operation:
            misprint = MISPRINTED.get((name, side), "no misprint")
            if (side == "input" or "output" in example) and misprint not in str(example.get(side)):
                yield operation, with_times(example.get(side, {}), shape)


@pytest.mark.parametrize("service", EXAMPLES)
def test_every_published_request_is_read_as_it_was_meant(service: str) -> None:
    """What botocore writes for an example's input, the codec reads as that input."""
    codec, met = codec_of_service(service), 0
    for operation, params in examples(service, "input"):
        call = codec.read_call(*request_of(operation, params))
        assert (call.service, call.operation, call.params) == (service, operation.name, params)
        met += 1
    assert met == EXAMPLES[service][0]


@pytest.mark.parametrize("service", EXAMPLES)
def test_every_published_answer_is_written_as_it_was_meant(service: str) -> None:
    """What the codec writes for an example's output, botocore reads as that output."""
    codec, met = codec_of_service(service), 0
    for operation, result in examples(service, "output"):
        answer = parsed(operation, codec.write_result(operation.name, result, "r-1"))
        assert answer.pop("ResponseMetadata")["RequestId"] == "r-1"
        assert answer == result
        met += 1
    assert met == EXAMPLES[service][1]


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_request_survives(service: str, name: str, data: st.DataObject) -> None:
    """Whatever boto3 may be asked to send reaches the account unchanged."""
    operation = service_model(service).operation_model(name)
    params = data.draw(values(operation.input_shape)) if operation.input_shape else {}
    assert codec_of_service(service).read_call(*request_of(operation, params)).params == params


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_answer_survives(service: str, name: str, data: st.DataObject) -> None:
    """Whatever the account may answer reaches boto3's caller unchanged."""
    operation = service_model(service).operation_model(name)
    result = data.draw(values(operation.output_shape)) if operation.output_shape else {}
    answer = parsed(operation, codec_of_service(service).write_result(name, result, "r-1"))
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert answer == result
