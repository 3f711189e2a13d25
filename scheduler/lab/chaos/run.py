"""Runs: one plan is played to its end, or until an invariant breaks."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from scheduler.lab.chaos.client import Client
from scheduler.lab.chaos.invariants import AT_END, Ending, Scene
from scheduler.lab.chaos.mishaps import befall, heal
from scheduler.lab.chaos.plan import Mishap, Plan
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.world import Broken, World

PATIENCE_S = 3 * 3_600
"""How long tasks may take to end after the last mishap, and the group to come to rest after that."""

_LOOK_S = 5
_DOWN_S = 2

NO_DEFECT = "the_service_never_fails"
"""The name under which an exception of the service itself is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a run; `invariant` is empty when all hold.

    `coverage` counts by kind of mishap and by task state or removal step that it met.
    """

    seed: int
    invariant: str = ""
    message: str = ""
    story: tuple[str, ...] = ()
    virtual_s: float = 0.0
    tasks: int = 0
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether every invariant held."""
        return not self.invariant


def play(plan: Plan, *, telling: bool = False) -> Verdict:
    """Plays a plan; with `telling` the verdict has its story. The same plan always has the same verdict."""
    with TemporaryDirectory(prefix="chaos-") as directory:
        world = World(plan, Path(directory), telling=telling)
        invariant, message = "", ""
        try:
            _play(world)
        except Broken as broken:
            invariant, message = broken.invariant, broken.message
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            invariant = NO_DEFECT
            message = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.name})"
        finally:
            world.store.inner.close()
    return Verdict(
        seed=plan.seed,
        invariant=invariant,
        message=message,
        story=tuple(world.story.lines),
        virtual_s=world.now_s,
        tasks=len(world.book.states),
        coverage=world.coverage,
    )


def _play(world: World) -> None:
    plan = world.plan
    for number, job in enumerate(plan.jobs):
        Client(world, number, job).begin()
    for mishap in plan.mishaps:
        _schedule(world, mishap)
    _let_pass(world, lambda: world.now_s >= plan.quiet_s, until_s=plan.quiet_s)
    heal(world)
    last_s = max((each.at_s + max(each.repeats_s, default=0) for each in plan.jobs), default=0)
    ended = _let_pass(
        world, lambda: world.now_s > last_s and world.book.all_ended(), until_s=world.now_s + PATIENCE_S
    )
    settled = _let_pass(world, lambda: at_rest(world), until_s=world.now_s + PATIENCE_S)
    _judge(world, ended=ended, settled=settled)


def _schedule(world: World, mishap: Mishap) -> None:
    world.after(mishap.at_s, lambda: befall(world, mishap))


def _let_pass(world: World, done: Callable[[], bool], *, until_s: float) -> bool:
    """Lets time pass until it is done; looks every few seconds. Who kills the process is found here."""
    next_look_s = 0.0
    world.after(until_s - world.now_s, lambda: None)
    while world.now_s < until_s:
        if world.now_s >= next_look_s:
            next_look_s = world.now_s + _LOOK_S
            if done():
                return True
        try:
            world.driver.advance()
        except Killed:
            world.kill(_DOWN_S)
    return done()


def at_rest(world: World) -> bool:
    """The group is at its floor, and every instance that runs is a working member of it.

    The last instance may be kept although nothing is desired. An empty group proves nothing of the cluster:
    nothing is deregistered there until it grows again.
    """
    world.wire.befall(lambda: None)
    truth, book = world.wire.truth, world.book
    _, least, _ = truth.limits[-1]
    most = max(least, int(world.plan.tuning.keep_last_instance))
    if world.plan.tuning.observe_only or world.inherited:
        return not book.removals
    rows = world.account.instances()
    running = [each for each in rows if each["state"] == "running"]
    if book.removals or not least <= truth.desired <= len(running) <= most:
        return False
    left = [each for each in rows if each["state"] != "running" and each["containerInstances"]]
    working = [each for each in running if each["groupState"] == "InService" and _is_sound(each)]
    if len(working) < len(running) or (left and running):
        return False
    return not world.driver.engine.store.load().intents


def _is_sound(row: dict[str, object]) -> bool:
    registrations = row["containerInstances"]
    assert isinstance(registrations, list)
    return len(registrations) == 1 and registrations[0]["status"] == "ACTIVE" and bool(row["agentConnected"])


def _judge(world: World, *, ended: bool, settled: bool) -> None:
    scene = world.scene
    assert isinstance(scene, Scene)
    ending = Ending(
        store=world.store.inner,
        instances=world.account.instances(),
        ended=ended,
        settled=settled,
        inherited=frozenset(world.inherited),
        conditions={each.reason: each.message for each in world.driver.engine.loop.digest.conditions},
    )
    for invariant in AT_END:
        if wrong := invariant(scene, ending):
            raise Broken(invariant.__name__, wrong)
