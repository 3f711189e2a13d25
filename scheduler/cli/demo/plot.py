"""The plot: who asks for what and when, what goes wrong on the way, and how it ends."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from grpc import aio

from ecs_scheduler.v1.scaling_pb2 import (
    GetClusterRequest,
    ListContainerInstancesRequest,
    WatchScalingRequest,
)
from ecs_scheduler.v1.scheduler_pb2 import ScheduleRequest, WatchTasksRequest
from scheduler.cli.demo.stage import Simulation, Stage
from scheduler.cli.demo.story import Entry, Story, short
from scheduler.cli.demo.tellers import Teller
from scheduler.client.connection import Connection, connected
from scheduler.client.submission import submit
from scheduler.client.watching import Interruption, watch_scaling, watch_tasks
from scheduler.ports.clock import Clock

PATIENCE_S = 10.0
LOOK_PAUSE_S = 0.2
POLL_S = 0.02

FIRST_PUSH_SHARE = 3
"""The first push is a third of all agents; the second one comes as soon as the first leaves room."""

SPARED_STARTS = 4
"""So that the lost answer is not the very first one."""


MISHAP = "MISHAP"
NO_CAPACITY = (
    "We currently do not have sufficient m4.4xlarge capacity in the Availability Zone you requested."
)


class Plot:
    """Two pushes and four mishaps, told to the teller as they come."""

    def __init__(self, stage: Stage, story: Story, teller: Teller, clock: Clock) -> None:
        self._address, self._simulation = stage.address, stage.simulation
        self._story, self._teller, self._clock = story, teller, clock

    async def play(self, requests: Sequence[ScheduleRequest], within_s: float) -> bool:
        """Whether the group came back to its min size within that time; then it is given up."""
        failed: list[Exception] = []
        try:
            async with connected(self._address) as connection:
                with suppress(TimeoutError):
                    async with asyncio.timeout(within_s) as limit:
                        await self._play(connection, requests)
        except* Exception as group:
            failed.append(_first(group))
        if failed:
            raise failed[0]
        return not limit.expired()

    async def _play(self, connection: Connection, requests: Sequence[ScheduleRequest]) -> None:
        async with asyncio.TaskGroup() as group:
            watching = (self._watch_tasks, self._watch_scaling, self._look)
            tasks = [group.create_task(each(connection)) for each in watching]
            await self._act(connection, requests)
            for each in tasks:
                each.cancel()

    async def _act(self, connection: Connection, requests: Sequence[ScheduleRequest]) -> None:
        first = len(requests) // FIRST_PUSH_SHARE
        await self._lose_an_answer()
        await self._push(connection, requests[:first])
        await self._disconnect_an_agent(first)
        await self._fail_a_launch()
        await self._keep_one_from_joining()
        await self._push(connection, requests[first:])
        await _until(lambda: self._story.over)
        await _until(lambda: self._story.settled)

    async def _push(self, connection: Connection, requests: Sequence[ScheduleRequest]) -> None:
        """All of one push at one moment, as a CI server sends them."""
        self._tell("PUSH", f"{len(requests)} agents are asked for")
        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(submit(connection, request, retry_for_s=PATIENCE_S))

    async def _lose_an_answer(self) -> None:
        await self._simulation.fault(operation="StartTask", kind="dropped_after", skip=SPARED_STARTS)
        self._tell(MISHAP, "one StartTask will be carried out, and its answer lost")

    async def _fail_a_launch(self) -> None:
        await self._simulation.act("fail_launches", count=1, message=NO_CAPACITY)
        self._tell(MISHAP, "the next launch will fail for want of capacity")

    async def _keep_one_from_joining(self) -> None:
        await self._simulation.act("set_next_launches_never_join", count=1)
        self._tell(MISHAP, "one instance will boot and never register in the cluster")

    async def _disconnect_an_agent(self, asked: int) -> None:
        """Of an instance without tasks: those of an agent that stays away end with its instance.

        None will be placed there, for all that were asked for are somewhere already.
        """
        await _until(lambda: self._story.placed == asked)
        while True:
            await self._look_anew()
            for instance in list(self._story.idle()):
                if await _disconnected(self._simulation, instance.ec2_instance_id):
                    self._tell(
                        MISHAP, f"the ECS agent of {short(instance.ec2_instance_id)} disconnects for good"
                    )
                    return

    async def _look_anew(self) -> None:
        """Until the cluster has been read from now on; the look that is under way does not count."""
        enough = len(self._story.samples) + 2
        await _until(lambda: len(self._story.samples) >= enough)

    def _tell(self, head: str, text: str) -> None:
        entry = Entry(at_ms=self._clock.now_ms(), head=head, text=text, mishap=head == MISHAP)
        self._teller.tell(self._story.tell(entry))

    async def _watch_tasks(self, connection: Connection) -> None:
        messages = watch_tasks(
            connection, WatchTasksRequest(), retry_for_s=PATIENCE_S, interrupted=_nothing_is_lost
        )
        async for message in messages:
            for event in message.events:
                self._teller.tell(self._story.hear(event))

    async def _watch_scaling(self, connection: Connection) -> None:
        messages = watch_scaling(
            connection, WatchScalingRequest(), retry_for_s=PATIENCE_S, interrupted=_nothing_is_lost
        )
        async for message in messages:
            for event in message.events:
                self._teller.tell(self._story.hear_scaling(event))

    async def _look(self, connection: Connection) -> None:
        """A reading that fails is left out: if the service is gone for good, the watches say so."""
        while True:
            with suppress(aio.AioRpcError):
                cluster = await connection.scaling.GetCluster(GetClusterRequest(), timeout=PATIENCE_S)
                listed = await connection.scaling.ListContainerInstances(
                    ListContainerInstancesRequest(), timeout=PATIENCE_S
                )
                now_ms = self._clock.now_ms()
                self._story.see(now_ms, cluster.cluster, listed.container_instances)
                self._teller.progress(now_ms)
            await asyncio.sleep(LOOK_PAUSE_S)


async def _disconnected(simulation: Simulation, ec2_instance_id: str) -> bool:
    """Whether its agent is away now; one that got a task at the last moment is back again."""
    await simulation.act("set_agent_connected", ec2InstanceId=ec2_instance_id, connected=False)
    if not await simulation.tasks_on(ec2_instance_id):
        return True
    await simulation.act("set_agent_connected", ec2InstanceId=ec2_instance_id, connected=True)
    return False


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """All talk to the same two processes: what the first one says is what they all would say."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


async def _until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(POLL_S)


def _nothing_is_lost(_: Interruption) -> None:
    """The stream is resumed by its token."""
