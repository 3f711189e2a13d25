"""The interceptor, where no client can tell what became of a call any more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc import aio
from structlog.testing import capture_logs

from scheduler.api.interceptors import LOGGED_CHARACTERS, ErrorInterceptor
from scheduler.services.errors import TaskNotFound

pytestmark = pytest.mark.asyncio


class Over(aio.InternalError):
    """What grpcio raises when there is nobody to send anything to."""


@dataclass
class Context:
    """One call, whose client has gone unless it is said otherwise."""

    over: bool = True
    codes: list[grpc.StatusCode] = field(default_factory=list)

    def time_remaining(self) -> float | None:
        return 1.0

    async def write(self, response: object) -> None:
        if self.over:
            raise Over

    async def abort(self, code: grpc.StatusCode, details: str, trailers: object) -> None:
        if self.over:
            raise Over
        self.codes.append(code)
        raise aio.AbortError


async def wrapped(handler: "grpc.RpcMethodHandler[Any, Any]") -> Any:
    """The handler as the server gets it."""

    async def continuation(_: object) -> "grpc.RpcMethodHandler[Any, Any]":
        return handler

    @dataclass
    class Details:
        method: str = "/service/Method"

    details: Any = Details()
    return await ErrorInterceptor(default_deadline_s=1.0).intercept_service(continuation, details)


async def unary(behavior: Callable[[Any, Any], Any]) -> Any:
    return (await wrapped(grpc.unary_unary_rpc_method_handler(behavior))).unary_unary


async def stream(behavior: Callable[[Any, Any], Any]) -> Any:
    return (await wrapped(grpc.unary_stream_rpc_method_handler(behavior))).unary_stream


async def refusing(request: object, context: object) -> None:
    raise TaskNotFound("x" * 100_000)


async def telling(request: object, context: object) -> AsyncIterator[str]:
    yield "news"


async def test_refusal_that_nobody_waits_for_is_no_failure() -> None:
    """A client that goes away just before it is refused ends its call, and no error is logged."""
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await (await unary(refusing))(b"", Context())
    assert [line["log_level"] for line in logs] == ["info"]


async def test_answer_that_nobody_waits_for_is_no_failure() -> None:
    """A client that goes away just before a stream's message ends its call, and nothing is logged."""
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await (await stream(telling))(b"", Context())
    assert logs == []


async def test_log_keeps_little_of_what_a_client_sent() -> None:
    """A line of the log is short, however long the name is that a client made up."""
    context = Context(over=False)
    with capture_logs() as logs, pytest.raises(aio.AbortError):
        await (await unary(refusing))(b"", context)
    assert context.codes == [grpc.StatusCode.NOT_FOUND]
    assert len(logs[0]["error"]) == LOGGED_CHARACTERS
