"""Mishaps of others: what people, the group and other services do to what is ours."""

from collections.abc import Callable
from functools import partial
from typing import Any

from scheduler.core.model.records import ScaleRequested
from scheduler.core.model.scaling import ScaleWish, WishKind
from scheduler.lab.chaos.mishaps_of_instances import picked
from scheduler.lab.chaos.plan import Mishap
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.stage import CLUSTER, FAMILY, GROUP
from scheduler.lab.chaos.world import World
from scheduler.ports.store import StoreError
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped


def group_limits(world: World, mishap: Mishap) -> None:
    """Somebody changes the group's sizes."""
    least = mishap.pick % 3
    if world.wire.truth.limits[-1][1:] != (least, least + mishap.count):
        world.met(mishap)
    world.wire.befall(lambda: world.account.set_group_limits(least, least + mishap.count))


def desired(world: World, mishap: Mishap) -> None:
    """Somebody changes desired capacity."""
    _, least, most = world.wire.truth.limits[-1]
    size = least + mishap.pick % (most - least + 1)
    if world.wire.truth.desired != size:
        world.met(mishap)
    world.wire.befall(lambda: world.account.set_desired(size))


def zones_rebalanced(world: World, mishap: Mishap) -> None:
    """Somebody resumes AZRebalance, and a while later the group does what it then does."""
    if _call(world, "autoscaling", "ResumeProcesses", _PROCESS):
        world.met(mishap)
    world.after(mishap.for_s, lambda: world.wire.befall(world.account.rebalance_zones))


_PROCESS = {"AutoScalingGroupName": GROUP, "ScalingProcesses": ["AZRebalance"]}


def warm_pool(world: World, mishap: Mishap) -> None:
    """Somebody gives the group a warm pool, and takes it away again, half of them when all is mended."""
    state = ("Stopped", "Running", "Hibernated")[mishap.pick % 3]
    wanted = {**_GROUP, "PoolState": state, "MinSize": mishap.count - 1}
    if not _call(world, "autoscaling", "PutWarmPool", wanted):
        return
    world.met(mishap)

    def end() -> None:
        if not _call(world, "autoscaling", "DeleteWarmPool", _GROUP):
            world.after(5, end)

    if mishap.pick % 2:
        world.after(mishap.for_s, end)
    world.at_last.append(end)


_GROUP = {"AutoScalingGroupName": GROUP}


def drained(world: World, mishap: Mishap) -> None:
    """Somebody sets an instance DRAINING, and takes that back, half of them not before all is mended.

    For good would be too much: nobody else ends what was drained by others, nor their tasks.
    """
    arn = _active(world, mishap)
    if arn is None:
        return
    if _set_state(world, arn, "DRAINING"):
        world.met(mishap)

    def back() -> None:
        """Asked for until AWS grants it: it throttles whoever asks."""
        if not _set_state(world, arn, "ACTIVE"):
            world.after(5, back)

    if mishap.pick % 2:
        world.after(mishap.for_s, back)
    world.at_last.append(back)


def _set_state(world: World, arn: str, status: str) -> bool:
    wanted = {"cluster": CLUSTER, "containerInstances": [arn], "status": status}
    return _call(world, "ecs", "UpdateContainerInstancesState", wanted)


def foreign_task(world: World, mishap: Mishap) -> None:
    """Somebody else's, on an instance of ours, but never on one that is DRAINING."""
    arn = _active(world, mishap)
    if arn is None:
        return

    def start() -> None:
        definition = world.account.call("ecs", "RegisterTaskDefinition", _foreign_definition(mishap))
        known = definition["taskDefinition"]["taskDefinitionArn"]
        wanted = {"cluster": CLUSTER, "taskDefinition": known, "containerInstances": [arn]}
        world.account.call("ecs", "StartTask", wanted)

    if _befall(world, start):
        world.met(mishap)


def _foreign_definition(mishap: Mishap) -> dict[str, Any]:
    run = {"name": "SIMULATED_RUN_MS", "value": str(mishap.for_s * 1_000)}
    container = {"name": "other", "image": "other:1", "cpu": 512, "memory": 512, "environment": [run]}
    return {"family": "others", "containerDefinitions": [container]}


def revision_gone(world: World, mishap: Mishap) -> None:
    """Somebody deregisters a revision, whoever uses it."""
    active = [arn for arn, each in world.wire.truth.revisions.items() if each.active]
    if active:
        arn = active[mishap.pick % len(active)]
        if _call(world, "ecs", "DeregisterTaskDefinition", {"taskDefinition": arn}):
            world.met(mishap)


def revisions_of_others(world: World, mishap: Mishap) -> None:
    """Somebody who tags nothing registers revisions in our family."""
    world.met(mishap)
    world.wire.befall(lambda: world.account.register_revisions(FAMILY, mishap.count))


def _active(world: World, mishap: Mishap) -> str | None:
    """The ARN of the instance that is meant, if it is ACTIVE."""
    ec2_id = picked(world, mishap)
    rows = {each["ec2InstanceId"]: each for each in world.account.instances()}
    if ec2_id is None:
        return None
    registration = rows[ec2_id]["containerInstances"][-1]
    arn = str(registration["containerInstanceArn"])
    return arn if registration["status"] == "ACTIVE" else None


def _call(world: World, service: str, operation: str, params: dict[str, Any]) -> bool:
    return _befall(world, lambda: world.account.call(service, operation, params))


def _befall(world: World, act: Callable[[], object]) -> bool:
    """Whether it was done: faults strike whoever calls."""
    refused: list[Exception] = []

    def carry_out() -> None:
        try:
            act()
        except (ApiError, ConnectionDropped) as error:
            refused.append(error)

    world.wire.befall(carry_out)
    return not refused


def operator(world: World, mishap: Mishap) -> None:
    """An operator wishes for another capacity, for a while."""
    kind = tuple(WishKind)[mishap.pick % len(WishKind)]
    wish(world, kind, mishap.pick % 5, mishap.for_s, partial(world.met, mishap))


def wish(
    world: World, kind: WishKind, size: int, for_s: int | None, heard: Callable[[], None] = lambda: None
) -> None:
    """Asked for until somebody answers."""
    service = world.service
    now_ms = service.clock.now_ms()
    expires_ms = None if for_s is None else now_ms + for_s * 1_000
    request_id = f"wish-{world.clock.now_ms()}"
    record = ScaleRequested(
        wish=ScaleWish(
            request_id=request_id, group=GROUP, kind=kind, size=size, at_ms=now_ms, expires_ms=expires_ms
        )
    )

    def again() -> None:
        wish(world, kind, size, for_s, heard)

    try:
        if service.driver.up:
            service.driver.commit(record)
            heard()
            return
    except StoreError:
        pass
    except Killed:
        world.after(5, again)
        raise
    world.after(5, again)
