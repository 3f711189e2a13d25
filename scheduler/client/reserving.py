"""Reserving: a request is sent until somebody answers it. A repeat is harmless: it only lasts longer."""

from ecs_scheduler.v1.reservation_pb2 import (
    ReleaseCapacityRequest,
    ReleaseCapacityResponse,
    ReserveCapacityRequest,
    ReserveCapacityResponse,
)
from scheduler.client.connection import Connection
from scheduler.client.patience import answered

CALL_TIMEOUT_S = 10.0
"""Then the effect is unknown, and the same is sent again."""


async def reserve(
    connection: Connection, request: ReserveCapacityRequest, *, retry_for_s: float
) -> ReserveCapacityResponse:
    """What is reserved. Raises Refused, or Unreachable after `retry_for_s` without an answer."""
    return await answered(
        lambda: connection.scaling.ReserveCapacity(request, timeout=CALL_TIMEOUT_S),
        retry_for_s=retry_for_s,
        unanswered=connection.unanswered,
    )


async def release(
    connection: Connection, request: ReleaseCapacityRequest, *, retry_for_s: float
) -> ReleaseCapacityResponse:
    """Nothing is reserved then. Raises Refused, or Unreachable after `retry_for_s` without an answer."""
    return await answered(
        lambda: connection.scaling.ReleaseCapacity(request, timeout=CALL_TIMEOUT_S),
        retry_for_s=retry_for_s,
        unanswered=connection.unanswered,
    )
