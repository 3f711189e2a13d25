"""Clients of AWS: made once per process, acts apart from reads."""

from dataclasses import dataclass
from typing import Literal, cast

import boto3
from botocore.config import Config

from scheduler.adapters.aws.operations import (
    AutoScalingActs,
    AutoScalingReads,
    Client,
    Ec2Acts,
    Ec2Reads,
    EcsActs,
    EcsReads,
    StsReads,
)

ServiceName = Literal["ecs", "autoscaling", "ec2", "sts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How the clients talk. `endpoint_url` replaces AWS by something that speaks its protocols."""

    region: str
    endpoint_url: str | None = None
    connect_timeout_s: float = 3.0
    """Never connected is definite: it is cheap to learn early."""
    read_timeout_s: float = 10.0
    """botocore's own 60 s would keep a lost StartTask unknown for a minute."""
    read_attempts: int = 3
    max_pool_connections: int = 10
    """botocore's own. More calls at once would reconnect each time: give as many as there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsClients:
    """Everything the adapter talks to; clients are thread-safe (boto3 docs: Clients, thread safety).

    Those named `_once` send a call exactly once. StartTask has no client token, so botocore's default of
    three attempts starts a task twice when an answer is lost.
    """

    region: str
    ecs: EcsReads
    ecs_once: EcsActs
    autoscaling: AutoScalingReads
    autoscaling_once: AutoScalingActs
    ec2: Ec2Reads
    ec2_once: Ec2Acts
    sts: StsReads

    def close(self) -> None:
        """Closes every connection. Closing twice is harmless."""
        clients: tuple[Client, ...] = (
            self.ecs, self.ecs_once, self.autoscaling, self.autoscaling_once,
            self.ec2, self.ec2_once, self.sts,
        )  # fmt: skip
        for client in clients:
            client.close()


def make_clients(session: boto3.Session, settings: ClientSettings) -> AwsClients:
    """boto3's clients. Call it once, from one thread: a session is not thread-safe, its clients are."""

    def client(service: ServiceName, attempts: int) -> object:
        return session.client(
            service,
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=_config(settings, attempts),
        )

    reads = settings.read_attempts
    return AwsClients(
        region=settings.region,
        ecs=cast(EcsReads, client("ecs", reads)),
        ecs_once=cast(EcsActs, client("ecs", 1)),
        autoscaling=cast(AutoScalingReads, client("autoscaling", reads)),
        autoscaling_once=cast(AutoScalingActs, client("autoscaling", 1)),
        ec2=cast(Ec2Reads, client("ec2", reads)),
        ec2_once=cast(Ec2Acts, client("ec2", 1)),
        sts=cast(StsReads, client("sts", reads)),
    )


def single_attempt(settings: ClientSettings) -> Config:
    """For whoever decides by himself whether a call is worth another one."""
    return _config(settings, 1)


def _config(settings: ClientSettings, attempts: int) -> Config:
    return Config(
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        max_pool_connections=settings.max_pool_connections,
        tcp_keepalive=True,
        user_agent_extra="ecs-scheduler",
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
