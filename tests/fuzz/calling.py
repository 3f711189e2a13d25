"""Carries a case out over a real connection, and keeps all that came back."""

import asyncio
from dataclasses import dataclass, replace

import grpc
from grpc import aio

from tests.fuzz.cases import Case

PATIENCE_S = 60.0
"""Twice the server's own deadline: an answer that comes later never comes."""

QUIET_S = 0.2
LINGER_S = 1.0
MESSAGES = 3
"""A stream is left after so many messages, or when it was quiet for so long."""

CORE = "Internal error from Core"
"""What grpcio's client says when a call was over before all of it could be sent; no server says it."""

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a gRPC code's name, or OPEN for a stream that went on, LEFT, UNSENT, or SILENT."""

    code: str
    details: str = ""
    trailers: Metadata = ()
    messages: tuple[bytes, ...] = ()


async def answer_to(channel: aio.Channel, case: Case, *, stays_open: bool) -> Answer:
    """Makes the call, as every kind of call can be made: as two streams of bytes."""
    call: aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(case.path)(
        metadata=aio.Metadata(*case.metadata),
        timeout=case.deadline_s,
        compression=grpc.Compression.Gzip if case.gzip else None,
    )
    saying = asyncio.create_task(_say(call, case))
    try:
        # Where one message alone is read, the writer of a second one waits for as long as the stream is open.
        await asyncio.wait([saying], timeout=QUIET_S if stays_open else PATIENCE_S)
        return await _converse(call, case, stays_open=stays_open)
    finally:
        call.cancel()
        saying.cancel()  # a call that is cancelled does not wake who writes to it
        await asyncio.wait([saying])


async def _converse(call: "aio.StreamStreamCall[bytes, bytes]", case: Case, *, stays_open: bool) -> Answer:
    if case.leaves:
        await asyncio.sleep(0.001 * (len(case.bodies[0]) % 5) if case.bodies else 0)
        return Answer(code="LEFT")
    messages: list[bytes] = []
    ended = await _listen(call, messages, QUIET_S if stays_open or not case.bodies else PATIENCE_S)
    if case.lingers:
        await asyncio.sleep(LINGER_S)
    heard = Answer(code="OPEN" if stays_open or not case.bodies else "SILENT", messages=tuple(messages))
    if not ended:
        return heard
    code, details = (await call.code()).name, await call.details() or ""
    return replace(
        heard,
        code="UNSENT" if details == CORE else code,
        details=details,
        trailers=tuple(await call.trailing_metadata() or ()),
    )


async def _say(call: "aio.StreamStreamCall[bytes, bytes]", case: Case) -> None:
    try:
        for body in case.bodies:
            await call.write(body)
        if case.ends:
            await call.done_writing()
    except (aio.AioRpcError, aio.InternalError, asyncio.InvalidStateError):
        return  # over before all was said: the status tells why
    except asyncio.CancelledError:
        _unless_it_is_us()


async def _listen(call: "aio.StreamStreamCall[bytes, bytes]", messages: list[bytes], quiet_s: float) -> bool:
    """Whether the call has ended by itself. What is not answered in time is cancelled by gRPC."""
    try:
        async with asyncio.timeout(quiet_s):
            while len(messages) < MESSAGES:
                message = await call.read()
                if not isinstance(message, bytes):
                    return True  # aio.EOF
                messages.append(message)
    except TimeoutError:
        return False
    except aio.AioRpcError:
        return True
    except asyncio.CancelledError:
        _unless_it_is_us()
        return True
    return False


def _unless_it_is_us() -> None:
    """gRPC tells of a cancelled call as of a cancelled task."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
