"""Messages to nouns. A value that the noun cannot hold is answered with violations instead of the noun."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from ecs_scheduler.v1 import logs_pb2, resources_pb2, scheduler_pb2, task_spec_pb2
from scheduler.api.convert import container_parts
from scheduler.api.convert.enums import ARCHITECTURE_OF, CONTAINER_SIZE_OF, TASK_STATE_OF
from scheduler.core.model.errors import Violation
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    HostFolderMapping,
    Secret,
    TaskRequest,
    TaskSpec,
    Timeouts,
    Ulimit,
)
from scheduler.ports.logs import PAGE_LINES
from scheduler.ports.store import TaskFilter
from scheduler.services.errors import InvalidRequest

T = TypeVar("T")
Violations = tuple[Violation, ...]
_Filtering: TypeAlias = scheduler_pb2.WatchTasksRequest | scheduler_pb2.ListTasksRequest
_Naming: TypeAlias = scheduler_pb2.GetTaskRequest | scheduler_pb2.CancelTaskRequest | logs_pb2.TailLogsRequest

MAX_WATCHED_TASKS = 1_000
MAX_LABELS = 32
REMEMBERED = 500
"""Extra containers that are kept, for builds of one plan send equal ones. A CI server has some hundred."""

REMEMBERED_BYTES = 1_024
"""Longer ones are read anew each time. So all that are kept take some 15 MB at worst, whoever sends them."""

FORGET_S = 5.0
"""How long they are kept: their environment values are secrets. Only when many builds come at once does it
matter what one costs, and then equal ones come within seconds."""

_NANOS = 1_000_000_000
_POLICY_TIMEOUTS = Timeouts()
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TENANT_EXPECTED = "1 to 63 lower-case letters, digits and hyphens, not starting with a hyphen"


def valid(parsed: T | Violations) -> T:
    """What was parsed. Raises InvalidRequest if it was violations."""
    if isinstance(parsed, tuple):
        raise InvalidRequest(parsed)
    return parsed


def task_request(message: scheduler_pb2.ScheduleRequest) -> TaskRequest | Violations:
    """What the client asks for, for `core.validate` to judge."""
    spec = _spec(message)
    if spec is None:
        return (Violation(field_path="spec", expected="bamboo_agent or containers"),)
    return TaskRequest(
        # One UUID, one key: its hexadecimal digits are read in either case (RFC 9562, section 4).
        request_id=message.request_id.lower(),
        tenant=message.tenant,
        priority=message.priority,
        labels=dict(message.labels),
        spec=spec,
        timeouts=_timeouts(message),
        may_run_again=message.may_run_again,
    )


def forget() -> None:
    """Lets go of the extra containers that were remembered."""
    _remembered.cache_clear()


def name_violations(message: _Naming) -> Violations:
    """What is wrong with the names of a task."""
    return tuple(_name_violations(message))


def tail_violations(message: logs_pb2.TailLogsRequest) -> Violations:
    """What is wrong with a request for logs."""
    return tuple(_tail_violations(message))


def task_filter(message: scheduler_pb2.WatchTasksRequest) -> TaskFilter | Violations:
    """Which tasks the client watches."""
    violations = tuple(_watch_violations(message))
    return violations or _filter(message, task_ids=frozenset(message.task_ids))


def list_filter(message: scheduler_pb2.ListTasksRequest) -> TaskFilter | Violations:
    """Which tasks the client lists."""
    violations = tuple(_list_violations(message))
    return violations or _filter(message)


def milliseconds(message: Timestamp) -> int:
    """A timestamp as integer milliseconds since 1970, truncated."""
    return message.seconds * 1_000 + message.nanos // 1_000_000


def duration_ms(message: Duration) -> int:
    """A duration as integer milliseconds, rounded up: nobody gets less time than was asked for.

    One that is malformed is 0, for `core.validate` to name: nanos are less than a second and of the same sign
    as the seconds (protobuf docs: google.protobuf.Duration).
    """
    if abs(message.nanos) >= _NANOS or message.seconds * message.nanos < 0:
        return 0
    return message.seconds * 1_000 + -(-message.nanos // 1_000_000)


def resources(message: resources_pb2.Resources) -> Resources:
    """An amount of any architecture."""
    return Resources(cpu=message.cpu_units, memory_mib=message.memory_mib, gpus=message.gpus)


def page_size_violations(page_size: int) -> Iterator[Violation]:
    """What is wrong with the size of a page, of whatever it is one."""
    if page_size < 0:
        yield Violation(field_path="page_size", expected="0 for the default, or more")


def _filter(message: _Filtering, *, task_ids: frozenset[str] = frozenset()) -> TaskFilter:
    return TaskFilter(
        tenant=message.tenant,
        task_ids=task_ids,
        build_key=message.build_key,
        labels=tuple(message.labels.items()),
        states=frozenset(TASK_STATE_OF[number] for number in message.states),
    )


def _timeouts(message: scheduler_pb2.ScheduleRequest) -> Timeouts:
    set_ = message.HasField
    if not (set_("queue_timeout") or set_("start_timeout") or set_("run_timeout")):
        return _POLICY_TIMEOUTS
    return Timeouts(
        queue_ms=duration_ms(message.queue_timeout) if set_("queue_timeout") else None,
        start_ms=duration_ms(message.start_timeout) if set_("start_timeout") else None,
        run_ms=duration_ms(message.run_timeout) if set_("run_timeout") else None,
    )


def _spec(message: scheduler_pb2.ScheduleRequest) -> TaskSpec | None:
    kind = message.WhichOneof("spec")
    if kind == "bamboo_agent":
        return _bamboo_agent(message.bamboo_agent)
    if kind == "containers":
        return _containers(message.containers)
    return None


def _bamboo_agent(message: task_spec_pb2.BambooAgentSpec) -> BambooAgentSpec:
    return BambooAgentSpec(
        result_id=message.result_id,
        build_key=message.build_key,
        server_url=message.server_url,
        sidekick_image=message.sidekick_image,
        image=message.image,
        size=CONTAINER_SIZE_OF.get(message.size),
        extra_containers=tuple([_extra_container(extra) for extra in message.extra_containers]),
        queue_time_ms=milliseconds(message.queue_time) if message.HasField("queue_time") else None,
        host_folder_mappings=tuple([_host_folder(each) for each in message.host_folder_mappings]),
        task_role_arn=message.task_role_arn,
        execution_role_arn=message.execution_role_arn,
        architecture=ARCHITECTURE_OF.get(message.architecture),
        secrets=_secrets(message.secrets),
        registry_credentials=message.registry_credentials,
        exclusive=message.exclusive,
    )


def _extra_container(message: task_spec_pb2.BambooExtraContainer) -> ExtraContainer:
    """The same noun for an equal message: the lookup takes 1 us, reading the message 7."""
    body = message.SerializeToString()
    return _remembered(body) if len(body) <= REMEMBERED_BYTES else _read_extra_container(message)


@lru_cache(maxsize=REMEMBERED)
def _remembered(body: bytes) -> ExtraContainer:
    return _read_extra_container(task_spec_pb2.BambooExtraContainer.FromString(body))


def _read_extra_container(message: task_spec_pb2.BambooExtraContainer) -> ExtraContainer:
    return ExtraContainer(
        name=message.name,
        image=message.image,
        size=CONTAINER_SIZE_OF.get(message.size),
        commands=tuple(message.commands),
        environment=_environment(message.environment),
        secrets=_secrets(message.secrets),
        registry_credentials=message.registry_credentials,
    )


def _host_folder(message: task_spec_pb2.HostFolderMapping) -> HostFolderMapping:
    return HostFolderMapping(
        volume_name=message.volume_name,
        source_path=message.source_path,
        container_path=message.container_path,
    )


def _containers(message: task_spec_pb2.ContainersSpec) -> ContainersSpec:
    return ContainersSpec(
        containers=tuple(_container(one) for one in message.containers),
        task_role_arn=message.task_role_arn,
        execution_role_arn=message.execution_role_arn,
        architecture=ARCHITECTURE_OF.get(message.architecture),
        volumes=container_parts.volumes(message.volumes),
        exclusive=message.exclusive,
    )


def _container(message: task_spec_pb2.Container) -> Container:
    return Container(
        name=message.name,
        image=message.image,
        resources=resources(message.resources),
        command=tuple(message.command),
        environment=_environment(message.environment),
        essential=message.essential,
        secrets=_secrets(message.secrets),
        registry_credentials=message.registry_credentials,
        privileged=message.privileged,
        ulimits=tuple(Ulimit(name=each.name, soft=each.soft, hard=each.hard) for each in message.ulimits),
        links=tuple(message.links),
        entry_point=tuple(message.entry_point),
        working_directory=message.working_directory,
        user=message.user,
        mount_points=container_parts.mount_points(message.mount_points),
        health_check=container_parts.health_check(message),
        depends_on=container_parts.dependencies(message.depends_on),
        stop_timeout_s=container_parts.stop_timeout_s(message),
    )


def _secrets(messages: Iterable[task_spec_pb2.Secret]) -> tuple[Secret, ...]:
    return tuple([Secret(name=secret.name, value_from=secret.value_from) for secret in messages])


def _environment(messages: Iterable[task_spec_pb2.EnvironmentVariable]) -> tuple[EnvironmentVariable, ...]:
    return tuple([EnvironmentVariable(name=variable.name, value=variable.value) for variable in messages])


def _name_violations(message: _Naming) -> Iterator[Violation]:
    if not _TENANT.fullmatch(message.tenant):
        yield Violation(field_path="tenant", expected=_TENANT_EXPECTED)
    if not message.task_id:
        yield Violation(field_path="task_id", expected="the id of a task")


def _tail_violations(message: logs_pb2.TailLogsRequest) -> Iterator[Violation]:
    yield from _name_violations(message)
    if not 0 <= message.tail <= PAGE_LINES:
        yield Violation(field_path="tail", expected=f"0 to {PAGE_LINES}")


def _watch_violations(message: scheduler_pb2.WatchTasksRequest) -> Iterator[Violation]:
    if message.tenant and not _TENANT.fullmatch(message.tenant):
        yield Violation(field_path="tenant", expected=f"not set, or {_TENANT_EXPECTED}")
    if len(message.task_ids) > MAX_WATCHED_TASKS:
        yield Violation(field_path="task_ids", expected=f"at most {MAX_WATCHED_TASKS} ids")
    yield from _filter_violations(message)


def _list_violations(message: scheduler_pb2.ListTasksRequest) -> Iterator[Violation]:
    if not _TENANT.fullmatch(message.tenant):
        yield Violation(field_path="tenant", expected=_TENANT_EXPECTED)
    yield from _filter_violations(message)
    yield from page_size_violations(message.page_size)


def _filter_violations(message: _Filtering) -> Iterator[Violation]:
    if len(message.labels) > MAX_LABELS:
        yield Violation(field_path="labels", expected=f"at most {MAX_LABELS} labels")
    for index, number in enumerate(message.states):
        if number not in TASK_STATE_OF:
            yield Violation(field_path=f"states[{index}]", expected="a state that this server knows")
