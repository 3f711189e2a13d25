"""Gathering: calls that come close together go on together, and nobody waits alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from scheduler.api.gathering import GATHER_S, Gathering

pytestmark = pytest.mark.asyncio


class HeldLoop:
    """A loop whose timers go off when the test says so."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self._timers: list[Callable[[], None]] = []

    def call_later(self, pause_s: float, callback: Callable[..., None], *arguments: Any) -> None:
        self.pauses_s.append(pause_s)
        self._timers.append(lambda: callback(*arguments))

    async def go_off(self) -> None:
        while self._timers:
            self._timers.pop(0)()
        await asyncio.sleep(0)


class Meeting:
    """A gathering on a held loop, and who has gone on from it."""

    def __init__(self) -> None:
        self.loop = HeldLoop()
        self.gone_on: list[str] = []
        self._gathering = Gathering(self.loop)  # type: ignore[arg-type]  # the one method that it uses

    async def come(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._go(name)) for name in names]
        await asyncio.sleep(0)
        return tasks

    async def _go(self, name: str) -> None:
        await self._gathering.join()
        self.gone_on.append(name)


async def test_they_go_on_together_in_the_order_in_which_they_came() -> None:
    """Nobody goes on before the time is over, and then all do, by one timer."""
    meeting = Meeting()
    await meeting.come("first", "second")
    await meeting.come("third")
    assert meeting.gone_on == []
    await meeting.loop.go_off()
    assert meeting.gone_on == ["first", "second", "third"]
    assert len(meeting.loop.pauses_s) == 1


async def test_who_comes_alone_does_not_wait() -> None:
    """There is a pause only after calls that had company, and none any more after one that had none."""
    meeting = Meeting()
    for names in (["alone"], ["one", "other"], ["alone"], ["alone"]):
        await meeting.come(*names)
        await meeting.loop.go_off()
    assert meeting.loop.pauses_s == [0, 0, GATHER_S, 0]


async def test_who_went_away_holds_nobody_up() -> None:
    """A call that is cancelled while it waits does not keep the others from going on."""
    meeting = Meeting()
    gone, _ = await meeting.come("gone", "there")
    gone.cancel()
    await meeting.loop.go_off()
    assert meeting.gone_on == ["there"]
