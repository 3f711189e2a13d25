"""ScalingService: each method parses, delegates and renders."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol

from grpc import aio

from ecs_scheduler.v1.reservation_pb2 import (
    ReleaseCapacityRequest,
    ReleaseCapacityResponse,
    ReserveCapacityRequest,
    ReserveCapacityResponse,
)
from ecs_scheduler.v1.scaling_pb2 import (
    GetClusterRequest,
    GetClusterResponse,
    ListContainerInstancesRequest,
    ListContainerInstancesResponse,
    ScaleRequest,
    ScaleResponse,
    WatchScalingRequest,
    WatchScalingResponse,
)
from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceServicer
from scheduler.api import page_token, resume_token
from scheduler.api.convert import capacity, reservations, scaling_requests
from scheduler.api.convert.cluster import cluster
from scheduler.api.convert.parse import valid
from scheduler.api.instance_pages import page_of
from scheduler.api.replies import Replies
from scheduler.api.reserving import Reserving
from scheduler.api.scaling_stream import ScalingStreams
from scheduler.core.model.digest import ClusterDigest, InstanceDigest
from scheduler.core.model.scaling import ScalePlan, ScaleWish
from scheduler.ports.store import StoreError, WishTaken
from scheduler.services.autoscaling import ScaleOrder, same_wish
from scheduler.services.errors import GroupUnread, WishIdTaken
from scheduler.services.reservations import ReservationService
from scheduler.services.writer import Reply


class Autoscaling(Protocol):
    """What `services.autoscaling` does for this edge."""

    @property
    def reservations(self) -> ReservationService:
        """What builds reserve."""
        ...

    def cluster(self) -> ClusterDigest:
        """The cluster as the last step saw it; never waits."""
        ...

    def admit(self, order: ScaleOrder) -> ScaleWish | None:
        """The wish of an acceptable order, None for a dry run without one. Raises what is wrong with it."""
        ...

    def scale(self, wish: ScaleWish, done: Callable[[Reply], None]) -> None:
        """Has the wish committed; `done` is called on another thread."""
        ...

    def plan(self, wish: ScaleWish | None, answer: Callable[[ScalePlan | None], None]) -> None:
        """Has the loop plan under the wish, None: the present one; `answer` is called on another thread."""
        ...

    def container_instances(self, answer: Callable[[tuple[InstanceDigest, ...]], None]) -> None:
        """Has the loop tell of all container instances; `answer` is called on another thread."""
        ...


class ScalingServicer(ScalingServiceServicer):
    """Shows and steers the capacity behind the cluster. `epoch` is the store's."""

    def __init__(
        self, autoscaling: Autoscaling, *, epoch: str, replies: Replies, streams: ScalingStreams
    ) -> None:
        self._autoscaling = autoscaling
        self._epoch = epoch
        self._replies = replies
        self._streams = streams
        self._reserving = Reserving(autoscaling.reservations, replies)

    async def GetCluster(
        self, request: GetClusterRequest, context: aio.ServicerContext[Any, Any]
    ) -> GetClusterResponse:
        """Returns the cluster."""
        return GetClusterResponse(cluster=cluster(self._autoscaling.cluster()))

    async def Scale(self, request: ScaleRequest, context: aio.ServicerContext[Any, Any]) -> ScaleResponse:
        """Makes an operator's wish durable, or plans under it."""
        wish = self._autoscaling.admit(scaling_requests.scale_order(request))
        if request.dry_run or wish is None:
            return ScaleResponse(plan=capacity.scale_plan(await self._planned(wish)))
        return ScaleResponse(wish=capacity.scale_wish(await self._accepted(wish)))

    async def ReserveCapacity(
        self, request: ReserveCapacityRequest, context: aio.ServicerContext[Any, Any]
    ) -> ReserveCapacityResponse:
        """Reserves room for a build, or releases it where the request is for nothing."""
        kept = await self._reserving.reserve(reservations.reserve_order(request))
        return ReserveCapacityResponse(reservation=reservations.reservation(kept) if kept else None)

    async def ReleaseCapacity(
        self, request: ReleaseCapacityRequest, context: aio.ServicerContext[Any, Any]
    ) -> ReleaseCapacityResponse:
        """Releases what a build has reserved."""
        await self._reserving.reserve(reservations.release_order(request))
        return ReleaseCapacityResponse()

    async def ListContainerInstances(
        self, request: ListContainerInstancesRequest, context: aio.ServicerContext[Any, Any]
    ) -> ListContainerInstancesResponse:
        """Lists one page of the container instances."""
        wanted = valid(scaling_requests.instance_filter(request))
        after_arn = page_token.decode(request.page_token, self._epoch, wanted)
        instances = await self._replies.of(self._autoscaling.container_instances)
        page = partial(page_of, instances, wanted, after_arn, page_size=request.page_size, epoch=self._epoch)
        # A full page costs 5 ms and more, for which the loop that answers every call should not be held.
        return await asyncio.to_thread(page)

    async def WatchScaling(
        self, request: WatchScalingRequest, context: aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[WatchScalingResponse, None]:
        """Streams what is done to capacity."""
        sequence = resume_token.decode_sequence(request.resume_token, self._epoch)
        async with aclosing(self._streams.responses(sequence)) as responses:
            async for response in responses:
                yield response

    async def _planned(self, wish: ScaleWish | None) -> ScalePlan:
        plan: ScalePlan | None = await self._replies.of(lambda answer: self._autoscaling.plan(wish, answer))
        if plan is None:
            raise GroupUnread
        return plan

    async def _accepted(self, wish: ScaleWish) -> ScaleWish:
        """The wish, or the earlier one of its request id, if that was the same."""
        result: Reply = await self._replies.of(lambda done: self._autoscaling.scale(wish, done))
        if isinstance(result, StoreError):
            raise result
        if not isinstance(result, WishTaken):
            return wish
        if not same_wish(result.wish, wish):
            raise WishIdTaken
        return result.wish
