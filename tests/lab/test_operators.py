"""Humans: an operator's wishes are kept to, and what somebody changes in AWS is never fought."""

import pytest

from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import ScalingKind, WishKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import acts, detached, harms, lowered
from tests.lab.worlds import CLUSTER, MINUTE_MS, MOST, VirtualService

TEN_MINUTES = (10 * MINUTE_MS, 10 * MINUTE_MS)


def a_service(desired: int = 1, *, min_size: int = 1, max_size: int = 6) -> VirtualService:
    """So many idle instances; tasks run for ten minutes."""
    simulation = SimulationSettings(
        min_size=min_size, max_size=max_size, desired_capacity=desired, run_ms=TEN_MINUTES
    )
    service = VirtualService(simulation=simulation)
    assert service.run_until(lambda: service.engine.loop.digest.idle == desired)
    service.let_pass(0.5)
    return service


def assert_nobody_was_hurt(service: VirtualService) -> None:
    assert (harms(service.account.journal), service.strays()) == ([], [])


def test_the_group_grows_to_an_operators_floor_and_stays_there() -> None:
    """Bought for nobody, kept although idle, and let go when the wish has expired."""
    service = a_service()
    service.wish(WishKind.FLOOR, 3, for_minutes=30)
    assert service.run_until(lambda: service.has_size(3), limit_minutes=5)
    service.let_pass(20)
    assert service.has_size(3)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=20)
    assert lowered(service.account.journal) == []
    assert_nobody_was_hurt(service)
    assert [each.code for each in service.log(ScalingKind.GROW)] == ["FLOOR"]


def test_a_floor_is_no_ceiling() -> None:
    """Demand grows the group beyond it, and afterwards it shrinks to the floor again."""
    service = a_service()
    service.wish(WishKind.FLOOR, 2)
    service.submit(4, MOST)
    assert service.finish(limit_minutes=30)
    assert service.run_until(lambda: service.has_size(2), limit_minutes=30)
    service.wish(WishKind.CLEAR)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert_nobody_was_hurt(service)


def test_an_operators_target_lets_idle_instances_go_at_once_and_busy_ones_stay() -> None:
    """Five instances of which two work: three go within half a minute, the others when they are done."""
    service = a_service(5, min_size=1)
    service.submit(2, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=5)
    service.wish(WishKind.TARGET, 1)
    assert service.run_until(lambda: service.desired == 2, limit_minutes=1)
    service.submit(1, MOST)
    assert service.finish(limit_minutes=60)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert len(list(service.account.journal.of(Effect.INSTANCE_LAUNCHED))) == 5
    assert "SURPLUS" in {each.code for each in service.log(ScalingKind.DRAIN)}
    assert_nobody_was_hurt(service)


def test_a_desired_capacity_raised_by_hand_is_not_fought() -> None:
    """What comes is used, and goes by name once it is idle."""
    service = a_service()
    service.account.set_desired(4)
    service.let_pass(2)
    service.submit(3, MOST)
    assert service.finish(limit_minutes=30)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert service.log(ScalingKind.GROW) == []
    assert_nobody_was_hurt(service)


def test_a_desired_capacity_lowered_by_hand_is_not_fought() -> None:
    """Members are protected and stay while they work; then the group comes to its least size."""
    service = a_service(4)
    service.submit(4, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 4, limit_minutes=5)
    service.account.set_desired(2)
    assert service.finish(limit_minutes=30)
    assert service.states() == {TaskState.SUCCEEDED: 4}
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert_nobody_was_hurt(service)


def test_a_min_size_raised_under_a_removal_takes_the_instance_back() -> None:
    """AWS refuses the detach: the group stays at its new least size."""
    service = a_service(2)
    assert service.run_until(lambda: any(each.step is RemovalStep.DRAINING for each in service.removals()))
    service.account.set_group_limits(2, 6)
    service.let_pass(10)
    assert service.has_size(2)
    assert service.engine.loop.digest.idle == 2
    assert detached(service.account.journal, decrement=True) == []


def test_a_max_size_lowered_by_hand_is_kept_to() -> None:
    """Nothing is bought beyond it, and everything still runs."""
    service = a_service(3)
    service.submit(6, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 3, limit_minutes=5)
    service.account.set_group_limits(1, 2)
    assert service.finish(limit_minutes=60)
    assert service.states() == {TaskState.SUCCEEDED: 6}
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert_nobody_was_hurt(service)


@pytest.mark.parametrize("status", ["DRAINING", "ACTIVE"])
def test_an_instance_drained_by_hand_is_left_alone_and_no_capacity(status: str) -> None:
    """What waits is bought another one, though EC2 sees nothing wrong with the drained one."""
    service = a_service()
    (arn,) = (each["containerInstances"][0]["containerInstanceArn"] for each in service.instances())
    service.account.call(
        "ecs",
        "UpdateContainerInstancesState",
        {"cluster": CLUSTER, "containerInstances": [arn], "status": status},
    )
    before = len(service.account.journal.entries)
    service.let_pass(0.5)
    service.submit(1, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1, limit_minutes=10)
    assert ("SetDesiredCapacity" in acts(service.account.journal, since=before)) is (status == "DRAINING")


def test_a_draining_instance_that_somebody_makes_active_is_drained_again() -> None:
    """Its removal goes on, and nothing is placed on it meanwhile."""
    service = a_service(2)
    assert service.run_until(lambda: has_drained(service), limit_minutes=10)
    (removal,) = service.removals()
    service.account.call(
        "ecs",
        "UpdateContainerInstancesState",
        {"cluster": CLUSTER, "containerInstances": [removal.arn], "status": "ACTIVE"},
    )
    assert service.run_until(lambda: service.has_size(1), limit_minutes=10)
    assert_nobody_was_hurt(service)


def has_drained(service: VirtualService) -> bool:
    changes = service.account.journal.of(Effect.CONTAINER_INSTANCE_STATE_CHANGE)
    return any(entry["status"] == "DRAINING" for entry in changes)
