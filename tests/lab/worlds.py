"""Whole services on a virtual clock: the real loop, adapter and store on a simulated AWS."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.store import MemoryStore
from scheduler.bootstrap import Engine, build_engine
from scheduler.config import Settings
from scheduler.core.agents import AgentSettings, expand
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import CancelRequested, TaskSubmitted
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import Container, ContainersSpec, Task, TaskRequest, TaskState
from scheduler.lab.clock import VirtualClock
from scheduler.lab.virtual_driver import VirtualDriver
from scheduler.ports.store import TaskFilter
from scheduler.services.fingerprint import fingerprint
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings

CLUSTER, GROUP, FAMILY = "ci", "ci-agents", "agents"
REGULAR = Resources(cpu=2048, memory_mib=8000)


class SeededIds:
    """The ids port from one seed."""

    def __init__(self, seed: int) -> None:
        """The same seed gives the same ids."""
        self._random = Random(seed)
        self._count = 0

    def task_id(self, now_ms: int) -> str:
        """Sorts by order of asking."""
        self._count += 1
        return f"t-{self._count:026d}"

    def attempt_id(self) -> str:
        """36 characters of hexadecimal digits and hyphens."""
        text = f"{self._random.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def settings() -> Settings:
    """Settings of a service on the simulated account."""
    return Settings(
        cluster=CLUSTER,
        group=GROUP,
        agents=AgentSettings(family=FAMILY, cluster=CLUSTER),
        policy=Policy(),
        listen="127.0.0.1:0",
        insecure_listen=False,
        store="",
        service_id="lab",
        aws_share=0.5,
        drain_delay_s=0,
        stop_grace_s=0,
    )


def clients_of(account: SimulatedAws) -> AwsClients:
    """In-process clients; acts and reads share them, since neither repeats a call."""
    ecs, scaling = InProcessClient(account, "ecs"), InProcessClient(account, "autoscaling")
    return AwsClients(
        region=account.settings.region,
        ecs=ecs,
        ecs_once=ecs,
        autoscaling=scaling,
        autoscaling_once=scaling,
        ec2=InProcessClient(account, "ec2"),
        sts=InProcessClient(account, "sts"),
    )


@dataclass
class VirtualService:
    """A service, its account, and what a test asks of them."""

    seed: int = 0
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Builds everything on one clock."""
        self.clock = VirtualClock()
        self.ids = SeededIds(self.seed)
        self.store = MemoryStore()
        self.account = SimulatedAws(self.clock, self.simulation, faults=self.faults)
        self.cloud = AwsCloud(clients_of(self.account), cluster=CLUSTER)
        self.settings = settings()
        self.driver = VirtualDriver(self._engine, self.clock, seed=self.seed)

    def cancel(self, task_id: str) -> None:
        """A client cancels a task."""
        self.driver.commit(CancelRequested(task_id=task_id, at_ms=self.clock.now_ms()))

    def submit(self, count: int, ask: Resources = REGULAR, **changes: Any) -> None:
        """Submits `count` alike tasks."""
        for _ in range(count):
            self.driver.commit(self._record(ask, changes))

    def tasks(self) -> list[Task]:
        """Every task as readers see it."""
        return self.store.list_tasks(TaskFilter(), "", 10_000)

    def states(self) -> Counter[TaskState]:
        """Number of tasks by state."""
        return Counter(task.status.state for task in self.tasks())

    def starts(self) -> Counter[str]:
        """By task id, how many ECS tasks the account ever started for it."""
        entries = self.account.journal.of(Effect.START_TASK)
        return Counter(entry["tags"]["ecs-scheduler:task"] for entry in entries)

    def ecs_tasks(self) -> list[dict[str, Any]]:
        """Every ECS task that the account still shows, oldest first."""
        arns = [entry["taskArn"] for entry in self.account.journal.of(Effect.START_TASK)]
        return list(self.account.call("ecs", "DescribeTasks", {"cluster": CLUSTER, "tasks": arns})["tasks"])

    def finish(self, *, limit_minutes: int = 60) -> bool:
        """Lets time pass until every task is terminal."""
        return self.run_until(self._all_terminal, limit_minutes=limit_minutes)

    def run_until(self, done: Callable[[], bool], *, limit_minutes: int = 60) -> bool:
        """Lets time pass until `done`."""
        return self.driver.run_until(done, limit_ms=limit_minutes * 60_000)

    @property
    def engine(self) -> Engine:
        """The engine of the present life."""
        return self.driver.engine

    def _all_terminal(self) -> bool:
        return not any(self.store.load().live)

    def _engine(self) -> Engine:
        return build_engine(self.settings, clock=self.clock, ids=self.ids, cloud=self.cloud, store=self.store)

    def _record(self, ask: Resources, changes: dict[str, Any]) -> TaskSubmitted:
        spec = ContainersSpec(containers=(Container(name="agent", image="agent:1", resources=ask),))
        task_id = self.ids.task_id(self.clock.now_ms())
        known: dict[str, Any] = {
            "request_id": task_id,
            "tenant": "bamboo",
            "priority": 0,
            "labels": {},
            "spec": spec,
        }
        request = TaskRequest(**(known | changes))
        expansion = expand(spec, self.settings.agents)
        return TaskSubmitted(
            task_id=task_id,
            request=request,
            fingerprint=fingerprint(request),
            ask=expansion.ask,
            build_key=expansion.build_key,
            definition_key=expansion.definition_key,
            main_container=expansion.main_container,
            at_ms=self.clock.now_ms(),
        )
