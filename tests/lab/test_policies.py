"""Policies that one can choose, in whole services: headroom, and tasks that are spread."""

from scheduler.core.model.policy import Placement, Policy
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import Container, ContainersSpec, TaskState
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import MOST, REGULAR, VirtualService

HEADROOM = Policy(headroom=(Pieces(ask=MOST, count=2),))
"""Room for two tasks of more than half an instance each."""


def a_service(policy: Policy, size: int, *, max_size: int = 10) -> VirtualService:
    """So many idle instances; tasks run for ten minutes."""
    simulation = SimulationSettings(desired_capacity=size, max_size=max_size, run_ms=(600_000, 600_000))
    return VirtualService(policy=policy, simulation=simulation)


def test_headroom_is_bought_without_any_task_and_told_as_such() -> None:
    """Once: when it is there, nothing more is asked for."""
    service = a_service(HEADROOM, 1)
    service.let_pass(30)
    assert service.has_size(2)
    (growth,) = service.log(ScalingKind.GROW)
    assert growth.code == "HEADROOM"
    assert growth.message.endswith("1 for headroom of 12000 CPU units and 40000 MiB")


def test_headroom_keeps_idle_instances_and_no_more_than_it_needs() -> None:
    """Of five two stay, however long nothing comes."""
    service = a_service(HEADROOM, 5)
    service.let_pass(60)
    assert service.has_size(2)
    assert service.log(ScalingKind.GROW) == []


def test_tasks_use_the_headroom_and_it_is_bought_anew() -> None:
    """They start at once, and behind them there is room for two again; when they have ended it shrinks."""
    service = a_service(HEADROOM, 2)
    service.let_pass(1)
    service.submit(2, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=1)
    assert service.run_until(lambda: service.has_size(4), limit_minutes=5)
    assert service.finish()
    assert service.run_until(lambda: service.has_size(2), limit_minutes=20)


def test_headroom_stops_at_max_size() -> None:
    """What waits has the place that there is, and nobody is told that max size keeps it waiting."""
    service = a_service(HEADROOM, 1, max_size=1)
    service.submit(1, MOST)
    service.let_pass(5)
    assert service.states() == {TaskState.RUNNING: 1}
    assert "GROUP_AT_MAX_SIZE" not in service.conditions()


def test_spread_puts_tasks_apart_and_best_fit_together() -> None:
    """Three tasks on three idle instances."""
    for placement, expected in ((Placement.SPREAD, 3), (Placement.BEST_FIT, 1)):
        service = a_service(Policy(placement=placement), 3)
        service.submit(3, REGULAR)
        service.let_pass(1)
        assert len({each.attempts[-1].ec2_instance_id for each in service.tasks()}) == expected


def test_of_idle_instances_one_that_has_the_image_gets_the_task() -> None:
    """Not the oldest, which got the first task: the older of the two that have its image."""
    service = a_service(Policy(placement=Placement.SPREAD, idle_timeout_ms=10**9), 3)
    first, second = (spec_of("first:1"), spec_of("second:1"))
    service.submit(1, spec=first)
    service.submit(2, spec=second)
    assert service.finish()
    service.submit(1, spec=second)
    assert service.finish()
    placed = [each.attempts[-1].ec2_instance_id for each in service.tasks()]
    assert len(set(placed[:3])) == 3
    assert placed[3] == placed[1]


def spec_of(image: str) -> ContainersSpec:
    return ContainersSpec(containers=(Container(name="agent", image=image, resources=REGULAR),))
