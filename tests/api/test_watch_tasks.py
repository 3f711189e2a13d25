"""WatchTasks over the wire: present state, border, changes, and every way in which a watch ends."""

import asyncio

import grpc
import pytest

from ecs_scheduler.v1 import task_pb2
from ecs_scheduler.v1.scheduler_pb2 import GetTaskRequest, WatchTasksRequest, WatchTasksResponse
from scheduler.adapters.memory import MemoryStore
from scheduler.api.server import ApiSettings
from tests.api.served import Served, refusal, schedule_request, serving
from tests.api.slow_store import SlowStore
from tests.api.watches import ending, revisions, until, until_synced, watching
from tests.builders import submitted, task_id, transitioned

pytestmark = pytest.mark.asyncio


async def refused(served: Served, **wanted: object) -> tuple[grpc.StatusCode, str]:
    told = refusal(await ending(watching(served, **wanted)))
    return told.code, told.info.reason


async def test_present_state_then_changes() -> None:
    """Without a token the tasks come first, `synced` marks the border, then come changes."""
    async with serving() as served:
        served.commit(submitted(1), submitted(2))
        watch = watching(served)
        present = await until_synced(watch)
        served.commit(transitioned(1))
        [change] = await until(watch, 3)
    assert revisions(present) == [1, 2]
    assert all(not event.previous_state for response in present for event in response.events)
    [event] = change.events
    assert (event.previous_state, event.task.state) == (
        task_pb2.TASK_STATE_QUEUED,
        task_pb2.TASK_STATE_ASSIGNED,
    )
    assert change.synced
    assert change.resume_token


async def test_scheduled_task_is_seen_by_its_watcher() -> None:
    """A commit on the writer's thread reaches the watch without anybody asking."""
    async with serving() as served:
        watch = watching(served, tenant="bamboo")
        await until_synced(watch)
        task = (await served.scheduler.Schedule(schedule_request())).task
        [told] = await until(watch, task.revision)
    assert [event.task.task_id for event in told.events] == [task.task_id]
    assert told.events[0].task.WhichOneof("spec") is None


async def test_empty_present_state_is_synced_at_once() -> None:
    """With nothing to show the first message is the border itself."""
    async with serving() as served:
        [only] = await until_synced(watching(served))
    assert (len(only.events), only.synced) == (0, True)


async def test_long_search_for_the_present_state_holds_up_nobody() -> None:
    """While the store looks for what a new watch is to be shown, other calls are answered."""
    store = SlowStore()
    async with serving(store) as served:
        served.commit(submitted(1), submitted(2, labels={"branch": "main"}))
        searching = asyncio.create_task(until_synced(watching(served, labels={"branch": "main"})))
        await asyncio.to_thread(store.asked.wait, 30)
        await served.scheduler.GetTask(GetTaskRequest(tenant="bamboo", task_id=task_id(1)), timeout=30)
        store.let.set()
        assert revisions(await searching) == [2]


async def test_watch_is_accepted_before_it_has_anything_to_say() -> None:
    """Initial metadata comes at once."""
    async with serving() as served:
        call = served.scheduler.WatchTasks(WatchTasksRequest(), timeout=30)
        await asyncio.wait_for(call.initial_metadata(), 5)
        call.cancel()


async def test_watch_resumes_on_a_new_server() -> None:
    """A token of one server resumes on the next one over the same store, without loss or repetition."""
    store = MemoryStore()
    async with serving(store) as served:
        served.commit(submitted(1))
        [last] = await until_synced(watching(served))
    store.commit([[submitted(2)], [transitioned(1)]])
    async with serving(store) as served:
        watch = watching(served, resume_token=last.resume_token)
        missed = await until(watch, 3)
        served.commit(submitted(3))
        news = await until(watch, 4)
    assert revisions(missed + news) == [2, 3, 4]


async def test_token_of_another_store_is_out_of_range() -> None:
    """A token names its store's epoch; another store refuses it."""
    async with serving(MemoryStore(epoch="00000000000000aa")) as served:
        [told] = await until_synced(watching(served))
    async with serving() as served:
        answer = await refused(served, resume_token=told.resume_token)
    assert answer == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_FOREIGN")


async def test_compacted_token_is_out_of_range() -> None:
    """A token whose changes are gone is refused with the oldest revision that is kept."""
    async with serving() as served:
        [told] = await until_synced(watching(served))
        served.commit(submitted(1), submitted(2))
        served.store.compact(2)
        end = refusal(await ending(watching(served, resume_token=told.resume_token)))
    assert (end.code, end.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED")
    assert end.info.metadata["oldest_revision"] == "2"


async def test_garbage_is_no_token() -> None:
    """A token that is not ours is INVALID_ARGUMENT."""
    async with serving() as served:
        answer = await refused(served, resume_token="garbage!")
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID")


async def test_wrong_filters_are_invalid() -> None:
    """A malformed tenant or an unknown state is INVALID_ARGUMENT."""
    async with serving() as served:
        wrong_tenant = await refused(served, tenant="No Tenant")
        wrong_state = await refused(served, states=[99])
        too_many = await refused(served, task_ids=[task_id(number) for number in range(1_001)])
    assert {wrong_tenant, wrong_state, too_many} == {(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")}


async def test_task_leaving_the_filter_is_marked() -> None:
    """A task that leaves the watched states comes once more, marked."""
    async with serving() as served:
        watch = watching(served, states=[task_pb2.TASK_STATE_QUEUED])
        await until_synced(watch)
        served.commit(submitted(1), transitioned(1))
        told = await until(watch, 2)
    marks = [event.left_filter for response in told for event in response.events]
    assert marks == [False, True]


async def test_quiet_watch_gets_progress() -> None:
    """A watch without events gets messages with nothing but a token, and the token moves on."""
    async with serving(settings=ApiSettings(progress_interval_s=0.05, drain_delay_s=0)) as served:
        watch = watching(served, tenant="nobody")
        [first] = await until_synced(watch)
        served.commit(submitted(1))
        tokens = [first.resume_token]
        async for response in watch:
            assert (len(response.events), response.synced) == (0, True)
            tokens.append(response.resume_token)
            if len(tokens) == 4:
                break
        served.store.compact(2)
        resumed = watching(served, resume_token=tokens[-1])
        assert (await anext(resumed)).synced
    assert tokens[0] != tokens[-1]


async def test_client_that_reads_too_slowly_is_ended_and_loses_nothing() -> None:
    """A stalled reader ends with RESOURCE_EXHAUSTED and a delay; its last token gets it all the rest."""
    labels = {f"key-{number}": "x" * 255 for number in range(30)}
    count = 3_000  # times 8 KB: several times what HTTP/2 windows hold
    async with serving(buffer_size=500) as served:
        watch = watching(served)
        border = (await until_synced(watch))[-1]
        served.commit(*(submitted(number, labels=labels) for number in range(count)))
        while served.hub.revision < count:
            await asyncio.sleep(0.01)
        told: list[WatchTasksResponse] = []
        end = refusal(await ending(watch, told))
        rest = await until(watching(served, resume_token=(told or [border])[-1].resume_token), count)
    assert (end.code, end.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGING")
    assert end.retry_s > 0
    assert revisions(told + rest) == list(range(1, count + 1))


async def test_client_that_reads_survives_a_burst() -> None:
    """Several times the buffer in one burst does not end a watch that is read."""
    async with serving() as served:
        watch = watching(served)
        await until_synced(watch)
        served.commit(*(submitted(number) for number in range(5_000)))
        told = await until(watch, 5_000)
    assert revisions(told) == list(range(1, 5_001))


async def test_messages_stay_below_the_clients_limit() -> None:
    """Large events are spread over messages of about 1 MiB, each with a token that resumes right after it."""
    labels = {f"key-{number}": "x" * 255 for number in range(30)}
    async with serving() as served:
        served.commit(*(submitted(number, labels=labels) for number in range(300)))
        first, *others = await until_synced(watching(served))
        rest = await until_synced(watching(served, resume_token=first.resume_token))
    assert others
    assert max(response.ByteSize() for response in (first, *others)) < 1.1 * (1 << 20)
    assert revisions([first]) + revisions(rest) == list(range(1, 301))


async def test_stopping_server_ends_watches_resumably() -> None:
    """When the server stops, a watch ends with UNAVAILABLE and the delay after which to resume."""
    async with serving() as served:
        watch = watching(served)
        await until_synced(watch)
        stopping = asyncio.create_task(served.server.stop(grace_s=5))
        end = refusal(await ending(watch))
        await stopping
    assert (end.code, end.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVICE_STOPPING")
    assert end.retry_s > 0


async def test_watch_that_is_cancelled_gives_up_its_place() -> None:
    """When a client goes away, the hub no longer works for it."""
    async with serving() as served:
        call = served.scheduler.WatchTasks(WatchTasksRequest(), timeout=30)
        await until_synced(aiter(call))
        while not served.hub.watchers:
            await asyncio.sleep(0.01)
        call.cancel()
        async with asyncio.timeout(5):
            while served.hub.watchers:
                await asyncio.sleep(0.01)
