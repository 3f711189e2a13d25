"""One service on the stage: its lives, its stores, its book, and everything that is judged of it.

There may be two on one account. Each sees its own doing as the service's, and the other's as the rival's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.bootstrap import Engine, build_engine
from scheduler.core.model.answers import Message
from scheduler.core.model.records import FactRecorded, Record, ScalingRecorded, TaskTransitioned
from scheduler.core.world.world import World
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.budgets import Budgets
from scheduler.lab.chaos.invariants import ON_CALL, ON_EFFECT, ON_STEP
from scheduler.lab.chaos.process import ChaosDriver, MortalStore, written
from scheduler.lab.chaos.scene import FOR_EVER_MS, Scene
from scheduler.lab.chaos.stage import CLUSTER, Stage, judge, settings_of
from scheduler.lab.chaos.stores import Backup, Stores
from scheduler.lab.chaos.truth import Entry, Origin
from scheduler.lab.chaos.watcher import Watcher
from scheduler.lab.chaos.wire import Line
from scheduler.lab.clock import WrongClock
from scheduler.lab.stand_ins import SeededIds, in_process_clients
from scheduler.lab.virtual_driver import Latency
from scheduler.ports.clock import Clock
from scheduler.ports.ids import Ids
from scheduler.ports.store import CommitResult, Store
from scheduler.services.asking import Ask
from scheduler.services.control_loop import ControlLoop, Step

_RIVALS_SEED = 5_000_000_000
"""Added to the plan's: beyond every seed that can be asked for, which has nine digits at most."""


class WatchedLoop(ControlLoop):
    """The real loop, each step of which is looked at."""

    def __init__(self, engine: Engine, look: Callable[[Step], None]) -> None:
        """Takes the place of the engine's own loop, on its World."""
        super().__init__(engine.loop._world, engine.lanes, engine.ids, CLUSTER)
        self._look = look

    @property
    def books(self) -> World:
        """All that it keeps in memory."""
        return self._world

    def step(self, now_ms: int, messages: Sequence[Message | Ask]) -> Step:
        """The loop's own step."""
        step = super().step(now_ms, messages)
        self._look(step)
        return step


class RivalIds(SeededIds):
    """Task ids that the other service never gives."""

    def task_id(self, now_ms: int) -> str:
        """After all of the other's."""
        return super().task_id(now_ms).replace("t-0", "t-9", 1)


class Service:
    """One service. `clock` is its own, and as wrong as the machine's was when the process began."""

    def __init__(self, stage: Stage, by: Origin, facts: Sequence[FactRecorded] = ()) -> None:
        """Begins with a store that has nothing but `facts`."""
        plan = stage.plan
        self._stage = stage
        self._by = by
        self._lives = 0
        self.offset_ms = 0
        """By how much the machine's clock is wrong now."""

        self.clock: Clock = stage.clock
        rival = by is Origin.RIVAL
        seed = plan.seed + (_RIVALS_SEED if rival else 0)
        self.ids: Ids = RivalIds(seed) if rival else SeededIds(seed)
        self._stores = Stores(plan.tuning.store, stage.directory, by[0], self._committed)
        self.store = self._new_store()
        self.scene = Scene(
            plan=plan,
            truth=stage.wire.truth,
            by=by,
            book=Book(epoch=self.store.inner.epoch),
        )
        self.watcher = Watcher()
        if facts:
            self.store.commit([facts])
        latency = Latency(to_effect_ms=plan.tuning.to_effect_ms, to_outcome_ms=plan.tuning.to_outcome_ms)
        self.driver = ChaosDriver(self._engine, stage.clock, seed=seed, latency=latency)
        stage.wire.listeners.append(self)

    @property
    def book(self) -> Book:
        """What became durable in the present store."""
        return self.scene.book

    # ---- lives and stores

    def kill(self, down_s: float) -> None:
        """SIGKILL, and a restart a while later."""
        self.driver.kill(int(down_s * 1_000))
        self._stores.reopen(self.store)

    def lose_store(self) -> None:
        """The process is killed, and begins with an empty store."""
        self.driver.kill(1_000)
        self.store.inner.close()
        self.store = self._new_store()
        self.scene.book = Book(epoch=self.store.inner.epoch)
        self._disown()

    def back_up(self) -> Backup:
        """A copy of the store as it is."""
        return self._stores.back_up(self.store, self.book)

    def restore(self, backup: Backup, *, down_s: float) -> None:
        """The process is killed, and begins a while later with a copy that was made before.

        What was started since then is nobody's: the copy knows no attempt of it.
        """
        self.driver.kill(int(down_s * 1_000))
        self.store = self._stores.restore(self.store, backup)
        known = backup.book.opened
        started = {each.attempt_id for each in self.scene.truth.tasks.values()}
        # What was sent may still leave the process that is killed, or one that was killed a moment before.
        under_way = self.book.opened.keys() | self.book.forgotten
        backup.book.forgotten.update((started | under_way) - known.keys())
        self.scene.book = backup.book
        self._disown()

    def _disown(self) -> None:
        """Of another store, what was done and told by the last one is somebody else's."""
        self.watcher.forget()
        self.scene.lives.clear()
        steered_ms = self.scene.truth.steered_ms
        steered_ms[Origin.MISHAP] = max(steered_ms.get(each, 0) for each in (self._by, Origin.MISHAP))

    def _new_store(self) -> MortalStore:
        store = self._stores.new()
        self._stage.names.append((store.epoch, f"{self._by}-store-{len(self._stores.epochs)}"))
        return store

    def _engine(self) -> Engine:
        self._lives += 1
        life = self._lives
        stage = self._stage
        self.clock = WrongClock(stage.clock, self.offset_ms) if self.offset_ms else stage.clock
        self.line = line = Line(
            stage.wire,
            self._by,
            alive=lambda: self._lives == life and self.driver.up,
            asked=self._asked,
        )
        engine = build_engine(
            settings_of(stage.plan),
            clock=self.clock,
            ids=self.ids,
            cloud=AwsCloud(in_process_clients(line, stage.account.settings.region), cluster=CLUSTER),
            store=cast("Store", self.store),
        )
        if self.offset_ms:
            self.book.never_joined.clear()  # by another clock what the scaling log tells may be long past
        self.book.images.clear()  # a store gives a waiting task back without its image
        if life > 1:
            for each in self.scene.lives[-1:]:
                each[1] = self.driver.down_ms
            self.scene.lives.append([self.clock.now_ms(), FOR_EVER_MS])
        self.scene.began_ms = self.clock.now_ms()
        self.scene.life_ms = stage.clock.now_ms()
        self.scene.errors_ms.add(self.scene.began_ms - self.scene.life_ms)
        self.scene.budgets = Budgets(self.scene.life_ms)
        self.watcher.follow(self.store.inner, self.book.states)
        return replace(engine, loop=WatchedLoop(engine, self._stepped))

    # ---- what is judged

    def heard(self, entry: Entry) -> None:
        """An effect on the account, as it looks to this one of the two."""
        if self._by is Origin.RIVAL and entry.origin in (Origin.SERVICE, Origin.RIVAL):
            own = entry.origin is Origin.RIVAL
            entry = replace(entry, origin=Origin.SERVICE if own else Origin.RIVAL)
        for invariant in ON_EFFECT:
            judge(invariant, invariant(self.scene, entry))

    def _asked(self, operation: str, params: dict[str, Any]) -> None:
        now_ms = self._stage.clock.now_ms()
        for invariant in ON_CALL:
            judge(invariant, invariant(self.scene, operation, params, now_ms))

    def _stepped(self, step: Step) -> None:
        for invariant in ON_STEP:
            judge(invariant, invariant(self.scene, step))

    def _committed(self, batches: Sequence[Sequence[Record]], results: Sequence[CommitResult]) -> None:
        self.book.note(batches, results, self._stage.clock.now_ms())
        self.watcher.look(self.store.inner, self.book.states)
        if self._by is Origin.SERVICE:
            self._stage.moments.entered(self.book.entered)
        if self._stage.story.telling:
            for batch, result in zip(batches, results, strict=True):
                for record in batch if written(result) else ():
                    self._tell(record)

    def _tell(self, record: Record) -> None:
        match record:
            case TaskTransitioned(stop_reason=reason):
                why = f" {reason.category}: {reason.message}" if reason else ""
                self._stage.tell("task", f"{record.task_id} {record.previous} -> {record.state}{why}")
            case ScalingRecorded(event=event):
                held = f" held by {event.held}" if event.held else ""
                about = f"{event.kind} {event.code} {event.ec2_instance_id}"
                self._stage.tell("scaling", f"{about} {event.message}{held}")
            case _:
                return
