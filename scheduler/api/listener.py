"""The listener: a server of grpcio's, and a new one in its place when it has died.

A call whose path is not UTF-8 kills grpcio's aio server (1.85.1): it decodes the path in the loop that
accepts calls, which ends with the error and takes the port with it. Calls that are under way go on. Nothing
tells of it (`wait_for_termination` waits on), so the tasks that a server has started are looked after here.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from grpc import aio

from scheduler.api.address import with_port

log = structlog.get_logger()

RETRY_S = 0.1
"""Rest while the port is not free yet."""


class Listener:
    """Listens with one server at a time. It belongs to the event loop that starts it."""

    def __init__(
        self, new_server: Callable[[], aio.Server], add_port: Callable[[aio.Server, str], int]
    ) -> None:
        """`add_port` has a server listen on an address and returns the port; it raises RuntimeError."""
        self._new_server = new_server
        self._add_port = add_port
        self._server: aio.Server | None = None
        # Kept, for gRPC ends the calls of a server that nobody keeps; and never stopped, for it cannot be.
        self._dead: aio.Server | None = None
        self._stopping = False
        self._renewal: asyncio.Task[None] | None = None

    async def start(self, address: str) -> int:
        """Listens, and returns the port. Raises what `add_port` does."""
        port = await self._listen(address)
        # The same port again: clients know it, even if it was the system that chose it.
        self._address = with_port(address, port)
        return port

    async def stop(self, grace_s: float) -> None:
        """Refuses new calls; those under way get `grace_s`."""
        self._stopping = True
        if self._renewal is not None:
            await self._renewal
        if self._server is not None:
            with suppress(UnicodeDecodeError):  # it died of such a call just now
                await self._server.stop(grace_s)

    async def _listen(self, address: str) -> int:
        server = self._new_server()
        port = self._add_port(server, address)
        before = asyncio.all_tasks()
        await server.start()
        self._server = server
        for task in asyncio.all_tasks() - before:
            task.add_done_callback(self._ended)
        return port

    def _ended(self, task: asyncio.Task[object]) -> None:
        """One of the tasks that came with a server is done; the one that accepts calls only fails."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, UnicodeDecodeError) and not self._stopping:
            log.warning("listener.renewed", reason=str(error))
            self._dead, self._server = self._server, None
            self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while not self._stopping:
            try:
                await self._listen(self._address)
            except RuntimeError:
                await asyncio.sleep(RETRY_S)
            else:
                return
