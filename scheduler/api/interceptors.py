"""The one interceptor: domain errors become statuses, failures are logged, unary calls have a deadline."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc import aio

from scheduler.api.status import (
    DefaultDeadlinePassed,
    Failure,
    MalformedMessage,
    failure_of,
    internal_failure,
)
from scheduler.services.errors import ServiceStopping

log = structlog.get_logger()

LOGGED_CHARACTERS = 500
"""Of an error's text, which may hold what the client sent: a message may be 4 MiB long, a log's line not."""

# The interceptor serves every method alike, whatever its messages are.
Context: TypeAlias = aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in the stubs only


class ErrorInterceptor(aio.ServerInterceptor):
    """Wraps every method. Servicers raise domain errors and know nothing of statuses.

    Unary calls without a deadline get `default_deadline_s`; streams live as long as their client.
    """

    def __init__(self, default_deadline_s: float) -> None:
        self._default_deadline_s = default_deadline_s
        self._handlers: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The method's handler, wrapped once. None, for which gRPC answers UNIMPLEMENTED, stays None."""
        method = handler_call_details.method
        if method not in self._handlers:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            self._handlers[method] = self._wrapped(handler, method)
        return self._handlers[method]

    def _wrapped(self, handler: Any, method: str) -> Handler:
        codec = {
            "request_deserializer": _read(handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._unary(handler.unary_unary, method), **codec)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream, method), **codec)
        return grpc.stream_stream_rpc_method_handler(
            _stream(_each_read(handler.stream_stream), method), **codec
        )

    def _unary(self, behavior: Callable[[Any, Context], Awaitable[Any]], method: str) -> Any:
        async def call(request: Any, context: Context) -> Any:
            try:
                return await self._in_time(behavior(_well_formed(request), context), context)
            except aio.AbortError:
                raise
            except Exception as error:
                await _abort(context, method, error)

        return call

    async def _in_time(self, answer: Awaitable[Any], context: Context) -> Any:
        if context.time_remaining() is not None:
            return await answer  # gRPC itself cancels the call when the client's deadline passes
        deadline = asyncio.timeout(self._default_deadline_s)
        try:
            async with deadline:
                return await answer
        except TimeoutError as late:
            if deadline.expired():
                raise DefaultDeadlinePassed(self._default_deadline_s) from late
            raise


def _each_read(behavior: Callable[[Any, Context], AsyncGenerator[Any, None]]) -> Any:
    """A behavior to which every request of a stream comes well-formed."""

    def call(requests: AsyncIterator[Any], context: Context) -> AsyncGenerator[Any, None]:
        return behavior((_well_formed(request) async for request in requests), context)

    return call


def _stream(behavior: Callable[[Any, Context], AsyncGenerator[Any, None]], method: str) -> Any:
    async def call(request: Any, context: Context) -> None:
        try:
            # Closed here and not by the garbage collector: a watch gives up its place at once. And written
            # here, so that a client's going away is raised inside this block.
            async with aclosing(behavior(_well_formed(request), context)) as responses:
                async for response in responses:
                    await context.write(response)
        except aio.AbortError:
            raise
        except Exception as error:
            await _abort(context, method, error)

    return call


def _read(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Puts a failure to read in the request's place: gRPC would answer UNKNOWN, with Python's words."""

    def read(body: bytes) -> Any:
        try:
            return deserialize(body)
        except DecodeError:
            return MalformedMessage()

    return read


def _well_formed(request: Any) -> Any:
    if isinstance(request, MalformedMessage):
        raise request
    return request


async def _abort(context: Context, method: str, error: Exception) -> None:
    """Ends the call; always raises. A cancelled call never comes here: CancelledError is no Exception."""
    try:
        if isinstance(error, aio.InternalError):
            raise error
        failure = _failure(method, error)
        await context.abort(failure.code, failure.message, failure.trailers)
    except aio.InternalError:
        # Nothing can be sent any more: the client has gone, or its deadline has passed, and gRPC has not yet
        # told us. It would end the call like this.
        raise asyncio.CancelledError from None


def _failure(method: str, error: Exception) -> Failure:
    """What the client is told, and the log."""
    failure = failure_of(error)
    if failure is None:
        return _unexpected(method, error)
    if not isinstance(error, ServiceStopping):  # the server's end is no failure of each of its watches
        text = str(error)[:LOGGED_CHARACTERS]
        log.info("rpc_failed", method=method, code=failure.code.name, reason=failure.reason, error=text)
    return failure


def _unexpected(method: str, error: Exception) -> Failure:
    # Not from the Ids port: it names a line in the log and is part of no decision that a replay repeats.
    error_id = secrets.token_hex(8)
    log.error("rpc_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
    return internal_failure(error_id)
