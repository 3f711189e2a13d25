"""Intakes: who takes series and events. The agent's socket where there is one, else Datadog's API."""

from collections.abc import Sequence
from typing import Any, Protocol

from datadog import initialize
from datadog.api.distributions import Distribution
from datadog.api.events import Event
from datadog.api.metrics import Metric
from datadog.dogstatsd.base import DogStatsd

from scheduler.adapters.datadog.bundle import NoticeDigest, Series
from scheduler.config import DatadogAgent, DatadogSettings
from scheduler.ports.clock import Clock
from scheduler.ports.telemetry import MetricKind

EVENT_TAGS = ["pbc", "service_type:pbc_scheduler", "service_name:pbc_scheduler"]
"""Of the system that this one replaces: users' monitors match them."""

API_TIMEOUT_S = 3.0
"""For connecting and for each piece of the answer. The library's own 60 s would keep a stop waiting."""

SOCKET_TIMEOUT_S = 0.5
"""For an agent that does not read its socket. The library's own is not to wait at all, and to lose what does
not fit into the socket's buffer at once."""


class Refused(Exception):
    """The API answered, and did not take it."""


class Intake(Protocol):
    """Who calls: the sender's thread alone. Anything raised means that it was not taken, or perhaps was."""

    def take_series(self, series: Sequence[Series]) -> None:
        """Takes what has gathered."""
        ...

    def take_event(self, event: NoticeDigest) -> None:
        """Takes one event."""
        ...

    def close(self) -> None:
        """Releases its connection; nothing is taken afterwards."""
        ...


def intake_for(settings: DatadogSettings, clock: Clock) -> Intake:
    """The agent's socket if there is an agent, else the API; `clock` shows real time."""
    return AgentIntake(settings, settings.agent) if settings.agent else ApiIntake(settings, clock)


class AgentIntake:
    """DogStatsD over UDP or a Unix socket, many values a datagram. What an agent loses, nobody learns of."""

    def __init__(self, settings: DatadogSettings, agent: DatadogAgent) -> None:
        """Nothing is connected before something is sent."""
        self._statsd = DogStatsd(
            host=agent.host or None,
            port=agent.port if agent.host else None,
            socket_path=agent.socket or None,
            socket_timeout=SOCKET_TIMEOUT_S,
            disable_telemetry=True,
            origin_detection_enabled=False,
        )
        # In place of those that the library has read from the environment by itself.
        self._statsd.constant_tags = list(settings.tags)

    def take_series(self, series: Sequence[Series]) -> None:
        """Packs them into as few datagrams as they fit."""
        send = {
            MetricKind.GAUGE: self._statsd.gauge,
            MetricKind.COUNT: self._statsd.count,
            MetricKind.DISTRIBUTION: self._statsd.distribution,
        }
        with self._statsd:
            for each in series:
                for value in each.values:
                    send[each.metric.value.kind](each.metric.value.name, value, tags=each.tags)

    def take_event(self, event: NoticeDigest) -> None:
        """One datagram."""
        self._statsd.event(
            event.title.text,
            event.text,
            alert_type=event.title.severity.value,
            aggregation_key=event.title.text,
            tags=list(EVENT_TAGS),
        )

    def close(self) -> None:
        """Closes the socket."""
        self._statsd.close_socket()


class ApiIntake:
    """Datadog's HTTP API. The library keeps its settings in globals: there is one of these a process."""

    def __init__(self, settings: DatadogSettings, clock: Clock, *, timeout_s: float = API_TIMEOUT_S) -> None:
        """`host_name` keeps the library from asking the system and EC2 for one: what we tell has no host."""
        self._clock = clock
        self._tags = list(settings.tags)
        initialize(
            api_key=settings.api_key,
            api_host=settings.api_url,
            host_name="none",
            hostname_from_config=False,
            return_raw_response=True,
            mute=False,
            timeout=timeout_s,
            max_retries=0,
        )

    def take_series(self, series: Sequence[Series]) -> None:
        """One request for gauges and counts, one for distributions."""
        now_s = self._clock.now_ms() // 1000
        plain, spread = [], []
        for each in series:
            spec = each.metric.value
            body: dict[str, Any] = {"metric": spec.name, "tags": each.tags + self._tags}
            if spec.kind is MetricKind.DISTRIBUTION:
                spread.append(body | {"points": [(now_s, list(each.values))]})
            else:
                plain.append(body | {"points": [(now_s, each.values[0])], "type": spec.kind.value})
        if plain:
            _check(Metric.send(metrics=plain, attach_host_name=False))
        if spread:
            _check(Distribution.send(distributions=spread, attach_host_name=False))

    def take_event(self, event: NoticeDigest) -> None:
        """One request."""
        _check(
            Event.create(
                title=event.title.text,
                text=event.text,
                alert_type=event.title.severity.value,
                aggregation_key=event.title.text,
                tags=EVENT_TAGS + self._tags,
                attach_host_name=False,
            )
        )

    def close(self) -> None:
        """The library keeps its connection in a global, too, and gives no means to close it."""


def _check(answer: Any) -> None:
    """The library raises for some refusals and returns others."""
    _, response = answer
    if response.status_code >= 300:
        raise Refused(f"HTTP {response.status_code}")
