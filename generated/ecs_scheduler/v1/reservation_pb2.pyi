import datetime

from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from ecs_scheduler.v1 import task_spec_pb2 as _task_spec_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReserveCapacityRequest(_message.Message):
    __slots__ = ("tenant", "build_key", "result_ids", "tasks", "total", "expiry")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    BUILD_KEY_FIELD_NUMBER: _ClassVar[int]
    RESULT_IDS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    build_key: str
    result_ids: _containers.RepeatedScalarFieldContainer[str]
    tasks: _containers.RepeatedCompositeFieldContainer[ReservedTasks]
    total: _resources_pb2.Resources
    expiry: _duration_pb2.Duration
    def __init__(self, tenant: _Optional[str] = ..., build_key: _Optional[str] = ..., result_ids: _Optional[_Iterable[str]] = ..., tasks: _Optional[_Iterable[_Union[ReservedTasks, _Mapping]]] = ..., total: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., expiry: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReservedTasks(_message.Message):
    __slots__ = ("size", "resources", "architecture", "count", "exclusive")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    size: _task_spec_pb2.ContainerSize
    resources: _resources_pb2.Resources
    architecture: _resources_pb2.Architecture
    count: int
    exclusive: bool
    def __init__(self, size: _Optional[_Union[_task_spec_pb2.ContainerSize, str]] = ..., resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ..., count: _Optional[int] = ..., exclusive: _Optional[bool] = ...) -> None: ...

class ReserveCapacityResponse(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class ReleaseCapacityRequest(_message.Message):
    __slots__ = ("tenant", "build_key")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    BUILD_KEY_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    build_key: str
    def __init__(self, tenant: _Optional[str] = ..., build_key: _Optional[str] = ...) -> None: ...

class ReleaseCapacityResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("tenant", "build_key", "result_ids", "results_come", "pieces", "create_time", "expire_time")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    BUILD_KEY_FIELD_NUMBER: _ClassVar[int]
    RESULT_IDS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_COME_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    build_key: str
    result_ids: _containers.RepeatedScalarFieldContainer[str]
    results_come: int
    pieces: _containers.RepeatedCompositeFieldContainer[ReservedPieces]
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, tenant: _Optional[str] = ..., build_key: _Optional[str] = ..., result_ids: _Optional[_Iterable[str]] = ..., results_come: _Optional[int] = ..., pieces: _Optional[_Iterable[_Union[ReservedPieces, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReservedPieces(_message.Message):
    __slots__ = ("resources", "architecture", "count", "exclusive")
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    resources: _resources_pb2.Resources
    architecture: _resources_pb2.Architecture
    count: int
    exclusive: bool
    def __init__(self, resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ..., count: _Optional[int] = ..., exclusive: _Optional[bool] = ...) -> None: ...

class Reservations(_message.Message):
    __slots__ = ("count", "pieces", "pieces_used", "pieces_lapsed", "hit_rate", "next")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    PIECES_USED_FIELD_NUMBER: _ClassVar[int]
    PIECES_LAPSED_FIELD_NUMBER: _ClassVar[int]
    HIT_RATE_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    count: int
    pieces: int
    pieces_used: int
    pieces_lapsed: int
    hit_rate: float
    next: _containers.RepeatedCompositeFieldContainer[Reservation]
    def __init__(self, count: _Optional[int] = ..., pieces: _Optional[int] = ..., pieces_used: _Optional[int] = ..., pieces_lapsed: _Optional[int] = ..., hit_rate: _Optional[float] = ..., next: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ...) -> None: ...
