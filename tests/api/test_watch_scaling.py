"""WatchScaling over the wire: from now on, resumed, and every way in which a watch ends."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import aio

from ecs_scheduler.v1.capacity_pb2 import ScalingKind
from ecs_scheduler.v1.scaling_pb2 import WatchScalingRequest, WatchScalingResponse
from ecs_scheduler.v1.scheduler_pb2 import WatchTasksRequest
from scheduler.adapters.memory import MemoryStore
from scheduler.api.server import ApiSettings
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.scaling import StoredScalingEvent
from scheduler.ports.store import StoreError
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import a_scaling_event, submitted

pytestmark = pytest.mark.asyncio

Responses = AsyncIterator[WatchScalingResponse]


def done(*numbers: int) -> list[ScalingRecorded]:
    return [ScalingRecorded(event=a_scaling_event(number)) for number in numbers]


def watching(served: Served, token: str = "") -> Responses:
    return aiter(served.scaling.WatchScaling(WatchScalingRequest(resume_token=token), timeout=30))


async def until(responses: Responses, sequence: int) -> list[WatchScalingResponse]:
    """Messages up to the one that carries the event."""
    found = []
    async for response in responses:
        found.append(response)
        if any(event.sequence >= sequence for event in response.events):
            return found
    raise AssertionError(f"ended before event {sequence}")


def sequences(responses: list[WatchScalingResponse]) -> list[int]:
    return [event.sequence for response in responses for event in response.events]


async def ended(responses: Responses) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        async for _ in responses:
            pass
    return refusal(caught.value)


async def test_watch_begins_now() -> None:
    """Without a token the first message comes at once, synced and without history; then come events."""
    async with serving() as served:
        served.commit(*done(1, 2))
        watch = watching(served)
        first = await anext(watch)
        served.commit(*done(3))
        [told] = await until(watch, 3)
    assert (list(first.events), first.synced, bool(first.resume_token)) == ([], True, True)
    [event] = told.events
    assert (event.kind, event.sequence) == (ScalingKind.SCALING_KIND_GROW, 3)
    assert (event.desired_before, event.desired_after, event.message) == (2, 3, "tasks wait for room")
    assert told.synced


async def test_watch_resumes_on_a_new_server() -> None:
    """A token of one server resumes on the next one over the same store, without loss or repetition."""
    store = MemoryStore()
    async with serving(store) as served:
        first = await anext(watching(served))
    store.commit([done(1, 2)])
    async with serving(store) as served:
        watch = watching(served, first.resume_token)
        missed = await until(watch, 2)
        served.commit(*done(3))
        news = await until(watch, 3)
        rest = watching(served, missed[-1].resume_token)
        again = await until(rest, 3)
    assert sequences(missed + news) == [1, 2, 3]
    assert sequences(again) == [3]


async def test_history_ends_with_synced() -> None:
    """A long history comes in messages of at most 500 events; `synced` is true from its end on."""
    async with serving() as served:
        token = (await anext(watching(served))).resume_token
        served.store.commit([done(*range(1, 1_101))])
        told = await until(watching(served, token), 1_100)
    assert sequences(told) == list(range(1, 1_101))
    assert max(len(response.events) for response in told) <= 500
    assert [response.synced for response in told] == [False] * (len(told) - 1) + [True]


async def test_resumed_with_nothing_new() -> None:
    """Who resumes where the log ends is told at once that nothing was missed."""
    async with serving() as served:
        served.commit(*done(1))
        token = (await anext(watching(served))).resume_token
        again = await anext(watching(served, token))
    assert (list(again.events), again.synced, again.resume_token) == ([], True, token)


async def test_changes_of_tasks_are_not_told() -> None:
    """Revisions of tasks are another series: they neither wake a watch nor move its token."""
    settings = ApiSettings(drain_delay_s=0, progress_interval_s=0.05)
    async with serving(settings=settings) as served:
        watch = watching(served)
        first = await anext(watch)
        served.commit(submitted(1), submitted(2))
        second = await anext(watch)
    assert (list(second.events), second.resume_token) == ([], first.resume_token)


async def test_progress_comes_in_silence() -> None:
    """A silent watch says its token every so often, and events still come."""
    settings = ApiSettings(drain_delay_s=0, progress_interval_s=0.05)
    async with serving(settings=settings) as served:
        watch = watching(served)
        silent = [await anext(watch) for _ in range(4)]
        served.commit(*done(1))
        told = await until(watch, 1)
    assert not sequences(silent)
    assert {response.resume_token for response in silent} == {silent[0].resume_token}
    assert sequences(told) == [1]


async def test_token_of_another_store() -> None:
    """A token names its store's epoch; another store refuses it as OUT_OF_RANGE."""
    async with serving(MemoryStore(epoch="00000000000000aa")) as other:
        token = (await anext(watching(other))).resume_token
    async with serving() as served:
        told = await ended(watching(served, token))
    assert (told.code, told.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_FOREIGN")


async def test_token_of_a_future_that_was_lost() -> None:
    """A token beyond the log's end, as after an older copy of the store, is OUT_OF_RANGE."""
    async with serving() as served:
        served.commit(*done(1, 2))
        token = (await anext(watching(served))).resume_token
    async with serving() as older:
        told = await ended(watching(older, token))
    assert (told.code, told.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_FOREIGN")


async def test_compacted_token() -> None:
    """A token whose events are gone is OUT_OF_RANGE and names the oldest that is kept."""
    async with serving(MemoryStore(scaling_events_kept=2)) as served:
        token = (await anext(watching(served))).resume_token
        served.commit(*done(1, 2, 3, 4))
        served.store.compact(0)
        told = await ended(watching(served, token))
    assert (told.code, told.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED")
    assert told.info.metadata["oldest_revision"] == "3"


@pytest.mark.parametrize("garbage", ["nonsense", "!", "MDA5ZGY3Y2NlMGYzZWNiMjo5OjA"])
async def test_garbage_is_no_token(garbage: str) -> None:
    """What never was a token is INVALID_ARGUMENT."""
    async with serving() as served:
        told = await ended(watching(served, garbage))
    assert (told.code, told.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID")


async def test_tokens_of_the_two_watches_are_not_each_others() -> None:
    """A token of WatchTasks is none of WatchScaling, and the other way round."""
    async with serving() as served:
        of_tasks = (await anext(aiter(served.scheduler.WatchTasks(WatchTasksRequest())))).resume_token
        of_scaling = (await anext(watching(served))).resume_token
        told = await ended(watching(served, of_tasks))
        with pytest.raises(aio.AioRpcError) as caught:
            await anext(aiter(served.scheduler.WatchTasks(WatchTasksRequest(resume_token=of_scaling))))
    assert told.info.reason == "RESUME_TOKEN_INVALID"
    assert refusal(caught.value).info.reason == "RESUME_TOKEN_INVALID"


async def test_stop_ends_the_watch() -> None:
    """A server that stops ends its watches with UNAVAILABLE and a delay; what came before was told."""
    async with serving() as served:
        watch = watching(served)
        await anext(watch)
        served.commit(*done(1))
        await until(watch, 1)
        ending = asyncio.create_task(ended(watch))
        await served.server.stop(grace_s=5)
        told = await ending
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVICE_STOPPING")
    assert told.retry_s > 0


class UnreadableStore(MemoryStore):
    """Its scaling log cannot be read."""

    def scaling_events_after(self, sequence: int, limit: int) -> list[StoredScalingEvent]:
        raise StoreError("cannot read /var/lib/secret.db")


async def test_store_that_cannot_be_read() -> None:
    """UNAVAILABLE with a delay, and not a word of the store's file."""
    async with serving(UnreadableStore()) as served:
        told = await ended(watching(served))
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert told.retry_s > 0
    assert "secret" not in told.message


async def test_slow_client_slows_nobody() -> None:
    """While one client does not read, another one is told at once; the slow one misses nothing."""
    async with serving() as served:
        slow = watching(served)
        await anext(slow)
        served.store.commit([done(*range(1, 20_001))])
        served.commit(*done(20_001))
        quick = watching(served)
        await anext(quick)
        served.commit(*done(20_002))
        assert sequences(await until(quick, 20_002)) == [20_002]
        assert sequences(await until(slow, 20_002)) == list(range(1, 20_003))
