"""Mishaps of instances: what befalls agents, containers and machines."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from scheduler.lab.chaos.plan import Mishap
from scheduler.lab.chaos.world import World
from scheduler.simulated_aws.journal import Effect

_NO_RETURN = 6
"""One agent in so many that go away never comes back."""

_NEVER_JOIN = 3
"""So many launches in a row at most: the group is to come to its end."""

_START_FAILURES = (
    "CannotPullContainerError: no such image",
    "CannotStartContainerError: no space left on device",
)


def picked(world: World, mishap: Mishap) -> str | None:
    """The EC2 id of the instance that is meant; None if there is none."""
    there = world.registered()
    if mishap.there:
        steps = reversed(world.service.book.removals.items())
        return next((each for each, removal in steps if removal.step == mishap.when and each in there), None)
    return there[mishap.pick % len(there)] if there else None


def to_one(act: Callable[[World, str], object]) -> Callable[[World, Mishap], None]:
    """It happens to one instance."""

    def befall_one(world: World, mishap: Mishap) -> None:
        ec2_id = picked(world, mishap)
        if ec2_id is not None and _to(world, ec2_id, act):
            world.met(mishap)

    return befall_one


def for_a_while(
    begin: Callable[[World, str], object], end: Callable[[World, str], object]
) -> Callable[[World, Mishap], None]:
    """It happens to one instance, and is over after `for_s`."""

    def befall_one(world: World, mishap: Mishap) -> None:
        ec2_id = picked(world, mishap)
        if ec2_id is not None and _to(world, ec2_id, begin):
            world.met(mishap)
            _later(world, mishap, ec2_id, end)

    return befall_one


def agent_away(world: World, mishap: Mishap) -> None:
    """One agent goes, and mostly comes back."""
    ec2_id = picked(world, mishap)
    if ec2_id is None or not _to(world, ec2_id, _disconnect):
        return
    world.met(mishap)
    if mishap.pick % _NO_RETURN:
        _later(world, mishap, ec2_id, _connect)


def mass_disconnect(world: World, mishap: Mishap) -> None:
    """Nearly all agents go, and come back."""
    there = world.registered()
    away = there[: max(1, len(there) * 4 // 5)] if mishap.pick % 2 else there
    struck = [_to(world, each, _disconnect) for each in away]
    if any(struck):
        world.met(mishap)

    def back() -> None:
        for each in away:
            _to(world, each, _connect)

    world.after(mishap.for_s, back)


def tasks_never_start(world: World, mishap: Mishap) -> None:
    """One instance starts nothing for a while."""
    ec2_id = picked(world, mishap)
    if ec2_id is None:
        return
    reason = _START_FAILURES[mishap.pick % len(_START_FAILURES)]
    if _to(world, ec2_id, lambda world, ec2_id: world.account.set_start_failure(ec2_id, reason)):
        world.met(mishap)
    _later(world, mishap, ec2_id, _start_again)


def black_hole(world: World, mishap: Mishap) -> None:
    """One instance starts nothing any more, until all is mended."""
    befall = to_one(lambda world, ec2_id: world.account.set_start_failure(ec2_id, _START_FAILURES[1]))
    befall(world, mishap)


def failed_launches(world: World, mishap: Mishap) -> None:
    """There is no capacity for the group's next launches."""
    world.account.fail_launches(mishap.count, "no capacity")
    world.wire.expect(Effect.LAUNCH_FAILED, mishap.count, partial(world.met, mishap))


def never_joins(world: World, mishap: Mishap) -> None:
    """The next instances boot, and their agents never register."""
    count = min(mishap.count, _NEVER_JOIN)
    world.account.set_next_launches_never_join(count)
    world.wire.expect(Effect.INSTANCE_LAUNCHED, count, partial(world.met, mishap))


def mend(world: World) -> None:
    """Whatever is wrong with instances, but for agents that are gone for good, is mended."""
    world.wire.befall(lambda: world.account.fail_launches(0, ""))
    world.wire.befall(lambda: world.account.set_next_launches_never_join(0))
    for ec2_id in world.registered():
        for act in (_start_again, let_stop, list_again):
            _to(world, ec2_id, act)


def hang(world: World, ec2_id: str) -> None:
    """Nothing that is stopped comes to an end."""
    world.account.set_stops_hang(ec2_id, True)


def let_stop(world: World, ec2_id: str) -> None:
    """It does again."""
    world.account.set_stops_hang(ec2_id, False)


def leave_out(world: World, ec2_id: str) -> None:
    """ListContainerInstances leaves it out."""
    world.account.set_listed(ec2_id, False)


def list_again(world: World, ec2_id: str) -> None:
    """It is listed."""
    world.account.set_listed(ec2_id, True)


def _start_again(world: World, ec2_id: str) -> None:
    world.account.set_start_failure(ec2_id, None)


def _disconnect(world: World, ec2_id: str) -> None:
    world.account.set_agent_connected(ec2_id, False)


def _connect(world: World, ec2_id: str) -> None:
    world.account.set_agent_connected(ec2_id, True)


def _later(world: World, mishap: Mishap, ec2_id: str, act: Callable[[World, str], object]) -> None:
    """What ends it."""

    def end() -> None:
        _to(world, ec2_id, act)

    world.after(mishap.for_s, end)


def _to(world: World, ec2_id: str, act: Callable[[World, str], object]) -> bool:
    """An act on an instance that may be gone by now; whether it was still there."""
    done = False

    def carry_out() -> None:
        nonlocal done
        with suppress(LookupError):
            act(world, ec2_id)
            done = True

    world.wire.befall(carry_out)
    return done
