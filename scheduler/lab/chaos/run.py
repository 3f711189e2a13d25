"""Runs: one plan is played to its end, or until an invariant breaks."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from botocore.exceptions import BotoCoreError, ClientError

from scheduler.core.model.policy import Policy
from scheduler.core.model.task import TERMINAL_STATES
from scheduler.lab.chaos.client import Client, read_back
from scheduler.lab.chaos.followers import LogDesk, LogFollower
from scheduler.lab.chaos.invariants import AFTERWARDS, AT_END, AtEnd, has_joined
from scheduler.lab.chaos.leftovers import KEPT_FOR_A_TIME, LONGEST_KEPT_S, leftovers, what_is_over
from scheduler.lab.chaos.mishaps import befall, heal
from scheduler.lab.chaos.plan import Job, Mishap, Plan
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.reserver import Desk, Reserver, last_of
from scheduler.lab.chaos.rules_of_stops import may_yet_be_stopped
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.lab.chaos.service import WatchedLoop
from scheduler.lab.chaos.stage import Broken, judge
from scheduler.lab.chaos.world import World
from scheduler.lab.clock import START_MS
from scheduler.ports.store import StoreError

PATIENCE_S = 3 * 3_600
"""How long tasks may take to end after the last mishap, and the group to come to rest after that."""

_UNPROVEN_S = 1_800
"""How long a group is looked at of which no member ever joined: longer than anything is waited for there."""

_FORGETS_AFTER_S = 120
"""What was just seen to go may be remembered for a few readings: lists have gaps."""

_IDLE_SHARE = 0.02
"""Of the plans, those whose end is followed by an hour without anything: what is kept longer is found."""

_LOOK_S = 5
_DOWN_S = 2

DEFECT = "the_service_never_fails"
"""The name under which an exception of the service itself is told."""

MACHINE = "the_machine_is_whole"
"""That of the machine's own, which says nothing of the service."""

_MACHINE = ("scheduler.lab.chaos.", "scheduler.simulated_aws.")
"""Modules that are no part of the service. The driver of the lab is: it stands for the service's own."""

_MEANT = (BotoCoreError, ClientError, StoreError)
"""What the machine raises for the service to catch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a run; `invariant` is empty when all hold, and `defect` unless an exception broke it.

    `coverage` counts by kind of mishap and by task state or removal step that it met.
    """

    seed: int
    invariant: str = ""
    message: str = ""
    defect: str = ""
    """The exception's type and place."""
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
        invariant, message, defect = "", "", ""
        try:
            _play(world)
        except Broken as broken:
            invariant, message = broken.invariant, broken.message
        except Exception as error:
            kind, place = type(error).__name__, _place_of(error)
            invariant = MACHINE if _is_the_machines(error) else DEFECT
            message, defect = f"{kind}: {error} ({place})", f"{kind} ({place})"
        finally:
            world.close()
    return Verdict(
        seed=plan.seed,
        invariant=invariant,
        message=message,
        defect=defect,
        story=tuple(world.story.lines),
        virtual_s=world.now_s,
        tasks=len(world.service.book.states),
        coverage=world.coverage,
    )


def _place_of(error: Exception) -> str:
    """The file and the function that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(place.filename).name}:{place.name}"


def _is_the_machines(error: Exception) -> bool:
    """Whether the innermost code of ours is the machine's, unless it did what it is for."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [each for each in modules if each.startswith("scheduler.")]
    return ours[-1].startswith(_MACHINE) and not isinstance(error, _MEANT)


def _play(world: World) -> None:
    plan = world.plan
    for number, job in enumerate(plan.jobs):
        Client(world, world.service, number, job).begin()
    desk = Desk(world, world.service)
    for build in plan.builds:
        Reserver(world, desk, build).begin()
    logs = LogDesk(world)
    followers = [LogFollower(world, logs, each) for each in plan.followers]
    for follower in followers:
        follower.begin()
    for mishap in plan.mishaps:
        _schedule(world, mishap)
    _let_pass(world, lambda: world.now_s >= plan.quiet_s, until_s=plan.quiet_s)
    heal(world)
    last_s = max((*map(_last_s, plan.jobs), *map(last_of, plan.builds)), default=0)
    _wait(world, lambda: world.now_s > last_s and world.service.book.all_is_over())
    # A client that was refused for want of a store or of a process comes again, after all others have ended.
    _wait(world, lambda: all(each.ended for each in followers))
    settled = _settle(world)
    read_back(world.service)
    _judge(world, AT_END, settled=settled)
    for follower in followers:
        follower.judge()
    logs.judge()
    over = _over(world)
    _let_pass(world, lambda: False, until_s=world.now_s + _FORGETS_AFTER_S)
    _judge(world, AFTERWARDS, settled=settled, over=over)
    if Random(f"an idle hour {plan.seed}").random() < _IDLE_SHARE:
        _let_pass(world, lambda: False, until_s=world.now_s + LONGEST_KEPT_S)
        _judge(world, AFTERWARDS, settled=settled, over=over, exempt=())


def _last_s(job: Job) -> int:
    """When its client asks for the last time."""
    return job.at_s + max((*job.repeats_s, job.changed_s or 0))


def _schedule(world: World, mishap: Mishap) -> None:
    """What goes wrong when something enters a state does so right after that is durable."""
    act = partial(befall, world, mishap)
    if mishap.when:
        act = partial(world.moments.wait, mishap.when, mishap.nth, partial(world.after, 0, act))
    world.after(mishap.at_s, act)


def _wait(world: World, done: Callable[[], bool]) -> bool:
    """Whether it comes true while one is patient."""
    return _let_pass(world, done, until_s=world.now_s + PATIENCE_S)


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
            world.advance()
        except Killed:
            world.kill(_DOWN_S)
    return done()


def _settle(world: World) -> bool:
    """Whether all is over and the group at rest in time. Of a pair that was never proven nothing comes.

    Of what ECS lists and EC2 has ended the service takes its time, so many that it is patience more.
    """
    service, unproven_s = world.service, world.now_s + _UNPROVEN_S
    gone = sum(
        each["state"] != "running" and bool(each["containerInstances"]) for each in world.account.instances()
    )

    def is_over() -> bool:
        hopeless = world.now_s > unproven_s and not has_joined(service.scene, world.account.instances())
        # A process that is down, or just began, has not looked at its store and the group yet.
        scene, now_ms = service.scene, world.clock.now_ms()
        mended_ms = START_MS + int(1_000 * world.plan.quiet_s)
        awake = now_ms - max(scene.life_ms, mended_ms) >= scene.blind_ms()
        alive = service.driver.up and awake and service.book.all_is_over()
        return alive and not may_yet_be_stopped(scene, now_ms) and (hopeless or at_rest(world))

    patience_s = PATIENCE_S + gone * Policy().absence_ms // 1_000
    return _let_pass(world, is_over, until_s=world.now_s + patience_s) and at_rest(world)


def at_rest(world: World) -> bool:
    """The group is at its floor, and every instance that runs is a working member of it.

    The last instance may be kept although nothing is desired. An empty group proves nothing of the cluster:
    nothing is deregistered there until it grows again. What is nobody's to end is left out, and may be a
    member beside those that the floor demands.
    """
    world.wire.befall(lambda: None)
    truth, others = world.wire.truth, world.service.scene.worked_on_by_others()
    if any(each.key not in others for each in world.service.driver.engine.store.load().intents):
        return False
    if world.plan.tuning.observe_only:
        return True
    _, least, _ = truth.limits[-1]
    most = max(least, int(world.plan.tuning.keep_last_instance))
    rows = world.account.instances()
    left_out = world.inherited | others | _old_absentees(world.service.scene)
    kept = [each for each in rows if each["ec2InstanceId"] not in left_out]
    running = [each for each in kept if each["state"] == "running"]
    beside = sum(each["groupState"] is not None for each in rows if each not in kept)
    if not least <= truth.desired <= len(running) + beside or len(running) > most:
        return False
    left = [each for each in kept if each["state"] != "running" and each["containerInstances"]]
    working = [each for each in running if each["groupState"] == "InService" and _is_sound(each)]
    return len(working) == len(running) and not (left and running)


def _old_absentees(scene: Scene) -> set[str]:
    """Who never joined, and was so old when this life began that it may have been in the cluster before.

    By the clock of this life, which may be wrong, and as it was first looked for.
    """
    born_ms = scene.began_ms + scene.blind_ms() - Policy().never_joined_until_ms
    launched_ms = scene.truth.launched_ms
    absent = launched_ms.keys() - set(scene.truth.ec2_ids.values())
    return {each for each in absent if launched_ms[each] <= born_ms}


def _is_sound(row: dict[str, object]) -> bool:
    registrations = row["containerInstances"]
    assert isinstance(registrations, list)
    return len(registrations) == 1 and registrations[0]["status"] == "ACTIVE" and bool(row["agentConnected"])


def _over(world: World) -> frozenset[str]:
    """What has ended by now, and is to be forgotten in a while."""
    states = world.service.book.states.items()
    return what_is_over(world.wire.truth, [task_id for task_id, state in states if state in TERMINAL_STATES])


def _judge(
    world: World,
    invariants: tuple[AtEnd, ...],
    *,
    settled: bool,
    over: frozenset[str] = frozenset(),
    exempt: tuple[str, ...] = KEPT_FOR_A_TIME,
) -> None:
    service, engine = world.service, world.service.driver.engine
    loop = engine.loop
    assert isinstance(loop, WatchedLoop)
    books = (loop.books, loop.digest, engine.lanes, engine.queue, engine.carrier)
    ending = Ending(
        at_ms=world.clock.now_ms(),
        store=service.store.inner,
        instances=world.account.instances(),
        settled=settled,
        inherited=frozenset(world.inherited),
        conditions={each.reason: each.message for each in loop.digest.conditions},
        leftovers=leftovers(books, over, exempt=exempt),
    )
    for invariant in invariants:
        judge(invariant, invariant(service.scene, ending))
