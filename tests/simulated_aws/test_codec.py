"""Which codec speaks, what is refused and in which words, and forms that no simulated service uses."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from scheduler.simulated_aws.codec import codec_of_request, codec_of_service, codec_of_stray
from scheduler.simulated_aws.codec_base import Mismatch, service_model
from scheduler.simulated_aws.codec_query import QueryCodec, QueryDialect
from scheduler.simulated_aws.errors import ApiError
from tests.simulated_aws.botocore_wire import parsed, request_of

ECS_TARGET = "AmazonEC2ContainerServiceV20141113"
LAUNCHED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def signed_for(service: str) -> dict[str, str]:
    scope = f"Credential=AKID/20260102/eu-west-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}


def refusal(service: str, headers: dict[str, str], body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        codec_of_service(service).read_call(headers, body)
    return caught.value


@pytest.mark.parametrize("service", ["ecs", "autoscaling", "ec2", "sts", "logs"])
def test_the_credential_scope_names_the_service(service: str) -> None:
    """A request goes to the service it was signed for."""
    assert codec_of_request(signed_for(service)) is codec_of_service(service)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationToken"),
        ({"Authorization": "Bearer x"}, "IncompleteSignature"),
        (signed_for("s3"), "InvalidAction"),
        (signed_for("../ecs"), "IncompleteSignature"),
    ],
)
def test_a_request_of_no_simulated_service_is_refused(headers: dict[str, str], code: str) -> None:
    """Without a credential scope, or with another service's, nobody speaks for a request."""
    with pytest.raises(ApiError) as caught:
        codec_of_request(headers)
    assert caught.value.code == code


def test_a_stray_request_is_refused_in_the_form_it_came_in() -> None:
    """A target header asks for a JSON error, anything else gets XML."""
    assert codec_of_stray({"X-Amz-Target": "Some.Thing"}) is codec_of_service("ecs")
    assert codec_of_stray({}) is codec_of_service("sts")


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (b"{", ""),
        (b"\xff", ""),
        (b"[]", ""),
        (b"[" * 100_000, ""),
        (b'{"tasks": "a"}', "tasks"),
        (b'{"tasks": [1]}', "tasks"),
        (b'{"cluster": true}', "cluster"),
    ],
)
def test_malformed_json_is_a_serialization_exception(body: bytes, member: str) -> None:
    """JSON that is broken or of other types is refused, and the member is named."""
    error = refusal("ecs", {"X-Amz-Target": f"{ECS_TARGET}.DescribeTasks"}, body)
    assert error.code == "SerializationException"
    assert error.message.startswith(member)


def test_json_ignores_unknown_members_and_null() -> None:
    """A newer client's members are ignored, and null is absent."""
    body = b'{"tasks": ["a"], "cluster": null, "invented": 1}'
    call = codec_of_service("ecs").read_call({"X-Amz-Target": f"{ECS_TARGET}.DescribeTasks"}, body)
    assert call.params == {"tasks": ["a"]}


@pytest.mark.parametrize("target", ["", "StartTask", f"{ECS_TARGET}.Invent", "Logs_20140328.StartTask"])
def test_an_unknown_target_is_an_unknown_operation(target: str) -> None:
    """A JSON service knows its own prefix and operations only."""
    assert refusal("ecs", {"X-Amz-Target": target}, b"{}").code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("service", "form", "code"),
    [
        ("autoscaling", "Version=2011-01-01", "MissingAction"),
        ("autoscaling", "Action=SetDesiredCapacity&Version=2010-08-01", "NoSuchVersion"),
        ("autoscaling", "Action=Invent&Version=2011-01-01", "InvalidAction"),
        ("autoscaling", "Action=SetDesiredCapacity&Version=2011-01-01&DesiredCapacity=x", "ValidationError"),
        ("autoscaling", "Action=SetDesiredCapacity&Version=2011-01-01&HonorCooldown=1", "ValidationError"),
        ("autoscaling", "Action=DetachInstances&Version=2011-01-01&InstanceIds=i-1", "ValidationError"),
        (
            "autoscaling",
            "Action=DetachInstances&Version=2011-01-01&InstanceIds.member.a=i",
            "ValidationError",
        ),
        ("autoscaling", "Action=A&Version=2011-01-01&B=1&B.C=2", "MalformedQueryString"),
        ("ec2", "Action=DescribeInstances&Version=2016-11-15&MaxResults=many", "InvalidParameterValue"),
        ("ec2", "Action=DescribeInstances&Version=2016-11-15&Invented=1", "UnknownParameter"),
        ("ec2", "Action=DescribeInstances&Version=2016-11-15&Filter.1.Invented=1", "UnknownParameter"),
    ],
)
def test_a_malformed_form_is_refused_in_the_service_s_own_words(service: str, form: str, code: str) -> None:
    """Auto Scaling and EC2 have their own codes; only EC2 refuses parameters it does not know."""
    assert refusal(service, {}, form.encode()).code == code


def test_query_ignores_unknown_members() -> None:
    """Auto Scaling does not mind a member that it does not know."""
    form = b"Action=DescribeAutoScalingGroups&Version=2011-01-01&Invented=1&AutoScalingGroupNames="
    assert codec_of_service("autoscaling").read_call({}, form).params == {"AutoScalingGroupNames": []}


FRAGMENTS = [
    "Action=TerminateInstances",
    "Version=2016-11-15",
    "InstanceId",
    ".1",
    ".x",
    "=",
    "&",
    "i-1",
    "%ff",
]


@given(
    st.binary(max_size=40) | st.lists(st.sampled_from(FRAGMENTS)).map(lambda parts: "".join(parts).encode())
)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """No request, however broken, is answered with anything but a refusal in AWS's words."""
    for service in ("ecs", "ec2", "autoscaling"):
        with suppress(ApiError):
            codec_of_service(service).read_call({"X-Amz-Target": f"{ECS_TARGET}.DescribeTasks"}, body)


def test_items_are_in_the_order_of_their_numbers() -> None:
    """The tenth item comes after the second, wherever it stands in the form."""
    numbered = "&".join(f"InstanceId.{n}=i-{n}" for n in (10, 1, 2))
    call = codec_of_service("ec2").read_call(
        {}, f"Action=TerminateInstances&Version=2016-11-15&{numbered}".encode()
    )
    assert call.params == {"InstanceIds": ["i-1", "i-2", "i-10"]}


@pytest.mark.parametrize("service", ["ecs", "autoscaling", "ec2", "sts"])
def test_botocore_reads_errors(service: str) -> None:
    """Code, message, status and request id of an error arrive in each protocol's own form."""
    error = ApiError("SomeCode", "not <this> & that", http_status=503)
    model = service_model(service)
    answer = codec_of_service(service).write_error(error, "r-1")
    found = parsed(model.operation_model(model.operation_names[0]), answer)
    assert found["Error"]["Code"] == "SomeCode"
    assert found["Error"]["Message"] == "not <this> & that"
    assert found["ResponseMetadata"]["RequestId"] == "r-1"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_json_error_names_its_code_twice() -> None:
    """SDKs look for the code in the body or in a header."""
    answer = codec_of_service("ecs").write_error(ApiError("ClientException", "no"), "r-1")
    assert json.loads(answer.body) == {"__type": "ClientException", "message": "no"}
    assert answer.headers["x-amzn-ErrorType"] == "ClientException"
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize(
    ("service", "operation", "result", "path"),
    [
        ("ecs", "DescribeTasks", {"tasks": [{"lastStatsu": "RUNNING"}]}, "tasks.lastStatsu"),
        ("ecs", "DescribeTasks", {"tasks": [{"version": "1"}]}, "tasks.version"),
        (
            "ecs",
            "DescribeTasks",
            {"tasks": [{"createdAt": LAUNCHED.replace(tzinfo=None)}]},
            "tasks.createdAt",
        ),
        ("ec2", "DescribeInstances", {"Reservations": [{"Instance": []}]}, "Reservations.Instance"),
        ("ec2", "DescribeInstances", {"Reservations": {}}, "Reservations"),
        ("sts", "GetCallerIdentity", {"Account": 1}, "Account"),
    ],
)
def test_an_answer_that_aws_could_not_give_is_a_mismatch(
    service: str, operation: str, result: dict[str, Any], path: str
) -> None:
    """A misspelt member, another type or a naive time is a mistake of the simulation, and is named."""
    with pytest.raises(Mismatch) as caught:
        codec_of_service(service).write_result(operation, result, "r-1")
    assert ".".join(caught.value.path) == path


@pytest.mark.parametrize(
    ("service", "operation", "result"),
    [
        ("ecs", "DescribeTasks", {"tasks": [{"createdAt": LAUNCHED, "stoppedAt": None}]}),
        (
            "autoscaling",
            "DescribeAutoScalingGroups",
            {"AutoScalingGroups": [{"CreatedTime": LAUNCHED, "Tags": []}]},
        ),
        ("ec2", "DescribeInstances", {"Reservations": [{"Instances": [{"LaunchTime": LAUNCHED}]}]}),
    ],
)
def test_milliseconds_survive_and_none_is_absent(
    service: str, operation: str, result: dict[str, Any]
) -> None:
    """Times keep their milliseconds, empty lists are there, and None is not."""
    found = parsed(
        service_model(service).operation_model(operation),
        codec_of_service(service).write_result(operation, result, "r-1"),
    )
    assert str(LAUNCHED.year) in str(found)
    assert "678000" in str(found)
    assert "stoppedAt" not in str(found)


def test_characters_that_xml_cannot_carry_are_replaced() -> None:
    """A control character in a text must not make the whole answer unreadable."""
    answer = codec_of_service("sts").write_result("GetCallerIdentity", {"Arn": "a\x00b\r"}, "r-1")
    assert parsed(service_model("sts").operation_model("GetCallerIdentity"), answer)["Arn"] == "a\ufffdb\r"


FLATTENED = ServiceModel(
    {
        "metadata": {
            "protocol": "query",
            "apiVersion": "1",
            "xmlNamespace": "urn:x",
            "endpointPrefix": "x",
            "serviceId": "x",
        },
        "operations": {
            "Echo": {
                "name": "Echo",
                "http": {"method": "POST", "requestUri": "/"},
                "input": {"shape": "Said"},
                "output": {"shape": "Said", "resultWrapper": "EchoResult"},
            }
        },
        "shapes": {
            "Text": {"type": "string"},
            "Plain": {"type": "list", "member": {"shape": "Text"}, "flattened": True},
            "Named": {"type": "list", "member": {"shape": "Text", "locationName": "Item"}, "flattened": True},
            "Entries": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
            "Pairs": {
                "type": "map",
                "flattened": True,
                "key": {"shape": "Text", "locationName": "K"},
                "value": {"shape": "Text", "locationName": "V"},
            },
            "Said": {
                "type": "structure",
                "members": {
                    "Plain": {"shape": "Plain"},
                    "Named": {"shape": "Named"},
                    "Entries": {"shape": "Entries"},
                    "Pairs": {"shape": "Pairs"},
                    "Deeper": {"shape": "Said"},
                },
            },
        },
    },
    "x",
)
SAID = {
    "Plain": ["a", "b"],
    "Named": ["c", "d"],
    "Entries": {"k": "v", "l": "w"},
    "Pairs": {"m": "x", "n": "y"},
}


def test_flattened_lists_maps_and_shapes_within_themselves_survive() -> None:
    """The query protocol's forms that no simulated service uses today, for the service that will."""
    codec, operation = QueryCodec(FLATTENED, QueryDialect()), FLATTENED.operation_model("Echo")
    said = {**SAID, "Deeper": {**SAID, "Deeper": SAID}}
    assert codec.read_call(*request_of(operation, said)).params == said
    answer = parsed(operation, codec.write_result("Echo", said, "r-1"))
    del answer["ResponseMetadata"]
    assert answer == said
