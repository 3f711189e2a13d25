"""The line in which calls that reserve stand: one after the other, whoever goes away meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scheduler.api.replies import Replies
from scheduler.api.reserving import Reserving
from scheduler.core.model.reservation import StandingReservation
from scheduler.core.model.task import ContainerSize
from scheduler.services.errors import TooMuchReserved
from scheduler.services.granting import ReservedTasks, ReserveOrder
from scheduler.services.watch import WatchHub
from tests.api.served import PlayedLoop, autoscaling_over
from tests.services.fakes import GatedStore

pytestmark = pytest.mark.asyncio


class Line:
    """A line, the loop that is asked in it, and the store whose gate each reservation has to pass."""

    def __init__(self, store: GatedStore, loop: PlayedLoop, reserving: Reserving) -> None:
        self.store, self.loop = store, loop
        self._reserving = reserving

    def join(self, build_key: str) -> "asyncio.Task[StandingReservation | None]":
        """More than half of what a tenant may reserve, for a build of its."""
        order = ReserveOrder(
            tenant="bamboo",
            build_key=build_key,
            result_ids=("R",),
            tasks=(ReservedTasks(count=300, size=ContainerSize.SMALL),),
        )
        return asyncio.create_task(self._reserving.reserve(order))

    async def commit_begun(self) -> None:
        await asyncio.to_thread(self.store.entered.get, timeout=10)


@asynccontextmanager
async def a_line() -> AsyncIterator[Line]:
    store, loop, replies = GatedStore(), PlayedLoop(), Replies(asyncio.get_running_loop())
    service, writer = autoscaling_over(store, WatchHub(store), loop)
    writer.start(lambda: None)
    try:
        yield Line(store, loop, Reserving(service.reservations, replies))
    finally:
        store.gate.set()
        writer.stop()
        loop.thread.shutdown()


async def turns() -> None:
    """Everybody in the event loop has gone on as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_caller_that_goes_away_lets_nobody_past_the_cap() -> None:
    """While its reservation is on the way to the disk nobody is granted one who could not know of it."""
    async with a_line() as line:
        line.store.gate.clear()
        gone = line.join("A")
        await line.commit_begun()
        gone.cancel()
        waiting = line.join("B")
        await turns()
        assert len(line.loop.asked) == 1
        line.store.gate.set()
        with pytest.raises(TooMuchReserved):
            await waiting
    assert gone.cancelled()


async def test_who_waited_and_went_away_too_leaves_the_line_in_order() -> None:
    """However many give up, the next one in line is granted after what was begun before."""
    async with a_line() as line:
        line.store.gate.clear()
        first = line.join("A")
        await line.commit_begun()
        second = line.join("B")
        first.cancel()
        await turns()
        second.cancel()
        third = line.join("A")
        await turns()
        assert len(line.loop.asked) == 1
        line.store.gate.set()
        kept = await third
    assert kept is not None
    assert second.cancelled()
