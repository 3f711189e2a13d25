import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScalingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCALING_KIND_UNSPECIFIED: _ClassVar[ScalingKind]
    SCALING_KIND_GROW: _ClassVar[ScalingKind]
    SCALING_KIND_DRAIN: _ClassVar[ScalingKind]
    SCALING_KIND_TAKE_BACK: _ClassVar[ScalingKind]
    SCALING_KIND_DETACH: _ClassVar[ScalingKind]
    SCALING_KIND_TERMINATE: _ClassVar[ScalingKind]
    SCALING_KIND_DEREGISTER: _ClassVar[ScalingKind]
    SCALING_KIND_REMOVED: _ClassVar[ScalingKind]
    SCALING_KIND_LAUNCH_FAILED: _ClassVar[ScalingKind]
    SCALING_KIND_WISHED: _ClassVar[ScalingKind]
    SCALING_KIND_CONDITION_BEGAN: _ClassVar[ScalingKind]
    SCALING_KIND_CONDITION_ENDED: _ClassVar[ScalingKind]
    SCALING_KIND_EVIDENCE: _ClassVar[ScalingKind]
SCALING_KIND_UNSPECIFIED: ScalingKind
SCALING_KIND_GROW: ScalingKind
SCALING_KIND_DRAIN: ScalingKind
SCALING_KIND_TAKE_BACK: ScalingKind
SCALING_KIND_DETACH: ScalingKind
SCALING_KIND_TERMINATE: ScalingKind
SCALING_KIND_DEREGISTER: ScalingKind
SCALING_KIND_REMOVED: ScalingKind
SCALING_KIND_LAUNCH_FAILED: ScalingKind
SCALING_KIND_WISHED: ScalingKind
SCALING_KIND_CONDITION_BEGAN: ScalingKind
SCALING_KIND_CONDITION_ENDED: ScalingKind
SCALING_KIND_EVIDENCE: ScalingKind

class ScaleWish(_message.Message):
    __slots__ = ("request_id", "group", "floor", "target", "clear", "create_time", "expire_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CLEAR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    group: str
    floor: int
    target: int
    clear: Clear
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., group: _Optional[str] = ..., floor: _Optional[int] = ..., target: _Optional[int] = ..., clear: _Optional[_Union[Clear, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Clear(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ScalePlan(_message.Message):
    __slots__ = ("group", "desired", "desired_after", "floor", "ceiling", "in_flight", "held", "actions", "kept")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DESIRED_FIELD_NUMBER: _ClassVar[int]
    DESIRED_AFTER_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    group: str
    desired: int
    desired_after: int
    floor: int
    ceiling: int
    in_flight: int
    held: str
    actions: _containers.RepeatedCompositeFieldContainer[ScalingEvent]
    kept: _containers.RepeatedCompositeFieldContainer[KeptInstance]
    def __init__(self, group: _Optional[str] = ..., desired: _Optional[int] = ..., desired_after: _Optional[int] = ..., floor: _Optional[int] = ..., ceiling: _Optional[int] = ..., in_flight: _Optional[int] = ..., held: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[ScalingEvent, _Mapping]]] = ..., kept: _Optional[_Iterable[_Union[KeptInstance, _Mapping]]] = ...) -> None: ...

class KeptInstance(_message.Message):
    __slots__ = ("ec2_instance_id", "container_instance_arn", "reason")
    EC2_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_INSTANCE_ARN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ec2_instance_id: str
    container_instance_arn: str
    reason: str
    def __init__(self, ec2_instance_id: _Optional[str] = ..., container_instance_arn: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ScalingEvent(_message.Message):
    __slots__ = ("sequence", "kind", "group", "event_time", "code", "message", "ec2_instance_id", "container_instance_arn", "desired_before", "desired_after", "held")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EC2_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_INSTANCE_ARN_FIELD_NUMBER: _ClassVar[int]
    DESIRED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DESIRED_AFTER_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    kind: ScalingKind
    group: str
    event_time: _timestamp_pb2.Timestamp
    code: str
    message: str
    ec2_instance_id: str
    container_instance_arn: str
    desired_before: int
    desired_after: int
    held: str
    def __init__(self, sequence: _Optional[int] = ..., kind: _Optional[_Union[ScalingKind, str]] = ..., group: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., ec2_instance_id: _Optional[str] = ..., container_instance_arn: _Optional[str] = ..., desired_before: _Optional[int] = ..., desired_after: _Optional[int] = ..., held: _Optional[str] = ...) -> None: ...
