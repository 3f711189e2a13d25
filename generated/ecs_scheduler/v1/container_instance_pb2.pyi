import datetime

from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContainerInstanceHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTAINER_INSTANCE_HEALTH_UNSPECIFIED: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_SCHEDULABLE: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_NOT_IN_GROUP: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_NOT_IN_SERVICE: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_NOT_ACTIVE: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_DRAINING: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_DISCONNECTED: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_LEAVING: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_STALE: _ClassVar[ContainerInstanceHealth]
    CONTAINER_INSTANCE_HEALTH_SUSPECT: _ClassVar[ContainerInstanceHealth]

class RemovalCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_CAUSE_UNSPECIFIED: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_IDLE: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_SURPLUS: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_STALE: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_DISCONNECTED: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_NEVER_JOINED: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_NOT_IN_GROUP: _ClassVar[RemovalCause]
    REMOVAL_CAUSE_BLACK_HOLE: _ClassVar[RemovalCause]

class RemovalStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_STEP_UNSPECIFIED: _ClassVar[RemovalStep]
    REMOVAL_STEP_DRAINING: _ClassVar[RemovalStep]
    REMOVAL_STEP_DETACHING: _ClassVar[RemovalStep]
    REMOVAL_STEP_TERMINATING: _ClassVar[RemovalStep]
    REMOVAL_STEP_LEAVING: _ClassVar[RemovalStep]
    REMOVAL_STEP_RETURNING: _ClassVar[RemovalStep]
CONTAINER_INSTANCE_HEALTH_UNSPECIFIED: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_SCHEDULABLE: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_NOT_IN_GROUP: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_NOT_IN_SERVICE: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_NOT_ACTIVE: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_DRAINING: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_DISCONNECTED: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_LEAVING: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_STALE: ContainerInstanceHealth
CONTAINER_INSTANCE_HEALTH_SUSPECT: ContainerInstanceHealth
REMOVAL_CAUSE_UNSPECIFIED: RemovalCause
REMOVAL_CAUSE_IDLE: RemovalCause
REMOVAL_CAUSE_SURPLUS: RemovalCause
REMOVAL_CAUSE_STALE: RemovalCause
REMOVAL_CAUSE_DISCONNECTED: RemovalCause
REMOVAL_CAUSE_NEVER_JOINED: RemovalCause
REMOVAL_CAUSE_NOT_IN_GROUP: RemovalCause
REMOVAL_CAUSE_BLACK_HOLE: RemovalCause
REMOVAL_STEP_UNSPECIFIED: RemovalStep
REMOVAL_STEP_DRAINING: RemovalStep
REMOVAL_STEP_DETACHING: RemovalStep
REMOVAL_STEP_TERMINATING: RemovalStep
REMOVAL_STEP_LEAVING: RemovalStep
REMOVAL_STEP_RETURNING: RemovalStep

class ContainerInstance(_message.Message):
    __slots__ = ("arn", "ec2_instance_id", "instance_type", "availability_zone", "group", "health", "registered", "free", "foreign", "tasks", "starting", "launch_time", "stale", "idle_since_time", "disconnected_since_time", "removal")
    ARN_FIELD_NUMBER: _ClassVar[int]
    EC2_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_ZONE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    STARTING_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_TIME_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    IDLE_SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    DISCONNECTED_SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    REMOVAL_FIELD_NUMBER: _ClassVar[int]
    arn: str
    ec2_instance_id: str
    instance_type: str
    availability_zone: str
    group: str
    health: ContainerInstanceHealth
    registered: _resources_pb2.Resources
    free: _resources_pb2.Resources
    foreign: _resources_pb2.Resources
    tasks: int
    starting: int
    launch_time: _timestamp_pb2.Timestamp
    stale: bool
    idle_since_time: _timestamp_pb2.Timestamp
    disconnected_since_time: _timestamp_pb2.Timestamp
    removal: Removal
    def __init__(self, arn: _Optional[str] = ..., ec2_instance_id: _Optional[str] = ..., instance_type: _Optional[str] = ..., availability_zone: _Optional[str] = ..., group: _Optional[str] = ..., health: _Optional[_Union[ContainerInstanceHealth, str]] = ..., registered: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., free: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., foreign: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., tasks: _Optional[int] = ..., starting: _Optional[int] = ..., launch_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stale: _Optional[bool] = ..., idle_since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., disconnected_since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., removal: _Optional[_Union[Removal, _Mapping]] = ...) -> None: ...

class Removal(_message.Message):
    __slots__ = ("cause", "step", "decrement", "since_time")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DECREMENT_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    cause: RemovalCause
    step: RemovalStep
    decrement: bool
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, cause: _Optional[_Union[RemovalCause, str]] = ..., step: _Optional[_Union[RemovalStep, str]] = ..., decrement: _Optional[bool] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
