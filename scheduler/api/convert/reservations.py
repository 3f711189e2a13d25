"""Reservations: requests as nouns, nouns as messages."""

from collections.abc import Sequence

from ecs_scheduler.v1 import reservation_pb2
from scheduler.api.convert import render
from scheduler.api.convert.enums import ARCHITECTURE_OF, ARCHITECTURES, CONTAINER_SIZE_OF
from scheduler.api.convert.parse import duration_ms, resources
from scheduler.core.model.reservation import Pieces, ReservationOutcomes, StandingReservation, count_of
from scheduler.core.model.resources import NOTHING
from scheduler.services.granting import ReservedTasks, ReserveOrder

SHOWN = 100
"""Reservations of which GetCluster tells more than their number."""


def reserve_order(message: reservation_pb2.ReserveCapacityRequest) -> ReserveOrder:
    """What the client asks for, for the service to judge. A result id that is there twice comes once."""
    return ReserveOrder(
        tenant=message.tenant,
        build_key=message.build_key,
        result_ids=tuple(dict.fromkeys(message.result_ids)),
        tasks=tuple(_tasks(each) for each in message.tasks),
        total=resources(message.total) if message.HasField("total") else None,
        expiry_ms=duration_ms(message.expiry) if message.HasField("expiry") else None,
    )


def release_order(message: reservation_pb2.ReleaseCapacityRequest) -> ReserveOrder:
    """To reserve nothing."""
    return ReserveOrder(tenant=message.tenant, build_key=message.build_key, result_ids=(), total=NOTHING)


def reservation(standing: StandingReservation) -> reservation_pb2.Reservation:
    """One of them."""
    whole = standing.reservation
    return reservation_pb2.Reservation(
        tenant=whole.tenant,
        build_key=whole.build_key,
        result_ids=whole.result_ids,
        results_come=len(whole.uses),
        pieces=[_pieces(each) for each in standing.left],
        create_time=render.timestamp(whole.at_ms),
        expire_time=render.timestamp(whole.expires_ms),
    )


def reservations(
    standing: Sequence[StandingReservation], outcomes: ReservationOutcomes
) -> reservation_pb2.Reservations:
    """All of them in numbers, and the first to expire."""
    in_order = sorted(standing, key=lambda each: (each.reservation.expires_ms, each.reservation.build))
    return reservation_pb2.Reservations(
        count=len(standing),
        pieces=sum(count_of(each.left) for each in standing),
        pieces_used=outcomes.used,
        pieces_lapsed=outcomes.lapsed,
        hit_rate=outcomes.hit_rate,
        next=[reservation(each) for each in in_order[:SHOWN]],
    )


def _tasks(message: reservation_pb2.ReservedTasks) -> ReservedTasks:
    return ReservedTasks(
        count=message.count,
        size=CONTAINER_SIZE_OF.get(message.size),
        resources=resources(message.resources) if message.HasField("resources") else None,
        architecture=ARCHITECTURE_OF.get(message.architecture),
        exclusive=message.exclusive,
    )


def _pieces(pieces: Pieces) -> reservation_pb2.ReservedPieces:
    return reservation_pb2.ReservedPieces(
        resources=render.resources(pieces.ask),
        architecture=ARCHITECTURES[pieces.ask.architecture],
        count=pieces.count,
        exclusive=pieces.ask.exclusive,
    )
