"""Whole services on a virtual clock: the real loop, adapter and store on a simulated AWS."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from scheduler.adapters.aws.clients import AwsClients
from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.consoles import AwsConsoles
from scheduler.adapters.memory.store import MemoryStore
from scheduler.bootstrap import Engine, build_engine
from scheduler.config import Settings
from scheduler.core.agents import AgentSettings, expand
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import CancelRequested, ScaleRequested, TaskSubmitted
from scheduler.core.model.removal import Removal
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScaleWish, ScalingEvent, ScalingKind, WishKind
from scheduler.core.model.task import Container, ContainersSpec, Task, TaskRequest, TaskState
from scheduler.lab.clock import VirtualClock
from scheduler.lab.stand_ins import SeededIds, in_process_clients, in_process_log_clients
from scheduler.lab.virtual_driver import Latency, VirtualDriver
from scheduler.ports.store import TaskFilter
from scheduler.services.fingerprint import fingerprint
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.callers import Caller
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.iam_policy import IamPolicy
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.policies import deployed

CLUSTER, GROUP, FAMILY = "ci", "ci-agents", "agents"
LOG_GROUP = "ci-agents"
REGULAR = Resources(cpu=2048, memory_mib=8000)
MOST = Resources(cpu=12_000, memory_mib=40_000)
"""Two of these fit on no instance."""

MINUTE_MS = 60_000
DEFAULT_POLICY = Policy()
DEFAULT_LATENCY = Latency()


def settings(
    *, cluster: str = CLUSTER, policy: Policy = DEFAULT_POLICY, observe_only: bool = False
) -> Settings:
    """Settings of a service on the simulated account."""
    return Settings(
        cluster=cluster,
        group=GROUP,
        agents=AgentSettings(family=FAMILY, cluster=cluster),
        policy=policy,
        listen="127.0.0.1:0",
        insecure_listen=False,
        tls=None,
        store="",
        service_id="lab",
        aws_share=0.5,
        drain_delay_s=0,
        stop_grace_s=0,
        observe_only=observe_only,
    )


def clients_of(account: SimulatedAws) -> AwsClients:
    """In-process clients of an account."""
    return in_process_clients(account, account.settings.region)


def let_pass_together(services: "Sequence[VirtualService]", minutes: float) -> None:
    """Lets time pass for several services on one clock."""
    clock = services[0].clock
    end_ms = clock.now_ms() + int(minutes * MINUTE_MS)
    for each in services:
        each.driver.at(end_ms, lambda: None)
    while clock.now_ms() < end_ms:
        min(services, key=lambda each: each.driver.next_ms()).driver.advance()


class Surroundings(Protocol):
    """Where a service may be put: another service, or what was prepared for it."""

    clock: VirtualClock
    account: SimulatedAws


@dataclass
class VirtualService:
    """A service, its account, and what a test asks of them. `beside`: on a clock and account that are there.

    The service may do what `deploy/iam-policy.json` allows, if not `iam`, and nothing else.
    """

    seed: int = 0
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    faults: tuple[Fault, ...] = ()
    policy: Policy = DEFAULT_POLICY
    cluster: str = CLUSTER
    observe_only: bool = False
    latency: Latency = DEFAULT_LATENCY
    iam: IamPolicy | None = None
    beside: "Surroundings | None" = None
    agents: AgentSettings | None = None
    named_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Builds everything on one clock."""
        self._all_ended: tuple[tuple[str, int], bool] | None = None
        self.clock: VirtualClock = self.beside.clock if self.beside else VirtualClock()
        self.ids = SeededIds(self.seed)
        self.store = MemoryStore(epoch=f"{self.seed:016x}")
        self.account: SimulatedAws = (
            self.beside.account
            if self.beside
            else SimulatedAws(self.clock, self.simulation, faults=self.faults)
        )
        named = replace(self.account.settings, cluster=self.cluster)
        self.caller = Caller(self.account, self.iam or deployed(named, family=FAMILY))
        clients = in_process_clients(self.caller, named.region)
        self.cloud = AwsCloud(clients, cluster=self.cluster, named_types=self.named_types)
        self.settings = settings(cluster=self.cluster, policy=self.policy, observe_only=self.observe_only)
        if self.agents is not None:
            self.settings = replace(self.settings, agents=self.agents)
        self.driver = VirtualDriver(self._engine, self.clock, seed=self.seed, latency=self.latency)

    def wipe(self) -> None:
        """The store's file is lost, and the service starts anew with an empty one."""
        self.store = MemoryStore(epoch=f"{self.seed + 1_000:016x}")
        self.driver.crash()

    def wish(self, kind: WishKind, size: int = 0, *, for_minutes: int | None = None) -> None:
        """An operator wishes for capacity."""
        now_ms = self.clock.now_ms()
        wish = ScaleWish(
            request_id=f"wish-{now_ms}",
            group=GROUP,
            kind=kind,
            size=size,
            at_ms=now_ms,
            expires_ms=None if for_minutes is None else now_ms + for_minutes * MINUTE_MS,
        )
        self.driver.commit(ScaleRequested(wish=wish))

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
        tags = (entry["tags"].get("ecs-scheduler:task") for entry in entries)
        return Counter(task_id for task_id in tags if task_id is not None)

    def ecs_tasks(self) -> list[dict[str, Any]]:
        """Every ECS task that the account still shows, oldest first."""
        arns = [entry["taskArn"] for entry in self.account.journal.of(Effect.START_TASK)]
        return list(self.account.call("ecs", "DescribeTasks", {"cluster": CLUSTER, "tasks": arns})["tasks"])

    def finish(self, *, limit_minutes: int = 60) -> bool:
        """Lets time pass until every task is terminal."""
        return self.run_until(self._all_terminal, limit_minutes=limit_minutes)

    def let_pass(self, minutes: float) -> None:
        """Lets time pass."""
        end_ms = self.clock.now_ms() + int(minutes * MINUTE_MS)
        self.driver.at(end_ms, lambda: None)
        self.driver.run_until(lambda: self.clock.now_ms() >= end_ms, limit_ms=int(minutes * MINUTE_MS) + 1)

    def run_until(self, done: Callable[[], bool], *, limit_minutes: int = 60) -> bool:
        """Lets time pass until `done`."""
        return self.driver.run_until(done, limit_ms=limit_minutes * 60_000)

    # ---- capacity

    @property
    def desired(self) -> int:
        """The group's desired capacity, whoever set it."""
        entries = reversed(self.account.journal.entries)
        return next(int(entry["desiredCapacity"]) for entry in entries if "desiredCapacity" in entry)

    def instances(self, state: str = "running") -> list[dict[str, Any]]:
        """EC2 instances in this state, as EC2, ECS and the group each see them, oldest first."""
        return [each for each in self.account.instances() if each["state"] == state]

    def members(self) -> list[str]:
        """EC2 ids of running instances that are InService in the group, oldest first."""
        return [each["ec2InstanceId"] for each in self.instances() if each["groupState"] == "InService"]

    def strays(self) -> list[str]:
        """EC2 ids of running instances that are in no group: nobody will ever end them."""
        return [each["ec2InstanceId"] for each in self.instances() if each["groupState"] is None]

    def has_size(self, size: int) -> bool:
        """True when the group is so large, has as many members, and nothing is on its way out."""
        return self.desired == size == len(self.instances()) and not self.removals()

    def removals(self) -> list[Removal]:
        """Removals under way, as the service sees them."""
        return list(self.engine.loop._world.removals)

    def conditions(self) -> dict[str, str]:
        """Messages of the conditions that stand, by their reason."""
        return {each.reason: each.message for each in self.engine.loop.digest.conditions}

    def log(self, *kinds: ScalingKind) -> list[ScalingEvent]:
        """The scaling log, or what it has of these kinds."""
        events = [each.event for each in self.store.scaling_events_after(0, 10_000)]
        return [each for each in events if not kinds or each.kind in kinds]

    @property
    def engine(self) -> Engine:
        """The engine of the present life."""
        return self.driver.engine

    def _all_terminal(self) -> bool:
        """Looks anew only after something was committed: it is asked at every step."""
        seen = (self.store.epoch, self.store.revision())
        if self._all_ended is None or self._all_ended[0] != seen:
            self._all_ended = (seen, not any(self.store.load().live))
        return self._all_ended[1]

    def _engine(self) -> Engine:
        clients = in_process_log_clients(self.caller, self.account.settings.region)
        return build_engine(
            self.settings,
            clock=self.clock,
            ids=self.ids,
            cloud=self.cloud,
            store=self.store,
            consoles=AwsConsoles(clients, group=LOG_GROUP),
        )

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
        expansion = expand(request.spec, self.settings.agents)
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
