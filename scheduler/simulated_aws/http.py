"""The HTTP front: a simulated account behind AWS's own protocols, for unmodified SDKs of any language.

`POST /` is AWS. What belongs to the simulation alone stands under `/_simulation/`: clock, journal,
faults, acts and instances.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from threading import Thread
from typing import Any, Protocol, TypeVar

from aiohttp import web

from scheduler.simulated_aws.codec import codec_of_request, codec_of_stray
from scheduler.simulated_aws.codec_base import Answer, Backend, Codec
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped

LOG = logging.getLogger(__name__)

_INTERNAL_FAILURE = ApiError(
    # AWS docs, "Common Error Types": InternalFailure, 500
    "InternalFailure",
    "The request processing has failed because of an unknown error, exception or failure.",
    http_status=500,
)
_LARGEST_REQUEST_BYTES = 4 * 2**20
_START_OR_STOP_S = 10.0
_T = TypeVar("_T")


class Journal(Protocol):
    """What has happened in the account, in order."""

    @property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        """Entries are only ever appended."""
        ...


class JournalledBackend(Backend, Protocol):
    """A backend that keeps a journal; `SimulatedAws` is one."""

    @property
    def journal(self) -> Journal:
        """The account's journal."""
        ...

    def advance(self) -> None:
        """Carries out what is due by now, as the next call would."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """How the account's time runs: from `epoch_ms` at the start, `rate` times as fast as real time."""

    epoch_ms: int
    rate: float
    now_ms: int


ReadClock = Callable[[], ClockReading]
AddFault = Callable[[dict[str, Any]], object]
Act = Callable[[dict[str, Any]], object]
ReadInstances = Callable[[], list[dict[str, Any]]]
Page = Callable[[web.Request], Awaitable[web.Response]]


class HttpFront:
    """Serves one account. It runs in one event loop; calls are carried out in it, one after the other.

    `add_fault` and `act` raise ValueError, TypeError or LookupError for what they cannot understand. The
    front has no page for what it was not given.
    """

    def __init__(
        self,
        backend: JournalledBackend,
        *,
        read_clock: ReadClock | None = None,
        add_fault: AddFault | None = None,
        act: Act | None = None,
        read_instances: ReadInstances | None = None,
    ) -> None:
        self._backend, self._read_clock, self._read_instances = backend, read_clock, read_instances
        self._add_fault, self._act = add_fault, act
        self._request_numbers = count(1)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the URL to use as `endpoint_url`. Port 0 takes a free one."""
        application = web.Application(client_max_size=_LARGEST_REQUEST_BYTES)
        application.add_routes(self._routes())
        # A stopped front owes nobody an answer, so it does not wait for idle keep-alive connections.
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self.stop()
            raise
        address = self._runner.addresses[0]
        return f"http://{address[0]}:{address[1]}"

    async def stop(self) -> None:
        """Close the listener and all connections. Stopping twice is harmless."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        routes = [web.post("/", self._post), web.get("/_simulation/journal", self._get_journal)]
        if self._read_clock is not None:
            routes.append(web.get("/_simulation/clock", _clock_page(self._read_clock)))
        if self._add_fault is not None:
            routes.append(web.post("/_simulation/faults", _told_page(self._add_fault, "fault", status=201)))
        if self._act is not None:
            routes.append(web.post("/_simulation/act", _told_page(self._act, "act", status=200)))
        if self._read_instances is not None:
            routes.append(web.get("/_simulation/instances", _instances_page(self._read_instances)))
        return routes

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            answer = self._answer(request.headers, body, f"simulated-{next(self._request_numbers)}")
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # for aiohttp's own bookkeeping; there is no connection left to write it to
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _answer(self, headers: Mapping[str, str], body: bytes, request_id: str) -> Answer:
        codec = codec_of_stray(headers)
        try:
            codec = codec_of_request(headers)
            return self._call(codec, headers, body, request_id)
        except ApiError as error:
            return codec.write_error(error, request_id)
        except ConnectionDropped:
            raise
        except Exception:
            LOG.exception("the simulation failed at request %s: %.200r", request_id, body)
            return codec.write_error(_INTERNAL_FAILURE, request_id)

    def _call(self, codec: Codec, headers: Mapping[str, str], body: bytes, request_id: str) -> Answer:
        call = codec.read_call(headers, body)
        result = self._backend.call(call.service, call.operation, call.params)
        return codec.write_result(call.operation, result, request_id)

    async def _get_journal(self, request: web.Request) -> web.Response:
        """`?after=N` leaves the first N entries out: a reader that has seen N asks for what is new."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdecimal()):
            raise web.HTTPBadRequest(text="after is the number of entries already seen")
        self._backend.advance()
        return web.json_response(list(self._backend.journal.entries[int(after) :]))


def _clock_page(read_clock: ReadClock) -> Page:
    async def get(_: web.Request) -> web.Response:
        return web.json_response(asdict(read_clock()))

    return get


def _instances_page(read_instances: ReadInstances) -> Page:
    async def get(_: web.Request) -> web.Response:
        return web.json_response(read_instances())

    return get


def _told_page(tell: Callable[[dict[str, Any]], object], what: str, *, status: int) -> Page:
    async def post(request: web.Request) -> web.Response:
        try:
            told = json.loads(await request.read())
            if not isinstance(told, dict):
                raise TypeError(f"it must be a JSON object, not {told!r:.40}")
            tell(told)
        except (ValueError, TypeError, LookupError) as error:
            raise web.HTTPBadRequest(text=f"not a possible {what}: {_line(error)}\n") from error
        return web.json_response({}, status=status)

    return post


def _line(error: Exception) -> str:
    """One line: str() of a KeyError is its argument's repr."""
    text = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    return " ".join(text.split())


class ThreadedFront:
    """Runs a front on a thread and an event loop of its own, for callers that have no loop.

    `with ThreadedFront(HttpFront(account)) as url:` is all there is to it; the end of the block stops it.
    """

    def __init__(self, front: HttpFront, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._front, self._host, self._port = front, host, port
        self._running = ExitStack()

    def __enter__(self) -> str:
        """Start, and return the URL once it is listening."""
        with ExitStack() as starting:
            loop = starting.enter_context(_loop_on_a_thread())
            url = _carry_out(loop, self._front.start(self._host, self._port))
            starting.callback(lambda: _carry_out(loop, self._front.stop()))
            self._running = starting.pop_all()
        return url

    def __exit__(self, *_: object) -> None:
        """Stop listening and end the thread."""
        self._running.close()


@contextmanager
def _loop_on_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="simulated-aws", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _carry_out(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(_START_OR_STOP_S)
