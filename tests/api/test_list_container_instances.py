"""ListContainerInstances over the wire, and its pages."""

from dataclasses import replace
from itertools import cycle
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio
from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1.container_instance_pb2 import ContainerInstanceHealth, RemovalCause, RemovalStep
from ecs_scheduler.v1.scaling_pb2 import ListContainerInstancesRequest, ListContainerInstancesResponse
from ecs_scheduler.v1.scheduler_pb2 import ListTasksRequest
from scheduler.adapters.memory import MemoryStore
from scheduler.api import page_token
from scheduler.api.instance_pages import page_of
from scheduler.api.server import ApiSettings
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import InstanceDigest
from scheduler.core.model.removal import Removal
from scheduler.core.model.removal import RemovalCause as Cause
from scheduler.core.model.removal import RemovalStep as Step
from scheduler.core.model.resources import Resources
from scheduler.services.autoscaling import InstanceFilter
from tests.api.instances import an_instance_digest
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import ec2_id, instance_arn, submitted
from tests.clocks import START_MS
from tests.strategies import MODEST

EPOCH = "00000000c0ffee00"
ANY = InstanceFilter()

asyncio = pytest.mark.asyncio


async def listed(served: Served, **wanted: Any) -> ListContainerInstancesResponse:
    return await served.scaling.ListContainerInstances(ListContainerInstancesRequest(**wanted), timeout=30)


async def refused(served: Served, **wanted: Any) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await listed(served, **wanted)
    return refusal(caught.value)


def fields_of(told: Refusal) -> list[str]:
    bad = told.details[BadRequest]
    assert isinstance(bad, BadRequest)
    return [one.field for one in bad.field_violations]


def arns(page: ListContainerInstancesResponse) -> list[str]:
    return [each.arn for each in page.container_instances]


def a_fleet(count: int) -> tuple[InstanceDigest, ...]:
    return tuple(an_instance_digest(number) for number in range(count))


@asyncio
async def test_container_instance_is_shown_whole() -> None:
    """No field stays empty that the loop tells of."""
    removal = Removal(
        ec2_instance_id=ec2_id(1),
        arn=instance_arn(1),
        cause=Cause.NEVER_JOINED,
        step=Step.DETACHING,
        decrement=True,
        since_ms=START_MS + 3_000,
    )
    digest = an_instance_digest(
        health=InstanceHealth.LEAVING,
        free=Resources(cpu=1),
        foreign=Resources(cpu=2),
        tasks=3,
        starting=1,
        stale=True,
        idle_since_ms=START_MS + 1_000,
        disconnected_since_ms=START_MS + 2_000,
        removal=removal,
    )
    async with serving() as served:
        served.loop.instances = (digest,)
        [shown] = (await listed(served)).container_instances
    assert {field.name for field in shown.DESCRIPTOR.fields} == {
        field.name for field, _ in shown.ListFields()
    }
    assert (shown.arn, shown.ec2_instance_id) == (instance_arn(1), ec2_id(1))
    assert shown.health == ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_LEAVING
    assert (shown.free.cpu_units, shown.foreign.cpu_units, shown.registered.cpu_units) == (1, 2, 16_384)
    assert shown.launch_time.seconds * 1_000 == START_MS
    assert shown.idle_since_time.seconds * 1_000 == START_MS + 1_000
    assert shown.disconnected_since_time.seconds * 1_000 == START_MS + 2_000
    assert shown.removal.cause == RemovalCause.REMOVAL_CAUSE_NEVER_JOINED
    assert (shown.removal.step, shown.removal.decrement) == (RemovalStep.REMOVAL_STEP_DETACHING, True)
    assert shown.removal.since_time.seconds * 1_000 == START_MS + 3_000


@asyncio
async def test_what_is_not_so_is_not_set() -> None:
    """A container instance that works and stays has no time of idleness or silence, and no removal."""
    async with serving() as served:
        served.loop.instances = a_fleet(1)
        [shown] = (await listed(served)).container_instances
    assert not any(map(shown.HasField, ("idle_since_time", "disconnected_since_time", "removal")))


@asyncio
async def test_page_has_a_hundred_at_most_five_hundred() -> None:
    """Without a page_size there are 100; more than 500 are never given; the page stays below 1 MiB."""
    async with serving() as served:
        served.loop.instances = a_fleet(700)
        assert len(arns(await listed(served))) == 100
        longest = await listed(served, page_size=2**31 - 1)
        rest = await listed(served, page_size=2**31 - 1, page_token=longest.next_page_token)
    assert arns(longest) + arns(rest) == [instance_arn(number) for number in range(700)]
    assert rest.next_page_token == ""
    assert longest.ByteSize() < 1 << 20


@asyncio
async def test_empty_cluster() -> None:
    """Where there is none, or before AWS was read, the only page is empty."""
    async with serving() as served:
        assert await listed(served) == ListContainerInstancesResponse()


@asyncio
@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"health": ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_DRAINING}, [1, 2]),
        ({"ec2_instance_ids": [ec2_id(0), ec2_id(2), "i-unknown"]}, [0, 2]),
        (
            {
                "health": ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_DRAINING,
                "ec2_instance_ids": [ec2_id(0), ec2_id(2)],
            },
            [2],
        ),
    ],
)
async def test_filter(wanted: dict[str, Any], numbers: list[int]) -> None:
    """Only what matches everything that is set is listed."""
    schedulable, *others = a_fleet(3)
    async with serving() as served:
        draining = (replace(each, health=InstanceHealth.DRAINING) for each in others)
        served.loop.instances = (schedulable, *draining)
        assert arns(await listed(served, **wanted)) == [instance_arn(number) for number in numbers]


@asyncio
async def test_wrong_fields_are_named() -> None:
    """Every field that is wrong is named."""
    async with serving() as served:
        told = await refused(
            served, page_size=-1, health=99, ec2_instance_ids=[ec2_id(number) for number in range(501)]
        )
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(told) == ["page_size", "health", "ec2_instance_ids"]


@asyncio
async def test_token_of_something_else_is_refused() -> None:
    """A token for another filter, of another store, of tasks, or made up is INVALID_ARGUMENT and named."""
    async with serving(MemoryStore(epoch="00000000000000aa")) as other:
        other.loop.instances = a_fleet(2)
        foreign = (await listed(other, page_size=1)).next_page_token
    async with serving() as served:
        served.loop.instances = a_fleet(2)
        served.commit(submitted(1), submitted(2))
        own = (await listed(served, page_size=1)).next_page_token
        request = ListTasksRequest(tenant="bamboo", page_size=1)
        of_tasks = (await served.scheduler.ListTasks(request, timeout=30)).next_page_token
        told = [
            await refused(served, page_token=own, ec2_instance_ids=["i-1"]),
            await refused(served, page_token=foreign),
            await refused(served, page_token=of_tasks),
            await refused(served, page_token="nonsense"),
        ]
    assert own
    assert of_tasks
    assert {each.code for each in told} == {grpc.StatusCode.INVALID_ARGUMENT}
    assert [fields_of(each) for each in told] == [["page_token"]] * 4


@asyncio
async def test_loop_that_does_not_answer() -> None:
    """A listing that does not come in time is DEADLINE_EXCEEDED, though the client set no deadline."""
    settings = ApiSettings(drain_delay_s=0, default_deadline_s=0.1)
    async with serving(settings=settings) as served:
        served.loop.mute = True
        with pytest.raises(aio.AioRpcError) as caught:
            await served.scaling.ListContainerInstances(ListContainerInstancesRequest())
    assert refusal(caught.value).code is grpc.StatusCode.DEADLINE_EXCEEDED


@MODEST
@given(
    st.lists(st.frozensets(st.integers(min_value=0, max_value=12)), min_size=1, max_size=20),
    st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=3),
)
def test_nothing_is_missed_or_doubled(fleets: list[frozenset[int]], sizes: list[int]) -> None:
    """Who is there all the while is on one page, whoever comes and goes; nobody is on two."""
    seen: list[str] = []
    after, page_sizes, while_listed = "", cycle(sizes), []
    for present in [*fleets, *fleets[-1:] * 20]:
        while_listed.append(present)
        instances = [an_instance_digest(number) for number in sorted(present)]
        page = page_of(instances, ANY, after, page_size=next(page_sizes), epoch=EPOCH)
        seen += arns(page)
        if not page.next_page_token:
            break
        after = page_token.decode(page.next_page_token, EPOCH, ANY)
    assert seen == sorted(set(seen))
    assert set(seen) >= set(map(instance_arn, frozenset.intersection(*while_listed)))
