"""Mishaps of calls: what goes wrong between the service and AWS."""

from collections.abc import Callable, Mapping
from functools import partial

from scheduler.lab.chaos.plan import SLOW_EFFECT_MS, SLOW_OUTCOME_MS, Mishap
from scheduler.lab.chaos.wire import Cut
from scheduler.lab.chaos.world import World
from scheduler.lab.virtual_driver import Latency
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped, NeverConnected
from scheduler.simulated_aws.faults import ANY_OPERATION, Fault, FaultKind

_SHARES = (0.2, 0.5, 1.0)

# How each service says it: code and status (API references: Common errors; EC2 API: Error codes).
_EXPIRED: Mapping[str, tuple[str, int]] = {
    "autoscaling": ("ExpiredToken", 403),
    "ec2": ("RequestExpired", 400),
    "sts": ("ExpiredToken", 403),
}
_DENIED: Mapping[str, tuple[str, int]] = {
    "autoscaling": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "sts": ("AccessDenied", 403),
}


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


def unreachable(world: World, mishap: Mishap) -> None:
    """No call arrives for a while: no connection is made, or each is closed before there is an answer."""
    error = NeverConnected if mishap.pick % 2 else ConnectionDropped
    _cut(world, mishap, Cut(ANY_OPERATION, lambda service: error(f"{service} is out of reach")))


def credentials_expired(world: World, mishap: Mishap) -> None:
    """Every call is refused for a while, whatever it asks for."""
    _cut(world, mishap, Cut(ANY_OPERATION, partial(_refusal, _EXPIRED, "ExpiredTokenException")))


def access_denied(world: World, mishap: Mishap) -> None:
    """Somebody takes a permission away, and gives it back a while later."""
    _cut(world, mishap, Cut(mishap.operation, partial(_refusal, _DENIED, "AccessDeniedException")))


def _refusal(refusals: Mapping[str, tuple[str, int]], usual: str, service: str) -> ApiError:
    code, status = refusals.get(service, (usual, 400))
    return ApiError(code, "The simulated caller may not do this now.", status)


def _cut(world: World, mishap: Mishap, cut: Cut) -> None:
    world.met(mishap)
    world.after(mishap.for_s, world.wire.cut(cut))


def slow_answers(world: World, mishap: Mishap) -> None:
    """Every call takes long for a while."""
    world.met(mishap)
    slow = Latency(to_effect_ms=SLOW_EFFECT_MS, to_outcome_ms=SLOW_OUTCOME_MS)
    world.service.driver.answer_with(slow)
    world.after(mishap.for_s, partial(answer_as_usual, world))


def answer_as_usual(world: World) -> None:
    """Calls take as long as they do in this plan."""
    tuning = world.plan.tuning
    usual = Latency(to_effect_ms=tuning.to_effect_ms, to_outcome_ms=tuning.to_outcome_ms)
    world.service.driver.answer_with(usual)
