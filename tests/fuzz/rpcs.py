"""Every RPC that the server has: how its valid requests are made, and which codes it promises."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1.health_pb2 import (  # type: ignore[attr-defined]  # the stubs lack gRFC A90's List
    HealthCheckRequest,
    HealthCheckResponse,
    HealthListRequest,
    HealthListResponse,
)
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from ecs_scheduler.v1 import reservation_pb2, scaling_pb2, scheduler_pb2
from scheduler.api.reflection import served_descriptors
from tests.fuzz.requests import Draw, Requests

CODES = "|".join(code.name for code in grpc.StatusCode)


@dataclass(frozen=True, slots=True)
class Known:
    """How a valid request is made, and how often it is tried beside the others."""

    request: type[Message]
    response: type[Message]
    draw: Draw
    weight: int


KNOWN = (
    Known(scheduler_pb2.ScheduleRequest, scheduler_pb2.ScheduleResponse, Requests.schedule, 24),
    Known(scheduler_pb2.GetTaskRequest, scheduler_pb2.GetTaskResponse, Requests.get_task, 8),
    Known(scheduler_pb2.ListTasksRequest, scheduler_pb2.ListTasksResponse, Requests.list_tasks, 12),
    Known(scheduler_pb2.CancelTaskRequest, scheduler_pb2.CancelTaskResponse, Requests.cancel_task, 8),
    Known(scheduler_pb2.WatchTasksRequest, scheduler_pb2.WatchTasksResponse, Requests.watch_tasks, 10),
    Known(scaling_pb2.GetClusterRequest, scaling_pb2.GetClusterResponse, Requests.get_cluster, 3),
    Known(scaling_pb2.ScaleRequest, scaling_pb2.ScaleResponse, Requests.scale, 14),
    Known(
        scaling_pb2.ListContainerInstancesRequest,
        scaling_pb2.ListContainerInstancesResponse,
        Requests.list_container_instances,
        8,
    ),
    Known(
        reservation_pb2.ReserveCapacityRequest,
        reservation_pb2.ReserveCapacityResponse,
        Requests.reserve_capacity,
        8,
    ),
    Known(
        reservation_pb2.ReleaseCapacityRequest,
        reservation_pb2.ReleaseCapacityResponse,
        Requests.release_capacity,
        3,
    ),
    Known(scaling_pb2.WatchScalingRequest, scaling_pb2.WatchScalingResponse, Requests.watch_scaling, 5),
    Known(HealthCheckRequest, HealthCheckResponse, Requests.health, 2),
    Known(HealthListRequest, HealthListResponse, Requests.health_list, 1),
    Known(ServerReflectionRequest, ServerReflectionResponse, Requests.reflection, 2),
)

STANDARD = {
    "/grpc.health.v1.Health/Check": frozenset({"NOT_FOUND"}),
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": frozenset({"RESOURCE_EXHAUSTED"}),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": frozenset({"RESOURCE_EXHAUSTED"}),
}
"""What protos of others promise: their comments are not in the descriptors. The health checking protocol
answers an unknown service with NOT_FOUND for Check, and with a message for Watch. An answer of reflection
repeats its question, twice where it is long, and gRPC refuses to send what is then too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpc:
    """One method. `promised` are the codes by which it may refuse a well-formed message."""

    path: str
    kind: Known
    promised: frozenset[str]
    streams: bool
    """Whether answers come until somebody ends it."""


def every_rpc() -> tuple[Rpc, ...]:
    """All that reflection shows, those too of whose requests nobody knows how to make valid ones."""
    known = {entry.request.DESCRIPTOR.full_name: entry for entry in KNOWN}
    return tuple(rpc for file in served_descriptors().file for rpc in _rpcs_of(file, known))


def _rpcs_of(file: FileDescriptorProto, known: Mapping[str, Known]) -> Iterator[Rpc]:
    comments = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
    for number, service in enumerate(file.service):
        for index, method in enumerate(service.method):
            path = f"/{file.package}.{service.name}/{method.name}"
            # descriptor.proto: 6 is a file's services, 2 a service's methods.
            comment = comments.get((6, number, 2, index), "")
            yield Rpc(
                path=path,
                kind=_kind_of(method, known),
                promised=frozenset(re.findall(rf"\b({CODES}):", comment)) | STANDARD.get(path, frozenset()),
                streams=method.server_streaming,
            )


def _kind_of(method: MethodDescriptorProto, known: Mapping[str, Known]) -> Known:
    # v1 of reflection is v1alpha under its final name: the messages are the same on the wire.
    name = method.input_type.lstrip(".").replace("reflection.v1.", "reflection.v1alpha.")
    if name in known:
        return known[name]
    request, response = map(_message, (method.input_type, method.output_type))
    return Known(request, response, lambda requests: requests.of(request), 5)


def _message(name: str) -> type[Message]:
    return GetMessageClass(Default().FindMessageTypeByName(name.lstrip(".")))
