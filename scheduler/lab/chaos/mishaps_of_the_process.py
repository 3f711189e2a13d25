"""Mishaps of the process: its own end, its store, its clock, and a second one of its kind."""

from dataclasses import replace
from functools import partial

from scheduler.lab.chaos.client import Client
from scheduler.lab.chaos.draw import READS
from scheduler.lab.chaos.plan import Mishap
from scheduler.lab.chaos.wire import ACTS_OF_AWS
from scheduler.lab.chaos.world import World

_LONGEST_DOWN_S = 150
_LONGEST_RUN_S = 400
_RIVALS_FIRST_JOB = 1_000
_RUNS_ON_S = 300

_OFFSETS_S = (1, -1, 30, -30, 300, -300, 3_600, -3_600, 7_200)
"""By how much machines' clocks are wrong."""


def crash(world: World, mishap: Mishap) -> None:
    """The process dies, and is down for a while."""
    if world.service.driver.up:
        world.met(mishap)
    world.kill(min(mishap.for_s, _LONGEST_DOWN_S))


def crash_at_commit(world: World, mishap: Mishap) -> None:
    """It dies at a commit, before or after that is durable."""
    world.service.store.kill_at(mishap.count, partial(world.met, mishap), after=mishap.pick % 2 == 0)


def crash_at_call(world: World, mishap: Mishap) -> None:
    """It dies at an act, before or after that has its effect, or at a read if it was drawn for one."""
    of = READS if mishap.operation in READS else ACTS_OF_AWS
    world.wire.kill_at(mishap.count, partial(world.met, mishap), of=of, after=mishap.pick % 2 == 0)


def store_full(world: World, mishap: Mishap) -> None:
    """Commits fail."""
    world.service.store.refuse(mishap.count, partial(world.met, mishap))


def store_lost(world: World, mishap: Mishap) -> None:
    """It comes back with an empty store."""
    world.met(mishap)
    world.lose_store()


def store_restored(world: World, mishap: Mishap) -> None:
    """A copy is made now, and is all that there is a while later."""
    _restore(world, mishap, after_s=mishap.for_s, down_s=1)


def old_store_restored(world: World, mishap: Mishap) -> None:
    """A copy is made now; soon the machine is lost, and it takes the rest of `for_s` to restore it."""
    runs_on_s = min(_RUNS_ON_S, mishap.for_s // 2)
    _restore(world, mishap, after_s=runs_on_s, down_s=mishap.for_s - runs_on_s)


def _restore(world: World, mishap: Mishap, *, after_s: int, down_s: int) -> None:
    """What is copied now comes back before all is mended, unless the store is lost meanwhile.

    It meets what is in the copy: with that the process begins.
    """
    backup, made = world.service.back_up(), world.service.book.epoch

    def restore() -> None:
        if world.service.book.epoch == made:
            world.restore_store(backup, down_s=down_s)
            world.met(mishap)

    world.after(min(after_s, max(0, world.plan.quiet_s - 1 - world.now_s)), restore)


def clock_set(world: World, mishap: Mishap) -> None:
    """The machine's clock is set, and the process begins anew, as only then it reads it (ADR 0014).

    By less than the greatest age of instances: else every new one would be too old for ever.
    """
    world.met(mishap)
    most_s = world.plan.tuning.instance_max_age_s // 2
    offset_s = _OFFSETS_S[mishap.pick % len(_OFFSETS_S)]
    world.set_clock(1_000 * max(-most_s, min(most_s, offset_s)))
    world.kill(2)


def second_scheduler(world: World, mishap: Mishap) -> None:
    """Another service of the same pair begins, with work of its own, for a while or until all is mended."""
    rival = world.begin_rival()
    if rival is None:
        return
    world.met(mishap)
    jobs = [each for each in world.plan.jobs if not each.invalid]
    for number, job in enumerate(jobs[: mishap.count]):
        own = replace(
            job, at_s=10 * number, run_s=min(job.run_s, _LONGEST_RUN_S), repeats_s=(), changed_s=None
        )
        Client(world, rival, _RIVALS_FIRST_JOB + number, own).begin()
    if mishap.pick % 2:
        world.after(mishap.for_s, world.end_rival)
