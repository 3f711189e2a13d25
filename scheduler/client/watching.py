"""Watching: one stream of messages, endless or not, over as many streams as it takes."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import grpc
from grpc import aio

from ecs_scheduler.v1.logs_pb2 import TailLogsRequest, TailLogsResponse
from ecs_scheduler.v1.scaling_pb2 import WatchScalingRequest, WatchScalingResponse
from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest, WatchTasksResponse
from scheduler.client.connection import Connection
from scheduler.client.patience import Patience, is_interruption
from scheduler.client.refusal import Refusal, Refused, refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The stream ended and is taken up again.

    With `from_start` the changes in between cannot be had any more: the watch begins as one without a token.
    """

    refusal: Refusal
    from_start: bool


class _Resumable(Protocol):
    """A request or a message of a watch."""

    resume_token: str


Message = TypeVar("Message", bound=_Resumable)


def watch_tasks(
    connection: Connection,
    request: WatchTasksRequest,
    *,
    retry_for_s: float,
    interrupted: Callable[[Interruption], None],
) -> AsyncIterator[WatchTasksResponse]:
    """Messages in order, resumed after every interruption, each of which is told once.

    Raises Refused, or Unreachable after `retry_for_s` without a message.
    """
    wanted = WatchTasksRequest()
    wanted.CopyFrom(request)
    patience = Patience(retry_for_s, connection.unanswered)
    return _resumed(lambda: connection.scheduler.WatchTasks(wanted), wanted, patience, interrupted)


def watch_scaling(
    connection: Connection,
    request: WatchScalingRequest,
    *,
    retry_for_s: float,
    interrupted: Callable[[Interruption], None],
) -> AsyncIterator[WatchScalingResponse]:
    """As `watch_tasks`; without a token it begins now."""
    wanted = WatchScalingRequest()
    wanted.CopyFrom(request)
    patience = Patience(retry_for_s, connection.unanswered)
    return _resumed(lambda: connection.scaling.WatchScaling(wanted), wanted, patience, interrupted)


def tail_logs(
    connection: Connection,
    request: TailLogsRequest,
    *,
    retry_for_s: float,
    interrupted: Callable[[Interruption], None],
) -> AsyncIterator[TailLogsResponse]:
    """As `watch_tasks`; it ends when the log has been read."""
    wanted = TailLogsRequest()
    wanted.CopyFrom(request)
    patience = Patience(retry_for_s, connection.unanswered)
    return _resumed(lambda: connection.scheduler.TailLogs(wanted), wanted, patience, interrupted)


async def _resumed(
    stream: Callable[[], AsyncIterable[Message]],
    wanted: _Resumable,
    patience: Patience,
    interrupted: Callable[[Interruption], None],
) -> AsyncIterator[Message]:
    """`stream` asks for `wanted`, whose token follows the messages."""
    connected = False
    while True:
        try:
            async for message in stream():
                patience.answered()
                connected = True
                # A progress message before the first line of a log has none.
                wanted.resume_token = message.resume_token or wanted.resume_token
                yield message
            return
        except aio.AioRpcError as error:
            refusal = refusal_of(error)
        from_start = _must_start_anew(refusal, wanted)
        if from_start:
            wanted.resume_token = ""
        is_told = connected or from_start
        if is_told:
            interrupted(Interruption(refusal=refusal, from_start=from_start))
        connected = False
        await patience.wait(refusal, quietly=is_told)


def _must_start_anew(refusal: Refusal, wanted: _Resumable) -> bool:
    """Whether the token is of no use any more. Raises Refused for what no new stream would mend."""
    if is_interruption(refusal) or refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return False
    if refusal.code is grpc.StatusCode.OUT_OF_RANGE and wanted.resume_token:
        return True
    raise Refused(refusal)
