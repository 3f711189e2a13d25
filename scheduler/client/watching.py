"""Watching: one endless stream of messages over as many streams as it takes."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import grpc
from grpc import aio

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest, WatchTasksResponse
from scheduler.client.connection import Connection
from scheduler.client.patience import Patience, is_interruption
from scheduler.client.refusal import Refusal, Refused, refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The stream ended and is taken up again.

    With `from_start` the changes in between cannot be had any more: the present state comes again instead.
    """

    refusal: Refusal
    from_start: bool


async def watch_tasks(
    connection: Connection,
    request: WatchTasksRequest,
    *,
    retry_for_s: float,
    interrupted: Callable[[Interruption], None],
) -> AsyncIterator[WatchTasksResponse]:
    """Messages in order, resumed after every interruption, each of which is told once.

    Raises Refused, or Unreachable after `retry_for_s` without a message.
    """
    patience = Patience(retry_for_s)
    wanted = WatchTasksRequest()
    wanted.CopyFrom(request)
    connected = False
    while True:
        try:
            async for message in connection.scheduler.WatchTasks(wanted):
                patience.answered()
                connected = True
                wanted.resume_token = message.resume_token
                yield message
            return
        except aio.AioRpcError as error:
            refusal = refusal_of(error)
        from_start = _must_start_anew(refusal, wanted)
        if from_start:
            wanted.resume_token = ""
        if connected or from_start:
            interrupted(Interruption(refusal=refusal, from_start=from_start))
        connected = False
        await patience.wait(refusal)


def _must_start_anew(refusal: Refusal, wanted: WatchTasksRequest) -> bool:
    """Whether the token is of no use any more. Raises Refused for what no new stream would mend."""
    if is_interruption(refusal) or refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return False
    if refusal.code is grpc.StatusCode.OUT_OF_RANGE and wanted.resume_token:
        return True
    raise Refused(refusal)
