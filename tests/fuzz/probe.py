"""The proof that the service does its work: a well-formed task is accepted, placed and comes to its end."""

import asyncio
from uuid import UUID

from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from ecs_scheduler.v1.capacity_pb2 import Clear
from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scaling_pb2 import ScaleRequest
from ecs_scheduler.v1.scaling_pb2_grpc import ScalingServiceStub
from ecs_scheduler.v1.scheduler_pb2 import GetTaskRequest, ScheduleRequest
from ecs_scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from ecs_scheduler.v1.task_pb2 import TaskState
from ecs_scheduler.v1.task_spec_pb2 import Container, ContainersSpec

PATIENCE_S = 120.0
PAUSE_S = 0.1
TENANT = "probe"

ENDED = frozenset(
    TaskState.Value(f"TASK_STATE_{name}") for name in ("SUCCEEDED", "FAILED", "EXPIRED", "CANCELLED")
)


async def probe(channel: aio.Channel, number: int) -> str:
    """What is wrong with the service, or nothing. `number` makes the ids."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _probed(channel, str(UUID(int=number)))
    except TimeoutError:
        return f"a well-formed task has not ended within {PATIENCE_S:g} s"
    except aio.AioRpcError as error:
        return f"a well-formed call fails: {error.code().name} {error.details()}"


async def _probed(channel: aio.Channel, request_id: str) -> str:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    health = await check(HealthCheckRequest())
    if health.status != HealthCheckResponse.SERVING:
        return "it is not SERVING"
    # The wish of an operator may keep the group small, or empty.
    await _scaled(channel, request_id)
    container = Container(name="main", image="agent:1", resources=Resources(cpu_units=256, memory_mib=512))
    request = ScheduleRequest(
        request_id=request_id,
        tenant=TENANT,
        priority=1_000,
        containers=ContainersSpec(containers=[container]),
    )
    scheduler = SchedulerServiceStub(channel)
    task = (await scheduler.Schedule(request)).task
    while task.state not in ENDED:
        await asyncio.sleep(PAUSE_S)
        task = (await scheduler.GetTask(GetTaskRequest(tenant=TENANT, task_id=task.task_id))).task
    succeeded = task.state == TaskState.TASK_STATE_SUCCEEDED
    return "" if succeeded else f"a well-formed task ends as {task}"


async def _scaled(channel: aio.Channel, request_id: str) -> None:
    """Demand alone decides. The group may not have been read yet."""
    await ScalingServiceStub(channel).Scale(ScaleRequest(request_id=request_id, clear=Clear()))
