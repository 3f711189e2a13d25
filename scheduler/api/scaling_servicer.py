"""ScalingService: each method parses, delegates and renders."""

from typing import Any, Protocol

from grpc import aio

from ecs_scheduler.v1.scaling_pb2 import GetClusterRequest, GetClusterResponse
from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceServicer
from scheduler.api.convert.cluster import cluster
from scheduler.core.model.digest import ClusterDigest


class Autoscaling(Protocol):
    """What `services.autoscaling` does for this edge."""

    def cluster(self) -> ClusterDigest:
        """The cluster as the last step saw it; never waits."""
        ...


class ScalingServicer(ScalingServiceServicer):
    """Shows the capacity behind the cluster."""

    def __init__(self, autoscaling: Autoscaling) -> None:
        self._autoscaling = autoscaling

    async def GetCluster(
        self, request: GetClusterRequest, context: aio.ServicerContext[Any, Any]
    ) -> GetClusterResponse:
        """Returns the cluster."""
        return GetClusterResponse(cluster=cluster(self._autoscaling.cluster()))
