import datetime

from ecs_scheduler.v1 import resources_pb2 as _resources_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContainerCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTAINER_CONDITION_UNSPECIFIED: _ClassVar[ContainerCondition]
    CONTAINER_CONDITION_START: _ClassVar[ContainerCondition]
    CONTAINER_CONDITION_COMPLETE: _ClassVar[ContainerCondition]
    CONTAINER_CONDITION_SUCCESS: _ClassVar[ContainerCondition]
    CONTAINER_CONDITION_HEALTHY: _ClassVar[ContainerCondition]

class ContainerSize(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTAINER_SIZE_UNSPECIFIED: _ClassVar[ContainerSize]
    CONTAINER_SIZE_XSMALL: _ClassVar[ContainerSize]
    CONTAINER_SIZE_SMALL: _ClassVar[ContainerSize]
    CONTAINER_SIZE_REGULAR: _ClassVar[ContainerSize]
    CONTAINER_SIZE_LARGE: _ClassVar[ContainerSize]
    CONTAINER_SIZE_XLARGE: _ClassVar[ContainerSize]
    CONTAINER_SIZE_XXLARGE: _ClassVar[ContainerSize]
    CONTAINER_SIZE_LARGE_4X: _ClassVar[ContainerSize]
    CONTAINER_SIZE_LARGE_8X: _ClassVar[ContainerSize]
CONTAINER_CONDITION_UNSPECIFIED: ContainerCondition
CONTAINER_CONDITION_START: ContainerCondition
CONTAINER_CONDITION_COMPLETE: ContainerCondition
CONTAINER_CONDITION_SUCCESS: ContainerCondition
CONTAINER_CONDITION_HEALTHY: ContainerCondition
CONTAINER_SIZE_UNSPECIFIED: ContainerSize
CONTAINER_SIZE_XSMALL: ContainerSize
CONTAINER_SIZE_SMALL: ContainerSize
CONTAINER_SIZE_REGULAR: ContainerSize
CONTAINER_SIZE_LARGE: ContainerSize
CONTAINER_SIZE_XLARGE: ContainerSize
CONTAINER_SIZE_XXLARGE: ContainerSize
CONTAINER_SIZE_LARGE_4X: ContainerSize
CONTAINER_SIZE_LARGE_8X: ContainerSize

class ContainersSpec(_message.Message):
    __slots__ = ("containers", "task_role_arn", "execution_role_arn", "architecture", "volumes", "exclusive")
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    TASK_ROLE_ARN_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ROLE_ARN_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    VOLUMES_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    containers: _containers.RepeatedCompositeFieldContainer[Container]
    task_role_arn: str
    execution_role_arn: str
    architecture: _resources_pb2.Architecture
    volumes: _containers.RepeatedCompositeFieldContainer[Volume]
    exclusive: bool
    def __init__(self, containers: _Optional[_Iterable[_Union[Container, _Mapping]]] = ..., task_role_arn: _Optional[str] = ..., execution_role_arn: _Optional[str] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ..., volumes: _Optional[_Iterable[_Union[Volume, _Mapping]]] = ..., exclusive: _Optional[bool] = ...) -> None: ...

class Container(_message.Message):
    __slots__ = ("name", "image", "resources", "command", "environment", "essential", "secrets", "registry_credentials", "privileged", "ulimits", "links", "entry_point", "working_directory", "user", "mount_points", "health_check", "depends_on", "stop_timeout")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    ESSENTIAL_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    PRIVILEGED_FIELD_NUMBER: _ClassVar[int]
    ULIMITS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_POINT_FIELD_NUMBER: _ClassVar[int]
    WORKING_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    MOUNT_POINTS_FIELD_NUMBER: _ClassVar[int]
    HEALTH_CHECK_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    STOP_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    image: str
    resources: _resources_pb2.Resources
    command: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.RepeatedCompositeFieldContainer[EnvironmentVariable]
    essential: bool
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    registry_credentials: str
    privileged: bool
    ulimits: _containers.RepeatedCompositeFieldContainer[Ulimit]
    links: _containers.RepeatedScalarFieldContainer[str]
    entry_point: _containers.RepeatedScalarFieldContainer[str]
    working_directory: str
    user: str
    mount_points: _containers.RepeatedCompositeFieldContainer[MountPoint]
    health_check: HealthCheck
    depends_on: _containers.RepeatedCompositeFieldContainer[ContainerDependency]
    stop_timeout: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., image: _Optional[str] = ..., resources: _Optional[_Union[_resources_pb2.Resources, _Mapping]] = ..., command: _Optional[_Iterable[str]] = ..., environment: _Optional[_Iterable[_Union[EnvironmentVariable, _Mapping]]] = ..., essential: _Optional[bool] = ..., secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., registry_credentials: _Optional[str] = ..., privileged: _Optional[bool] = ..., ulimits: _Optional[_Iterable[_Union[Ulimit, _Mapping]]] = ..., links: _Optional[_Iterable[str]] = ..., entry_point: _Optional[_Iterable[str]] = ..., working_directory: _Optional[str] = ..., user: _Optional[str] = ..., mount_points: _Optional[_Iterable[_Union[MountPoint, _Mapping]]] = ..., health_check: _Optional[_Union[HealthCheck, _Mapping]] = ..., depends_on: _Optional[_Iterable[_Union[ContainerDependency, _Mapping]]] = ..., stop_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Volume(_message.Message):
    __slots__ = ("name", "source_path", "shared")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_PATH_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    name: str
    source_path: str
    shared: bool
    def __init__(self, name: _Optional[str] = ..., source_path: _Optional[str] = ..., shared: _Optional[bool] = ...) -> None: ...

class MountPoint(_message.Message):
    __slots__ = ("source_volume", "container_path", "read_only")
    SOURCE_VOLUME_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_PATH_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    source_volume: str
    container_path: str
    read_only: bool
    def __init__(self, source_volume: _Optional[str] = ..., container_path: _Optional[str] = ..., read_only: _Optional[bool] = ...) -> None: ...

class HealthCheck(_message.Message):
    __slots__ = ("command", "interval", "timeout", "retries", "start_period")
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    START_PERIOD_FIELD_NUMBER: _ClassVar[int]
    command: _containers.RepeatedScalarFieldContainer[str]
    interval: _duration_pb2.Duration
    timeout: _duration_pb2.Duration
    retries: int
    start_period: _duration_pb2.Duration
    def __init__(self, command: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retries: _Optional[int] = ..., start_period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ContainerDependency(_message.Message):
    __slots__ = ("container_name", "condition")
    CONTAINER_NAME_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    container_name: str
    condition: ContainerCondition
    def __init__(self, container_name: _Optional[str] = ..., condition: _Optional[_Union[ContainerCondition, str]] = ...) -> None: ...

class BambooAgentSpec(_message.Message):
    __slots__ = ("result_id", "build_key", "server_url", "sidekick_image", "image", "size", "extra_containers", "queue_time", "host_folder_mappings", "task_role_arn", "architecture", "execution_role_arn", "secrets", "registry_credentials", "exclusive")
    RESULT_ID_FIELD_NUMBER: _ClassVar[int]
    BUILD_KEY_FIELD_NUMBER: _ClassVar[int]
    SERVER_URL_FIELD_NUMBER: _ClassVar[int]
    SIDEKICK_IMAGE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    HOST_FOLDER_MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    TASK_ROLE_ARN_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ROLE_ARN_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    result_id: str
    build_key: str
    server_url: str
    sidekick_image: str
    image: str
    size: ContainerSize
    extra_containers: _containers.RepeatedCompositeFieldContainer[BambooExtraContainer]
    queue_time: _timestamp_pb2.Timestamp
    host_folder_mappings: _containers.RepeatedCompositeFieldContainer[HostFolderMapping]
    task_role_arn: str
    architecture: _resources_pb2.Architecture
    execution_role_arn: str
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    registry_credentials: str
    exclusive: bool
    def __init__(self, result_id: _Optional[str] = ..., build_key: _Optional[str] = ..., server_url: _Optional[str] = ..., sidekick_image: _Optional[str] = ..., image: _Optional[str] = ..., size: _Optional[_Union[ContainerSize, str]] = ..., extra_containers: _Optional[_Iterable[_Union[BambooExtraContainer, _Mapping]]] = ..., queue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., host_folder_mappings: _Optional[_Iterable[_Union[HostFolderMapping, _Mapping]]] = ..., task_role_arn: _Optional[str] = ..., architecture: _Optional[_Union[_resources_pb2.Architecture, str]] = ..., execution_role_arn: _Optional[str] = ..., secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., registry_credentials: _Optional[str] = ..., exclusive: _Optional[bool] = ...) -> None: ...

class BambooExtraContainer(_message.Message):
    __slots__ = ("name", "image", "size", "commands", "environment", "secrets", "registry_credentials")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    name: str
    image: str
    size: ContainerSize
    commands: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.RepeatedCompositeFieldContainer[EnvironmentVariable]
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    registry_credentials: str
    def __init__(self, name: _Optional[str] = ..., image: _Optional[str] = ..., size: _Optional[_Union[ContainerSize, str]] = ..., commands: _Optional[_Iterable[str]] = ..., environment: _Optional[_Iterable[_Union[EnvironmentVariable, _Mapping]]] = ..., secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., registry_credentials: _Optional[str] = ...) -> None: ...

class HostFolderMapping(_message.Message):
    __slots__ = ("volume_name", "source_path", "container_path")
    VOLUME_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_PATH_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_PATH_FIELD_NUMBER: _ClassVar[int]
    volume_name: str
    source_path: str
    container_path: str
    def __init__(self, volume_name: _Optional[str] = ..., source_path: _Optional[str] = ..., container_path: _Optional[str] = ...) -> None: ...

class Secret(_message.Message):
    __slots__ = ("name", "value_from")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FROM_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_from: str
    def __init__(self, name: _Optional[str] = ..., value_from: _Optional[str] = ...) -> None: ...

class Ulimit(_message.Message):
    __slots__ = ("name", "soft", "hard")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOFT_FIELD_NUMBER: _ClassVar[int]
    HARD_FIELD_NUMBER: _ClassVar[int]
    name: str
    soft: int
    hard: int
    def __init__(self, name: _Optional[str] = ..., soft: _Optional[int] = ..., hard: _Optional[int] = ...) -> None: ...

class EnvironmentVariable(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
