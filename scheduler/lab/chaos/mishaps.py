"""The mishaps: one row a kind, each what it does to the world.

`pick` chooses an instance or an amount, `count` says how often, `for_s` for how long. Where nothing is there
to befall, nothing happens.
"""

from collections.abc import Callable, Mapping
from typing import Any

from scheduler.core.model.records import ScaleRequested
from scheduler.core.model.scaling import ScaleWish, WishKind
from scheduler.lab.chaos.plan import Mishap, MishapKind
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.world import CLUSTER, GROUP, World
from scheduler.lab.virtual_driver import Latency
from scheduler.ports.store import StoreError
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped
from scheduler.simulated_aws.faults import Fault, FaultKind

_NO_RETURN = 6
"""One agent in so many that go away never comes back."""

_SHARES = (0.2, 0.5, 1.0)


def befall(world: World, mishap: Mishap) -> None:
    """The mishap happens now."""
    world.met(mishap)
    world.tell(
        "mishap", f"{mishap.kind} {mishap.operation} pick={mishap.pick} x{mishap.count} {mishap.for_s} s"
    )
    KINDS[mishap.kind](world, mishap)


def heal(world: World) -> None:
    """All that is wrong and would stay so, but for agents that are gone for good, is mended."""
    account = world.account
    account.faults.clear()
    world.wire.heal()
    world.store.heal()
    world.tell("mishap", "no more: everything is mended")

    def mend() -> None:
        account.fail_launches(0, "")
        account.set_next_launches_never_join(0)
        for ec2_id in world.registered():
            _start_again(world, ec2_id)

    world.wire.befall(mend)
    _wish(world, WishKind.CLEAR, 0, None)


def _fault(kind: FaultKind) -> Callable[[World, Mishap], None]:
    def arm(world: World, mishap: Mishap) -> None:
        share = _SHARES[mishap.pick % len(_SHARES)] if kind == "partial" else 1.0
        fault = Fault(operation=mishap.operation, kind=kind, count=mishap.count, share=share)
        world.account.faults.add(fault)

    return arm


def _late_effect(world: World, mishap: Mishap) -> None:
    """Its effect comes within the window in which it is looked for, or soon after."""
    for _ in range(mishap.count):
        world.wire.delay(mishap.operation, min(mishap.for_s, 90) * 1_000)


def _slow_answers(world: World, mishap: Mishap) -> None:
    slow = Latency(to_effect_ms=(100, 4_000), to_outcome_ms=(1_000, 30_000))
    tuning = world.plan.tuning
    usual = Latency(to_effect_ms=tuning.to_effect_ms, to_outcome_ms=tuning.to_outcome_ms)
    world.driver.answer_with(slow)
    world.after(mishap.for_s, lambda: world.driver.answer_with(usual))


def _picked(world: World, mishap: Mishap) -> str | None:
    there = world.registered()
    return there[mishap.pick % len(there)] if there else None


def _connect(world: World, ec2_id: str, *, connected: bool) -> None:
    def act() -> None:
        try:
            world.account.set_agent_connected(ec2_id, connected)
        except LookupError:
            return  # it is gone by now

    world.wire.befall(act)


def _agent_away(world: World, mishap: Mishap) -> None:
    ec2_id = _picked(world, mishap)
    if ec2_id is None:
        return
    _connect(world, ec2_id, connected=False)
    if mishap.pick % _NO_RETURN:
        world.after(mishap.for_s, lambda: _connect(world, ec2_id, connected=True))


def _mass_disconnect(world: World, mishap: Mishap) -> None:
    there = world.registered()
    away = there[: max(1, len(there) * 4 // 5)] if mishap.pick % 2 else there
    for ec2_id in away:
        _connect(world, ec2_id, connected=False)

    def back() -> None:
        for each in away:
            _connect(world, each, connected=True)

    world.after(mishap.for_s, back)


def _to_one(act: Callable[[World, str], object]) -> Callable[[World, Mishap], None]:
    def befall_one(world: World, mishap: Mishap) -> None:
        ec2_id = _picked(world, mishap)
        if ec2_id is not None:
            world.wire.befall(lambda: act(world, ec2_id))

    return befall_one


def _tasks_never_start(world: World, mishap: Mishap) -> None:
    ec2_id = _picked(world, mishap)
    if ec2_id is None:
        return
    reasons = (
        "CannotPullContainerError: no such image",
        "CannotStartContainerError: no space left on device",
    )
    world.account.set_start_failure(ec2_id, reasons[mishap.pick % 2])
    world.after(mishap.for_s, lambda: _start_again(world, ec2_id))


def _start_again(world: World, ec2_id: str) -> None:
    try:
        world.account.set_start_failure(ec2_id, None)
    except LookupError:
        return  # it is gone by now


def _group_limits(world: World, mishap: Mishap) -> None:
    least = mishap.pick % 3
    world.wire.befall(lambda: world.account.set_group_limits(least, least + mishap.count))


def _desired(world: World, mishap: Mishap) -> None:
    _, least, most = world.wire.truth.limits[-1]
    world.wire.befall(lambda: world.account.set_desired(least + mishap.pick % (most - least + 1)))


def _foreign_task(world: World, mishap: Mishap) -> None:
    """Somebody else's, on an instance of ours, but never on one that is DRAINING."""
    ec2_id = _picked(world, mishap)
    if ec2_id is None:
        return
    rows = {each["ec2InstanceId"]: each for each in world.account.instances()}
    registration = rows[ec2_id]["containerInstances"][-1]
    if registration["status"] != "ACTIVE":
        return
    arn = registration["containerInstanceArn"]

    def start() -> None:
        definition = world.account.call("ecs", "RegisterTaskDefinition", _foreign_definition(mishap))
        known = definition["taskDefinition"]["taskDefinitionArn"]
        wanted = {"cluster": CLUSTER, "taskDefinition": known, "containerInstances": [arn]}
        world.account.call("ecs", "StartTask", wanted)

    def act() -> None:
        try:
            start()
        except (ApiError, ConnectionDropped):
            return  # faults strike whoever calls

    world.wire.befall(act)


def _foreign_definition(mishap: Mishap) -> dict[str, Any]:
    run = {"name": "SIMULATED_RUN_MS", "value": str(mishap.for_s * 1_000)}
    container = {"name": "other", "image": "other:1", "cpu": 512, "memory": 512, "environment": [run]}
    return {"family": "others", "containerDefinitions": [container]}


def _crash(world: World, mishap: Mishap) -> None:
    world.kill(min(mishap.for_s, 150))


def _crash_at_commit(world: World, mishap: Mishap) -> None:
    world.store.kill_at(mishap.count, after=mishap.pick % 2 == 0)


def _crash_at_call(world: World, mishap: Mishap) -> None:
    world.wire.kill_at(mishap.count, after=mishap.pick % 2 == 0)


def _operator(world: World, mishap: Mishap) -> None:
    kind = tuple(WishKind)[mishap.pick % len(WishKind)]
    _wish(world, kind, mishap.pick % 5, world.clock.now_ms() + mishap.for_s * 1_000)


def _wish(world: World, kind: WishKind, size: int, expires_ms: int | None) -> None:
    """Asked for until somebody answers."""
    now_ms = world.clock.now_ms()
    wish = ScaleWish(
        request_id=f"wish-{now_ms}", group=GROUP, kind=kind, size=size, at_ms=now_ms, expires_ms=expires_ms
    )

    def again() -> None:
        _wish(world, kind, size, expires_ms)

    if not world.driver.up:
        world.after(5, again)
        return
    try:
        world.driver.commit(ScaleRequested(wish=wish))
    except StoreError:
        world.after(5, again)
    except Killed:
        world.after(5, again)
        raise


KINDS: Mapping[MishapKind, Callable[[World, Mishap], None]] = {
    MishapKind.THROTTLE: _fault("throttle"),
    MishapKind.ERROR_BEFORE: _fault("error_before"),
    MishapKind.ERROR_AFTER: _fault("error_after"),
    MishapKind.LOST_CALL: _fault("dropped_before"),
    MishapKind.LOST_ANSWER: _fault("dropped_after"),
    MishapKind.LATE_EFFECT: _late_effect,
    MishapKind.PARTIAL_READ: _fault("partial"),
    MishapKind.SLOW_ANSWERS: _slow_answers,
    MishapKind.AGENT_AWAY: _agent_away,
    MishapKind.MASS_DISCONNECT: _mass_disconnect,
    MishapKind.REREGISTRATION: _to_one(lambda world, ec2_id: world.account.reregister(ec2_id)),
    MishapKind.SPOT_KILL: _to_one(lambda world, ec2_id: world.account.terminate_instance(ec2_id, spot=True)),
    MishapKind.TERMINATION: _to_one(lambda world, ec2_id: world.account.terminate_instance(ec2_id)),
    MishapKind.FAILED_LAUNCHES: lambda world, mishap: world.account.fail_launches(
        mishap.count, "no capacity"
    ),
    MishapKind.NEVER_JOINS: lambda world, mishap: world.account.set_next_launches_never_join(
        min(mishap.count, 3)
    ),
    MishapKind.TASKS_NEVER_START: _tasks_never_start,
    MishapKind.GROUP_LIMITS: _group_limits,
    MishapKind.DESIRED_CHANGED: _desired,
    MishapKind.FOREIGN_TASK: _foreign_task,
    MishapKind.CRASH: _crash,
    MishapKind.CRASH_AT_COMMIT: _crash_at_commit,
    MishapKind.CRASH_AT_CALL: _crash_at_call,
    MishapKind.STORE_FULL: lambda world, mishap: world.store.refuse(mishap.count),
    MishapKind.STORE_LOST: lambda world, mishap: world.lose_store(),
    MishapKind.WISH: _operator,
}
"""What each kind does."""
