"""Every request that is really sent to AWS is counted, by its operation and by how it ended."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from scheduler.adapters.aws.clients import AwsClients, ClientSettings, make_clients
from scheduler.adapters.aws.request_counts import count_requests
from scheduler.ports.telemetry import Metric
from tests.services.telling import Recorder

pytestmark = pytest.mark.timeout(60)


@contextmanager
def clients_of(url: str) -> Iterator[tuple[AwsClients, Recorder]]:
    session = boto3.Session(aws_access_key_id="id", aws_secret_access_key="secret")
    settings = ClientSettings(region="us-east-1", endpoint_url=url, read_attempts=2)
    told = Recorder()
    count_requests(session, told)
    clients = make_clients(session, settings)
    yield clients, told
    clients.close()


@contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """An AWS that has one answer for everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"__type": "%s", "message": ""}' % code.encode() if code else b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is worth a line on stderr."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def told_of(told: Recorder) -> list[tuple[Metric, str]]:
    return [(each.metric, each.tag) for each in told.samples]


def test_a_call_is_counted_under_its_operation() -> None:
    """By AWS's own name for it."""
    with answering(200, "") as url, clients_of(url) as (clients, told):
        clients.ecs_once.stop_task(task="t")
    assert told_of(told) == [(Metric.AWS_CALLS, "StopTask")]


def test_throttles_are_counted_one_by_one() -> None:
    """Those too that the SDK repeats by itself, and that nobody would hear of else."""
    with (
        answering(400, "ThrottlingException") as url,
        clients_of(url) as (clients, told),
        pytest.raises(ClientError),
    ):
        clients.ecs.list_tasks()
    assert told_of(told) == [(Metric.AWS_CALLS, "ListTasks"), (Metric.AWS_THROTTLES, "ListTasks")] * 2


def test_other_refusals_are_errors() -> None:
    """A throttle is the account's condition, an error something to look at."""
    with (
        answering(400, "ClusterNotFoundException") as url,
        clients_of(url) as (clients, told),
        pytest.raises(ClientError),
    ):
        clients.ecs_once.stop_task(task="t")
    assert told_of(told) == [(Metric.AWS_CALLS, "StopTask"), (Metric.AWS_ERRORS, "StopTask")]


def test_a_call_without_an_answer_is_an_error() -> None:
    """Nobody listens: what was tried is counted all the same."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with clients_of(url) as (clients, told), pytest.raises(BotoCoreError):
            clients.ecs_once.stop_task(task="t")
    assert told_of(told) == [(Metric.AWS_CALLS, "StopTask"), (Metric.AWS_ERRORS, "StopTask")]
