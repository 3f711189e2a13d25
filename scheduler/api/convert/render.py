"""Nouns to messages. Environment values never leave: they are masked here, the only way out."""

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from ecs_scheduler.v1 import resources_pb2, scheduler_pb2, task_pb2, task_spec_pb2
from scheduler.api.convert import container_parts
from scheduler.api.convert.enums import (
    ARCHITECTURES,
    ATTEMPT_STATES,
    CONTAINER_SIZES,
    STOP_CATEGORIES,
    TASK_STATES,
)
from scheduler.core.model.attempt import Attempt, ContainerExit, StopReason
from scheduler.core.model.records import TaskSubmitted
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    Secret,
    Task,
    TaskState,
    Timeouts,
)
from scheduler.services.watch import WatchedEvent

MASK = "***"
"""Stands for every environment value: they are secrets of the client's builds."""

_POLICY_TIMEOUTS = Timeouts()


def accepted(message: task_pb2.Task, record: TaskSubmitted, asked: scheduler_pb2.ScheduleRequest) -> None:
    """Fills in a task right after its acceptance, without asking the store for what was just handed to it.

    The spec is copied as it was asked for and then masked, in compiled code: every accepted request pays for
    it. Its revision is not known yet.
    """
    request = record.request
    message.task_id = record.task_id
    message.request_id = request.request_id
    message.tenant = request.tenant
    message.priority = request.priority
    message.labels.update(request.labels)
    message.build_key = record.build_key
    message.state = TASK_STATES[TaskState.QUEUED]
    message.may_run_again = request.may_run_again
    message.exclusive = record.ask.exclusive
    message.resources.CopyFrom(resources(record.ask))
    _set_time(message.create_time, record.at_ms)
    message.update_time.CopyFrom(message.create_time)
    if request.timeouts != _POLICY_TIMEOUTS:
        message.MergeFrom(_timeouts(request.timeouts))
    spec = request.spec
    if isinstance(spec, BambooAgentSpec):
        message.bamboo_agent.CopyFrom(asked.bamboo_agent)
        if spec.queue_time_ms is not None:
            _set_time(message.bamboo_agent.queue_time, spec.queue_time_ms)
        _mask(message.bamboo_agent.extra_containers)
    else:
        message.containers.CopyFrom(asked.containers)
        _mask(message.containers.containers)
    # What a newer client says that is not known here may be a secret.
    message.DiscardUnknownFields()


def task(one: Task) -> task_pb2.Task:
    """A task, with as much of spec and attempts as it carries."""
    status = one.status
    return task_pb2.Task(
        task_id=one.task_id,
        request_id=one.request_id,
        tenant=one.tenant,
        priority=one.priority,
        labels=one.labels,
        bamboo_agent=_bamboo_agent(one.spec) if isinstance(one.spec, BambooAgentSpec) else None,
        containers=_containers(one.spec) if isinstance(one.spec, ContainersSpec) else None,
        resources=resources(one.ask),
        build_key=one.build_key,
        state=TASK_STATES[status.state],
        create_time=timestamp(one.submitted_ms),
        update_time=timestamp(status.updated_ms),
        start_time=timestamp(status.started_ms),
        stop_time=timestamp(status.stopped_ms),
        stop_reason=_stop_reason(status.stop_reason),
        attempts=[_attempt(attempt) for attempt in one.attempts],
        revision=status.revision,
        queue_timeout=duration(one.timeouts.queue_ms),
        start_timeout=duration(one.timeouts.start_ms),
        run_timeout=duration(one.timeouts.run_ms),
        may_run_again=one.may_run_again,
        exclusive=one.ask.exclusive,
    )


def task_event(watched: WatchedEvent) -> task_pb2.TaskEvent:
    """One change, as one watch sees it."""
    event = watched.event
    return task_pb2.TaskEvent(
        revision=event.revision,
        previous_state=TASK_STATES[event.previous_state] if event.previous_state else None,
        task=task(event.task),
        left_filter=watched.left_filter,
    )


def resources(amount: Resources) -> resources_pb2.Resources:
    """An amount."""
    return resources_pb2.Resources(cpu_units=amount.cpu, memory_mib=amount.memory_mib, gpus=amount.gpus)


def timestamp(milliseconds: int | None) -> Timestamp | None:
    """Integer milliseconds since 1970 as a timestamp; None stays unset."""
    if milliseconds is None:
        return None
    message = Timestamp()
    _set_time(message, milliseconds)
    return message


def duration(milliseconds: int | None) -> Duration | None:
    """Integer milliseconds, not below 0, as a duration; None stays unset."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1_000)
    return Duration(seconds=seconds, nanos=rest * 1_000_000)


def _bamboo_agent(spec: BambooAgentSpec) -> task_spec_pb2.BambooAgentSpec:
    message = task_spec_pb2.BambooAgentSpec(
        result_id=spec.result_id,
        build_key=spec.build_key,
        server_url=spec.server_url,
        sidekick_image=spec.sidekick_image,
        image=spec.image,
        size=CONTAINER_SIZES[spec.size] if spec.size else None,
        queue_time=timestamp(spec.queue_time_ms),
        task_role_arn=spec.task_role_arn,
        execution_role_arn=spec.execution_role_arn,
        architecture=ARCHITECTURES[spec.architecture or Architecture.ANY],
        registry_credentials=spec.registry_credentials,
        exclusive=spec.exclusive,
    )
    for each in spec.host_folder_mappings:
        message.host_folder_mappings.add(
            volume_name=each.volume_name, source_path=each.source_path, container_path=each.container_path
        )
    _add_secrets(message, spec.secrets)
    for extra in spec.extra_containers:
        _add_extra_container(message, extra)
    return message


def _add_extra_container(agent: task_spec_pb2.BambooAgentSpec, extra: ExtraContainer) -> None:
    # Added in place: a message that is handed to a constructor is copied, once for each level it is nested.
    message = agent.extra_containers.add(
        name=extra.name,
        image=extra.image,
        size=CONTAINER_SIZES[extra.size] if extra.size else None,
        commands=extra.commands,
        registry_credentials=extra.registry_credentials,
    )
    _add_masked(message, extra.environment)
    _add_secrets(message, extra.secrets)


def _containers(spec: ContainersSpec) -> task_spec_pb2.ContainersSpec:
    return task_spec_pb2.ContainersSpec(
        containers=[_container(container) for container in spec.containers],
        task_role_arn=spec.task_role_arn,
        execution_role_arn=spec.execution_role_arn,
        architecture=ARCHITECTURES[spec.architecture or Architecture.ANY],
        volumes=[container_parts.volume_message(volume) for volume in spec.volumes],
        exclusive=spec.exclusive,
    )


def _container(container: Container) -> task_spec_pb2.Container:
    message = task_spec_pb2.Container(
        name=container.name,
        image=container.image,
        resources=resources(container.resources),
        command=container.command,
        essential=container.essential,
        registry_credentials=container.registry_credentials,
        privileged=container.privileged,
        links=container.links,
        entry_point=container.entry_point,
        working_directory=container.working_directory,
        user=container.user,
    )
    for limit in container.ulimits:
        message.ulimits.add(name=limit.name, soft=limit.soft, hard=limit.hard)
    _add_masked(message, container.environment)
    _add_secrets(message, container.secrets)
    container_parts.add_parts(message, container)
    return message


def _add_secrets(
    message: task_spec_pb2.BambooAgentSpec | task_spec_pb2.BambooExtraContainer | task_spec_pb2.Container,
    secrets: Iterable[Secret],
) -> None:
    # Where a value is kept is no secret.
    for secret in secrets:
        message.secrets.add(name=secret.name, value_from=secret.value_from)


def _set_time(message: Timestamp, milliseconds: int) -> None:
    message.seconds, rest = divmod(milliseconds, 1_000)
    message.nanos = rest * 1_000_000


def _timeouts(asked: Timeouts) -> task_pb2.Task:
    return task_pb2.Task(
        queue_timeout=duration(asked.queue_ms),
        start_timeout=duration(asked.start_ms),
        run_timeout=duration(asked.run_ms),
    )


def _mask(containers: Iterable[task_spec_pb2.BambooExtraContainer | task_spec_pb2.Container]) -> None:
    for container in containers:
        for variable in container.environment:
            variable.value = MASK


def _add_masked(
    container: task_spec_pb2.BambooExtraContainer | task_spec_pb2.Container,
    environment: Iterable[EnvironmentVariable],
) -> None:
    for variable in environment:
        container.environment.add(name=variable.name, value=MASK)


def _attempt(attempt: Attempt) -> task_pb2.Attempt:
    return task_pb2.Attempt(
        attempt_id=attempt.attempt_id,
        number=attempt.number,
        state=ATTEMPT_STATES[attempt.state],
        ecs_task_arn=attempt.ecs_task_arn,
        container_instance_arn=attempt.container_instance_arn,
        ec2_instance_id=attempt.ec2_instance_id,
        task_definition_arn=attempt.task_definition_arn,
        create_time=timestamp(attempt.created_ms),
        start_time=timestamp(attempt.started_ms),
        stop_time=timestamp(attempt.stopped_ms),
        stop_reason=_stop_reason(attempt.stop_reason),
    )


def _stop_reason(reason: StopReason | None) -> task_pb2.StopReason | None:
    if reason is None:
        return None
    return task_pb2.StopReason(
        category=STOP_CATEGORIES[reason.category],
        code=reason.code,
        message=reason.message,
        containers=[_container_exit(container) for container in reason.containers],
    )


def _container_exit(container: ContainerExit) -> task_pb2.ContainerExit:
    # exit_code None leaves the optional field unset: absent is not 0.
    return task_pb2.ContainerExit(name=container.name, exit_code=container.exit_code, reason=container.reason)
