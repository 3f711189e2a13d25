"""SchedulerService: each method parses, delegates and renders."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol

from grpc import aio

from ecs_scheduler.v1.logs_pb2 import TailLogsRequest, TailLogsResponse
from ecs_scheduler.v1.scheduler_pb2 import (
    CancelTaskRequest,
    CancelTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksRequest,
    ListTasksResponse,
    ScheduleRequest,
    ScheduleResponse,
    WatchTasksRequest,
    WatchTasksResponse,
)
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceServicer
from scheduler.api import resume_token
from scheduler.api.convert import parse, render
from scheduler.api.gathering import Gathering
from scheduler.api.log_stream import LogStreams
from scheduler.api.replies import Replies
from scheduler.api.task_pages import TaskPages
from scheduler.api.watch_stream import WatchStreams
from scheduler.core.model.records import TaskSubmitted
from scheduler.core.model.task import TERMINAL_STATES, Task, TaskRequest
from scheduler.ports.store import CommitResult, RequestTaken, Store, StoreError, Written
from scheduler.services.errors import InvalidRequest, RequestIdTaken, TaskNotFound
from scheduler.services.logs.tail import LogsWanted
from scheduler.services.logs.tails import container_of
from scheduler.services.writer import Reply

_Answer = tuple[TaskSubmitted, CommitResult] | Exception
"""What came of a request: the record that was committed, or why there is none."""


def _answer(record: TaskSubmitted, result: Reply) -> _Answer:
    return result if isinstance(result, Exception) else (record, result)


class Placement(Protocol):
    """What `services.placement` does for this edge."""

    def admit(self, request: TaskRequest) -> TaskSubmitted:
        """The record of an acceptable request. Raises InvalidRequest or NeverFits."""
        ...

    def submit(self, record: TaskSubmitted, done: Callable[[Reply], None]) -> None:
        """Has the record committed; `done` is called on another thread."""
        ...

    def cancel(self, task_id: str, done: Callable[[Reply], None]) -> None:
        """Has the wish committed that the task be cancelled; `done` is called on another thread."""
        ...


class SchedulerServicer(SchedulerServiceServicer):
    """Accepts requests and reports what becomes of them."""

    def __init__(
        self,
        placement: Placement,
        store: Store,
        *,
        replies: Replies,
        pages: TaskPages,
        streams: WatchStreams,
        log_streams: LogStreams,
    ) -> None:
        """Must be called on the running loop."""
        self._placement = placement
        self._store = store
        self._replies = replies
        self._pages = pages
        self._streams = streams
        self._log_streams = log_streams
        self._loop = asyncio.get_running_loop()
        self._gathering = Gathering(self._loop)
        self._is_to_forget = False

    async def Schedule(
        self, request: ScheduleRequest, context: aio.ServicerContext[Any, Any]
    ) -> ScheduleResponse:
        """Accepts a task durably."""
        response = ScheduleResponse()
        answer: _Answer = await self._replies.of(
            partial(self._accept, request, response), when=self._gathering.join
        )
        if isinstance(answer, Exception):
            raise answer
        record, result = answer
        if isinstance(result, RequestTaken):
            return ScheduleResponse(task=render.task(self._earlier(record, result)))
        assert isinstance(result, Written), "a wish for capacity is no request for a task"
        response.task.revision = result.first_revision
        return response

    async def GetTask(
        self, request: GetTaskRequest, context: aio.ServicerContext[Any, Any]
    ) -> GetTaskResponse:
        """Returns one task of the tenant's."""
        return GetTaskResponse(task=render.task(self._named(request)))

    async def ListTasks(
        self, request: ListTasksRequest, context: aio.ServicerContext[Any, Any]
    ) -> ListTasksResponse:
        """Lists one page of the tenant's tasks."""
        wanted = parse.valid(parse.list_filter(request))
        return await self._pages.page(wanted, request.page_token, request.page_size)

    async def CancelTask(
        self, request: CancelTaskRequest, context: aio.ServicerContext[Any, Any]
    ) -> CancelTaskResponse:
        """Makes durable that one task of the tenant's is not wanted any more."""
        task = self._named(request)
        if task.status.state not in TERMINAL_STATES:
            result: Reply = await self._replies.of(lambda done: self._placement.cancel(task.task_id, done))
            if isinstance(result, StoreError):
                raise result
            task = self._named(request)
        return CancelTaskResponse(task=render.task(task))

    async def WatchTasks(
        self, request: WatchTasksRequest, context: aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[WatchTasksResponse, None]:
        """Streams the present state, then changes."""
        wanted = parse.valid(parse.task_filter(request))
        position = resume_token.decode(request.resume_token, self._store.epoch)
        # At once, so that a client behind a quiet watch knows that it was accepted.
        await context.send_initial_metadata(())
        async with aclosing(self._streams.responses(wanted, position)) as responses:
            async for response in responses:
                yield response

    async def TailLogs(
        self, request: TailLogsRequest, context: aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[TailLogsResponse, None]:
        """Streams what one container of a task of the tenant's wrote."""
        if violations := parse.tail_violations(request):
            raise InvalidRequest(violations)
        task = self._named(request)
        container = container_of(task, request.container)
        wanted = LogsWanted(
            container=container,
            follow=request.follow,
            last=request.tail if request.HasField("tail") else None,
            position=resume_token.decode_logs(request.resume_token, task.task_id, container),
        )
        await context.send_initial_metadata(())
        async with aclosing(self._log_streams.responses(task, wanted)) as responses:
            async for response in responses:
                yield response

    def _accept(
        self, request: ScheduleRequest, response: ScheduleResponse, done: Callable[[_Answer], None]
    ) -> None:
        """Admits the request, fills in the response, and has both committed; `done` hears what came of it.

        The response is made while others gather for the commit: the answers to it then leave close together,
        and gRPC sends neighbours for less.
        """
        self._forget_soon()
        try:
            record = self._placement.admit(parse.valid(parse.task_request(request)))
            render.accepted(response.task, record, request)
            self._placement.submit(record, lambda result: done(_answer(record, result)))
        except Exception as error:  # whatever it is, the call raises it: others that gathered are not to
            done(error)

    def _forget_soon(self) -> None:
        if not self._is_to_forget:
            self._is_to_forget = True
            self._loop.call_later(parse.FORGET_S, self._forget)

    def _forget(self) -> None:
        """Lets go of what was remembered of requests: there are secrets in it."""
        self._is_to_forget = False
        parse.forget()

    def _named(self, request: GetTaskRequest | CancelTaskRequest | TailLogsRequest) -> Task:
        """The task as it is now, if it is the tenant's."""
        if violations := parse.name_violations(request):
            raise InvalidRequest(violations)
        task = self._store.get(request.task_id)
        if task is None or task.tenant != request.tenant:
            raise TaskNotFound(request.task_id)
        return task

    def _earlier(self, record: TaskSubmitted, taken: RequestTaken) -> Task:
        """The task that the request_id stands for, if it was the same request."""
        task = self._store.get(taken.task_id)
        if task is None or taken.fingerprint != record.fingerprint:
            raise RequestIdTaken(taken.task_id)
        return task
