"""Schedule over the wire: every outcome that its proto documents."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, PreconditionFailure, QuotaFailure
from grpc import aio
from structlog.testing import capture_logs

from ecs_scheduler.v1 import task_pb2
from scheduler.api.server import ApiSettings
from scheduler.core.model.errors import Violation
from scheduler.core.model.group import InstanceType
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.ports.store import StoreError
from scheduler.services.errors import InvalidRequest, NeverFits, ServiceUnavailable
from scheduler.services.queue_limit import QueueLimit
from tests.api.served import Refusal, Served, refusal, schedule_request, serving
from tests.builders import transitioned
from tests.e2e.reflection_client import REFLECTION

pytestmark = pytest.mark.asyncio


async def refused(served: Served, **changes: object) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await served.scheduler.Schedule(schedule_request(1, **changes))
    return refusal(caught.value)


async def test_accepted_task_is_queued_at_its_revision() -> None:
    """An accepted task is answered as QUEUED, with the revision that accepted it."""
    async with serving() as served:
        first = await served.scheduler.Schedule(schedule_request(1))
        second = await served.scheduler.Schedule(schedule_request(2))
    assert (first.task.state, first.task.revision) == (task_pb2.TASK_STATE_QUEUED, 1)
    assert (second.task.state, second.task.revision) == (task_pb2.TASK_STATE_QUEUED, 2)


async def test_environment_values_are_masked() -> None:
    """Values of environment variables are never sent back; names are."""
    async with serving() as served:
        answer = await served.scheduler.Schedule(schedule_request())
    [variable] = answer.task.containers.containers[0].environment
    assert (variable.name, variable.value) == ("TOKEN", "***")


async def test_timeouts_are_shown_as_asked_for() -> None:
    """What was asked for comes back at once and when the task is read again; the rest stays unset."""
    async with serving() as served:
        asked = schedule_request(queue_timeout=Duration(seconds=600), may_run_again=True)
        first = (await served.scheduler.Schedule(asked)).task
        again = (await served.scheduler.Schedule(asked)).task
    assert first.queue_timeout == Duration(seconds=600)
    assert first.may_run_again
    assert not first.HasField("start_timeout")
    assert not first.HasField("run_timeout")
    assert first == again


async def test_repeated_request_returns_the_task_as_it_is_now() -> None:
    """The same request_id with the same request returns the same task, however far it has come."""
    async with serving() as served:
        first = (await served.scheduler.Schedule(schedule_request())).task
        change = transitioned(int(first.task_id[2:]), TaskState.ASSIGNED)
        served.commit(change)
        again = (await served.scheduler.Schedule(schedule_request())).task
    assert (again.task_id, again.state, again.revision) == (first.task_id, task_pb2.TASK_STATE_ASSIGNED, 2)


async def test_request_id_of_a_different_request_is_refused() -> None:
    """The same request_id with a different request is ALREADY_EXISTS and names the task."""
    async with serving() as served:
        task = (await served.scheduler.Schedule(schedule_request())).task
        told = await refused(served, priority=7)
    assert (told.code, told.info.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN")
    assert told.info.metadata["task_id"] == task.task_id


async def test_tenants_do_not_share_request_ids() -> None:
    """Two tenants may use the same request_id."""
    async with serving() as served:
        ours = await served.scheduler.Schedule(schedule_request())
        theirs = await served.scheduler.Schedule(schedule_request(tenant="jenkins"))
    assert ours.task.task_id != theirs.task.task_id


async def test_every_wrong_field_is_named() -> None:
    """A request with wrong fields is INVALID_ARGUMENT and BadRequest names each of them."""
    async with serving() as served:
        served.placement.refusal = InvalidRequest(
            (
                Violation(field_path="tenant", expected="a name"),
                Violation(field_path="priority", expected="-1000 to 1000"),
            )
        )
        told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    assert [violation.field for violation in bad.field_violations] == ["tenant", "priority"]
    assert told.message == "tenant: expected a name (and 1 more)"


async def test_missing_spec_is_named() -> None:
    """A request without a spec is INVALID_ARGUMENT and says which ones there are."""
    async with serving() as served:
        told = await refused(served, containers=None)
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert told.message == "spec: expected bamboo_agent or containers"


async def test_a_tenant_with_too_many_lines_is_refused_one_more() -> None:
    """RESOURCE_EXHAUSTED, and QuotaFailure names the tenant; what waits already is answered as ever."""
    async with serving() as served:
        served.placement.commits = QueueLimit(served.store, most=1)
        first = await served.scheduler.Schedule(schedule_request(1))
        told = await refused(served, request_id=schedule_request(2).request_id, priority=1)
        again = await served.scheduler.Schedule(schedule_request(1))
    assert (told.code, told.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LINES")
    quota = told.details[QuotaFailure]
    assert isinstance(quota, QuotaFailure)
    assert [(each.subject, each.description) for each in quota.violations] == [
        ("tenant:bamboo", "tasks wait in at most 1 lines")
    ]
    assert again.task == first.task


async def test_task_that_never_fits_is_told_what_is_lacking() -> None:
    """A task that no type can hold is FAILED_PRECONDITION, one violation per dimension."""
    largest = InstanceType(name="m5.large", allocatable=Resources(cpu=2048, memory_mib=7500))
    async with serving() as served:
        ask = Resources(cpu=4096, memory_mib=99_000)
        served.placement.refusal = NeverFits(ask, largest, ("cpu", "memory_mib"))
        told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NEVER_FITS")
    failure = told.details[PreconditionFailure]
    assert isinstance(failure, PreconditionFailure)
    assert [(one.subject, one.description) for one in failure.violations] == [
        ("cpu", "needs 4096, the largest type m5.large has 2048"),
        ("memory_mib", "needs 99000, the largest type m5.large has 7500"),
    ]


async def test_store_that_cannot_write_is_unavailable() -> None:
    """A failed commit is UNAVAILABLE with a delay, without the operator's text; a retry works."""
    async with serving() as served:
        served.store.fail_next = StoreError("/var/lib/secret-path: disk full")
        told = await refused(served)
        later = await served.scheduler.Schedule(schedule_request())
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert told.retry_s > 0
    assert "secret-path" not in told.message
    assert later.task.revision == 1


async def test_unavailable_service_says_when_to_come_back() -> None:
    """What a service refuses for now is UNAVAILABLE with the service's own delay."""
    async with serving() as served:
        served.placement.refusal = ServiceUnavailable("starting", retry_after_ms=2_500)
        told = await refused(served)
    assert (told.code, told.message, told.retry_s) == (grpc.StatusCode.UNAVAILABLE, "starting", 2.5)


async def test_unexpected_error_leaks_nothing() -> None:
    """An unexpected error is INTERNAL with an id; its text and traceback are in the log under that id."""
    async with serving() as served:
        served.placement.refusal = ValueError("secret db password")
        with capture_logs() as logs:
            told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in told.message
    [line] = logs
    assert line["error_id"] == told.info.metadata["error_id"]
    assert line["exc_info"] is served.placement.refusal


async def test_failed_call_is_one_line_in_the_log() -> None:
    """A refused call leaves one line with method, code and reason."""
    async with serving() as served:
        with capture_logs() as logs:
            await refused(served, containers=None)
    [line] = logs
    assert (line["event"], line["code"], line["reason"]) == (
        "rpc_failed",
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
    )
    assert line["method"] == "/ecs_scheduler.v1.SchedulerService/Schedule"


async def test_call_without_deadline_gets_one() -> None:
    """A call whose client set no deadline ends with DEADLINE_EXCEEDED after the server's own."""
    async with serving(settings=ApiSettings(default_deadline_s=0.05, drain_delay_s=0)) as served:
        served.placement.mute = True
        told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEFAULT_DEADLINE_PASSED")


async def test_clients_own_deadline_holds() -> None:
    """A client's shorter deadline ends the call, and the server serves on."""
    async with serving() as served:
        served.placement.mute = True
        with pytest.raises(aio.AioRpcError) as caught:
            await served.scheduler.Schedule(schedule_request(), timeout=0.05)
        served.placement.mute = False
        later = await served.scheduler.Schedule(schedule_request())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert later.task.revision == 1


async def test_many_callers_each_get_their_own_answer() -> None:
    """A hundred calls at once get a hundred different tasks with dense revisions."""
    async with serving() as served:
        calls = [served.scheduler.Schedule(schedule_request(number)) for number in range(100)]
        answers = await asyncio.gather(*calls)
    assert sorted(answer.task.revision for answer in answers) == list(range(1, 101))
    asked = [schedule_request(number).request_id for number in range(100)]
    assert [answer.task.request_id for answer in answers] == asked


async def test_body_that_is_no_message() -> None:
    """Bytes that are no message are the client's mistake, and are told so by methods of every kind."""
    service, body = "/ecs_scheduler.v1.SchedulerService", b"\xff\xff\xff"
    async with serving() as served:
        unary: Any = served.channel.unary_unary(f"{service}/Schedule")
        stream: Any = served.channel.unary_stream(f"{service}/WatchTasks")
        with pytest.raises(aio.AioRpcError) as scheduled:
            await unary(body)
        with pytest.raises(aio.AioRpcError) as watched:
            await stream(body).read()
        both: Any = served.channel.stream_stream(REFLECTION)
        with pytest.raises(aio.AioRpcError) as reflected:
            await both(iter([body])).read()
    for told in map(refusal, (scheduled.value, watched.value, reflected.value)):
        assert (told.code, told.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


async def test_request_id_in_either_case() -> None:
    """A UUID is the same one in upper and in lower case, and comes back in lower case."""
    number = "0000000a-000b-4000-8000-00000000000c"
    async with serving() as served:
        first = await served.scheduler.Schedule(schedule_request(request_id=number.upper()))
        second = await served.scheduler.Schedule(schedule_request(request_id=number))
    assert first.task.task_id == second.task.task_id
    assert first.task.request_id == number
