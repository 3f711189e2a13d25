"""Parts of plain containers that a client spells wrongly: each is named, none is corrected."""

from typing import cast

import pytest
from google.protobuf.duration_pb2 import Duration

from ecs_scheduler.v1 import scheduler_pb2, task_spec_pb2
from ecs_scheduler.v1.resources_pb2 import Resources
from scheduler.api.convert import parse
from scheduler.core.model.task import TaskRequest
from scheduler.core.validate import validate
from tests.api.served import schedule_request


def parsed(message: scheduler_pb2.ScheduleRequest) -> TaskRequest:
    request = parse.task_request(message)
    assert isinstance(request, TaskRequest)
    return request


@pytest.mark.parametrize("duration", [Duration(seconds=5, nanos=1), Duration(nanos=-1), Duration(seconds=-5)])
def test_durations_for_ecs_are_whole_seconds(duration: Duration) -> None:
    """One that is not, or is malformed, is named and never rounded; a start period may be nothing at all."""
    check = task_spec_pb2.HealthCheck(command=["CMD", "true"], interval=duration, start_period=duration)
    container = task_spec_pb2.Container(
        name="main", image="a:1", resources=Resources(memory_mib=6), health_check=check
    )
    container.stop_timeout.CopyFrom(duration)
    message = schedule_request(1, containers=task_spec_pb2.ContainersSpec(containers=[container]))
    assert [each.field_path for each in validate(parsed(message))] == [
        f"containers.containers[0].{name}"
        for name in ("health_check.interval", "health_check.start_period", "stop_timeout")
    ]


@pytest.mark.parametrize("number", [0, 99, -1])
def test_a_condition_that_is_not_known_is_named(number: int) -> None:
    """Not set, or a newer client's."""
    condition = cast("task_spec_pb2.ContainerCondition", number)
    dependency = task_spec_pb2.ContainerDependency(container_name="main", condition=condition)
    containers = [
        task_spec_pb2.Container(name=name, image="a:1", resources=Resources(memory_mib=6))
        for name in ("main", "db")
    ]
    containers[1].depends_on.append(dependency)
    message = schedule_request(1, containers=task_spec_pb2.ContainersSpec(containers=containers))
    assert [each.field_path for each in validate(parsed(message))] == [
        "containers.containers[1].depends_on[0].condition"
    ]
