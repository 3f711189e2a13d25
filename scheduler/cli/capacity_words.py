"""Words about capacity: wishes, events and container instances as they are written for people."""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from ecs_scheduler.v1.capacity_pb2 import ScaleWish, ScalingEvent, ScalingKind
from ecs_scheduler.v1.container_instance_pb2 import ContainerInstance, RemovalCause, RemovalStep
from ecs_scheduler.v1.reservation_pb2 import Reservation
from scheduler.api.convert.enums import INSTANCE_HEALTH_OF
from scheduler.cli import words


def clock_time(time: Timestamp) -> str:
    """`14:48:06`, in UTC."""
    return time.ToDatetime().strftime("%H:%M:%S")


def wish(wished: ScaleWish) -> str:
    """`never fewer than 5 container instances, until 2026-11-22T16:48:06Z`."""
    if not wished.HasField("expire_time"):
        return _size(wished)
    return f"{_size(wished)}, until {wished.expire_time.ToDatetime():%Y-%m-%dT%H:%M:%SZ}"


def reservation(reserved: Reservation) -> str:
    """`bamboo WEB-E2E: 3 x 2 vCPU, 8,006 MiB until 2026-11-22T16:48:06Z, 1 of 4 results came`."""
    pieces = [
        f"{each.count} x {words.ask(each.resources, exclusive=each.exclusive)}" for each in reserved.pieces
    ]
    return (
        f"{reserved.tenant} {reserved.build_key}: {' + '.join(pieces) or 'nothing left'} "
        f"until {reserved.expire_time.ToDatetime():%Y-%m-%dT%H:%M:%SZ}, "
        f"{reserved.results_come} of {len(reserved.result_ids)} results came"
    )


def kind(event: ScalingEvent) -> str:
    """`GROW` for SCALING_KIND_GROW."""
    return ScalingKind.Name(event.kind).removeprefix("SCALING_KIND_")


def change(event: ScalingEvent) -> str:
    """`3 -> 5` where desired capacity changes, else nothing."""
    if not event.HasField("desired_after"):
        return ""
    return f"{event.desired_before} -> {event.desired_after}"


def why(event: ScalingEvent) -> str:
    """Cause and reason, behind what holds it if it was not done."""
    held = f"(held by {event.held}) " if event.held else ""
    return held + ": ".join(part for part in (event.code, event.message) if part)


def health(instance: ContainerInstance) -> str:
    """What the service makes of it."""
    known = INSTANCE_HEALTH_OF.get(instance.health)
    return known.value if known else "unknown"


def notes(instance: ContainerInstance) -> str:
    """What else there is to say of it."""
    return "; ".join(_notes(instance))


def _notes(instance: ContainerInstance) -> Iterator[str]:
    if instance.HasField("removal"):
        removal = instance.removal
        cause = RemovalCause.Name(removal.cause).removeprefix("REMOVAL_CAUSE_")
        step = RemovalStep.Name(removal.step).removeprefix("REMOVAL_STEP_")
        yield f"goes for {cause}, {step} (since {clock_time(removal.since_time)})"
    if instance.HasField("disconnected_since_time"):
        yield f"disconnected since {clock_time(instance.disconnected_since_time)}"
    if instance.HasField("idle_since_time"):
        yield f"idle since {clock_time(instance.idle_since_time)}"
    if instance.stale:
        yield "old"


def _size(wished: ScaleWish) -> str:
    match wished.WhichOneof("size"):
        case "floor":
            return f"never fewer than {wished.floor} container instances"
        case "target":
            return f"{wished.target} container instances"
        case _:
            return "no wish"
