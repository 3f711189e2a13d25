"""Worlds for the cloud port's contract: an adapter, and the account behind it.

There are two kinds of simulated worlds, one per front of the simulated account: in-process clients, which a
virtual clock needs, and unmodified boto3 over HTTP, which is what production runs. What needs neither clock
nor journal nor faults is claimed of every world, moto's too: a second opinion on the simulated account.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest

from scheduler.adapters.aws.clients import AwsClients, ClientSettings, make_clients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.log_clients import make_log_clients
from scheduler.core.model.answers import Failure
from scheduler.ports.cloud import Cloud, CloudError, TaskLaunch
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
READ_ATTEMPTS = 2


def definition(**changes: Any) -> dict[str, Any]:
    """A task definition with one container, `agent`."""
    agent = {"name": "agent", "image": "agent:1", "cpu": 512, "memoryReservation": 1000, "essential": True}
    return {"family": "agents", "containerDefinitions": [agent | changes]}


def unknown_like(arn: str) -> str:
    """An ARN of the same kind that names nothing."""
    return arn[:-4] + "0000"


def failure_in(call: Callable[[], object]) -> Failure:
    """The failure that the call ends in."""
    with pytest.raises(CloudError) as caught:
        call()
    return caught.value.failure


@dataclass(frozen=True, kw_only=True)
class World:
    """A cloud, whatever is behind it: two container instances that have been up for a while."""

    cloud: Cloud
    clients: AwsClients

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

    def members(self) -> list[str]:
        """The group's members by EC2 instance id."""
        return sorted(self.cloud.group(GROUP).members)

    def ec2_state(self, ec2_instance_id: str) -> str:
        filters = [{"Name": "instance-id", "Values": [ec2_instance_id]}]
        [reservation] = self.clients.ec2.describe_instances(Filters=filters)["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])


@dataclass(frozen=True, kw_only=True)
class SimulatedWorld(World):
    """With the account that tells what really happened, and can be made to fail."""

    account: SimulatedAws
    clock: VirtualClock
    read_attempts: int

    def fail_reading(self, operation: str, kind: FaultKind) -> None:
        """The next reading fails, as often as the clients try it."""
        self.fault(operation, kind, count=self.read_attempts)

    def fault(self, operation: str, kind: FaultKind, **members: Any) -> None:
        self.account.faults.add(Fault(operation=operation, kind=kind, **members))

    def starts(self, started_by: str = ATTEMPT) -> int:
        return sum(each["startedBy"] == started_by for each in self.account.journal.of(Effect.START_TASK))

    def calls(self, operation: str) -> int:
        """How often it was called since the account was made."""
        return self.account.journal.calls[operation]


WorldMaker = Callable[..., World]
SimulatedWorldMaker = Callable[..., SimulatedWorld]


@cache
def session() -> boto3.Session:
    """One for all worlds: it is what reads the models of AWS's services, for a second of each."""
    return boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated")


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
        ec2_once=client("ec2"),
        sts=client("sts"),
    )


class HttpFrontOfMany:
    """One front and its clients for all accounts, since clients take a tenth of a second to make.

    There is one account at a time: each begins where the one before ends.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.account = SimulatedAws(VirtualClock())
        backend: Any = self
        url = stack.enter_context(ThreadedFront(HttpFront(backend)))
        region = self.account.settings.region
        settings = ClientSettings(region=region, endpoint_url=url, read_attempts=READ_ATTEMPTS)
        self._clients = make_clients(session(), settings)
        self.log_clients = make_log_clients(session(), settings)
        stack.callback(self._clients.close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)

    def clients_of(self, account: SimulatedAws) -> AwsClients:
        """The clients, which talk to this account from now on."""
        self.account = account
        return self._clients


def make_simulated_world(
    clients_of: Callable[[SimulatedAws], AwsClients],
    read_attempts: int = 1,
    *,
    named_types: tuple[str, ...] = (),
    **changes: Any,
) -> SimulatedWorld:
    """A world over one front, with changed settings of the account."""
    clock = VirtualClock()
    settings: dict[str, Any] = {"run_ms": (RUN_MS, RUN_MS)} | changes
    account = SimulatedAws(clock, SimulationSettings(**settings))
    clients = clients_of(account)
    return SimulatedWorld(
        cloud=AwsCloud(clients, cluster=CLUSTER, named_types=named_types),
        clients=clients,
        account=account,
        clock=clock,
        read_attempts=read_attempts,
    )
