"""Listings: every page of a listing, one after the other."""

from collections.abc import AsyncIterator

from ecs_scheduler.v1.container_instance_pb2 import ContainerInstance
from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesRequest
from ecs_scheduler.v1.scheduler_pb2 import ListTasksRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.client.connection import Connection
from scheduler.client.patience import answered

CALL_TIMEOUT_S = 30.0
"""For one page: where little matches, the server looks through much."""


async def list_tasks(
    connection: Connection, request: ListTasksRequest, *, retry_for_s: float
) -> AsyncIterator[Task]:
    """All tasks from the request's page on, in order of acceptance; a restart of the server loses none.

    Raises Refused, or Unreachable after `retry_for_s` without an answer.
    """
    wanted = ListTasksRequest()
    wanted.CopyFrom(request)
    while True:
        page = await answered(
            lambda: connection.scheduler.ListTasks(wanted, timeout=CALL_TIMEOUT_S),
            retry_for_s=retry_for_s,
            unanswered=connection.unanswered,
        )
        for task in page.tasks:
            yield task
        if not page.next_page_token:
            return
        wanted.page_token = page.next_page_token


async def list_container_instances(
    connection: Connection, request: ListContainerInstancesRequest, *, retry_for_s: float
) -> AsyncIterator[ContainerInstance]:
    """All container instances from the request's page on, in the order of their ARNs.

    Raises Refused, or Unreachable after `retry_for_s` without an answer.
    """
    wanted = ListContainerInstancesRequest()
    wanted.CopyFrom(request)
    while True:
        page = await answered(
            lambda: connection.scaling.ListContainerInstances(wanted, timeout=CALL_TIMEOUT_S),
            retry_for_s=retry_for_s,
            unanswered=connection.unanswered,
        )
        for instance in page.container_instances:
            yield instance
        if not page.next_page_token:
            return
        wanted.page_token = page.next_page_token
