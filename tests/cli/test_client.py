"""The client against a real server: retried, resumed, or refused with everything that was said."""

import grpc
import pytest

from ecs_scheduler.v1.capacity_pb2 import Clear
from ecs_scheduler.v1.scaling_pb2 import (
    ListContainerInstancesRequest,
    ScaleRequest,
    WatchScalingRequest,
)
from ecs_scheduler.v1.scheduler_pb2 import CancelTaskRequest, ListTasksRequest, WatchTasksRequest
from scheduler.adapters.memory import MemoryStore
from scheduler.client.cancellation import cancel
from scheduler.client.connection import connected
from scheduler.client.listing import list_container_instances, list_tasks
from scheduler.client.patience import Unreachable, is_interruption
from scheduler.client.refusal import Refusal, Refused
from scheduler.client.scaling import plan, scale
from scheduler.client.submission import submit
from scheduler.client.watching import Interruption, watch_scaling, watch_tasks
from scheduler.core.model.errors import Violation
from scheduler.ports.store import StoreError
from scheduler.services.errors import InvalidRequest
from tests.api.instances import a_plan, an_instance_digest
from tests.api.served import schedule_request, serving
from tests.builders import instance_arn, submitted, task_id

UUID = "3f6c1c1e-7f0a-4a55-9d5e-0d8a3c3b2a10"

CASES = [
    (grpc.StatusCode.UNAVAILABLE, "connection refused", True),
    (grpc.StatusCode.DEADLINE_EXCEEDED, "", True),
    (grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2", True),
    (grpc.StatusCode.UNKNOWN, "Stream removed", True),
    (grpc.StatusCode.INTERNAL, "internal error 7", False),
    (grpc.StatusCode.INVALID_ARGUMENT, "tenant", False),
]


@pytest.mark.parametrize(("code", "message", "expected"), CASES)
def test_interruption(code: grpc.StatusCode, message: str, expected: bool) -> None:
    """What may succeed a little later is told from what never will."""
    assert is_interruption(Refusal(code=code, message=message)) is expected


@pytest.mark.asyncio
async def test_same_request_id() -> None:
    """A request that is sent again is the same task."""
    async with serving() as served, connected(served.address) as connection:
        first = await submit(connection, schedule_request(), retry_for_s=5)
        assert (await submit(connection, schedule_request(), retry_for_s=5)).task_id == first.task_id


@pytest.mark.asyncio
async def test_violations() -> None:
    """A refusal names every field that is wrong."""
    violations = tuple(Violation(field_path=name, expected="better") for name in ("tenant", "priority"))
    async with serving() as served, connected(served.address) as connection:
        served.placement.refusal = InvalidRequest(violations)
        with pytest.raises(Refused) as refused:
            await submit(connection, schedule_request(), retry_for_s=5)
    refusal = refused.value.refusal
    assert refusal.reason == "INVALID_REQUEST"
    assert refusal.violations == ("tenant: expected better", "priority: expected better")


@pytest.mark.asyncio
async def test_nobody_answers() -> None:
    """After its time without an answer a submission is given up, and says why."""
    async with connected("127.0.0.1:1") as connection:
        with pytest.raises(Unreachable, match="UNAVAILABLE"):
            await submit(connection, schedule_request(), retry_for_s=0.05)


@pytest.mark.asyncio
async def test_foreign_token() -> None:
    """A token of another store begins the watch anew, and the watcher is told."""
    told: list[Interruption] = []
    async with (
        serving(MemoryStore(epoch="00000000000000aa")) as other,
        connected(other.address) as connection,
    ):
        other.commit(submitted(1))
        watch = watch_tasks(connection, WatchTasksRequest(), retry_for_s=5, interrupted=told.append)
        token = (await anext(watch)).resume_token
    async with serving(MemoryStore()) as served, connected(served.address) as connection:
        served.commit(submitted(2))
        request = WatchTasksRequest(resume_token=token)
        watch = watch_tasks(connection, request, retry_for_s=5, interrupted=told.append)
        [event] = (await anext(watch)).events
    assert [(each.refusal.reason, each.from_start) for each in told] == [("RESUME_TOKEN_FOREIGN", True)]
    assert event.task.task_id == submitted(2).task_id


@pytest.mark.asyncio
async def test_wrong_token() -> None:
    """A token that was never one ends the watch: no new stream would mend it."""
    async with serving() as served, connected(served.address) as connection:
        request = WatchTasksRequest(resume_token="nonsense")
        with pytest.raises(Refused, match="RESUME_TOKEN_INVALID"):
            await anext(watch_tasks(connection, request, retry_for_s=5, interrupted=lambda _: None))


@pytest.mark.asyncio
async def test_listing() -> None:
    """A listing goes through every page, and leaves the caller's request as it was."""
    async with serving() as served, connected(served.address) as connection:
        served.commit(*(submitted(number) for number in range(5)))
        request = ListTasksRequest(tenant="bamboo", page_size=2)
        listed = [task.task_id async for task in list_tasks(connection, request, retry_for_s=5)]
    assert listed == [task_id(number) for number in range(5)]
    assert request == ListTasksRequest(tenant="bamboo", page_size=2)


@pytest.mark.asyncio
async def test_listing_refused() -> None:
    """A listing that the service will not have is not asked for again."""
    async with serving() as served, connected(served.address) as connection:
        listing = list_tasks(connection, ListTasksRequest(), retry_for_s=5)
        with pytest.raises(Refused, match="tenant"):
            await anext(listing)


@pytest.mark.asyncio
async def test_listing_of_instances() -> None:
    """It goes through every page too."""
    async with serving() as served, connected(served.address) as connection:
        served.loop.instances = tuple(an_instance_digest(number) for number in range(5))
        request = ListContainerInstancesRequest(page_size=2)
        listing = list_container_instances(connection, request, retry_for_s=5)
        assert [each.arn async for each in listing] == [instance_arn(number) for number in range(5)]
    assert request == ListContainerInstancesRequest(page_size=2)


@pytest.mark.asyncio
async def test_wish() -> None:
    """A wish that the store could not take is sent again under its request id, until it is durable."""
    async with serving() as served, connected(served.address) as connection:
        served.store.fail_next = StoreError("disk full")
        request = ScaleRequest(request_id=UUID, clear=Clear())
        assert (await scale(connection, request, retry_for_s=5)).request_id == UUID
        assert served.store.load().wish is not None


@pytest.mark.asyncio
async def test_wish_refused() -> None:
    """A wish that the service will not have is not sent again."""
    async with serving() as served, connected(served.address) as connection:
        request = ScaleRequest(request_id=UUID, group="builds", clear=Clear())
        with pytest.raises(Refused, match="GROUP_NOT_FOUND"):
            await scale(connection, request, retry_for_s=5)


@pytest.mark.asyncio
async def test_plan() -> None:
    """A plan is asked for without changing the caller's request, and changes nothing."""
    async with serving() as served, connected(served.address) as connection:
        served.loop.plan = a_plan(desired_after=9)
        request = ScaleRequest(request_id=UUID)
        assert (await plan(connection, request, retry_for_s=5)).desired_after == 9
        assert served.store.load().wish is None
    assert not request.dry_run


@pytest.mark.asyncio
async def test_scaling_watch_with_a_foreign_token() -> None:
    """A token of another store begins the watch anew, from now on, and the watcher is told."""
    told: list[Interruption] = []
    async with (
        serving(MemoryStore(epoch="00000000000000aa")) as other,
        connected(other.address) as connection,
    ):
        watch = watch_scaling(connection, WatchScalingRequest(), retry_for_s=5, interrupted=told.append)
        token = (await anext(watch)).resume_token
    async with serving() as served, connected(served.address) as connection:
        request = WatchScalingRequest(resume_token=token)
        watch = watch_scaling(connection, request, retry_for_s=5, interrupted=told.append)
        assert (await anext(watch)).synced
    assert [(each.refusal.reason, each.from_start) for each in told] == [("RESUME_TOKEN_FOREIGN", True)]
    assert request.resume_token == token


@pytest.mark.asyncio
async def test_cancellation() -> None:
    """A cancellation that the store could not take is asked for again, until it is durable."""
    async with serving() as served, connected(served.address) as connection:
        served.commit(submitted(1))
        served.store.fail_next = StoreError("disk full")
        request = CancelTaskRequest(tenant="bamboo", task_id=task_id(1))
        assert (await cancel(connection, request, retry_for_s=5)).task_id == task_id(1)
        [live] = served.store.load().live
    assert live.cancelled
    assert served.placement.cancelled == [task_id(1), task_id(1)]


@pytest.mark.asyncio
async def test_cancellation_refused() -> None:
    """A task that the tenant does not have is not asked for again."""
    async with serving() as served, connected(served.address) as connection:
        with pytest.raises(Refused, match="TASK_NOT_FOUND"):
            await cancel(connection, CancelTaskRequest(tenant="bamboo", task_id="t-1"), retry_for_s=5)
