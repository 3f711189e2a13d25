"""ReserveCapacity and ReleaseCapacity over the wire: durable, repeatable, and every refusal."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, PreconditionFailure, QuotaFailure
from grpc import aio

from ecs_scheduler.v1.reservation_pb2 import (
    ReleaseCapacityRequest,
    ReserveCapacityRequest,
    ReserveCapacityResponse,
    ReservedTasks,
)
from ecs_scheduler.v1.resources_pb2 import Architecture, Resources
from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from ecs_scheduler.v1.task_spec_pb2 import ContainerSize
from scheduler.core.model.reservation import read_reservation
from scheduler.ports.store import StoreError
from tests.api.served import Refusal, Served, refusal, serving
from tests.builders import M4_4XLARGE, a_type
from tests.clocks import START_MS

pytestmark = pytest.mark.asyncio

SMALL = ContainerSize.CONTAINER_SIZE_SMALL
MINUTE = Duration(seconds=60)
TWO_REGULAR = [ReservedTasks(count=2, size=ContainerSize.CONTAINER_SIZE_REGULAR)]


async def reserve(served: Served, **asked: Any) -> ReserveCapacityResponse:
    """Reserves for two agents unless a test says otherwise."""
    fields: dict[str, Any] = {"tenant": "bamboo", "build_key": "PLAN", "result_ids": ["R1", "R2"]}
    if not {"tasks", "total"} & asked.keys():
        fields["tasks"] = TWO_REGULAR
    return await served.scaling.ReserveCapacity(ReserveCapacityRequest(**(fields | asked)), timeout=30)


async def refused(served: Served, **asked: Any) -> Refusal:
    with pytest.raises(aio.AioRpcError) as caught:
        await reserve(served, **asked)
    return refusal(caught.value)


def reserved(served: Served) -> list[str]:
    """Keys of what the store has of reservations."""
    return [key for key in served.store.load().facts if key.startswith("reservation/")]


async def test_it_is_durable_before_it_is_answered() -> None:
    """The answer is what is reserved, for how long; the store has it then."""
    async with serving() as served:
        answer = (await reserve(served, expiry=MINUTE)).reservation
        [key] = reserved(served)
        stored = read_reservation(served.store.load().facts[key])
    assert stored.expires_ms == START_MS + 60_000
    assert answer.expire_time.seconds - answer.create_time.seconds == 60
    [pieces] = answer.pieces
    assert (pieces.count, pieces.resources) == (2, Resources(cpu_units=2_048, memory_mib=8_006))


async def test_it_lasts_for_forty_minutes_unless_asked_otherwise() -> None:
    """A stage of builds ends in that time."""
    async with serving() as served:
        answer = (await reserve(served)).reservation
    assert answer.expire_time.seconds - answer.create_time.seconds == 2_400


async def test_a_total_is_cut() -> None:
    """Into agents of size REGULAR, the remainder last."""
    async with serving() as served:
        answer = await reserve(served, total=Resources(cpu_units=3_000, memory_mib=12_000))
    counts = [(each.resources.cpu_units, each.count) for each in answer.reservation.pieces]
    assert counts == [(2_048, 1), (952, 1)]


async def test_shapes_by_resources_and_architecture() -> None:
    """Equal ones are told together."""
    two = ReservedTasks(
        count=2,
        resources=Resources(cpu_units=100, memory_mib=200),
        architecture=Architecture.ARCHITECTURE_ARM64,
        exclusive=True,
    )
    async with serving() as served:
        [pieces] = (await reserve(served, tasks=[two, two])).reservation.pieces
    assert (pieces.count, pieces.architecture) == (4, Architecture.ARCHITECTURE_ARM64)
    assert pieces.exclusive


async def test_repeats_change_nothing_but_the_time() -> None:
    """However many at once: one reservation is left."""
    async with serving() as served:
        await asyncio.gather(*(reserve(served) for _ in range(5)))
        served.loop.digest = replace(served.loop.digest, reservations=tuple(served.loop.world.reservations))
        cluster = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert (cluster.reservations.count, cluster.reservations.pieces) == (1, 2)
    assert not cluster.reservations.HasField("hit_rate")
    assert [each.build_key for each in cluster.reservations.next] == ["PLAN"]


@pytest.mark.parametrize("asked", [{"total": Resources()}, {"tasks": [ReservedTasks(size=SMALL)]}])
async def test_to_reserve_nothing_releases(asked: dict[str, Any]) -> None:
    """The answer holds no reservation; results need not be named."""
    async with serving() as served:
        await reserve(served)
        answer = await reserve(served, result_ids=[], **asked)
        assert list(served.loop.world.reservations) == []
    assert not answer.HasField("reservation")


async def test_release() -> None:
    """As often as one likes."""
    async with serving() as served:
        await reserve(served)
        for _ in range(2):
            await served.scaling.ReleaseCapacity(ReleaseCapacityRequest(tenant="bamboo", build_key="PLAN"))
        assert list(served.loop.world.reservations) == []


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"tenant": "Bamboo"}, ["tenant"]),
        ({"build_key": " "}, ["build_key"]),
        ({"result_ids": []}, ["result_ids"]),
        ({"result_ids": ["R1", ""]}, ["result_ids[1]"]),
        ({"tasks": []}, ["tasks"]),
        ({"tasks": [ReservedTasks(count=1)]}, ["tasks[0].shape"]),
        ({"tasks": [ReservedTasks(count=-1, size=SMALL)]}, ["tasks[0].count"]),
        (
            {"tasks": [ReservedTasks(count=1, resources=Resources(memory_mib=5))]},
            ["tasks[0].resources.memory_mib"],
        ),
        ({"tasks": TWO_REGULAR, "total": Resources(cpu_units=1)}, ["total"]),
        ({"tasks": TWO_REGULAR * 21}, ["tasks"]),
        ({"total": Resources(cpu_units=-1, memory_mib=1)}, ["total.cpu_units"]),
        ({"expiry": Duration(seconds=86_401)}, ["expiry"]),
    ],
)
async def test_what_is_wrong_is_named(asked: dict[str, Any], fields: list[str]) -> None:
    """Each field, and the loop is not asked."""
    async with serving() as served:
        error = await refused(served, **asked)
        assert served.loop.asked == []
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    details = error.details[BadRequest]
    assert isinstance(details, BadRequest)
    assert [each.field for each in details.field_violations] == fields


async def test_what_never_fits_is_refused() -> None:
    """By the dimensions of which the largest type has too little."""
    async with serving() as served:
        served.loop.world.growth.declare((a_type("m4.4xlarge", M4_4XLARGE),))
        huge = ReservedTasks(count=1, resources=Resources(cpu_units=99_999, memory_mib=8))
        error = await refused(served, tasks=[huge])
    assert (error.code, error.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NEVER_FITS")
    details = error.details[PreconditionFailure]
    assert isinstance(details, PreconditionFailure)
    assert [each.subject for each in details.violations] == ["cpu"]


async def test_a_tenant_may_not_reserve_everything() -> None:
    """All of its builds together; a build that reserves anew is not counted twice, nor are other tenants."""
    async with serving() as served:
        for tenant, build_key in (("bamboo", "PLAN"), ("bamboo", "PLAN"), ("others", "PLAN")):
            shape = ReservedTasks(count=500, size=SMALL)
            await reserve(served, tenant=tenant, build_key=build_key, tasks=[shape])
        error = await refused(served, build_key="OTHER", total=Resources(memory_mib=1))
    assert (error.code, error.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MUCH_RESERVED")
    details = error.details[QuotaFailure]
    assert isinstance(details, QuotaFailure)
    assert [each.subject for each in details.violations] == ["tenant:bamboo"]


async def test_millions_of_pieces_are_counted_and_not_cut() -> None:
    """The refusal costs what every other does."""
    async with serving() as served:
        error = await refused(served, total=Resources(cpu_units=10_000_000, memory_mib=100_000_000, gpus=64))
    assert error.info.reason == "TOO_MUCH_RESERVED"


async def test_a_store_that_cannot_be_written_is_no_reservation() -> None:
    """The client repeats it."""
    async with serving() as served:
        served.store.fail_next = StoreError("disk full")
        error = await refused(served)
        assert reserved(served) == []
    assert (error.code, error.retry_s) == (grpc.StatusCode.UNAVAILABLE, 1.0)
