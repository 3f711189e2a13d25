"""Worlds for the contract of the ports of logs and consoles: adapters, and the account behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.aws.container_logs import AwsContainerLogs
from scheduler.adapters.aws.log_clients import LogClients
from scheduler.ports.logs import LogPage, LogPlace, LogSource
from tests.contract.cloud_worlds import SimulatedWorld, World

GROUP = "ci-agents"
TASK_ID = "0123456789abcdef0123456789abcdef"
TASK_ARN = f"arn:aws:ecs:eu-west-1:123456789012:task/ci/{TASK_ID}"
STREAM = f"builds/agent/{TASK_ID}"
OPTIONS = {"awslogs-group": GROUP, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "builds"}
LAG_MS = 1_000


@dataclass(frozen=True, kw_only=True)
class LogWorld:
    """Logs and consoles, and whatever is needed to write the first."""

    logs: AwsContainerLogs
    consoles: AwsConsoles
    world: World
    client: Any
    """CloudWatch Logs."""

    def source(self, driver: str = "awslogs", options: dict[str, str] | None = None) -> LogSource:
        """A container whose definition says so."""
        configuration = {"logDriver": driver, "options": OPTIONS if options is None else options}
        container = {"name": "agent", "image": "agent:1", "memory": 512, "logConfiguration": configuration}
        arn = self.world.cloud.register_task_definition(
            {"family": "agents", "containerDefinitions": [container]}, {"hash": "abc"}
        )
        return LogSource(task_definition_arn=arn, ecs_task_arn=TASK_ARN, container="agent")

    def create_stream(self) -> None:
        self.client.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)

    def write(self, *texts: str, now_ms: int) -> None:
        events = [{"timestamp": now_ms + number, "message": text} for number, text in enumerate(texts)]
        self.client.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)

    def read(self, source: LogSource, place: LogPlace | None = None, limit: int = 100) -> LogPage:
        return self.logs.read(source, place or LogPlace(), limit)


LogWorldMaker = Callable[[], LogWorld]


def log_world(world: World, clients: LogClients) -> LogWorld:
    return LogWorld(
        logs=AwsContainerLogs(clients),
        consoles=AwsConsoles(clients, group=GROUP),
        world=world,
        client=clients.logs_in(clients.region),
    )


@dataclass(frozen=True, kw_only=True)
class SimulatedLogWorld(LogWorld):
    """With the account behind it."""

    world: SimulatedWorld

    @property
    def now_ms(self) -> int:
        return self.world.clock.now_ms()


def simulated_log_world(world: SimulatedWorld, clients: LogClients) -> SimulatedLogWorld:
    plain = log_world(world, clients)
    return SimulatedLogWorld(logs=plain.logs, consoles=plain.consoles, world=world, client=plain.client)
