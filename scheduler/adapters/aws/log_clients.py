"""Clients for logs: apart from those that start and stop things, so that no reading of a log delays them."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, cast

import boto3

from scheduler.adapters.aws.clients import ClientSettings, single_attempt
from scheduler.adapters.aws.operations import Client, ConsoleReads, DefinitionReads, Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class LogClients:
    """What containers' logs and consoles need. Every call is tried once.

    `logs_in` gives the client of a region: a log driver may write to another one (`awslogs-region`).
    """

    region: str
    ecs: DefinitionReads
    ec2: ConsoleReads
    logs_in: Callable[[str], Logs]

    def close(self) -> None:
        """Closes every connection but those to other regions' logs, which end with the process."""
        clients: tuple[Client, ...] = (self.ecs, self.ec2, self.logs_in(self.region))
        for client in clients:
            client.close()


class _Regions:
    """Clients of CloudWatch Logs, each made when its region is first asked for."""

    def __init__(self, session: boto3.Session, settings: ClientSettings) -> None:
        self._session = session
        self._settings = settings
        self._lock = Lock()
        self._clients: dict[str, Logs] = {}

    def client(self, region: str) -> Logs:
        """Any thread: a session is not thread-safe, its clients are."""
        with self._lock:
            if region not in self._clients:
                made = self._session.client(
                    "logs",
                    region_name=region,
                    endpoint_url=self._settings.endpoint_url,
                    config=single_attempt(self._settings),
                )
                self._clients[region] = cast(Logs, made)
            return self._clients[region]


def make_log_clients(session: boto3.Session, settings: ClientSettings) -> LogClients:
    """boto3's clients. The session is theirs from then on."""

    def client(service: Literal["ecs", "ec2"]) -> object:
        return session.client(
            service,
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=single_attempt(settings),
        )

    regions = _Regions(session, settings)
    return LogClients(
        region=settings.region,
        ecs=cast(DefinitionReads, client("ecs")),
        ec2=cast(ConsoleReads, client("ec2")),
        logs_in=regions.client,
    )
