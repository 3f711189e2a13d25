"""Answers from other threads, brought to the event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def _now(go: Callable[[], None]) -> None:
    go()


class Replies:
    """Resolves futures of one event loop from any thread, with one wake-up for all that gather meanwhile.

    A group commit answers a hundred calls in one go: a wake-up each would cost a system call and a
    hand-over of the interpreter's lock each, on the thread that everybody waits for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        # Of any types: `of` keeps the future's and its answer's the same.
        self._arrived: list[tuple[asyncio.Future[Any], Any]] = []
        self._closed = False

    async def of(
        self, ask: Callable[[Callable[[T], None]], None], *, when: Callable[[Callable[[], None]], None] = _now
    ) -> T:
        """Calls `ask` with a callback for the answer, which any thread may call, and waits for it.

        `when` says when to ask: nobody is asked for whoever went away before.
        """
        future: asyncio.Future[T] = self._loop.create_future()

        def go() -> None:
            if not future.done():
                ask(lambda answer: self._arrive(future, answer))

        when(go)
        return await future

    def close(self) -> None:
        """Drops answers from now on: the loop is about to end, and waking it would be an error."""
        with self._lock:
            self._closed = True

    def _arrive(self, future: asyncio.Future[T], answer: T) -> None:
        with self._lock:
            if self._closed:
                return
            self._arrived.append((future, answer))
            if len(self._arrived) == 1:
                self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
        for future, answer in arrived:
            # Done already when the client went away or its deadline passed.
            if not future.done():
                future.set_result(answer)
