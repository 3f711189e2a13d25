"""Cancellations: asked for until somebody answers, for a repeated one changes nothing."""

from ecs_scheduler.v1.scheduler_pb2 import CancelTaskRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.client.connection import Connection
from scheduler.client.patience import answered

CALL_TIMEOUT_S = 10.0
"""Then the effect is unknown, and the same is asked again."""


async def cancel(connection: Connection, request: CancelTaskRequest, *, retry_for_s: float) -> Task:
    """The task as it is once the wish is durable; a watch tells of its end.

    Raises Refused, or Unreachable after `retry_for_s` without an answer.
    """
    answer = await answered(
        lambda: connection.scheduler.CancelTask(request, timeout=CALL_TIMEOUT_S),
        retry_for_s=retry_for_s,
        unanswered=connection.unanswered,
    )
    return answer.task
