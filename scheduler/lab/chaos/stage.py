"""The stage: one account on one clock, with all that happens to it, and what whoever plays there shares."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from scheduler.config import Settings
from scheduler.core.agents import AgentSettings
from scheduler.core.model.policy import Policy
from scheduler.lab.chaos.budgets import AWS_SHARE
from scheduler.lab.chaos.moments import Moments
from scheduler.lab.chaos.plan import Plan
from scheduler.lab.chaos.story import Story
from scheduler.lab.chaos.truth import Entry
from scheduler.lab.chaos.wire import Wire
from scheduler.lab.clock import START_MS, VirtualClock
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings

CLUSTER, GROUP, FAMILY, SERVICE_ID = "ci", "ci-agents", "agents", "chaos"
_READ_BUCKET, _ACTS_BUCKET = "ecs_cluster_resource_read", "ecs_cluster_resource_modify"


class Broken(BaseException):
    """An invariant does not hold. Nothing in the service may catch it."""

    def __init__(self, invariant: str, message: str) -> None:
        """The invariant's name, and what is wrong."""
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant
        self.message = message


def judge(invariant: Callable[..., str | None], wrong: str | None) -> None:
    """Raises Broken if something is wrong."""
    if wrong is not None:
        raise Broken(invariant.__name__, wrong)


class Stage:
    """The account of one plan. Its clock is the true one."""

    def __init__(self, plan: Plan, directory: Path, *, telling: bool) -> None:
        """Nobody plays yet. Stores that are files are made in `directory`."""
        self.plan = plan
        self.directory = directory
        self.clock = VirtualClock()
        self.story = Story(telling=telling)
        self.moments = Moments()
        self.account = SimulatedAws(self.clock, _simulation(plan))
        self.wire = Wire(self.account, self.clock, Random(plan.seed + 1))
        self.wire.listeners.append(self)
        self.names: list[tuple[str, str]] = []
        """What is drawn by chance, and how the story calls it, for that is to replay exactly."""

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return (self.clock.now_ms() - START_MS) / 1_000

    def tell(self, kind: str, text: str) -> None:
        """One line of the story."""
        self._tell(self.now_s, kind, text)

    def heard(self, entry: Entry) -> None:
        """An entry of the journal is a line of the story."""
        if self.story.telling and entry.effect != Effect.TASK_FORGOTTEN:
            said = {key: value for key, value in entry.fields.items() if key not in ("time_ms", "effect")}
            self._tell((entry.at_ms - START_MS) / 1_000, entry.origin, f"{entry.effect} {said}")

    def _tell(self, at_s: float, kind: str, text: str) -> None:
        if not self.story.telling:
            return
        for drawn, name in self.names:
            text = text.replace(drawn, name)
        self.story.tell(at_s, kind, text)


def _simulation(plan: Plan) -> SimulationSettings:
    account = plan.account
    foreign = {_READ_BUCKET: account.foreign_calls_per_s, _ACTS_BUCKET: account.foreign_acts_per_s}
    return SimulationSettings(
        seed=plan.seed,
        cluster=CLUSTER,
        auto_scaling_group=GROUP,
        instance_types=account.instance_types,
        launch_source=account.launch_source,
        min_size=account.min_size,
        max_size=account.max_size,
        desired_capacity=account.desired,
        launch_ms=account.launch_ms,
        agent_registration_ms=account.agent_registration_ms,
        read_visibility_lag_ms=account.read_lag_ms,
        group_read_lag_ms=account.group_lag_ms,
        throttling=account.throttling,
        auto_scaling_bucket=account.scaling_bucket,
        foreign_calls_per_s=foreign,
        draining_start_failure="INACTIVE" if account.draining_refuses else None,
        terminated_task_keeps_started_at=account.terminated_keeps_started_at,
        detach_removes_group_tag=account.detach_removes_tag,
        warm_pool_agents_wait=account.warm_agents_wait,
        launch_retry_ms=(30_000, 60_000),
    )


def agents_of(plan: Plan) -> AgentSettings:
    """What all agents have in common; they log where logs can be followed if somebody does."""
    if not plan.followers:
        return AgentSettings(family=FAMILY, cluster=CLUSTER)
    options = (("awslogs-group", "ci-agents"), ("awslogs-stream-prefix", "agents"))
    return AgentSettings(family=FAMILY, cluster=CLUSTER, log_driver="awslogs", log_options=options)


def settings_of(plan: Plan) -> Settings:
    """The service's settings in this plan."""
    tuning = plan.tuning
    policy = Policy(
        idle_timeout_ms=tuning.idle_timeout_s * 1_000,
        task_poll_ms=tuning.task_poll_s * 1_000,
        cluster_poll_ms=tuning.cluster_poll_s * 1_000,
        eager_poll_ms=max(1_000, tuning.cluster_poll_s * 200),
        disconnected_after_ms=tuning.disconnected_after_s * 1_000,
        queue_timeout_ms=tuning.queue_timeout_s * 1_000,
        start_timeout_ms=tuning.start_timeout_s * 1_000,
        max_starting_per_instance=tuning.max_starting,
        instance_max_age_ms=tuning.instance_max_age_s * 1_000,
        keep_last_instance=tuning.keep_last_instance,
        max_reserved_tasks=tuning.max_reserved,
    )
    return Settings(
        cluster=CLUSTER,
        group=GROUP,
        agents=agents_of(plan),
        policy=policy,
        listen="127.0.0.1:0",
        insecure_listen=False,
        store="",
        service_id=SERVICE_ID,
        aws_share=AWS_SHARE,
        drain_delay_s=0,
        stop_grace_s=0,
        observe_only=tuning.observe_only,
    )
