"""Where containers log, and what is made of CloudWatch Logs' answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.adapters.aws import container_logs
from scheduler.adapters.aws.clients import ClientSettings
from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.aws.container_logs import AwsContainerLogs, Destination, destination
from scheduler.adapters.aws.log_clients import LogClients, make_log_clients
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import LogPlace, LogsNotReadable, LogSource
from tests.adapters.test_aws_failures import URL, refused

OPTIONS = {"awslogs-group": "agents", "awslogs-stream-prefix": "prefix"}
AWSLOGS = {"logDriver": "awslogs", "options": OPTIONS}
DEFINITION = {"taskDefinition": {"containerDefinitions": [{"name": "agent", "logConfiguration": AWSLOGS}]}}


def a_source(ecs_task_arn: str = "arn:aws:ecs:us-east-1:1:task/ci/0123") -> LogSource:
    return LogSource(task_definition_arn="definition:1", ecs_task_arn=ecs_task_arn, container="bamboo-agent")


class Answering:
    """A client whose operations answer, or raise, as they were told to; it keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def operation(**params: Any) -> Any:
            self.asked.append((name, params))
            answer = self.answers.get(name, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return operation


def clients(client: Answering, regions: list[str] | None = None) -> LogClients:
    every: Any = client

    def logs_in(region: str) -> Any:
        if regions is not None:
            regions.append(region)
        return every

    return LogClients(region="us-east-1", ecs=every, ec2=every, logs_in=logs_in)


class Contended(str):
    """A name at each look-up of which another thread has its `turn`."""

    turn: Callable[[], object]

    def __hash__(self) -> int:
        self.turn()
        return super().__hash__()


class TestDestination:
    @pytest.mark.parametrize("arn", ["arn:aws:ecs:r:1:task/my-cluster/0123", "arn:aws:ecs:r:1:task/0123"])
    def test_a_stream_is_named_by_the_tasks_id(self, arn: str) -> None:
        """Not by what else stands in a long ARN, which names the cluster."""
        assert destination(AWSLOGS, a_source(arn), "us-east-1") == Destination(
            region="us-east-1", group="agents", stream="prefix/bamboo-agent/0123"
        )

    def test_a_driver_may_write_to_another_region(self) -> None:
        """Its own option wins over the service's region."""
        options = OPTIONS | {"awslogs-region": "eu-west-1"}
        found = destination(AWSLOGS | {"options": options}, a_source(), "us-east-1")
        assert found.region == "eu-west-1"

    @pytest.mark.parametrize(
        ("configuration", "said"),
        [
            ({}, "where its container instance sends it"),
            ({"logDriver": "syslog"}, "with the log driver syslog"),
            ({"logDriver": "awslogs", "options": {"awslogs-group": "agents"}}, "awslogs-stream-prefix"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, configuration: dict[str, Any], said: str) -> None:
        """With the driver, or what the driver lacks."""
        with pytest.raises(LogsNotReadable, match=said):
            destination(configuration, a_source(), "us-east-1")


class TestReading:
    SOURCE = LogSource(task_definition_arn="definition:1", ecs_task_arn="task/1", container="agent")

    def test_half_a_character_is_replaced(self) -> None:
        """JSON may hold half of a pair of surrogates; no message of ours can."""
        page = {"events": [{"timestamp": 1, "message": "a\ud83d"}], "nextForwardToken": "f/1"}
        client = Answering(describe_task_definition=DEFINITION, get_log_events=page)
        [line] = AwsContainerLogs(clients(client)).read(self.SOURCE, LogPlace(), 10).lines
        assert line.text == "a?"

    def test_an_answer_without_a_token_is_a_lost_one(self) -> None:
        """Nobody could go on from it."""
        client = Answering(describe_task_definition=DEFINITION, get_log_events={"events": []})
        with pytest.raises(CloudError, match="UNREADABLE_ANSWER"):
            AwsContainerLogs(clients(client)).read(self.SOURCE, LogPlace(), 10)

    def test_a_container_that_the_definition_lacks_has_no_log(self) -> None:
        """The definition is what was registered."""
        client = Answering(describe_task_definition=DEFINITION)
        with pytest.raises(LogsNotReadable, match="no container bamboo-agent"):
            AwsContainerLogs(clients(client)).read(a_source(), LogPlace(), 10)

    def test_behind_a_token_the_order_is_from_the_head(self) -> None:
        """CloudWatch Logs wants that said with every forward token."""
        page = {"events": [], "nextForwardToken": "f/1"}
        client = Answering(describe_task_definition=DEFINITION, get_log_events=page)
        AwsContainerLogs(clients(client)).read(self.SOURCE, LogPlace(token="f/1"), 10)
        _, params = client.asked[-1]
        assert (params["startFromHead"], params["nextToken"], params["limit"]) == (True, "f/1", 10)

    def test_readers_do_not_take_a_definition_from_each_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When there are more revisions than are remembered, and another thread reads at the same time."""
        monkeypatch.setattr(container_logs, "DEFINITIONS_REMEMBERED", 1)
        page = {"events": [], "nextForwardToken": "f/1"}
        logs = AwsContainerLogs(clients(Answering(describe_task_definition=DEFINITION, get_log_events=page)))
        others = (replace(self.SOURCE, task_definition_arn=f"other:{each}") for each in count())
        contended = Contended("definition:1")
        contended.turn = lambda: logs.read(next(others), LogPlace(), 10)
        source = replace(self.SOURCE, task_definition_arn=contended)
        assert logs.read(source, LogPlace(), 10).token == "f/1"

    @given(st.one_of(st.none(), st.integers(0, 20)))
    def test_a_limit_is_kept(self, last: int | None) -> None:
        """And at least one event is asked for: zero of them cannot be."""
        page = {"events": [], "nextForwardToken": "f/1"}
        client = Answering(describe_task_definition=DEFINITION, get_log_events=page)
        AwsContainerLogs(clients(client)).read(self.SOURCE, LogPlace(last=last), 10)
        assert 1 <= client.asked[-1][1]["limit"] <= 10


class TestConsoles:
    def console(self, output: str) -> dict[str, Any]:
        return {"Output": output, "Timestamp": datetime(2026, 9, 21, tzinfo=UTC)}

    def test_blank_lines_are_left_out(self) -> None:
        """An event has a message."""
        client = Answering(get_console_output=self.console("a\r\n\r\n  \nb"))
        AwsConsoles(clients(client), group="agents").save("i-1")
        _, params = client.asked[-1]
        assert [event["message"] for event in params["logEvents"]] == ["a", "b"]

    def test_a_long_console_is_written_in_batches(self) -> None:
        """Of at most 1 MiB and 10,000 lines each."""
        client = Answering(get_console_output=self.console("x\n" * 25_000))
        AwsConsoles(clients(client), group="agents").save("i-1")
        sizes = [len(params["logEvents"]) for name, params in client.asked if name == "put_log_events"]
        assert sizes == [10_000, 10_000, 5_000]

    def test_what_is_rejected_in_an_answer_is_not_written(self) -> None:
        """CloudWatch Logs answers 200 to events that are too old, and says in it that it took none."""
        rejected = {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}
        client = Answering(get_console_output=self.console("panic"), put_log_events=rejected)
        evidence = AwsConsoles(clients(client), group="agents").save("i-1")
        assert (evidence.output, evidence.stream) == ("panic", "")
        assert "tooOldLogEventEndIndex" in evidence.problem

    def test_a_group_may_be_in_another_region(self) -> None:
        """As the log options say."""
        regions: list[str] = []
        AwsConsoles(clients(Answering(), regions), group="agents", group_region="eu-west-1")
        assert regions == ["eu-west-1"]

    def test_an_empty_console_is_none(self) -> None:
        """Nothing is written."""
        client = Answering(get_console_output={})
        assert AwsConsoles(clients(client), group="agents").save("i-1").problem
        assert len(client.asked) == 1

    def test_a_refusal_of_the_latest_is_asked_again_without(self) -> None:
        """Once."""
        client = Answering(get_console_output=refused("UnsupportedOperation"))
        AwsConsoles(clients(client), group="agents").save("i-1")
        assert [params.get("Latest") for _, params in client.asked] == [True, None]


class TestClients:
    def test_each_region_has_its_client(self) -> None:
        """Made once, when it is first asked for."""
        session = boto3.Session(aws_access_key_id="id", aws_secret_access_key="secret")
        made = make_log_clients(session, ClientSettings(region="us-east-1", endpoint_url=URL))
        assert made.logs_in("us-east-1") is made.logs_in("us-east-1")
        assert made.logs_in("us-east-1") is not made.logs_in("eu-west-1")
        made.close()

    def test_every_call_is_tried_once(self) -> None:
        """Whoever asks decides by himself whether another try is worth its token."""
        session = boto3.Session(aws_access_key_id="id", aws_secret_access_key="secret")
        made: Any = make_log_clients(session, ClientSettings(region="us-east-1", endpoint_url=URL))
        for client in (made.ecs, made.ec2, made.logs_in("us-east-1")):
            assert client.meta.config.retries["total_max_attempts"] == 1
        made.close()
