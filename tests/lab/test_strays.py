"""The overlap that remains when ECS hides a started task for longer than the visibility window."""

from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import VirtualService

HIDDEN = SimulationSettings(
    min_size=1,
    max_size=1,
    desired_capacity=1,
    read_visibility_lag_ms=90_000,
    run_ms=(900_000, 1_200_000),
)
"""Lists lag for longer than the window of 60 s."""


def test_a_stray_is_stopped_when_it_shows_up() -> None:
    """Its answer was lost, nobody found it in the window, its work was given to another: it is stopped."""
    service = VirtualService(simulation=HIDDEN, faults=(Fault(operation="StartTask", kind="dropped_after"),))
    service.submit(1)
    assert service.finish(limit_minutes=60)
    (task,) = service.tasks()
    assert task.status.state is TaskState.SUCCEEDED
    assert service.starts() == {task.task_id: 2}
    stray, kept = service.ecs_tasks()
    assert stray["stopCode"] == "UserInitiated"
    assert kept["stopCode"] == "EssentialContainerExited"
    overlap_ms = (stray["stoppingAt"] - kept["createdAt"]).total_seconds() * 1000
    assert overlap_ms < 60_000


def test_nothing_else_is_stopped_for_being_unknown() -> None:
    """Somebody else's task on our instance is occupied room, and left alone."""
    service = VirtualService(simulation=SimulationSettings(min_size=1, max_size=1, desired_capacity=1))
    service.submit(1)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] > 0)
    (ours,) = service.ecs_tasks()
    service.account.call(
        "ecs",
        "StartTask",
        {
            "cluster": "ci",
            "containerInstances": [ours["containerInstanceArn"]],
            "taskDefinition": ours["taskDefinitionArn"],
            "startedBy": "somebody-else",
        },
    )
    assert service.finish()
    assert [each["stopCode"] for each in service.ecs_tasks() if "stopCode" in each] == [
        "EssentialContainerExited"
    ]
