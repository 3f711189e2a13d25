"""GetCluster over the wire."""

from dataclasses import replace

import pytest

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import WishKind
from tests.api.served import serving
from tests.builders import a_wish

pytestmark = pytest.mark.asyncio


async def test_cluster_before_the_first_reading_is_stale() -> None:
    """Before AWS was ever read the answer comes all the same, marked stale and without a time."""
    async with serving() as served:
        cluster = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert (cluster.cluster, cluster.stale) == ("ci", True)
    assert not cluster.HasField("observe_time")


async def test_cluster_is_the_last_one_published() -> None:
    """Each call shows the latest digest."""
    async with serving() as served:
        served.loop.digest = replace(served.loop.digest, revision=7, stale=False)
        cluster = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert (cluster.revision, cluster.stale) == (7, False)


async def test_cluster_shows_the_wish_that_counts() -> None:
    """An operator's wish is shown while it stands; one that was cleared is not."""
    async with serving() as served:
        served.loop.digest = replace(served.loop.digest, wish=a_wish(3))
        wished = (await served.scaling.GetCluster(GetClusterRequest())).cluster
        served.loop.digest = replace(served.loop.digest, wish=a_wish(kind=WishKind.CLEAR))
        cleared = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert (wished.wish.floor, wished.wish.request_id) == (3, "wish-3")
    assert not cleared.HasField("wish")


async def test_demand_is_shown_as_far_as_it_goes() -> None:
    """Of twenty thousand entries the largest, in order, and how many more there are: 150 KB, not 6 MB."""
    rejects = (
        ("not enough memory", 999),
        ("not enough cpu", 1),
        *((each.value, 9) for each in InstanceHealth),
    )
    demand = tuple(
        Unplaced(
            tenant="t" * 63,
            priority=-1_000,
            ask=Resources(cpu=16_384, memory_mib=64_000 + number, exclusive=True),
            waiting=number,
            rejects=rejects,
            clamped=True,
        )
        for number in range(20_000)
    )
    async with serving() as served:
        served.loop.digest = replace(served.loop.digest, unplaced=demand)
        cluster = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert [each.count for each in cluster.unplaced] == list(range(19_999, 19_499, -1))
    assert cluster.unplaced_left_out == 19_500
    assert cluster.ByteSize() < 200_000


async def test_cluster_counts_instances_by_health() -> None:
    """Whatever the service makes of a container instance is counted."""
    async with serving() as served:
        health = {
            InstanceHealth.LEAVING: 2,
            InstanceHealth.STALE: 3,
            InstanceHealth.DRAINING: 4,
            InstanceHealth.SUSPECT: 5,
        }
        served.loop.digest = replace(served.loop.digest, health=health)
        counts = (await served.scaling.GetCluster(GetClusterRequest())).cluster.instances
    assert (counts.leaving, counts.stale, counts.draining, counts.suspect) == (2, 3, 4, 5)
