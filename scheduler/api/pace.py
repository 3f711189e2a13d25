"""The pace of a watch: read when rung, and never silent for too long."""

import asyncio


class Pace:
    """When the next message of one stream is due. It belongs to the event loop that makes it.

    Progress is real time, whatever the domain's clock does: it is there for proxies on the way.
    """

    def __init__(self, progress_interval_s: float) -> None:
        self._interval_s = progress_interval_s
        self._real_time_s = asyncio.get_running_loop().time
        self._rung = asyncio.Event()
        self.said()

    def ring(self) -> None:
        """There is something to read."""
        self._rung.set()

    def listen(self) -> None:
        """Whoever rings from now on is heard; to be called before a read."""
        self._rung.clear()

    def said(self) -> None:
        """A message was sent."""
        self._due_s = self._real_time_s() + self._interval_s

    @property
    def silent_too_long(self) -> bool:
        """True when a message is due, with or without anything in it."""
        return self._real_time_s() >= self._due_s

    async def rest(self) -> None:
        """Until rung, or until a message is due."""
        if self._rung.is_set():
            return
        try:
            async with asyncio.timeout_at(self._due_s):
                await self._rung.wait()
        except TimeoutError:
            return
