"""What exceptions and refusals of AWS say about the effect of a call."""

from typing import Any

import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from scheduler.adapters.aws.failures import cloud_errors, failure_of, start_failure_of, start_refusal
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.answers import (
    BELOW_MIN_SIZE,
    DEFINITION_GONE,
    INSTANCE_UNFIT,
    INSTANCE_UNKNOWN,
    NOT_A_MEMBER,
    NOT_IN_SERVICE,
    Failure,
)
from scheduler.core.model.attempt import StopCategory
from scheduler.ports.cloud import CloudError

URL = "http://127.0.0.1:1/"
COLLISION = "Too many concurrent attempts to create a new revision of the specified family."


def refused(code: str, status: int = 400, message: str = "") -> sdk.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return sdk.ClientError(response, "StartTask")


THROTTLES = [
    refused("ThrottlingException"),
    refused("Throttling"),
    refused("RequestLimitExceeded", status=503),
    refused("SomethingNew", status=429),
    refused("ClientException", message=COLLISION),
]

REJECTIONS = [
    refused("AccessDeniedException"),
    refused("InvalidParameterException"),
    refused("ClientException", message="Invalid revision number"),
    refused("ClusterNotFoundException"),
    refused("LimitExceededException"),
    sdk.ParamValidationError(report="startedBy"),
]

PASSING = [
    refused("ExpiredTokenException"),
    refused("UnrecognizedClientException"),
    sdk.EndpointConnectionError(endpoint_url=URL),
    sdk.ConnectTimeoutError(endpoint_url=URL),
    sdk.ProxyConnectionError(proxy_url=URL),
    sdk.NoCredentialsError(),
    sdk.CredentialRetrievalError(provider="web-identity", error_msg="denied"),
]

UNKNOWN = [
    refused("ServerException", status=500),
    refused("ServiceUnavailable", status=503),
    refused("502", status=502),
    refused("403", status=403, message="<html><h1>Forbidden</h1></html>"),
    refused("Unknown", status=403),
    refused("", status=400),
    refused("RequestTimeout"),
    refused("NoStatus", status=0),
    sdk.ReadTimeoutError(endpoint_url=URL),
    sdk.ConnectionClosedError(endpoint_url=URL),
    sdk.HTTPClientError(error=OSError("reset")),
    sdk.SSLError(endpoint_url=URL, error=OSError("decrypt")),
    ResponseParserError("not JSON"),
]


@pytest.mark.parametrize("error", THROTTLES, ids=str)
def test_a_throttled_call_had_no_effect_and_blames_nobody(error: Exception) -> None:
    """Throttling is the account's condition: definite, and never the task's end."""
    failure = start_failure_of(error)
    assert (failure.definite, failure.throttled) == (True, True)
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.CAPACITY


@pytest.mark.parametrize("error", REJECTIONS, ids=str)
def test_a_refused_request_is_rejected_for_good(error: Exception) -> None:
    """AWS would refuse it again: permanent errors are never retried."""
    failure = start_failure_of(error)
    assert (failure.definite, failure.throttled) == (True, False)
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.REJECTED


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_a_call_that_never_got_through_is_not_the_tasks_fault(error: Exception) -> None:
    """No connection and no valid credentials are definite, and pass: AWS judged nothing that was asked."""
    failure = start_failure_of(error)
    assert (failure.definite, failure.throttled, failure.never_reached) == (True, False, True)
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.CAPACITY


@pytest.mark.parametrize("error", [*THROTTLES, *REJECTIONS, *UNKNOWN], ids=str)
def test_whatever_aws_answered_has_reached_it(error: Exception) -> None:
    """Nor is it said of a call that may have."""
    assert not failure_of(error).never_reached


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDenied", True),
        ("AccessDeniedException", True),
        ("UnauthorizedOperation", True),
        ("OperationNotPermitted", False),
        ("ExpiredToken", False),
        ("ClientException", False),
    ],
)
def test_what_iam_does_not_allow_is_told_from_other_refusals(code: str, expected: bool) -> None:
    """It is refused for whichever instance, and what EC2 says of a protected one is about that one."""
    assert failure_of(refused(code, status=403)).forbidden is expected


@pytest.mark.parametrize("error", UNKNOWN, ids=str)
def test_a_lost_late_or_unreadable_answer_is_unknown(error: Exception) -> None:
    """The effect may have happened; there is no reason yet, since nothing has failed for sure."""
    failure = start_failure_of(error)
    assert not failure.definite
    assert failure.reason is None


def test_a_failure_keeps_awss_own_words() -> None:
    """Code and message of the error answer are kept as they were."""
    failure = failure_of(refused("ClientException", message="Invalid revision number"))
    assert (failure.code, failure.message) == ("ClientException", "Invalid revision number")
    assert failure.reason is None


@pytest.mark.parametrize("message", ["TaskDefinition is inactive", "TaskDefinition not found."])
def test_a_revision_that_is_gone_is_no_fault_of_the_task(message: str) -> None:
    """Its configuration can be registered anew."""
    failure = start_failure_of(refused("ClientException", message=message))
    assert (failure.definite, failure.blames_request, failure.code) == (True, False, DEFINITION_GONE)
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.CAPACITY


INSTANCE_REFUSALS = [
    refused("ClientException", message="The container instance is not in the ACTIVE state."),
    refused("InvalidParameterException", message="Container instance is DRAINING."),
    refused("ClientException", message="arn:aws:ecs:eu-west-1:1:container-instance/ci/1 is not active"),
]


@pytest.mark.parametrize("error", INSTANCE_REFUSALS, ids=str)
def test_a_start_that_is_refused_for_its_container_instance_may_go_to_another(error: Exception) -> None:
    """Somebody drained it between two readings: that is no fault of the task."""
    failure = start_failure_of(error)
    assert (failure.definite, failure.blames_request, failure.code) == (True, False, INSTANCE_UNFIT)
    assert failure.reason is not None
    assert (failure.reason.category, failure.reason.code) == (StopCategory.CAPACITY, INSTANCE_UNFIT)


def test_only_a_start_may_go_to_another_container_instance() -> None:
    """Of other calls a text that names one stays what it is."""
    failure = failure_of(INSTANCE_REFUSALS[0])
    assert (failure.blames_request, failure.code) == (True, "ClientException")


MEANINGS = [
    ("ValidationError", "The instance i-1 is not in InService or Standby.", NOT_IN_SERVICE),
    ("ValidationError", "The instance i-1 is not part of Auto Scaling group ci.", NOT_A_MEMBER),
    (
        "ValidationError",
        "AutoScalingGroup ci has min-size=1, max-size=50, and desired-size=1. To detach 1 instance, "
        "please update the AutoScalingGroup sizes appropriately.",
        BELOW_MIN_SIZE,
    ),
    ("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", INSTANCE_UNKNOWN),
    ("InvalidInstanceID.Malformed", 'Invalid id: "x"', INSTANCE_UNKNOWN),
]


@pytest.mark.parametrize(("code", "message", "meaning"), MEANINGS)
def test_what_aws_says_of_the_state_of_things_has_a_code(code: str, message: str, meaning: str) -> None:
    """It decides what is done next; the words are kept. It may be otherwise soon, so it blames no request."""
    failure = failure_of(refused(code, message=message))
    assert (failure.definite, failure.throttled, failure.blames_request) == (True, False, False)
    assert (failure.code, failure.message) == (meaning, message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationError", "List exceeds the maximum number of instances to detach"),
        ("ValidationError", "New SetDesiredCapacity value 2 is above max value 1 for the AutoScalingGroup."),
        ("AccessDenied", "The instance i-1 is not part of Auto Scaling group ci."),
    ],
)
def test_every_other_refusal_keeps_its_code(code: str, message: str) -> None:
    """A ValidationError stands for whatever is wrong with a request."""
    failure = failure_of(refused(code, message=message))
    assert (failure.code, failure.blames_request) == (code, True)


REFUSALS = [
    ("RESOURCE:CPU", StopCategory.CAPACITY),
    ("RESOURCE:MEMORY", StopCategory.CAPACITY),
    ("AGENT", StopCategory.CAPACITY),
    ("MISSING", StopCategory.CAPACITY),
    ("INACTIVE", StopCategory.CAPACITY),
    ("ATTRIBUTE", StopCategory.ATTRIBUTE),
    ("SOMETHING_NEW", StopCategory.CAPACITY),
]


@pytest.mark.parametrize(("reason", "category"), REFUSALS)
def test_failures_of_start_task_are_classified(reason: str, category: StopCategory) -> None:
    """HTTP 200 with `failures[]` is as definite as an answer can be."""
    failure = start_refusal([{"arn": "arn", "reason": reason, "detail": "why"}])
    assert (failure.definite, failure.code, failure.message) == (True, reason, "why")
    assert failure.reason is not None
    assert failure.reason.category is category


def test_several_failure_reasons_are_joined_and_attribute_wins() -> None:
    """A missing attribute stays missing, whatever else the instance lacked."""
    failure = start_refusal([{"reason": "RESOURCE:CPU"}, {"reason": "ATTRIBUTE"}, {"reason": "RESOURCE:CPU"}])
    assert failure.code == "RESOURCE:CPU, ATTRIBUTE"
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.ATTRIBUTE


def test_an_answer_with_no_task_and_no_failure_is_a_failure() -> None:
    """StartTask that says nothing started nothing."""
    failure = start_refusal([])
    assert (failure.definite, failure.code) == (True, "NO_ANSWER")


def test_an_answer_that_lacks_what_it_must_have_is_unknown() -> None:
    """A task without an ARN may still be a task."""
    with pytest.raises(CloudError) as caught, cloud_errors():
        ecs_task({"lastStatus": "RUNNING"})
    assert (caught.value.failure.definite, caught.value.failure.code) == (False, "UNREADABLE_ANSWER")


CUT = "image \ud83d"
"""A text that ends inside of an emoji: it has no UTF-8."""


@pytest.mark.parametrize(
    "failure",
    [
        failure_of(refused("ClientException", message=CUT)),
        start_failure_of(refused("ClientException", message=CUT)),
        start_refusal([{"reason": "AGENT", "detail": CUT}]),
    ],
)
def test_half_a_character_of_aws_can_be_stored(failure: Failure) -> None:
    """What is no text becomes a question mark, in the failure and in its reason."""
    assert failure.message == "image ?"
    assert failure.reason is None or failure.reason.message == "image ?"
