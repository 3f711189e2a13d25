"""A client's side of WatchTasks: what it was told, and how it ended."""

from collections.abc import AsyncIterator

from grpc import aio

from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest, WatchTasksResponse
from tests.api.served import Served

Responses = AsyncIterator[WatchTasksResponse]


def watching(served: Served, **wanted: object) -> Responses:
    request = WatchTasksRequest(**wanted)  # type: ignore[arg-type]  # any field by name
    return aiter(served.scheduler.WatchTasks(request, timeout=30))


async def until(responses: Responses, revision: int) -> list[WatchTasksResponse]:
    """Messages up to the one that carries the revision."""
    found = []
    async for response in responses:
        found.append(response)
        if any(event.revision >= revision for event in response.events):
            return found
    raise AssertionError(f"ended before revision {revision}")


async def until_synced(responses: Responses) -> list[WatchTasksResponse]:
    found = []
    async for response in responses:
        found.append(response)
        if response.synced:
            return found
    raise AssertionError("ended before the border")


def revisions(responses: list[WatchTasksResponse]) -> list[int]:
    return [event.revision for response in responses for event in response.events]


async def ending(responses: Responses, told: list[WatchTasksResponse] | None = None) -> aio.AioRpcError:
    """How the watch ends; what it says before goes to `told`."""
    told = [] if told is None else told
    try:
        async for response in responses:
            told.append(response)
    except aio.AioRpcError as error:
        return error
    raise AssertionError("ended without an error")
