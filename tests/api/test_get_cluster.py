"""GetCluster over the wire."""

from dataclasses import replace

import pytest

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest
from tests.api.served import serving

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
        served.autoscaling.digest = replace(served.autoscaling.digest, revision=7, stale=False)
        cluster = (await served.scaling.GetCluster(GetClusterRequest())).cluster
    assert (cluster.revision, cluster.stale) == (7, False)
