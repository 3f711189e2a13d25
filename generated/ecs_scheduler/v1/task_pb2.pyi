import datetime

from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from ecs_scheduler.v1 import task_spec_pb2 as _task_spec_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_STATE_UNSPECIFIED: _ClassVar[AttemptState]
    ATTEMPT_STATE_OPEN: _ClassVar[AttemptState]
    ATTEMPT_STATE_STARTED: _ClassVar[AttemptState]
    ATTEMPT_STATE_DEFINITE_FAILURE: _ClassVar[AttemptState]
    ATTEMPT_STATE_UNKNOWN: _ClassVar[AttemptState]
    ATTEMPT_STATE_ADOPTED: _ClassVar[AttemptState]
    ATTEMPT_STATE_ABANDONED: _ClassVar[AttemptState]
    ATTEMPT_STATE_ENDED: _ClassVar[AttemptState]

class TaskState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATE_UNSPECIFIED: _ClassVar[TaskState]
    TASK_STATE_QUEUED: _ClassVar[TaskState]
    TASK_STATE_ASSIGNED: _ClassVar[TaskState]
    TASK_STATE_STARTING: _ClassVar[TaskState]
    TASK_STATE_RUNNING: _ClassVar[TaskState]
    TASK_STATE_SUCCEEDED: _ClassVar[TaskState]
    TASK_STATE_FAILED: _ClassVar[TaskState]
    TASK_STATE_STOPPING: _ClassVar[TaskState]
    TASK_STATE_CANCELLED: _ClassVar[TaskState]
    TASK_STATE_EXPIRED: _ClassVar[TaskState]

class StopCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STOP_CATEGORY_UNSPECIFIED: _ClassVar[StopCategory]
    STOP_CATEGORY_CAPACITY: _ClassVar[StopCategory]
    STOP_CATEGORY_CANNOT_START: _ClassVar[StopCategory]
    STOP_CATEGORY_IMAGE: _ClassVar[StopCategory]
    STOP_CATEGORY_INSTANCE_LOST: _ClassVar[StopCategory]
    STOP_CATEGORY_ATTRIBUTE: _ClassVar[StopCategory]
    STOP_CATEGORY_OOM: _ClassVar[StopCategory]
    STOP_CATEGORY_EXIT: _ClassVar[StopCategory]
    STOP_CATEGORY_ESSENTIAL_EXITED: _ClassVar[StopCategory]
    STOP_CATEGORY_NEVER_FITS: _ClassVar[StopCategory]
    STOP_CATEGORY_REJECTED: _ClassVar[StopCategory]
    STOP_CATEGORY_STOPPED_BY_OTHERS: _ClassVar[StopCategory]
    STOP_CATEGORY_ABANDONED: _ClassVar[StopCategory]
    STOP_CATEGORY_START_TIMEOUT: _ClassVar[StopCategory]
    STOP_CATEGORY_RUN_TIMEOUT: _ClassVar[StopCategory]
    STOP_CATEGORY_CANCELLED: _ClassVar[StopCategory]
    STOP_CATEGORY_EXPIRED: _ClassVar[StopCategory]
ATTEMPT_STATE_UNSPECIFIED: AttemptState
ATTEMPT_STATE_OPEN: AttemptState
ATTEMPT_STATE_STARTED: AttemptState
ATTEMPT_STATE_DEFINITE_FAILURE: AttemptState
ATTEMPT_STATE_UNKNOWN: AttemptState
ATTEMPT_STATE_ADOPTED: AttemptState
ATTEMPT_STATE_ABANDONED: AttemptState
ATTEMPT_STATE_ENDED: AttemptState
TASK_STATE_UNSPECIFIED: TaskState
TASK_STATE_QUEUED: TaskState
TASK_STATE_ASSIGNED: TaskState
TASK_STATE_STARTING: TaskState
TASK_STATE_RUNNING: TaskState
TASK_STATE_SUCCEEDED: TaskState
TASK_STATE_FAILED: TaskState
TASK_STATE_STOPPING: TaskState
TASK_STATE_CANCELLED: TaskState
TASK_STATE_EXPIRED: TaskState
STOP_CATEGORY_UNSPECIFIED: StopCategory
STOP_CATEGORY_CAPACITY: StopCategory
STOP_CATEGORY_CANNOT_START: StopCategory
STOP_CATEGORY_IMAGE: StopCategory
STOP_CATEGORY_INSTANCE_LOST: StopCategory
STOP_CATEGORY_ATTRIBUTE: StopCategory
STOP_CATEGORY_OOM: StopCategory
STOP_CATEGORY_EXIT: StopCategory
STOP_CATEGORY_ESSENTIAL_EXITED: StopCategory
STOP_CATEGORY_NEVER_FITS: StopCategory
STOP_CATEGORY_REJECTED: StopCategory
STOP_CATEGORY_STOPPED_BY_OTHERS: StopCategory
STOP_CATEGORY_ABANDONED: StopCategory
STOP_CATEGORY_START_TIMEOUT: StopCategory
STOP_CATEGORY_RUN_TIMEOUT: StopCategory
STOP_CATEGORY_CANCELLED: StopCategory
STOP_CATEGORY_EXPIRED: StopCategory

class Task(_message.Message):
    __slots__ = ("task_id", "request_id", "tenant", "priority", "labels", "bamboo_agent", "containers", "resources", "build_key", "state", "create_time", "update_time", "start_time", "stop_time", "stop_reason", "attempts", "revision", "queue_timeout", "start_timeout", "run_timeout", "may_run_again", "exclusive")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    BAMBOO_AGENT_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    BUILD_KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STOP_TIME_FIELD_NUMBER: _ClassVar[int]
    STOP_REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    START_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MAY_RUN_AGAIN_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    request_id: str
    tenant: str
    priority: int
    labels: _containers.ScalarMap[str, str]
    bamboo_agent: _task_spec_pb2.BambooAgentSpec
    containers: _task_spec_pb2.ContainersSpec
    resources: _resources_pb2.Resources
    build_key: str
    state: TaskState
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    stop_time: _timestamp_pb2.Timestamp
    stop_reason: StopReason
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    revision: int
    queue_timeout: _duration_pb2.Duration
    start_timeout: _duration_pb2.Duration
    run_timeout: _duration_pb2.Duration
    may_run_again: bool
    exclusive: bool
    def __init__(self, task_id: _Optional[str] = ..., request_id: _Optional[str] = ..., tenant: _Optional[str] = ..., priority: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., bamboo_agent: _Optional[_Union[_task_spec_pb2.BambooAgentSpec, _Mapping]] = ..., containers: _Optional[_Union[_task_spec_pb2.ContainersSpec, _Mapping]] = ..., resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., build_key: _Optional[str] = ..., state: _Optional[_Union[TaskState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stop_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stop_reason: _Optional[_Union[StopReason, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., revision: _Optional[int] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., start_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., run_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., may_run_again: _Optional[bool] = ..., exclusive: _Optional[bool] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("attempt_id", "number", "state", "ecs_task_arn", "container_instance_arn", "ec2_instance_id", "task_definition_arn", "create_time", "start_time", "stop_time", "stop_reason")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ECS_TASK_ARN_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_INSTANCE_ARN_FIELD_NUMBER: _ClassVar[int]
    EC2_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_DEFINITION_ARN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STOP_TIME_FIELD_NUMBER: _ClassVar[int]
    STOP_REASON_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    number: int
    state: AttemptState
    ecs_task_arn: str
    container_instance_arn: str
    ec2_instance_id: str
    task_definition_arn: str
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    stop_time: _timestamp_pb2.Timestamp
    stop_reason: StopReason
    def __init__(self, attempt_id: _Optional[str] = ..., number: _Optional[int] = ..., state: _Optional[_Union[AttemptState, str]] = ..., ecs_task_arn: _Optional[str] = ..., container_instance_arn: _Optional[str] = ..., ec2_instance_id: _Optional[str] = ..., task_definition_arn: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stop_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stop_reason: _Optional[_Union[StopReason, _Mapping]] = ...) -> None: ...

class StopReason(_message.Message):
    __slots__ = ("category", "code", "message", "containers")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    category: StopCategory
    code: str
    message: str
    containers: _containers.RepeatedCompositeFieldContainer[ContainerExit]
    def __init__(self, category: _Optional[_Union[StopCategory, str]] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., containers: _Optional[_Iterable[_Union[ContainerExit, _Mapping]]] = ...) -> None: ...

class ContainerExit(_message.Message):
    __slots__ = ("name", "exit_code", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    exit_code: int
    reason: str
    def __init__(self, name: _Optional[str] = ..., exit_code: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class TaskEvent(_message.Message):
    __slots__ = ("revision", "previous_state", "task", "left_filter")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    LEFT_FILTER_FIELD_NUMBER: _ClassVar[int]
    revision: int
    previous_state: TaskState
    task: Task
    left_filter: bool
    def __init__(self, revision: _Optional[int] = ..., previous_state: _Optional[_Union[TaskState, str]] = ..., task: _Optional[_Union[Task, _Mapping]] = ..., left_filter: _Optional[bool] = ...) -> None: ...
