"""A group with a warm pool: it grows faster, and what rests in the pool is nobody's to use or to end."""

from typing import Any

import pytest

from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.group_features import WarmPoolConfiguration
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import detached, harms, lowered
from tests.lab.worlds import MOST, VirtualService

POOL = WarmPoolConfiguration()
BUSY_MS = (600_000, 600_000)


def a_service(pool: WarmPoolConfiguration | None = POOL, **changes: Any) -> VirtualService:
    """One instance of at most four, and a pool of the other three that has come to rest."""
    fields: dict[str, Any] = {"min_size": 1, "desired_capacity": 1, "max_size": 4, "run_ms": BUSY_MS}
    service = VirtualService(simulation=SimulationSettings(warm_pool=pool, **(fields | changes)))
    service.let_pass(5)
    return service


def warm(service: VirtualService) -> dict[str, str]:
    """The pool's instances with their lifecycle states."""
    answer = service.account.call("autoscaling", "DescribeWarmPool", {"AutoScalingGroupName": "ci-agents"})
    return {each["InstanceId"]: each["LifecycleState"] for each in answer["Instances"]}


def seconds_to_run(service: VirtualService) -> float:
    """Until three tasks, each for an instance, run."""
    began_ms = service.clock.now_ms()
    service.submit(3, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 3)
    return (service.clock.now_ms() - began_ms) / 1_000


@pytest.mark.parametrize("agents_wait", [True, False])
@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_a_warm_pool_is_faster_growth(state: Any, agents_wait: bool) -> None:
    """The service raises desired capacity as ever, and no more than without one."""
    pool = WarmPoolConfiguration(pool_state=state)
    with_pool, without = a_service(pool, warm_pool_agents_wait=agents_wait), a_service(None)
    assert seconds_to_run(with_pool) < seconds_to_run(without) - 20
    assert with_pool.desired == without.desired == 3


@pytest.mark.parametrize("agents_wait", [True, False])
@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_what_rests_in_the_pool_is_left_alone(state: Any, agents_wait: bool) -> None:
    """An hour of it: nothing is placed there or removed, and nobody is thought never to have joined."""
    service = a_service(WarmPoolConfiguration(pool_state=state), warm_pool_agents_wait=agents_wait)
    resting = warm(service)
    service.submit(1, MOST)
    service.let_pass(60)
    assert warm(service) == resting
    assert [task.attempts[-1].ec2_instance_id for task in service.tasks()] == service.members()
    assert [each.code for each in service.log()] == [] if agents_wait else ["FOREIGN_INSTANCES"]


@pytest.mark.parametrize("count", [2, 4])
def test_one_whose_agent_was_away_in_the_pool_is_not_lost(count: int) -> None:
    """It comes back when the group takes it: how long it was away in the pool says nothing of it."""
    service = a_service(warm_pool_agents_wait=False, warm_start_ms=(20_000, 20_000))
    service.let_pass(90)
    service.submit(count, MOST)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: count}
    assert detached(service.account.journal, decrement=False) == []
    assert "DISCONNECTED" not in {each.code for each in service.log()}


def test_the_group_shrinks_by_name_and_its_pool_fills_again() -> None:
    """What goes is terminated; it does not return to the pool."""
    service = a_service()
    seconds_to_run(service)
    assert service.run_until(lambda: service.has_size(1) and not service.removals(), limit_minutes=40)
    service.let_pass(5)
    journal = service.account.journal
    assert len(detached(journal, decrement=True)) == len(service.log(ScalingKind.REMOVED)) == 2
    assert (lowered(journal), harms(journal)) == ([], [])
    assert set(warm(service).values()) == {"Warmed:Stopped"}
    assert len(warm(service)) == 3
    assert len(list(journal.of(Effect.INSTANCE_TERMINATED))) == 2


def test_a_pool_that_is_deleted_leaves_nothing_behind() -> None:
    """Those that ECS listed as disconnected stay there as ghosts, until the service has them forgotten."""
    service = a_service(warm_pool_agents_wait=False)
    service.account.call("autoscaling", "DeleteWarmPool", {"AutoScalingGroupName": "ci-agents"})
    service.let_pass(40)
    rows = service.account.instances()
    assert [each["ec2InstanceId"] for each in rows if each["containerInstances"]] == service.members()
    assert len(service.members()) == 1
