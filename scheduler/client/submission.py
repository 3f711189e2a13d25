"""Submissions: a request is sent until somebody answers it, always under the same request id."""

from grpc import aio

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.client.connection import Connection
from scheduler.client.patience import Patience, is_interruption
from scheduler.client.refusal import Refused, refusal_of

CALL_TIMEOUT_S = 10.0
"""Then the effect is unknown, and the same request is sent again: the request id makes that harmless."""


async def submit(connection: Connection, request: ScheduleRequest, *, retry_for_s: float) -> Task:
    """The accepted task. Raises Refused, or Unreachable after `retry_for_s` without an answer."""
    patience = Patience(retry_for_s)
    while True:
        try:
            answer = await connection.scheduler.Schedule(request, timeout=CALL_TIMEOUT_S)
            return answer.task
        except aio.AioRpcError as error:
            refusal = refusal_of(error)
            if not is_interruption(refusal):
                raise Refused(refusal) from error
            await patience.wait(refusal)
