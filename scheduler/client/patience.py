"""Patience: how long and how often to try while a server cannot be reached."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from grpc import aio

from scheduler.client.refusal import Refusal, Refused, refusal_of

T = TypeVar("T")

Unanswered = Callable[[Refusal, float], None]
"""Told that a call did not succeed and is tried again, for so many seconds."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

_INTERRUPTED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
# What proxies and gRPC's own core say of a connection that was cut while a call was under way.
_CUT_OFF = ("RST_STREAM", "Stream removed")


class Unreachable(Exception):
    """Nobody gave a result for as long as was asked to try; the last refusal is kept."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def nobody_is_told(_: Refusal, __: float) -> None:
    """Silence is borne in silence."""


def is_interruption(refusal: Refusal) -> bool:
    """Whether the same call may succeed a little later: the way to the server failed, not the request."""
    return refusal.code in _INTERRUPTED or any(words in refusal.message for words in _CUT_OFF)


class Patience:
    """Counts the time without an answer, in real time: pauses double up to two seconds, with jitter.

    The jitter spreads clients that lost the same server at the same moment.
    """

    def __init__(self, retry_for_s: float, unanswered: Unanswered = nobody_is_told) -> None:
        """Gives up after `retry_for_s` without an answer; `unanswered` is told when such a time begins."""
        self._retry_for_s = retry_for_s
        self._unanswered = unanswered
        self._told = False
        self._gives_up_at: float | None = None
        self._pause_s = FIRST_PAUSE_S

    def answered(self) -> None:
        """Somebody answered: the count starts anew."""
        self._gives_up_at = None
        self._told = False
        self._pause_s = FIRST_PAUSE_S

    async def wait(self, refusal: Refusal, *, quietly: bool = False) -> None:
        """Rests before the next try, at least as long as the server asked for. Raises Unreachable."""
        now = asyncio.get_running_loop().time()
        if self._gives_up_at is None:
            self._gives_up_at = now + self._retry_for_s
        if now >= self._gives_up_at:
            raise Unreachable(refusal)
        if not (quietly or self._told):
            self._told = True
            self._unanswered(refusal, self._gives_up_at - now)
        pause_s = max(self._pause_s * random.uniform(0.5, 1.0), refusal.retry_after_s or 0.0)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        await asyncio.sleep(min(pause_s, self._gives_up_at - now))


async def answered(
    call: Callable[[], Awaitable[T]], *, retry_for_s: float, unanswered: Unanswered = nobody_is_told
) -> T:
    """The answer of a call that may be made again. Raises Refused, or Unreachable after `retry_for_s`."""
    patience = Patience(retry_for_s, unanswered)
    while True:
        try:
            return await call()
        except aio.AioRpcError as error:
            refusal = refusal_of(error)
            if not is_interruption(refusal):
                raise Refused(refusal) from error
            await patience.wait(refusal)
