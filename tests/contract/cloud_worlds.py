"""Worlds for the cloud port's contract: an adapter, and the simulated account behind it.

There is one kind per front of the account: in-process clients, which a virtual clock needs, and unmodified
boto3 over HTTP, which is what production runs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import boto3

from scheduler.adapters.aws.clients import AwsClients, ClientSettings, make_clients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.ports.cloud import Cloud, TaskLaunch
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.http import HttpFront, ThreadedFront
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.clocks import VirtualClock

CLUSTER, GROUP = "ci", "ci-agents"
ATTEMPT = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"
RUN_MS = 60_000

Front = Literal["in_process", "http"]


def definition(**changes: Any) -> dict[str, Any]:
    """A task definition with one container, `agent`."""
    agent = {"name": "agent", "image": "agent:1", "cpu": 512, "memoryReservation": 1000, "essential": True}
    return {"family": "agents", "containerDefinitions": [agent | changes]}


@dataclass(frozen=True, kw_only=True)
class World:
    """A cloud, and the account behind it that tells what really happened."""

    cloud: Cloud
    clients: AwsClients
    account: SimulatedAws
    clock: VirtualClock

    def launch(self, started_by: str = ATTEMPT, **changes: Any) -> TaskLaunch:
        known: dict[str, Any] = {
            "started_by": started_by,
            "container_instance_arn": "",
            "task_definition_arn": "",
            "overrides": {},
            "tags": {"service": "ecs-scheduler"},
        }
        known |= changes
        known["container_instance_arn"] = known["container_instance_arn"] or self.instance_arn()
        known["task_definition_arn"] = known["task_definition_arn"] or self.register()
        return TaskLaunch(**known)

    def instance_arn(self) -> str:
        return self.cloud.container_instances()[0].arn

    def register(self, **changes: Any) -> str:
        return self.cloud.register_task_definition(definition(**changes), {"hash": "abc"})

    def fault(self, operation: str, kind: FaultKind, **members: Any) -> None:
        self.account.faults.add(Fault(operation=operation, kind=kind, **members))

    def starts(self, started_by: str = ATTEMPT) -> int:
        return sum(each["startedBy"] == started_by for each in self.account.journal.of(Effect.START_TASK))


WorldMaker = Callable[..., World]


def in_process_clients(account: SimulatedAws) -> AwsClients:
    def client(service: str) -> Any:
        return InProcessClient(account, service)

    return AwsClients(
        region=account.settings.region,
        ecs=client("ecs"),
        ecs_once=client("ecs"),
        autoscaling=client("autoscaling"),
        autoscaling_once=client("autoscaling"),
        ec2=client("ec2"),
        sts=client("sts"),
    )


def http_clients(account: SimulatedAws, stack: ExitStack) -> AwsClients:
    url = stack.enter_context(ThreadedFront(HttpFront(account)))
    session = boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated")
    return make_clients(session, ClientSettings(region=account.settings.region, endpoint_url=url))


@contextmanager
def worlds(front: Front) -> Iterator[WorldMaker]:
    """Makes worlds of one kind, with changed settings of the account, and ends them all together."""
    with ExitStack() as stack:

        def make(**changes: Any) -> World:
            clock = VirtualClock()
            settings: dict[str, Any] = {"run_ms": (RUN_MS, RUN_MS)} | changes
            account = SimulatedAws(clock, SimulationSettings(**settings))
            over_http = front == "http"
            clients = http_clients(account, stack) if over_http else in_process_clients(account)
            stack.callback(clients.close)
            cloud = AwsCloud(clients, cluster=CLUSTER)
            return World(cloud=cloud, clients=clients, account=account, clock=clock)

        yield make
