import datetime

from ecs_scheduler.v1 import capacity_pb2 as _capacity_pb2
from ecs_scheduler.v1 import container_instance_pb2 as _container_instance_pb2
from ecs_scheduler.v1 import reservation_pb2 as _reservation_pb2
from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from google.protobuf import duration_pb2 as _duration_pb2
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
    __slots__ = ("cluster", "group", "instances", "registered", "free", "tasks", "unplaced", "stale", "observe_time", "conditions", "revision", "wish", "reservations", "unplaced_left_out")
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
    WISH_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    UNPLACED_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
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
    wish: _capacity_pb2.ScaleWish
    reservations: _reservation_pb2.Reservations
    unplaced_left_out: int
    def __init__(self, cluster: _Optional[str] = ..., group: _Optional[_Union[InstanceGroup, _Mapping]] = ..., instances: _Optional[_Union[InstanceCounts, _Mapping]] = ..., registered: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., free: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., tasks: _Optional[_Union[TaskCounts, _Mapping]] = ..., unplaced: _Optional[_Iterable[_Union[UnplacedShape, _Mapping]]] = ..., stale: _Optional[bool] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., revision: _Optional[int] = ..., wish: _Optional[_Union[_capacity_pb2.ScaleWish, _Mapping]] = ..., reservations: _Optional[_Union[_reservation_pb2.Reservations, _Mapping]] = ..., unplaced_left_out: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("name", "allocatable", "learned", "architecture")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALLOCATABLE_FIELD_NUMBER: _ClassVar[int]
    LEARNED_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    allocatable: _resources_pb2.Resources
    learned: bool
    architecture: _resources_pb2.Architecture
    def __init__(self, name: _Optional[str] = ..., allocatable: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., learned: _Optional[bool] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ...) -> None: ...

class InstanceCounts(_message.Message):
    __slots__ = ("schedulable", "idle", "disconnected", "draining", "outside_group", "leaving", "stale", "suspect")
    SCHEDULABLE_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    DISCONNECTED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_GROUP_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    SUSPECT_FIELD_NUMBER: _ClassVar[int]
    schedulable: int
    idle: int
    disconnected: int
    draining: int
    outside_group: int
    leaving: int
    stale: int
    suspect: int
    def __init__(self, schedulable: _Optional[int] = ..., idle: _Optional[int] = ..., disconnected: _Optional[int] = ..., draining: _Optional[int] = ..., outside_group: _Optional[int] = ..., leaving: _Optional[int] = ..., stale: _Optional[int] = ..., suspect: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("tenant", "priority", "resources", "count", "rejects", "clamped", "architecture", "exclusive")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    CLAMPED_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    priority: int
    resources: _resources_pb2.Resources
    count: int
    rejects: _containers.RepeatedCompositeFieldContainer[RejectCount]
    clamped: bool
    architecture: _resources_pb2.Architecture
    exclusive: bool
    def __init__(self, tenant: _Optional[str] = ..., priority: _Optional[int] = ..., resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., count: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[RejectCount, _Mapping]]] = ..., clamped: _Optional[bool] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ..., exclusive: _Optional[bool] = ...) -> None: ...

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

class ScaleRequest(_message.Message):
    __slots__ = ("request_id", "group", "floor", "target", "clear", "expiry", "dry_run")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CLEAR_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    group: str
    floor: int
    target: int
    clear: _capacity_pb2.Clear
    expiry: _duration_pb2.Duration
    dry_run: bool
    def __init__(self, request_id: _Optional[str] = ..., group: _Optional[str] = ..., floor: _Optional[int] = ..., target: _Optional[int] = ..., clear: _Optional[_Union[_capacity_pb2.Clear, _Mapping]] = ..., expiry: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class ScaleResponse(_message.Message):
    __slots__ = ("wish", "plan")
    WISH_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    wish: _capacity_pb2.ScaleWish
    plan: _capacity_pb2.ScalePlan
    def __init__(self, wish: _Optional[_Union[_capacity_pb2.ScaleWish, _Mapping]] = ..., plan: _Optional[_Union[_capacity_pb2.ScalePlan, _Mapping]] = ...) -> None: ...

class ListContainerInstancesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "health", "ec2_instance_ids")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    EC2_INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    health: _container_instance_pb2.ContainerInstanceHealth
    ec2_instance_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., health: _Optional[_Union[_container_instance_pb2.ContainerInstanceHealth, str]] = ..., ec2_instance_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListContainerInstancesResponse(_message.Message):
    __slots__ = ("container_instances", "next_page_token")
    CONTAINER_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    container_instances: _containers.RepeatedCompositeFieldContainer[_container_instance_pb2.ContainerInstance]
    next_page_token: str
    def __init__(self, container_instances: _Optional[_Iterable[_Union[_container_instance_pb2.ContainerInstance, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchScalingRequest(_message.Message):
    __slots__ = ("resume_token",)
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    def __init__(self, resume_token: _Optional[str] = ...) -> None: ...

class WatchScalingResponse(_message.Message):
    __slots__ = ("events", "resume_token", "synced")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SYNCED_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_capacity_pb2.ScalingEvent]
    resume_token: str
    synced: bool
    def __init__(self, events: _Optional[_Iterable[_Union[_capacity_pb2.ScalingEvent, _Mapping]]] = ..., resume_token: _Optional[str] = ..., synced: _Optional[bool] = ...) -> None: ...
