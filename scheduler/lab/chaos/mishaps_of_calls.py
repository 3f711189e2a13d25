"""Mishaps of calls: what goes wrong between the service and AWS."""

from collections.abc import Callable
from functools import partial

from scheduler.lab.chaos.plan import Mishap
from scheduler.lab.chaos.world import World
from scheduler.lab.virtual_driver import Latency
from scheduler.simulated_aws.faults import Fault, FaultKind

_SHARES = (0.2, 0.5, 1.0)


def fault(kind: FaultKind) -> Callable[[World, Mishap], None]:
    """The next `count` calls of the operation fail so."""

    def arm(world: World, mishap: Mishap) -> None:
        share = _SHARES[mishap.pick % len(_SHARES)] if kind == "partial" else 1.0
        armed = Fault(operation=mishap.operation, kind=kind, count=mishap.count, share=share)
        world.wire.arm(armed, partial(world.met, mishap))

    return arm


def registrations_collide(world: World, mishap: Mishap) -> None:
    """Others register revisions of our family at the same moment."""
    collision = Fault(
        operation="RegisterTaskDefinition",
        kind="error_before",
        code="ClientException",
        message="Too many concurrent attempts to create a new revision of the specified family.",
        http_status=400,
        count=mishap.count,
    )
    world.wire.arm(collision, partial(world.met, mishap))


def late_effect(world: World, mishap: Mishap) -> None:
    """Its effect comes within the window in which it is looked for, or soon after.

    Not after it if it is a drain: from then on it is anybody's, and stays until a human ends it.
    """
    longest_s = 55 if mishap.operation == "UpdateContainerInstancesState" else 90
    for _ in range(mishap.count):
        after_ms = min(mishap.for_s, longest_s) * 1_000
        world.wire.delay(mishap.operation, after_ms, partial(world.met, mishap))


def slow_answers(world: World, mishap: Mishap) -> None:
    """Every call takes long for a while."""
    world.met(mishap)
    tuning, driver = world.plan.tuning, world.service.driver
    usual = Latency(to_effect_ms=tuning.to_effect_ms, to_outcome_ms=tuning.to_outcome_ms)
    driver.answer_with(Latency(to_effect_ms=(100, 4_000), to_outcome_ms=(1_000, 30_000)))
    world.after(mishap.for_s, lambda: driver.answer_with(usual))
