"""What reaches Datadog's agent and Datadog's API, over real sockets."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from datadog.api.api_client import APIClient
from datadog.api.exceptions import DatadogException

from scheduler.adapters.datadog.bundle import NoticeDigest, Series
from scheduler.adapters.datadog.intake import EVENT_TAGS, AgentIntake, ApiIntake, Refused, intake_for
from scheduler.config import DatadogAgent
from scheduler.ports.telemetry import Metric, Title
from tests.adapters.datadog_intakes import KEY, FakeApi, datadog_settings, fake_api, udp_agent, unix_agent
from tests.clocks import START_MS, VirtualClock

pytestmark = pytest.mark.timeout(30)

DEPTH = Series(Metric.QUEUE_DEPTH, "team-a", (3,))
CALLS = Series(Metric.AWS_CALLS, "StartTask", (7,))
TIMES = Series(Metric.TIME_TO_RUNNING, "", (1.5, 2.5))
PURGED = NoticeDigest(Title.DISCONNECTED_REPLACED, 2, ("ci: i-1: it is lost", "ci: i-2: it is lost"))

TAGS = "env:test,service:agents"


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's memory of timeouts, and what it would read from the environment."""
    monkeypatch.setattr(APIClient, "_timeout_counter", 0)
    monkeypatch.setattr(APIClient, "_backoff_timestamp", None)
    monkeypatch.setenv("DD_ENV", "of the environment")
    monkeypatch.setenv("DATADOG_TAGS", "of:the-environment")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as api:
        yield api


def an_api_intake(api: FakeApi, timeout_s: float = 5.0) -> ApiIntake:
    return ApiIntake(datadog_settings(api_url=api.url), VirtualClock(), timeout_s=timeout_s)


def test_the_agent_is_sent_every_kind_of_metric() -> None:
    """A gauge, a count and each value of a distribution, under their names and with the tags of all."""
    with udp_agent() as (socket, agent):
        with closing(AgentIntake(datadog_settings(agent), agent)) as intake:
            intake.take_series([DEPTH, CALLS, TIMES])
        assert socket.datagram() == [
            f"ecs_scheduler.queue.depth:3|g|#tenant:team-a,{TAGS}",
            f"ecs_scheduler.aws.calls:7|c|#operation:StartTask,{TAGS}",
            f"ecs_scheduler.task.time_to_running:1.5|d|#{TAGS}",
            f"ecs_scheduler.task.time_to_running:2.5|d|#{TAGS}",
        ]


def test_the_agent_is_sent_events_under_the_known_titles_and_tags() -> None:
    """Users' monitors match both."""
    with udp_agent() as (socket, agent):
        with closing(AgentIntake(datadog_settings(agent), agent)) as intake:
            intake.take_event(PURGED)
        line = socket.line("_e{")
    assert ":bamboo.server.DockerAgentEcsDisconnectedPurgeEvent|count: 2\\nci: i-1: it is lost" in line
    assert line.endswith(f"|#pbc,service_type:pbc_scheduler,service_name:pbc_scheduler,{TAGS}")


def test_a_unix_socket_serves_as_well(tmp_path: Path) -> None:
    """As it is mounted from the container instance, in DD_DOGSTATSD_URL."""
    with unix_agent(tmp_path) as (socket, agent):
        with closing(intake_for(datadog_settings(agent), VirtualClock())) as intake:
            intake.take_series([DEPTH])
        assert socket.datagram() == [f"ecs_scheduler.queue.depth:3|g|#tenant:team-a,{TAGS}"]


def test_an_agent_wins_over_a_key(api: FakeApi) -> None:
    """It knows how to wait for Datadog, and the key stays at home."""
    with udp_agent() as (socket, agent):
        with closing(intake_for(datadog_settings(agent, api.url), VirtualClock())) as intake:
            intake.take_series([DEPTH])
        assert socket.line("ecs_scheduler.queue.depth:3|g")
    assert api.posted.empty()


def test_an_agent_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    """Nor one whose socket is gone: it may come back."""
    agent = DatadogAgent(socket=f"unix://{tmp_path}/nobody")
    intake = AgentIntake(datadog_settings(agent), agent)
    intake.take_series([DEPTH])
    intake.take_event(PURGED)


def test_without_an_agent_the_api_takes_events(api: FakeApi) -> None:
    """With the key, in Datadog's own words, and without the name of the machine."""
    intake_for(datadog_settings(api_url=api.url), VirtualClock()).take_event(PURGED)
    posted = api.posted.get()
    assert (posted.path, posted.key) == ("/api/v1/events", KEY)
    assert posted.body["title"] == "bamboo.server.DockerAgentEcsDisconnectedPurgeEvent"
    assert posted.body["tags"] == [*EVENT_TAGS, "env:test", "service:agents"]
    assert (posted.body["alert_type"], "host" in posted.body) == ("warning", False)


def test_without_an_agent_the_api_takes_metrics(api: FakeApi) -> None:
    """Gauges and counts as series, distributions with all their values."""
    an_api_intake(api).take_series([DEPTH, CALLS, TIMES])
    depth, calls = api.next_to("series")["series"]
    now_s = START_MS // 1000
    assert (depth["metric"], depth["type"], depth["points"]) == (
        "ecs_scheduler.queue.depth",
        "gauge",
        [[now_s, 3.0]],
    )
    assert (calls["type"], calls["tags"]) == ("count", ["operation:StartTask", "env:test", "service:agents"])
    [times] = api.next_to("distribution_points")["series"]
    assert times["points"] == [[now_s, [1.5, 2.5]]]


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_refusal_of_the_api_is_raised(api: FakeApi, status: int) -> None:
    """Whichever way the library tells of it, and without the key."""
    api.status = status
    with pytest.raises((Refused, DatadogException)) as caught:
        an_api_intake(api).take_event(PURGED)
    assert KEY not in str(caught.value)


def test_an_api_that_hangs_is_given_up(api: FakeApi) -> None:
    """After the timeout and without another try."""
    api.hangs = True
    with pytest.raises(DatadogException, match="timed out"):
        an_api_intake(api, timeout_s=0.2).take_event(PURGED)
    assert api.posted.qsize() == 1
