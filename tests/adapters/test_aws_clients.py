"""How the process reaches AWS: clients, region and the first question."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore import exceptions as sdk

from scheduler.adapters.aws.access import AccessProblem, check_access
from scheduler.adapters.aws.clients import AwsClients, ClientSettings, make_clients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.region import RegionUnknown, resolve_region
from scheduler.bootstrap import aws_clients
from scheduler.core.model.answers import Failure
from scheduler.core.model.attempt import StopCategory
from scheduler.ports.cloud import CloudError, TaskLaunch
from scheduler.services.lanes import default_limits
from tests.adapters.test_aws_failures import URL, refused

NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
CLUSTER_ARN = "arn:aws:ecs:ap-southeast-2:123456789012:cluster/ci"
TASK_ARN = "arn:aws:ecs:us-west-2:123456789012:task/ci/0123456789abcdef0123456789abcdef"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A session in which neither the environment nor a profile names a region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    return boto3.Session(aws_access_key_id="id", aws_secret_access_key="secret")


class _TaskMetadata(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"TaskARN": TASK_ARN}).encode()
        self.send_response(200 if self.path == "/v4/0/task" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is worth a line on stderr."""


@pytest.fixture
def task_metadata_uri() -> Iterator[str]:
    """A task metadata endpoint on the loopback."""
    with HTTPServer(("127.0.0.1", 0), _TaskMetadata) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v4/0"
        server.shutdown()
        thread.join()


class TestRegion:
    def test_aws_region_comes_first(self, session: boto3.Session) -> None:
        """boto3 alone would not see it."""
        environment = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}
        assert resolve_region(environment, session, CLUSTER_ARN) == "eu-west-1"

    def test_an_empty_variable_is_no_region(self, session: boto3.Session) -> None:
        """The default region is next."""
        environment = {"AWS_REGION": " ", "AWS_DEFAULT_REGION": "us-east-1"}
        assert resolve_region(environment, session, CLUSTER_ARN) == "us-east-1"

    def test_the_sessions_profile_is_next(self) -> None:
        """A region in the profile is nearer than the cluster's ARN."""
        assert resolve_region({}, boto3.Session(region_name="eu-north-1"), CLUSTER_ARN) == "eu-north-1"

    def test_a_task_of_ecs_knows_its_region(self, session: boto3.Session, task_metadata_uri: str) -> None:
        """The task metadata endpoint names our own task's ARN."""
        environment = {**NO_METADATA, "ECS_CONTAINER_METADATA_URI_V4": task_metadata_uri}
        assert resolve_region(environment, session, CLUSTER_ARN) == "us-west-2"

    def test_a_foreign_metadata_address_is_not_asked(self, session: boto3.Session) -> None:
        """Only loopback and link-local addresses can be the endpoint."""
        environment = {**NO_METADATA, "ECS_CONTAINER_METADATA_URI_V4": "http://192.0.2.1/v4"}
        assert resolve_region(environment, session, CLUSTER_ARN) == "ap-southeast-2"

    def test_the_clusters_arn_is_the_last_resort(self, session: boto3.Session) -> None:
        """A cluster named by its ARN names its region."""
        assert resolve_region(NO_METADATA, session, CLUSTER_ARN) == "ap-southeast-2"

    def test_no_region_at_all_says_what_to_set(self, session: boto3.Session) -> None:
        """One line that names the remedy."""
        with pytest.raises(RegionUnknown, match="set AWS_REGION"):
            resolve_region(NO_METADATA, session, "ci")


class TestClients:
    def test_acts_are_sent_once_and_reads_a_few_times(self, session: boto3.Session) -> None:
        """StartTask has no client token: a repeated one starts a second task."""
        clients: Any = make_clients(session, ClientSettings(region="eu-west-1"))
        attempts = {
            name: getattr(clients, name).meta.config.retries["total_max_attempts"]
            for name in ("ecs", "ecs_once", "autoscaling", "autoscaling_once", "ec2", "ec2_once", "sts")
        }
        clients.close()
        acts = {name for name, total in attempts.items() if total == 1}
        assert acts == {"ecs_once", "autoscaling_once", "ec2_once"}
        assert {total for name, total in attempts.items() if name not in acts} == {3}

    def test_every_call_has_a_timeout_and_a_connection(self, session: boto3.Session) -> None:
        """Settings reach botocore."""
        settings = ClientSettings(region="eu-west-1", endpoint_url=URL, max_pool_connections=7)
        clients: Any = make_clients(session, settings)
        config = clients.ecs_once.meta.config
        clients.close()
        assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (3.0, 10.0, 7)
        assert clients.ecs.meta.endpoint_url == URL

    def test_the_service_has_a_connection_for_every_call_at_once(self, session: boto3.Session) -> None:
        """Calls that wait for a connection would wait for those of other lanes."""
        clients: Any = aws_clients("eu-west-1", endpoint_url=URL, session=session)
        clients.close()
        at_once = sum(limit.at_once for limit in default_limits(0.5).values())
        assert clients.ecs.meta.config.max_pool_connections >= at_once


@pytest.fixture
def silent_port() -> Iterator[socket.socket]:
    """A port that is bound, and refuses connections until the test makes it listen. It never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


class TestNetwork:
    def start_task(self, session: boto3.Session, port: socket.socket) -> Failure:
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        settings = ClientSettings(region="eu-west-1", endpoint_url=url, read_timeout_s=0.2)
        clients = make_clients(session, settings)
        launch = TaskLaunch(
            started_by="a", container_instance_arn="i", task_definition_arn="d:1", overrides={}, tags={}
        )
        with pytest.raises(CloudError) as caught:
            AwsCloud(clients, cluster="ci").start_task(launch)
        clients.close()
        return caught.value.failure

    def test_a_refused_connection_is_definite(
        self, session: boto3.Session, silent_port: socket.socket
    ) -> None:
        """Nothing was sent; the task is not to blame and waits."""
        failure = self.start_task(session, silent_port)
        assert (failure.definite, failure.code) == (True, "EndpointConnectionError")
        assert failure.reason is not None
        assert failure.reason.category is StopCategory.CAPACITY

    def test_a_late_answer_is_unknown_and_not_asked_for_again(
        self, session: boto3.Session, silent_port: socket.socket
    ) -> None:
        """One connection was made, and a task may be running."""
        silent_port.listen()
        failure = self.start_task(session, silent_port)
        assert (failure.definite, failure.code) == (False, "ReadTimeoutError")
        silent_port.setblocking(False)
        silent_port.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent_port.accept()


class _Answering:
    """A client whose every operation answers, or raises, the same."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        def operation(**_: Any) -> dict[str, Any]:
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return operation


def clients_answering(sts: dict[str, Any] | Exception, ecs: dict[str, Any] | Exception) -> AwsClients:
    fake_sts: Any = _Answering(sts)
    fake_ecs: Any = _Answering(ecs)
    others: Any = _Answering({})
    return AwsClients(
        region="eu-west-1",
        ecs=fake_ecs,
        ecs_once=others,
        autoscaling=others,
        autoscaling_once=others,
        ec2=others,
        ec2_once=others,
        sts=fake_sts,
    )


IDENTITY = {"Arn": "arn:aws:iam::123456789012:role/scheduler"}
EMPTY: dict[str, Any] = {"containerInstanceArns": []}
PROBLEMS = [
    (sdk.NoCredentialsError(), EMPTY, "No AWS credentials"),
    (refused("InvalidClientTokenId", 403, "The security token is invalid"), EMPTY, "refuses the credentials"),
    (IDENTITY, sdk.EndpointConnectionError(endpoint_url=URL), "cannot be reached in eu-west-1"),
    (IDENTITY, refused("ClusterNotFoundException"), "No ECS cluster with the name ci in eu-west-1"),
    (
        IDENTITY,
        refused("AccessDeniedException", message="not authorized"),
        "may not do what the service needs",
    ),
    (IDENTITY, refused("ServerException", 500), "does not answer as it should"),
]


class TestAccess:
    def test_access_tells_who_we_are(self) -> None:
        """The caller's ARN is worth a line in the log."""
        assert check_access(clients_answering(IDENTITY, EMPTY), "ci") == IDENTITY["Arn"]

    def test_a_network_without_sts_is_no_problem(self) -> None:
        """Private networks often have ECS's endpoint and not STS's."""
        unreachable = sdk.ConnectTimeoutError(endpoint_url=URL)
        assert check_access(clients_answering(unreachable, EMPTY), "ci") == ""

    @pytest.mark.parametrize(("sts", "ecs", "sentence"), PROBLEMS, ids=lambda each: str(each)[:40])
    def test_every_problem_is_one_clear_line(self, sts: Any, ecs: Any, sentence: str) -> None:
        """An operator reads one sentence, never a traceback."""
        with pytest.raises(AccessProblem, match=sentence) as caught:
            check_access(clients_answering(sts, ecs), "ci")
        assert "\n" not in str(caught.value)
