"""Launches that never come: an operator suspended the group's process Launch, and nothing fails."""

from scheduler.core.model.policy import Policy
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import GROUP, MINUTE_MS, MOST, VirtualService

LAUNCH = {"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Launch"]}


def a_suspended_service() -> VirtualService:
    """Two tasks for the one instance that is there; the group is asked for another and does not launch it."""
    simulation = SimulationSettings(
        min_size=1, max_size=6, desired_capacity=1, run_ms=(90 * MINUTE_MS, 90 * MINUTE_MS)
    )
    policy = Policy(queue_timeout_ms=180 * MINUTE_MS, hazards_poll_ms=5 * MINUTE_MS)
    service = VirtualService(simulation=simulation, policy=policy)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 1)
    service.account.call("autoscaling", "SuspendProcesses", LAUNCH)
    service.submit(2, MOST)
    service.let_pass(13)
    return service


def readings(service: VirtualService, minutes: int) -> int:
    """How often the group is read in this time."""
    before = service.account.journal.calls["DescribeAutoScalingGroups"]
    service.let_pass(minutes)
    return service.account.journal.calls["DescribeAutoScalingGroups"] - before


def test_a_suspended_launch_is_told_and_nothing_piles_up() -> None:
    """The cause and the delay; the group is not read every second, nor asked for more that it would owe."""
    service = a_suspended_service()
    assert {"LAUNCHES_SUSPENDED", "LAUNCHES_LATE"} <= service.conditions().keys()
    assert service.log(ScalingKind.LAUNCH_FAILED) == []
    assert readings(service, 5) <= 5 * 13
    service.submit(3, MOST)
    service.let_pass(10)
    assert service.desired == 2


def test_a_resumed_launch_makes_good_for_it() -> None:
    """One comes, so the others are asked for: nobody has to be told."""
    service = a_suspended_service()
    service.submit(3, MOST)
    service.account.call("autoscaling", "ResumeProcesses", LAUNCH)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 5, limit_minutes=20)
    assert service.desired == 5
    service.let_pass(6)
    assert not {"LAUNCHES_SUSPENDED", "LAUNCHES_LATE"} & service.conditions().keys()
