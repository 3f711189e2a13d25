"""The world of one plan: the real loop, adapter and store on the simulated AWS, all of it listened to."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.store import MemoryStore
from scheduler.adapters.sqlite.store import SqliteStore
from scheduler.bootstrap import Engine, build_engine
from scheduler.config import Settings
from scheduler.core.agents import AgentSettings
from scheduler.core.model.answers import Message
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import Record, ScalingRecorded, TaskTransitioned
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.invariants import ON_CALL, ON_EFFECT, ON_STEP, Scene
from scheduler.lab.chaos.plan import Mishap, Plan
from scheduler.lab.chaos.process import ChaosDriver, MortalStore, written
from scheduler.lab.chaos.story import Story
from scheduler.lab.chaos.truth import Entry
from scheduler.lab.chaos.wire import Line, Wire
from scheduler.lab.clock import START_MS, VirtualClock
from scheduler.lab.stand_ins import SeededIds, in_process_clients
from scheduler.lab.virtual_driver import Latency
from scheduler.ports.ids import Ids
from scheduler.ports.store import CommitResult, Store
from scheduler.services.asking import Ask
from scheduler.services.control_loop import ControlLoop, Step
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings

CLUSTER, GROUP, FAMILY = "ci", "ci-agents", "agents"
_READ_BUCKET = "ecs_cluster_resource_read"


class Broken(BaseException):
    """An invariant does not hold. Nothing in the service may catch it."""

    def __init__(self, invariant: str, message: str) -> None:
        """The invariant's name, and what is wrong."""
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant
        self.message = message


class WatchedLoop(ControlLoop):
    """The real loop, each step of which is looked at."""

    def __init__(self, engine: Engine, look: Callable[[Step], None]) -> None:
        """Takes the place of the engine's own loop, on its World."""
        super().__init__(engine.loop._world, engine.lanes, engine.ids, CLUSTER)
        self._look = look

    def step(self, now_ms: int, messages: Sequence[Message | Ask]) -> Step:
        """The loop's own step."""
        step = super().step(now_ms, messages)
        self._look(step)
        return step


class World:
    """One plan's account, service and listeners."""

    def __init__(self, plan: Plan, directory: Path, *, telling: bool) -> None:
        """Starts the service. Stores that are files are made in `directory`."""
        self.plan = plan
        self.directory = directory
        self.clock = VirtualClock()
        self.random = Random(plan.seed)
        self.story = Story(telling=telling)
        self.coverage: Counter[tuple[str, str]] = Counter()
        self.inherited: set[str] = set()
        self.ids: Ids = SeededIds(plan.seed)
        self._stores = 0
        self._epochs: list[str] = []
        self._lives = 0
        self.store = self._new_store()
        book = Book(epoch=self.store.inner.epoch)
        self.account = SimulatedAws(self.clock, _simulation(plan))
        self.scene: Scene | None = None
        self.wire = Wire(
            self.account, self.clock, Random(plan.seed + 1), heard=self._heard, asked=self._asked
        )
        self.scene = Scene(plan=plan, truth=self.wire.truth, book=book)
        self.book = book
        latency = Latency(to_effect_ms=plan.tuning.to_effect_ms, to_outcome_ms=plan.tuning.to_outcome_ms)
        self.driver = ChaosDriver(self._engine, self.clock, seed=plan.seed, latency=latency)
        self.wire.later = self.driver.at

    # ---- time and instances

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return (self.clock.now_ms() - START_MS) / 1_000

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something a while from now."""
        self.driver.at(self.clock.now_ms() + int(seconds * 1_000), act)

    def registered(self) -> list[str]:
        """EC2 ids of running instances with a container instance, oldest first."""
        rows = self.account.instances()
        return [
            each["ec2InstanceId"]
            for each in rows
            if each["state"] == "running" and each["containerInstances"]
        ]

    def tell(self, kind: str, text: str) -> None:
        """One line of the story."""
        self.story.tell(self.now_s, kind, self._named(text))

    # ---- lives and stores

    def kill(self, down_s: float) -> None:
        """SIGKILL, and a restart a while later."""
        self.tell("process", f"is killed, and restarts {down_s:g} s later")
        self.driver.kill(int(down_s * 1_000))
        self._reopen()

    def lose_store(self) -> None:
        """The process is killed and its store is lost: it begins with an empty one.

        What it was about to remove is nobody's from now on.
        """
        truth = self.wire.truth
        self.inherited |= truth.detached
        self.inherited |= {truth.ec2_ids[arn] for arn, is_ in truth.statuses.items() if is_ == "DRAINING"}
        self.inherited |= set(self.book.removals)
        self.driver.kill(1_000)
        self.store.inner.close()
        self.store = self._new_store()
        self.book = Book(epoch=self.store.inner.epoch)
        if self.scene is not None:
            self.scene.book = self.book

    def met(self, mishap: Mishap) -> None:
        """Counts which states and steps a mishap met."""
        for state in self.book.met():
            self.coverage[mishap.kind, state] += 1

    def _new_store(self) -> MortalStore:
        self._stores += 1
        store = self._open()
        self._epochs.append(store.epoch)
        return MortalStore(store, self._committed)

    def _open(self) -> Store:
        if self.plan.tuning.store == "sqlite":
            return SqliteStore(self.directory / f"{self._stores}.sqlite3")
        return MemoryStore(epoch=f"{self._stores:016x}")

    def _reopen(self) -> None:
        """A file's lock ends with the process that held it."""
        if self.plan.tuning.store == "sqlite":
            self.store.inner.close()
            self.store.inner = self._open()

    def _engine(self) -> Engine:
        self._lives += 1
        life = self._lives
        line = Line(self.wire, lambda: self._lives == life and self.driver.up)
        engine = build_engine(
            _settings(self.plan),
            clock=self.clock,
            ids=self.ids,
            cloud=AwsCloud(in_process_clients(line, self.account.settings.region), cluster=CLUSTER),
            store=cast("Store", self.store),
        )
        return replace(engine, loop=WatchedLoop(engine, self._stepped))

    # ---- what is listened to

    def _heard(self, entry: Entry) -> None:
        if self.scene is None:
            return
        self._tell_entry(entry)
        for invariant in ON_EFFECT:
            self._judge(invariant.__name__, invariant(self.scene, entry))

    def _asked(self, operation: str, params: dict[str, Any]) -> None:
        if self.scene is None:
            return
        for invariant in ON_CALL:
            wrong = invariant(self.scene, operation, params, self.clock.now_ms())
            self._judge(invariant.__name__, wrong)

    def _stepped(self, step: Step) -> None:
        if self.scene is None:
            return
        for invariant in ON_STEP:
            self._judge(invariant.__name__, invariant(self.scene, step))

    def _committed(self, batches: Sequence[Sequence[Record]], results: Sequence[CommitResult]) -> None:
        self.book.note(batches, results, self.clock.now_ms())
        if not self.story.telling:
            return
        for batch, result in zip(batches, results, strict=True):
            for record in batch if written(result) else ():
                self._tell_record(record)

    def _judge(self, invariant: str, wrong: str | None) -> None:
        if wrong is not None:
            raise Broken(invariant, wrong)

    def _tell_entry(self, entry: Entry) -> None:
        if self.story.telling and entry.effect != Effect.TASK_FORGOTTEN:
            said = {key: value for key, value in entry.fields.items() if key not in ("time_ms", "effect")}
            at_s = (entry.at_ms - START_MS) / 1_000
            self.story.tell(at_s, entry.origin, self._named(f"{entry.effect} {said}"))

    def _named(self, text: str) -> str:
        """A file's epoch is drawn by chance; in a story, which is to replay exactly, stores are numbered."""
        for number, epoch in enumerate(self._epochs, start=1):
            text = text.replace(epoch, f"store-{number}")
        return text

    def _tell_record(self, record: Record) -> None:
        match record:
            case TaskTransitioned():
                why = (
                    f" {record.stop_reason.category}: {record.stop_reason.message}"
                    if record.stop_reason
                    else ""
                )
                self.tell("task", f"{record.task_id} {record.previous} -> {record.state}{why}")
            case ScalingRecorded(event=event):
                held = f" held by {event.held}" if event.held else ""
                about = event.ec2_instance_id
                self.tell("scaling", f"{event.kind} {event.code} {about} {event.message}{held}")
            case _:
                return


def _simulation(plan: Plan) -> SimulationSettings:
    account = plan.account
    foreign = {_READ_BUCKET: account.foreign_calls_per_s} if account.foreign_calls_per_s else {}
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
        foreign_calls_per_s=foreign,
        draining_start_failure="INACTIVE" if account.draining_refuses else None,
        terminated_task_keeps_started_at=account.terminated_keeps_started_at,
        detach_removes_group_tag=account.detach_removes_tag,
        launch_retry_ms=(30_000, 60_000),
    )


def _settings(plan: Plan) -> Settings:
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
    )
    return Settings(
        cluster=CLUSTER,
        group=GROUP,
        agents=AgentSettings(family=FAMILY, cluster=CLUSTER),
        policy=policy,
        listen="127.0.0.1:0",
        insecure_listen=False,
        store="",
        service_id="chaos",
        aws_share=0.5,
        drain_delay_s=0,
        stop_grace_s=0,
        observe_only=tuning.observe_only,
    )
