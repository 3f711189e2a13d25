"""Reserving: one reservation after the other, granted on all that were kept before."""

import asyncio

from scheduler.api.replies import Replies
from scheduler.core.autoscaling.reservations import left_of
from scheduler.core.model.reservation import Reservation, StandingReservation
from scheduler.ports.store import StoreError
from scheduler.services.errors import ServiceError
from scheduler.services.granting import ReserveOrder
from scheduler.services.reservations import ReservationService
from scheduler.services.writer import Reply


class Reserving:
    """Where the calls of one event loop that reserve stand in line, so that they keep to a tenant's cap.

    Each takes a step of the control loop and a commit, a few dozen of milliseconds, and there is one a build
    and stage. A caller that goes away leaves its commit on the way to the disk: the next one waits for that.
    """

    def __init__(self, service: ReservationService, replies: Replies) -> None:
        self._service = service
        self._replies = replies
        self._turn = asyncio.Lock()
        self._keeping: asyncio.Task[Reply] | None = None

    async def reserve(self, order: ReserveOrder) -> StandingReservation | None:
        """What was made durable; None where that is nothing. Raises why it is refused."""
        self._service.admit(order)
        async with self._turn:
            if self._keeping is not None:
                await asyncio.wait([self._keeping])
            if order.is_zero:
                await self._keep(self._service.nothing(order))
                return None
            granted: Reservation | ServiceError = await self._replies.of(
                lambda answer: self._service.grant(order, answer)
            )
            if isinstance(granted, ServiceError):
                raise granted
            await self._keep(granted)
            return StandingReservation(reservation=granted, left=left_of(granted))

    async def _keep(self, reservation: Reservation) -> None:
        self._keeping = asyncio.create_task(self._kept(reservation))
        result = await asyncio.shield(self._keeping)
        if isinstance(result, StoreError):
            raise result

    async def _kept(self, reservation: Reservation) -> Reply:
        return await self._replies.of(lambda done: self._service.keep(reservation, done))
