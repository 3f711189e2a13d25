"""Messages to nouns and back."""

from dataclasses import replace
from typing import cast

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1 import scaling_pb2, scheduler_pb2, task_pb2, task_spec_pb2
from ecs_scheduler.v1.resources_pb2 import ARCHITECTURE_ARM64, ARCHITECTURE_X86_64
from ecs_scheduler.v1.resources_pb2 import Architecture as ArchitectureMessage
from ecs_scheduler.v1.resources_pb2 import Resources as ResourcesMessage
from scheduler.api.convert import parse, render
from scheduler.api.convert.cluster import UNPLACED_SHOWN, cluster
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.container_parts import (
    ContainerCondition,
    ContainerDependency,
    HealthCheck,
    MountPoint,
    Volume,
)
from scheduler.core.model.digest import ClusterDigest, Condition, Unplaced
from scheduler.core.model.errors import Violation
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.records import TaskSubmitted
from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    HostFolderMapping,
    Secret,
    Task,
    TaskRequest,
    TaskState,
    TaskStatus,
    Timeouts,
    Ulimit,
)
from scheduler.core.validate import validate
from scheduler.ports.store import TaskFilter
from tests.api.served import schedule_request
from tests.builders import a_wish, attempt, stop_reason, submitted

BAMBOO_MESSAGE = task_spec_pb2.BambooAgentSpec(
    result_id="P-PLAN-JOB-7",
    build_key="P-PLAN",
    server_url="https://bamboo.example",
    sidekick_image="sidekick:1",
    image="agent:1",
    size=task_spec_pb2.CONTAINER_SIZE_LARGE_4X,
    extra_containers=[
        task_spec_pb2.BambooExtraContainer(
            name="db",
            image="postgres:16",
            size=task_spec_pb2.CONTAINER_SIZE_SMALL,
            commands=["postgres", "-c", "fsync=off"],
            environment=[task_spec_pb2.EnvironmentVariable(name="PASSWORD", value="hunter2")],
            secrets=[task_spec_pb2.Secret(name="LICENCE", value_from="licence")],
            registry_credentials="arn:extra",
        )
    ],
    queue_time=Timestamp(seconds=1_790_000_000, nanos=123_000_000),
    host_folder_mappings=[
        task_spec_pb2.HostFolderMapping(volume_name="m", source_path="/outside", container_path="/inside")
    ],
    task_role_arn="arn:task",
    execution_role_arn="arn:execution",
    architecture=ARCHITECTURE_ARM64,
    secrets=[task_spec_pb2.Secret(name="TOKEN", value_from="token")],
    registry_credentials="arn:registry",
    exclusive=True,
)
BAMBOO = BambooAgentSpec(
    result_id="P-PLAN-JOB-7",
    build_key="P-PLAN",
    server_url="https://bamboo.example",
    sidekick_image="sidekick:1",
    image="agent:1",
    size=ContainerSize.LARGE_4X,
    extra_containers=(
        ExtraContainer(
            name="db",
            image="postgres:16",
            size=ContainerSize.SMALL,
            commands=("postgres", "-c", "fsync=off"),
            environment=(EnvironmentVariable(name="PASSWORD", value="hunter2"),),
            secrets=(Secret(name="LICENCE", value_from="licence"),),
            registry_credentials="arn:extra",
        ),
    ),
    queue_time_ms=1_790_000_000_123,
    host_folder_mappings=(
        HostFolderMapping(volume_name="m", source_path="/outside", container_path="/inside"),
    ),
    task_role_arn="arn:task",
    execution_role_arn="arn:execution",
    architecture=Architecture.ARM64,
    secrets=(Secret(name="TOKEN", value_from="token"),),
    registry_credentials="arn:registry",
    exclusive=True,
)
CONTAINERS_MESSAGE = task_spec_pb2.ContainersSpec(
    containers=[
        task_spec_pb2.Container(
            name="main",
            image="agent:1",
            resources=ResourcesMessage(cpu_units=1, memory_mib=2, gpus=3),
            command=["run"],
            environment=[task_spec_pb2.EnvironmentVariable(name="A", value="B")],
            essential=True,
            secrets=[task_spec_pb2.Secret(name="TOKEN", value_from="token")],
            registry_credentials="arn:registry",
            privileged=True,
            ulimits=[task_spec_pb2.Ulimit(name="nofile", soft=1, hard=2)],
            links=["other:alias"],
            entry_point=["/bin/sh"],
            working_directory="/work",
            user="1000:1000",
            mount_points=[
                task_spec_pb2.MountPoint(source_volume="v", container_path="/in", read_only=True),
            ],
            health_check=task_spec_pb2.HealthCheck(
                command=["CMD", "true"],
                interval=Duration(seconds=5),
                timeout=Duration(seconds=2),
                retries=10,
                start_period=Duration(),
            ),
            depends_on=[
                task_spec_pb2.ContainerDependency(
                    container_name="other", condition=task_spec_pb2.CONTAINER_CONDITION_HEALTHY
                )
            ],
            stop_timeout=Duration(seconds=60),
        )
    ],
    task_role_arn="arn:task",
    execution_role_arn="arn:execution",
    architecture=ARCHITECTURE_X86_64,
    volumes=[task_spec_pb2.Volume(name="v", source_path="/out", shared=True)],
    exclusive=True,
)
CONTAINERS = ContainersSpec(
    containers=(
        Container(
            name="main",
            image="agent:1",
            resources=Resources(cpu=1, memory_mib=2, gpus=3),
            command=("run",),
            environment=(EnvironmentVariable(name="A", value="B"),),
            essential=True,
            secrets=(Secret(name="TOKEN", value_from="token"),),
            registry_credentials="arn:registry",
            privileged=True,
            ulimits=(Ulimit(name="nofile", soft=1, hard=2),),
            links=("other:alias",),
            entry_point=("/bin/sh",),
            working_directory="/work",
            user="1000:1000",
            mount_points=(MountPoint(source_volume="v", container_path="/in", read_only=True),),
            health_check=HealthCheck(
                command=("CMD", "true"), interval_s=5, timeout_s=2, retries=10, start_period_s=0
            ),
            depends_on=(ContainerDependency(container_name="other", condition=ContainerCondition.HEALTHY),),
            stop_timeout_s=60,
        ),
    ),
    task_role_arn="arn:task",
    execution_role_arn="arn:execution",
    architecture=Architecture.X86_64,
    volumes=(Volume(name="v", source_path="/out", shared=True),),
    exclusive=True,
)


def parsed(message: scheduler_pb2.ScheduleRequest) -> TaskRequest:
    request = parse.task_request(message)
    assert isinstance(request, TaskRequest)
    return request


def accepted(record: TaskSubmitted, asked: scheduler_pb2.ScheduleRequest) -> task_pb2.Task:
    """What the caller of Schedule is answered."""
    message = task_pb2.Task()
    render.accepted(message, record, asked)
    return message


def unset(message: Message) -> set[str]:
    """Names of fields that have no value."""
    return {field.name for field in message.DESCRIPTOR.fields} - {
        field.name for field, _ in message.ListFields()
    }


def test_bamboo_agent_is_parsed_whole() -> None:
    """Every field of a Bamboo agent reaches the noun."""
    message = scheduler_pb2.ScheduleRequest(
        request_id="r-1", tenant="bamboo", priority=-5, labels={"a": "b"}, bamboo_agent=BAMBOO_MESSAGE
    )
    assert parsed(message) == TaskRequest(
        request_id="r-1", tenant="bamboo", priority=-5, labels={"a": "b"}, spec=BAMBOO
    )


def test_containers_are_parsed_whole() -> None:
    """Every field of a container reaches the noun."""
    assert parsed(scheduler_pb2.ScheduleRequest(containers=CONTAINERS_MESSAGE)).spec == CONTAINERS


@pytest.mark.parametrize("message", [BAMBOO_MESSAGE, CONTAINERS_MESSAGE])
def test_the_messages_above_are_whole(message: Message) -> None:
    """What is parsed and rendered whole here has every field there is, in every message inside."""
    assert unset(message) == set()
    inside = [inner for field, value in message.ListFields() if field.is_repeated for inner in value]
    assert [unset(inner) for inner in inside if isinstance(inner, Message)] == [set() for _ in inside]


@pytest.mark.parametrize("number", [3, -1])
def test_architecture_that_is_not_known_is_none(number: int) -> None:
    """A newer client's architecture is left for validation to refuse."""
    spec = task_spec_pb2.ContainersSpec(architecture=cast("ArchitectureMessage", number))
    found = parsed(scheduler_pb2.ScheduleRequest(containers=spec)).spec
    assert isinstance(found, ContainersSpec)
    assert found.architecture is None


def test_timeouts_are_parsed_whole() -> None:
    """Every timeout reaches the noun in its own place, and what is not set is None."""
    message = scheduler_pb2.ScheduleRequest(
        bamboo_agent=BAMBOO_MESSAGE,
        queue_timeout=Duration(seconds=1),
        start_timeout=Duration(seconds=2),
        run_timeout=Duration(seconds=3),
        may_run_again=True,
    )
    request = parsed(message)
    assert request.timeouts == Timeouts(queue_ms=1_000, start_ms=2_000, run_ms=3_000)
    assert request.may_run_again
    plain = parsed(scheduler_pb2.ScheduleRequest(bamboo_agent=BAMBOO_MESSAGE))
    assert (plain.timeouts, plain.may_run_again) == (Timeouts(), False)


@pytest.mark.parametrize("name", ["queue_timeout", "start_timeout", "run_timeout"])
@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(0, 0), (0, 1), (-5, 0), (-5, -1), (0, -1), (5, -1), (-5, 1), (5, 10**9), (-1, -(10**9)), (2**62, 0)],
)
def test_wrong_duration_is_named(name: str, seconds: int, nanos: int) -> None:
    """A duration that is malformed, negative or out of range is a violation at its field."""
    changes = {name: Duration(seconds=seconds, nanos=nanos)}
    violations = validate(parsed(schedule_request(1, **changes)))
    assert [each.field_path for each in violations] == [name]


@given(st.integers(0, 2**40), st.integers(0, 999_999_999))
def test_duration_is_rounded_up(seconds: int, nanos: int) -> None:
    """The milliseconds are never less than what was asked for, and less than one more."""
    exact_ns = seconds * 10**9 + nanos
    rounded_ms = parse.duration_ms(Duration(seconds=seconds, nanos=nanos))
    assert 0 <= rounded_ms * 1_000_000 - exact_ns < 1_000_000


@given(st.integers(0, 10**13))
def test_duration_survives_the_round_trip(milliseconds: int) -> None:
    """Integer milliseconds become a valid duration and the same milliseconds again."""
    message = render.duration(milliseconds)
    assert message is not None
    assert 0 <= message.nanos < 1_000_000_000
    assert parse.duration_ms(message) == milliseconds


optional_ms = st.none() | st.integers(1_000, 30 * 86_400_000)


@given(st.builds(Timeouts, queue_ms=optional_ms, start_ms=optional_ms, run_ms=optional_ms), st.booleans())
def test_what_was_asked_for_is_shown(timeouts: Timeouts, may_run_again: bool) -> None:
    """Timeouts are shown as they were asked for, at once and later, and what was not set stays unset."""
    record = submitted(timeouts=timeouts, may_run_again=may_run_again, spec=BAMBOO)
    shown = accepted(record, scheduler_pb2.ScheduleRequest(bamboo_agent=BAMBOO_MESSAGE))
    asked = scheduler_pb2.ScheduleRequest(bamboo_agent=BAMBOO_MESSAGE, may_run_again=shown.may_run_again)
    for name in ("queue_timeout", "start_timeout", "run_timeout"):
        if shown.HasField(name):
            getattr(asked, name).CopyFrom(getattr(shown, name))
    again = parsed(asked)
    assert (again.timeouts, again.may_run_again) == (timeouts, may_run_again)


@pytest.mark.parametrize("size", [0, 99])
def test_size_that_is_not_known_is_none(size: int) -> None:
    """A size that is not set, or from a newer client, is left for validation to name."""
    message = task_spec_pb2.BambooAgentSpec(size=size)  # type: ignore[arg-type]  # open enum
    spec = parsed(scheduler_pb2.ScheduleRequest(bamboo_agent=message)).spec
    assert isinstance(spec, BambooAgentSpec)
    assert (spec.size, spec.queue_time_ms) == (None, None)


def test_missing_spec_is_a_violation() -> None:
    """There is no noun for a request without a spec."""
    assert parse.task_request(scheduler_pb2.ScheduleRequest()) == (
        Violation(field_path="spec", expected="bamboo_agent or containers"),
    )


@given(st.binary(max_size=200))
def test_parsing_never_raises(wire: bytes) -> None:
    """Whatever protobuf accepts is parsed or answered with violations."""
    message = scheduler_pb2.ScheduleRequest()
    try:
        message.ParseFromString(wire)
    except Exception:
        return
    assert parse.task_request(message)


def test_filter_is_parsed_whole() -> None:
    """Every field of a watch's filter reaches the noun."""
    message = scheduler_pb2.WatchTasksRequest(
        tenant="bamboo",
        task_ids=["t-1", "t-1"],
        build_key="P-PLAN",
        labels={"a": "b"},
        states=[task_pb2.TASK_STATE_QUEUED],
    )
    assert parse.task_filter(message) == TaskFilter(
        tenant="bamboo",
        task_ids=frozenset({"t-1"}),
        build_key="P-PLAN",
        labels=(("a", "b"),),
        states=frozenset({TaskState.QUEUED}),
    )


def test_wrong_filter_names_every_field() -> None:
    """What a filter cannot hold is named by its path."""
    message = scheduler_pb2.WatchTasksRequest(
        tenant="-",
        task_ids=[str(number) for number in range(1_001)],
        labels={str(number): "" for number in range(33)},
        states=[task_pb2.TASK_STATE_QUEUED, task_pb2.TASK_STATE_UNSPECIFIED],
    )
    violations = parse.task_filter(message)
    assert isinstance(violations, tuple)
    assert [one.field_path for one in violations] == ["tenant", "task_ids", "labels", "states[1]"]


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_time_survives_the_round_trip(milliseconds: int) -> None:
    """Integer milliseconds become a valid timestamp and the same milliseconds again, before 1970 too."""
    message = render.timestamp(milliseconds)
    assert message is not None
    assert 0 <= message.nanos < 1_000_000_000
    assert parse.milliseconds(message) == milliseconds


FINE_BAMBOO_MESSAGE = task_spec_pb2.BambooAgentSpec()
"""Its time is finer than what is kept."""
FINE_BAMBOO_MESSAGE.CopyFrom(BAMBOO_MESSAGE)
FINE_BAMBOO_MESSAGE.queue_time.nanos += 1

ASKED = (
    schedule_request(1, bamboo_agent=FINE_BAMBOO_MESSAGE, labels={"branch": "main"}, priority=5),
    schedule_request(1, containers=CONTAINERS_MESSAGE, may_run_again=True, queue_timeout=Duration(seconds=9)),
)


@pytest.mark.parametrize("asked", ASKED)
def test_an_accepted_task_is_shown_as_it_is_later(asked: scheduler_pb2.ScheduleRequest) -> None:
    """The answer to Schedule is made of the request, and says the same as GetTask does of the stored task."""
    record = replace(submitted(), request=parsed(asked))
    request = record.request
    later = Task(
        task_id=record.task_id,
        request_id=request.request_id,
        tenant=request.tenant,
        priority=request.priority,
        labels=request.labels,
        build_key=record.build_key,
        ask=record.ask,
        submitted_ms=record.at_ms,
        status=TaskStatus(state=TaskState.QUEUED, revision=0, updated_ms=record.at_ms),
        spec=request.spec,
        timeouts=request.timeouts,
        may_run_again=request.may_run_again,
    )
    assert accepted(record, asked) == render.task(later)


@pytest.mark.parametrize("asked", ASKED)
def test_an_accepted_task_is_masked(asked: scheduler_pb2.ScheduleRequest) -> None:
    """It shows what was asked for, but no value of an environment, nor what only a newer client knows."""
    newer = scheduler_pb2.ScheduleRequest.FromString(asked.SerializeToString())
    spec = newer.bamboo_agent if newer.HasField("bamboo_agent") else newer.containers
    spec.MergeFromString(b"\xfa\x3f\x07hunter2")  # field 1023, which no message here has
    shown = accepted(replace(submitted(), request=parsed(newer)), newer).SerializeToString()
    assert b"hunter2" not in shown
    assert b"***" in shown


def test_ended_task_is_rendered_whole() -> None:
    """No field of a task that a noun can fill stays empty, reserved ones apart."""
    ended = attempt(
        state=AttemptState.ENDED,
        ecs_task_arn="arn:task",
        started_ms=2,
        stopped_ms=3,
        stop_reason=stop_reason(),
    )
    status = TaskStatus(
        state=TaskState.FAILED,
        revision=9,
        updated_ms=3,
        started_ms=2,
        stopped_ms=3,
        stop_reason=stop_reason(),
    )
    shown = render.task(
        Task(
            task_id="t-1",
            request_id="r-1",
            tenant="bamboo",
            priority=1,
            labels={"a": "b"},
            build_key="P-PLAN",
            ask=Resources(cpu=1, exclusive=True),
            submitted_ms=1,
            status=status,
            spec=BAMBOO,
            timeouts=Timeouts(queue_ms=1_000, start_ms=1_500, run_ms=2_000),
            may_run_again=True,
            attempts=(ended,),
        )
    )
    unset = {field.name for field in shown.DESCRIPTOR.fields} - {
        field.name for field, _ in shown.ListFields()
    }
    assert unset == {"containers"}
    assert (shown.start_timeout.seconds, shown.start_timeout.nanos) == (1, 500_000_000)
    [one] = shown.attempts
    assert {field.name for field in one.DESCRIPTOR.fields} == {field.name for field, _ in one.ListFields()}


def test_cluster_is_rendered_whole() -> None:
    """No field of the cluster that the digest fills stays empty."""
    digest = ClusterDigest(
        cluster="ci",
        group=InstanceGroup(name="agents", min_size=1, max_size=9, desired=4, members={}),
        in_flight=2,
        types=(
            InstanceType(name="m5.large", allocatable=Resources(cpu=2048, memory_mib=7500), learned=True),
        ),
        health={
            InstanceHealth.SCHEDULABLE: 3,
            InstanceHealth.NOT_IN_GROUP: 1,
            InstanceHealth.NOT_IN_SERVICE: 1,
        },
        idle=1,
        registered=Resources(cpu=6144),
        free=Resources(cpu=1024),
        tasks={TaskState.QUEUED: 5, TaskState.RUNNING: 2, TaskState.STOPPING: 1},
        unplaced=(
            Unplaced(
                tenant="bamboo",
                priority=1,
                ask=Resources(cpu=1),
                waiting=5,
                rejects=(("cpu", 3),),
                clamped=True,
            ),
        )
        * (UNPLACED_SHOWN + 1),
        observed_ms=1,
        stale=True,
        conditions=(Condition(reason="AT_MAX", message="Raise it.", since_ms=1),),
        revision=7,
        wish=a_wish(4),
    )
    shown = cluster(digest)
    assert {field.name for field in shown.DESCRIPTOR.fields} == {
        field.name for field, _ in shown.ListFields()
    }
    assert shown.instances == scaling_pb2.InstanceCounts(schedulable=3, idle=1, outside_group=2)
    assert shown.tasks == scaling_pb2.TaskCounts(queued=5, running=2, stopping=1)
    assert (shown.group.desired_capacity, shown.group.in_flight) == (4, 2)
    assert shown.group.instance_types[0].learned
    assert shown.wish.floor == 4
    assert shown.unplaced[0].rejects == [scaling_pb2.RejectCount(reason="cpu", container_instances=3)]
