"""ListTasks over the wire."""

import asyncio

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio

from ecs_scheduler.v1 import task_pb2
from ecs_scheduler.v1.scheduler_pb2 import GetTaskRequest, ListTasksRequest, ListTasksResponse
from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.task import TaskState
from scheduler.ports.store import StoreError
from tests.api.served import Refusal, Served, refusal, serving
from tests.api.slow_store import SlowStore
from tests.builders import attempt, submitted, task_id, transitioned

pytestmark = pytest.mark.asyncio


async def listed(served: Served, **wanted: object) -> ListTasksResponse:
    fields: dict[str, object] = {"tenant": "bamboo"}
    request = ListTasksRequest(**(fields | wanted))  # type: ignore[arg-type]  # any field by name
    return await served.scheduler.ListTasks(request, timeout=30)


async def refused(served: Served, **wanted: object) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await listed(served, **wanted)
    return refusal(caught.value)


def fields_of(told: Refusal) -> list[str]:
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    return [one.field for one in bad.field_violations]


def ids(page: ListTasksResponse) -> list[str]:
    return [task.task_id for task in page.tasks]


async def test_task_is_shown_short() -> None:
    """A task comes with its state and its last attempt, and without its spec."""
    async with serving() as served:
        first = attempt(number=1, state=AttemptState.DEFINITE_FAILURE)
        served.commit(submitted(1), transitioned(attempt=first), transitioned(attempt=attempt(number=2)))
        [task] = (await listed(served)).tasks
    assert (task.state, task.revision, task.WhichOneof("spec")) == (task_pb2.TASK_STATE_ASSIGNED, 3, None)
    assert [each.number for each in task.attempts] == [2]


async def test_tenant_sees_its_own_tasks() -> None:
    """Tasks of other tenants are not listed."""
    async with serving() as served:
        served.commit(submitted(1), submitted(2, tenant="jenkins"), submitted(3))
        page = await listed(served)
    assert ids(page) == [task_id(1), task_id(3)]
    assert page.next_page_token == ""


@pytest.mark.parametrize(
    "wanted",
    [
        {"build_key": "APP-UNIT"},
        {"labels": {"branch": "main", "team": "red"}},
        {"states": [task_pb2.TASK_STATE_RUNNING, task_pb2.TASK_STATE_ASSIGNED]},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
async def test_filter(wanted: dict[str, object]) -> None:
    """Only what matches the filter is listed."""
    async with serving() as served:
        served.commit(
            submitted(1, labels={"branch": "main"}),
            submitted(2, labels={"branch": "main", "team": "red", "os": "linux"}, build_key="APP-UNIT"),
            transitioned(2),
        )
        assert ids(await listed(served, **wanted)) == [task_id(2)]


async def test_page_has_a_hundred_tasks_at_most_five_hundred() -> None:
    """Without a page_size there are 100; more than 500 are never given, whatever is asked for."""
    async with serving() as served:
        served.store.commit([[submitted(number) for number in range(700)]])
        assert len((await listed(served)).tasks) == 100
        longest = await listed(served, page_size=2**31 - 1)
    assert ids(longest) == [task_id(number) for number in range(500)]


async def test_page_is_at_most_a_mebibyte() -> None:
    """Where labels are long a page has fewer tasks, and a next one."""
    labels = {f"label-{number}": "x" * 255 for number in range(32)}
    async with serving() as served:
        served.store.commit([[submitted(number, labels=labels) for number in range(150)]])
        first = await listed(served, page_size=150)
        second = await listed(served, page_size=150, page_token=first.next_page_token)
    assert (1 << 20) - 10_000 < first.ByteSize() <= 1 << 20
    assert ids(first) + ids(second) == [task_id(number) for number in range(150)]


async def test_listing_goes_on_at_another_server() -> None:
    """A token is the store's, not the server's; the page's size may change on the way."""
    store = MemoryStore()
    store.commit([[submitted(number) for number in range(5)]])
    async with serving(store) as served:
        first = await listed(served, page_size=2)
    async with serving(store) as served:
        rest = await listed(served, page_size=3, page_token=first.next_page_token)
    assert ids(first) + ids(rest) == [task_id(number) for number in range(5)]
    assert rest.next_page_token == ""


async def test_wrong_fields_are_named() -> None:
    """Every field that is wrong is named: the tenant is required, and no page is smaller than nothing."""
    async with serving() as served:
        told = await refused(
            served,
            tenant="",
            labels={str(number): "" for number in range(33)},
            states=[task_pb2.TASK_STATE_UNSPECIFIED],
            page_size=-1,
        )
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(told) == ["tenant", "labels", "states[0]", "page_size"]


async def test_token_of_other_filters_is_refused() -> None:
    """A token with a changed filter, of another store, or made up, is INVALID_ARGUMENT and named."""
    async with serving(MemoryStore(epoch="00000000000000aa")) as other:
        other.commit(submitted(1), submitted(2))
        foreign = (await listed(other, page_size=1)).next_page_token
    async with serving() as served:
        served.commit(submitted(1), submitted(2))
        own = (await listed(served, page_size=1)).next_page_token
        told = [
            await refused(served, page_token=own, build_key="PLAN-KEY"),
            await refused(served, page_token=own, tenant="jenkins"),
            await refused(served, page_token=foreign),
            await refused(served, page_token="nonsense"),
        ]
    assert {each.code for each in told} == {grpc.StatusCode.INVALID_ARGUMENT}
    assert [fields_of(each) for each in told] == [["page_token"]] * 4


async def test_long_search_holds_up_nobody() -> None:
    """While a page is looked for other calls are answered."""
    store = SlowStore()
    async with serving(store) as served:
        served.commit(submitted(1), transitioned(state=TaskState.ASSIGNED))
        searching = asyncio.create_task(listed(served))
        await asyncio.to_thread(store.asked.wait, 30)
        await served.scheduler.GetTask(GetTaskRequest(tenant="bamboo", task_id=task_id(1)), timeout=30)
        assert not searching.done()
        store.let.set()
        assert ids(await searching) == [task_id(1)]


async def test_store_that_cannot_be_read() -> None:
    """It is UNAVAILABLE with a delay, and says nothing of the store's file."""
    store = SlowStore()
    store.let.set()
    store.failure = StoreError("cannot read /var/lib/secret.db")
    async with serving(store) as served:
        told = await refused(served)
    assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert told.retry_s > 0
    assert "secret" not in told.message
