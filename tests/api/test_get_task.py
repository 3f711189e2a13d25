"""GetTask over the wire."""

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio

from ecs_scheduler.v1 import task_pb2
from ecs_scheduler.v1.scheduler_pb2 import GetTaskRequest
from scheduler.core.model.attempt import AttemptState, ContainerExit
from scheduler.core.model.task import TaskState
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import attempt, stop_reason, submitted, task_id, transitioned

pytestmark = pytest.mark.asyncio


async def refused(served: Served, tenant: str, asked: str) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await served.scheduler.GetTask(GetTaskRequest(tenant=tenant, task_id=asked))
    return refusal(caught.value)


async def test_task_is_shown_whole() -> None:
    """A task comes with its spec, its state, its attempts and its end; a missing exit code stays missing."""
    lost = stop_reason(containers=(ContainerExit(name="agent"), ContainerExit(name="db", exit_code=0)))
    ended = attempt(state=AttemptState.ENDED, stop_reason=lost)
    async with serving() as served:
        served.commit(submitted(1), transitioned(state=TaskState.FAILED, attempt=ended, stop_reason=lost))
        task = (await served.scheduler.GetTask(GetTaskRequest(tenant="bamboo", task_id=task_id(1)))).task
    assert (task.state, task.revision) == (task_pb2.TASK_STATE_FAILED, 2)
    assert task.WhichOneof("spec") == "containers"
    assert [one.state for one in task.attempts] == [task_pb2.ATTEMPT_STATE_ENDED]
    agent, database = task.stop_reason.containers
    assert not agent.HasField("exit_code")
    assert database.HasField("exit_code")


async def test_other_tenants_task_is_no_different_from_an_unknown_one() -> None:
    """NOT_FOUND says nothing of whether another tenant has such a task."""
    async with serving() as served:
        before = await refused(served, "jenkins", task_id(1))
        served.commit(submitted(1))
        after = await refused(served, "jenkins", task_id(1))
    assert (before.code, before.info.reason) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")
    assert before == after


async def test_wrong_names_are_invalid() -> None:
    """Without a tenant and an id the request is INVALID_ARGUMENT, both named."""
    async with serving() as served:
        told = await refused(served, "", "")
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    assert [one.field for one in bad.field_violations] == ["tenant", "task_id"]


async def test_long_id_does_not_blow_up_the_answer() -> None:
    """An id of 100,000 characters is answered NOT_FOUND, cut."""
    async with serving() as served:
        told = await refused(served, "bamboo", "x" * 100_000)
    assert told.code is grpc.StatusCode.NOT_FOUND
    assert len(told.info.metadata["task_id"]) == 200
