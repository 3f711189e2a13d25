"""Answers from other threads: each reaches its caller, with one wake-up for many."""

import asyncio
from collections.abc import Callable

import pytest

from scheduler.api.replies import Replies

pytestmark = pytest.mark.asyncio


class CountingLoop:
    """The running loop, but it counts how often it is woken from other threads."""

    def __init__(self) -> None:
        self.wakes = 0
        self._loop = asyncio.get_running_loop()
        self.create_future = self._loop.create_future

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.wakes += 1
        self._loop.call_soon_threadsafe(callback)


async def test_one_wake_up_for_all_that_gather() -> None:
    """A hundred answers of one group commit wake the loop once, and each goes to its own caller."""
    loop = CountingLoop()
    replies = Replies(loop)  # type: ignore[arg-type]  # the two methods that it uses
    asked: list[Callable[[int], None]] = []
    calls = [asyncio.ensure_future(replies.of(asked.append)) for _ in range(100)]
    await asyncio.sleep(0)
    for number, done in enumerate(asked):
        done(number)
    assert await asyncio.gather(*calls) == list(range(100))
    assert loop.wakes == 1


async def test_answer_from_another_thread() -> None:
    """The answer may come from any thread."""
    replies = Replies(asyncio.get_running_loop())
    loop = asyncio.get_running_loop()

    def ask(done: Callable[[str], None]) -> None:
        loop.run_in_executor(None, done, "written")

    assert await replies.of(ask) == "written"


async def test_answer_to_who_went_away_is_dropped() -> None:
    """An answer for a cancelled call harms nobody; the next one arrives."""
    replies = Replies(asyncio.get_running_loop())
    asked: list[Callable[[str], None]] = []
    gone = asyncio.ensure_future(replies.of(asked.append))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    asked[0]("too late")

    def ask(done: Callable[[str], None]) -> None:
        done("in time")

    assert await replies.of(ask) == "in time"


async def test_answers_after_the_end_do_not_wake_the_loop() -> None:
    """Once closed, answers are dropped: the writer's thread must not fail on a loop that has ended."""
    loop = CountingLoop()
    replies = Replies(loop)  # type: ignore[arg-type]  # the two methods that it uses
    asked: list[Callable[[str], None]] = []
    call = asyncio.ensure_future(replies.of(asked.append))
    await asyncio.sleep(0)
    replies.close()
    asked[0]("nobody listens")
    call.cancel()
    assert loop.wakes == 0


async def test_nobody_asks_for_who_went_away() -> None:
    """A call that is cancelled before its turn comes is not worked on, and holds nobody else up."""
    replies = Replies(asyncio.get_running_loop())
    turns: list[Callable[[], None]] = []
    gone, there = (
        asyncio.ensure_future(replies.of(lambda done, name=name: done(name), when=turns.append))  # type: ignore[misc]
        for name in ("gone", "there")
    )
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    for go_on in turns:
        go_on()
    assert await there == "there"
    assert gone.cancelled()
