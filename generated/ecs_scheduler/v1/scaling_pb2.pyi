import datetime

from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetClusterRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetClusterResponse(_message.Message):
    __slots__ = ("cluster",)
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    cluster: Cluster
    def __init__(self, cluster: _Optional[_Union[Cluster, _Mapping]] = ...) -> None: ...

class Cluster(_message.Message):
    __slots__ = ("cluster", "group", "instances", "registered", "free", "tasks", "unplaced", "stale", "observe_time", "conditions", "revision")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    UNPLACED_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    cluster: str
    group: InstanceGroup
    instances: InstanceCounts
    registered: _resources_pb2.Resources
    free: _resources_pb2.Resources
    tasks: TaskCounts
    unplaced: _containers.RepeatedCompositeFieldContainer[UnplacedShape]
    stale: bool
    observe_time: _timestamp_pb2.Timestamp
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    revision: int
    def __init__(self, cluster: _Optional[str] = ..., group: _Optional[_Union[InstanceGroup, _Mapping]] = ..., instances: _Optional[_Union[InstanceCounts, _Mapping]] = ..., registered: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., free: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., tasks: _Optional[_Union[TaskCounts, _Mapping]] = ..., unplaced: _Optional[_Iterable[_Union[UnplacedShape, _Mapping]]] = ..., stale: _Optional[bool] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class InstanceGroup(_message.Message):
    __slots__ = ("name", "min_size", "max_size", "desired_capacity", "in_flight", "instance_types")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIN_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    DESIRED_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPES_FIELD_NUMBER: _ClassVar[int]
    name: str
    min_size: int
    max_size: int
    desired_capacity: int
    in_flight: int
    instance_types: _containers.RepeatedCompositeFieldContainer[InstanceType]
    def __init__(self, name: _Optional[str] = ..., min_size: _Optional[int] = ..., max_size: _Optional[int] = ..., desired_capacity: _Optional[int] = ..., in_flight: _Optional[int] = ..., instance_types: _Optional[_Iterable[_Union[InstanceType, _Mapping]]] = ...) -> None: ...

class InstanceType(_message.Message):
    __slots__ = ("name", "allocatable", "learned")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALLOCATABLE_FIELD_NUMBER: _ClassVar[int]
    LEARNED_FIELD_NUMBER: _ClassVar[int]
    name: str
    allocatable: _resources_pb2.Resources
    learned: bool
    def __init__(self, name: _Optional[str] = ..., allocatable: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., learned: _Optional[bool] = ...) -> None: ...

class InstanceCounts(_message.Message):
    __slots__ = ("schedulable", "idle", "disconnected", "draining", "outside_group")
    SCHEDULABLE_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    DISCONNECTED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_GROUP_FIELD_NUMBER: _ClassVar[int]
    schedulable: int
    idle: int
    disconnected: int
    draining: int
    outside_group: int
    def __init__(self, schedulable: _Optional[int] = ..., idle: _Optional[int] = ..., disconnected: _Optional[int] = ..., draining: _Optional[int] = ..., outside_group: _Optional[int] = ...) -> None: ...

class TaskCounts(_message.Message):
    __slots__ = ("queued", "assigned", "starting", "running", "stopping")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    ASSIGNED_FIELD_NUMBER: _ClassVar[int]
    STARTING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    queued: int
    assigned: int
    starting: int
    running: int
    stopping: int
    def __init__(self, queued: _Optional[int] = ..., assigned: _Optional[int] = ..., starting: _Optional[int] = ..., running: _Optional[int] = ..., stopping: _Optional[int] = ...) -> None: ...

class UnplacedShape(_message.Message):
    __slots__ = ("tenant", "priority", "resources", "count", "rejects", "clamped")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    CLAMPED_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    priority: int
    resources: _resources_pb2.Resources
    count: int
    rejects: _containers.RepeatedCompositeFieldContainer[RejectCount]
    clamped: bool
    def __init__(self, tenant: _Optional[str] = ..., priority: _Optional[int] = ..., resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., count: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[RejectCount, _Mapping]]] = ..., clamped: _Optional[bool] = ...) -> None: ...

class RejectCount(_message.Message):
    __slots__ = ("reason", "container_instances")
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    reason: str
    container_instances: int
    def __init__(self, reason: _Optional[str] = ..., container_instances: _Optional[int] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("reason", "message", "since_time")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
