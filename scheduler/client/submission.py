"""Submissions: a request is sent until somebody answers it, always under the same request id."""

from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.client.connection import Connection
from scheduler.client.patience import answered

CALL_TIMEOUT_S = 10.0
"""Then the effect is unknown, and the same request is sent again: the request id makes that harmless."""


async def submit(connection: Connection, request: ScheduleRequest, *, retry_for_s: float) -> Task:
    """The accepted task. Raises Refused, or Unreachable after `retry_for_s` without an answer."""
    answer = await answered(
        lambda: connection.scheduler.Schedule(request, timeout=CALL_TIMEOUT_S),
        retry_for_s=retry_for_s,
        unanswered=connection.unanswered,
    )
    return answer.task
