"""TailLogs over the wire."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc import aio

from ecs_scheduler.v1.logs_pb2 import TailLogsRequest, TailLogsResponse
from scheduler.api.server import ApiSettings
from scheduler.config import LogLimits
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.task import TaskState
from scheduler.ports.logs import LogLine, LogSource
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import attempt, submitted, task_id, transitioned

pytestmark = pytest.mark.asyncio

AT_MS = 1_790_000_000_123
STARTED = attempt(state=AttemptState.STARTED, ecs_task_arn="arn:aws:ecs:us-east-1:123456789012:task/ci/1")
SOURCE = LogSource(
    task_definition_arn=STARTED.task_definition_arn, ecs_task_arn=STARTED.ecs_task_arn, container="agent"
)


def run(served: Served, of: Attempt = STARTED) -> None:
    """Task 1 is accepted and started."""
    served.commit(submitted(1), transitioned(state=TaskState.RUNNING, attempt=of))


def write(served: Served, *texts: str) -> None:
    served.logs.put(SOURCE, *(LogLine(time_ms=AT_MS, text=text) for text in texts))


def tailing(served: Served, **wanted: Any) -> AsyncIterator[TailLogsResponse]:
    request = TailLogsRequest(**({"tenant": "bamboo", "task_id": task_id(1)} | wanted))
    return aiter(served.scheduler.TailLogs(request, timeout=30))


async def texts(responses: AsyncIterator[TailLogsResponse]) -> list[str]:
    return [event.message async for response in responses for event in response.events]


async def refused(responses: AsyncIterator[TailLogsResponse]) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await texts(responses)
    return refusal(caught.value)


async def test_lines_come_with_their_times() -> None:
    """In order, with the number of their launch and a token behind them; then the stream ends with OK."""
    async with serving() as served:
        run(served)
        write(served, "a", "b")
        [message] = [each async for each in tailing(served)]
    assert [event.message for event in message.events] == ["a", "b"]
    assert message.events[0].event_time.ToMilliseconds() == AT_MS
    assert (message.attempt, message.resume_token != "") == (1, True)


async def test_the_last_lines_alone() -> None:
    """As many as are asked for."""
    async with serving() as served:
        run(served)
        write(served, "a", "b", "c")
        assert await texts(tailing(served, tail=2)) == ["b", "c"]
        assert await texts(tailing(served, tail=0)) == []


async def test_who_follows_sees_the_task_to_its_end() -> None:
    """From before its start."""
    async with serving() as served:
        served.commit(submitted(1))
        following = asyncio.create_task(texts(tailing(served, follow=True)))
        await asyncio.sleep(0.05)
        served.commit(transitioned(state=TaskState.RUNNING, attempt=STARTED))
        write(served, "a")
        await asyncio.sleep(0.05)
        write(served, "b")
        ended = transitioned(state=TaskState.SUCCEEDED, previous=TaskState.RUNNING, attempt=STARTED)
        served.commit(ended)
        assert await following == ["a", "b"]


async def test_a_token_goes_on_behind_its_message() -> None:
    """On another stream, as on another server."""
    async with serving() as served:
        run(served)
        write(served, "a")
        [first] = [each async for each in tailing(served)]
        write(served, "b")
        assert await texts(tailing(served, resume_token=first.resume_token)) == ["b"]


async def test_a_token_is_for_its_task_and_container() -> None:
    """Another's log would be read from a place that it does not have."""
    async with serving() as served:
        run(served)
        write(served, "a")
        [first] = [each async for each in tailing(served)]
        served.commit(submitted(2))
        other = await refused(tailing(served, task_id=task_id(2), resume_token=first.resume_token))
        made_up = await refused(tailing(served, resume_token="bG9nczo"))
    assert other.code is made_up.code is grpc.StatusCode.INVALID_ARGUMENT
    assert other.info.reason == made_up.info.reason == "RESUME_TOKEN_INVALID"


async def test_silence_is_broken_by_progress() -> None:
    """A message without lines, so that proxies keep the stream."""
    settings = ApiSettings(drain_delay_s=0.0, progress_interval_s=0.05)
    async with serving(settings=settings) as served:
        served.commit(submitted(1))
        message = await anext(tailing(served, follow=True))
    assert (len(message.events), message.resume_token, message.attempt) == (0, "", 0)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"tenant": "?"}, "tenant"),
        ({"task_id": ""}, "task_id"),
        ({"tail": 2_001}, "tail"),
        ({"tail": -1}, "tail"),
    ],
)
async def test_wrong_fields_are_named(wanted: dict[str, Any], field: str) -> None:
    """Before anything is looked for."""
    async with serving() as served:
        said = await refused(tailing(served, **wanted))
    assert said.code is grpc.StatusCode.INVALID_ARGUMENT
    assert said.message.startswith(field)


async def test_another_tenants_task_is_not_found() -> None:
    """No different from an unknown one."""
    async with serving() as served:
        run(served)
        said = await refused(tailing(served, tenant="other"))
    assert (said.code, said.info.reason) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")


async def test_an_unknown_container_is_not_found() -> None:
    """Those that there are come along."""
    async with serving() as served:
        run(served)
        said = await refused(tailing(served, container="db"))
    assert (said.code, said.info.reason) == (grpc.StatusCode.NOT_FOUND, "CONTAINER_NOT_FOUND")
    assert said.info.metadata["containers"] == "agent"


async def test_a_task_that_has_not_started_has_no_log() -> None:
    """Unless it is followed."""
    async with serving() as served:
        served.commit(submitted(1))
        said = await refused(tailing(served))
    assert (said.code, said.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TASK_NOT_STARTED")
    assert said.info.metadata["state"] == "QUEUED"


async def test_a_log_that_never_was_is_not_found() -> None:
    """Some time after the end of the launch."""
    async with serving() as served:
        run(served)
        served.commit(
            transitioned(state=TaskState.FAILED, previous=TaskState.RUNNING, attempt=STARTED, at_ms=1)
        )
        said = await refused(tailing(served, follow=True))
    assert (said.code, said.info.reason) == (grpc.StatusCode.NOT_FOUND, "LOG_STREAM_NOT_FOUND")


async def test_there_are_so_many_at_a_time() -> None:
    """One more is told to come back later; one that ends gives its place up."""
    async with serving(log_limits=LogLimits(reads_per_s=1_000, tails_max=1)) as served:
        served.commit(submitted(1))
        first = served.scheduler.TailLogs(
            TailLogsRequest(tenant="bamboo", task_id=task_id(1), follow=True), timeout=30
        )
        await first.initial_metadata()
        await asyncio.sleep(0.05)
        said = await refused(tailing(served, follow=True))
        first.cancel()
        await asyncio.sleep(0.05)
        freed = await refused(tailing(served))
    assert (said.code, said.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LOG_TAILS")
    assert RetryInfo in said.details
    assert freed.info.reason == "TASK_NOT_STARTED"


async def test_one_tenant_does_not_take_all() -> None:
    """Beyond its own part a tenant is refused by name, while others are served."""
    async with serving(log_limits=LogLimits(reads_per_s=1_000, tails_per_tenant=1)) as served:
        served.commit(submitted(1), submitted(2, tenant="other"))
        first = served.scheduler.TailLogs(
            TailLogsRequest(tenant="bamboo", task_id=task_id(1), follow=True), timeout=30
        )
        await first.initial_metadata()
        await asyncio.sleep(0.05)
        said = await refused(tailing(served))
        others = await refused(tailing(served, tenant="other", task_id=task_id(2)))
        first.cancel()
    assert (said.code, said.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LOG_TAILS")
    assert said.message.startswith("1 logs of tenant bamboo are being read")
    assert others.info.reason == "TASK_NOT_STARTED"


async def test_a_server_that_stops_ends_them() -> None:
    """Whoever resumes after the delay is served by the next one."""
    async with serving() as served:
        run(served)
        following = asyncio.create_task(refused(tailing(served, follow=True)))
        await asyncio.sleep(0.1)
        await served.server.stop(grace_s=1.0)
        said = await following
    assert (said.code, said.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVICE_STOPPING")
    assert said.retry_s > 0
