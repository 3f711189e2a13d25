"""CancelTask over the wire: every outcome that its proto documents."""

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio

from ecs_scheduler.v1 import task_pb2
from ecs_scheduler.v1.scheduler_pb2 import CancelTaskRequest
from ecs_scheduler.v1.task_pb2 import Task
from scheduler.api.server import ApiSettings
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.ports.store import StoreError
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import stop_reason, submitted, task_id, transitioned

pytestmark = pytest.mark.asyncio


async def cancelled(served: Served, tenant: str = "bamboo", asked: str = task_id(1)) -> Task:
    request = CancelTaskRequest(tenant=tenant, task_id=asked)
    return (await served.scheduler.CancelTask(request)).task


async def refused(served: Served, tenant: str = "bamboo", asked: str = task_id(1)) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await cancelled(served, tenant, asked)
    return refusal(caught.value)


def wishes(served: Served) -> list[str]:
    """Tasks that the store knows to be unwanted."""
    return [live.queued.task_id for live in served.store.load().live if live.cancelled]


async def test_wish_is_durable_when_it_is_answered() -> None:
    """The answer shows the task as it is now, and the wish is in the store by then."""
    async with serving() as served:
        served.commit(submitted(1), transitioned())
        task = await cancelled(served)
        kept = wishes(served)
    assert (task.task_id, task.state) == (task_id(1), task_pb2.TASK_STATE_ASSIGNED)
    assert task.WhichOneof("spec") == "containers"
    assert kept == [task_id(1)]


async def test_repeating_it_changes_nothing() -> None:
    """The same wish again is answered the same."""
    async with serving() as served:
        served.commit(submitted(1))
        first, second = await cancelled(served), await cancelled(served)
        kept = wishes(served)
    assert first == second
    assert kept == [task_id(1)]


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
async def test_task_that_has_ended_stays_as_it_ended(state: TaskState) -> None:
    """A task in a terminal state is answered as it is, and nothing is written."""
    async with serving() as served:
        served.commit(submitted(1), transitioned(state=state, stop_reason=stop_reason()))
        task = await cancelled(served)
    assert (task_pb2.TaskState.Name(task.state), task.revision) == (f"TASK_STATE_{state}", 2)
    assert served.placement.cancelled == []


async def test_other_tenants_task_is_no_different_from_an_unknown_one() -> None:
    """NOT_FOUND says nothing of whether another tenant has such a task, and leaves it alone."""
    async with serving() as served:
        before = await refused(served, tenant="jenkins")
        served.commit(submitted(1))
        after = await refused(served, tenant="jenkins")
        kept = wishes(served)
    assert (before.code, before.info.reason) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")
    assert before == after
    assert kept == []


async def test_wrong_names_are_invalid() -> None:
    """Without a tenant and an id the request is INVALID_ARGUMENT, both named."""
    async with serving() as served:
        told = await refused(served, "", "")
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    assert [one.field for one in bad.field_violations] == ["tenant", "task_id"]


async def test_store_that_cannot_write_is_unavailable() -> None:
    """A failed commit is UNAVAILABLE with a delay, the task goes on, and a retry works."""
    async with serving() as served:
        served.commit(submitted(1))
        served.store.fail_next = StoreError("/var/lib/secret-path: disk full")
        told = await refused(served)
        before = wishes(served)
        await cancelled(served)
        after = wishes(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert told.retry_s > 0
    assert (before, after) == ([], [task_id(1)])


async def test_call_without_deadline_gets_one() -> None:
    """A call whose client set no deadline ends with DEADLINE_EXCEEDED after the server's own."""
    async with serving(settings=ApiSettings(default_deadline_s=0.05, drain_delay_s=0)) as served:
        served.commit(submitted(1))
        served.placement.mute = True
        told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEFAULT_DEADLINE_PASSED")
