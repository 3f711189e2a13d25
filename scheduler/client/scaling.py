"""Scaling by hand: a wish is sent until somebody answers it, always under the same request id."""

from ecs_scheduler.v1.capacity_pb2 import ScalePlan, ScaleWish
from ecs_scheduler.v1.scaling_pb2 import ScaleRequest, ScaleResponse
from scheduler.client.connection import Connection
from scheduler.client.patience import answered

CALL_TIMEOUT_S = 10.0
"""Then the effect is unknown, and the same wish is sent again: the request id makes that harmless."""


async def scale(connection: Connection, request: ScaleRequest, *, retry_for_s: float) -> ScaleWish:
    """The wish as it was accepted. Raises Refused, or Unreachable after `retry_for_s` without an answer."""
    return (await _answered(connection, request, dry_run=False, retry_for_s=retry_for_s)).wish


async def plan(connection: Connection, request: ScaleRequest, *, retry_for_s: float) -> ScalePlan:
    """What would be done under the request's wish, or without one under the present. Changes nothing.

    Raises Refused, or Unreachable after `retry_for_s` without an answer.
    """
    return (await _answered(connection, request, dry_run=True, retry_for_s=retry_for_s)).plan


async def _answered(
    connection: Connection, request: ScaleRequest, *, dry_run: bool, retry_for_s: float
) -> ScaleResponse:
    wanted = ScaleRequest()
    wanted.CopyFrom(request)
    wanted.dry_run = dry_run
    return await answered(
        lambda: connection.scaling.Scale(wanted, timeout=CALL_TIMEOUT_S),
        retry_for_s=retry_for_s,
        unanswered=connection.unanswered,
    )
