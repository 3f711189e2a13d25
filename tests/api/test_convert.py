"""Messages to nouns and back."""

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1 import scaling_pb2, scheduler_pb2, task_pb2, task_spec_pb2
from ecs_scheduler.v1.resources_pb2 import Resources as ResourcesMessage
from scheduler.api.convert import parse, render
from scheduler.api.convert.cluster import cluster
from scheduler.core.model.attempt import AttemptState
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, Condition, Unplaced
from scheduler.core.model.errors import Violation
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    Task,
    TaskRequest,
    TaskState,
    TaskStatus,
)
from scheduler.ports.store import TaskFilter
from tests.builders import attempt, stop_reason, submitted

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
        )
    ],
    queue_time=Timestamp(seconds=1_790_000_000, nanos=123_000_000),
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
        ),
    ),
    queue_time_ms=1_790_000_000_123,
)


def parsed(message: scheduler_pb2.ScheduleRequest) -> TaskRequest:
    request = parse.task_request(message)
    assert isinstance(request, TaskRequest)
    return request


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
    container = task_spec_pb2.Container(
        name="main",
        image="agent:1",
        resources=ResourcesMessage(cpu_units=1, memory_mib=2, gpus=3),
        command=["run"],
        environment=[task_spec_pb2.EnvironmentVariable(name="A", value="B")],
        essential=True,
    )
    spec = task_spec_pb2.ContainersSpec(containers=[container])
    assert parsed(scheduler_pb2.ScheduleRequest(containers=spec)).spec == ContainersSpec(
        containers=(
            Container(
                name="main",
                image="agent:1",
                resources=Resources(cpu=1, memory_mib=2, gpus=3),
                command=("run",),
                environment=(EnvironmentVariable(name="A", value="B"),),
                essential=True,
            ),
        )
    )


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


def test_accepted_bamboo_agent_is_rendered_masked() -> None:
    """An accepted task shows what was asked for, but no value of an environment."""
    shown = render.accepted(submitted(spec=BAMBOO), revision=7)
    expected = task_spec_pb2.BambooAgentSpec()
    expected.CopyFrom(BAMBOO_MESSAGE)
    expected.extra_containers[0].environment[0].value = "***"
    assert shown.bamboo_agent == expected
    assert (shown.state, shown.revision) == (task_pb2.TASK_STATE_QUEUED, 7)
    assert b"hunter2" not in shown.SerializeToString()


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
            ask=Resources(cpu=1),
            submitted_ms=1,
            status=status,
            spec=BAMBOO,
            attempts=(ended,),
        )
    )
    unset = {field.name for field in shown.DESCRIPTOR.fields} - {
        field.name for field, _ in shown.ListFields()
    }
    assert unset == {"containers"}
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
        tasks={TaskState.QUEUED: 5, TaskState.RUNNING: 2},
        unplaced=(
            Unplaced(
                tenant="bamboo",
                priority=1,
                ask=Resources(cpu=1),
                count=5,
                rejects=(("cpu", 3),),
                clamped=True,
            ),
        ),
        observed_ms=1,
        stale=True,
        conditions=(Condition(reason="AT_MAX", message="Raise it.", since_ms=1),),
        revision=7,
    )
    shown = cluster(digest)
    assert {field.name for field in shown.DESCRIPTOR.fields} == {
        field.name for field, _ in shown.ListFields()
    }
    assert shown.instances == scaling_pb2.InstanceCounts(schedulable=3, idle=1, outside_group=2)
    assert shown.tasks == scaling_pb2.TaskCounts(queued=5, running=2)
    assert (shown.group.desired_capacity, shown.group.in_flight) == (4, 2)
    assert shown.group.instance_types[0].learned
    assert shown.unplaced[0].rejects == [scaling_pb2.RejectCount(reason="cpu", container_instances=3)]
