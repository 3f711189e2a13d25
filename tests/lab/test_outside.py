"""Instances outside the group, whoever took them out, and removals that AWS puts off: whole services."""

from collections import Counter

import pytest

from scheduler.core.model.policy import ForeignInstances, Policy
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import detached, harms
from tests.lab.worlds import GROUP, MINUTE_MS, MOST, VirtualService

STEPS = (ScalingKind.DRAIN, ScalingKind.DETACH, ScalingKind.TAKE_BACK, ScalingKind.TERMINATE)


def a_service(
    size: int, *, min_size: int | None = None, run_minutes: int = 60, policy: Policy | None = None
) -> VirtualService:
    """As many idle instances, in a group that must have so many unless `min_size` says otherwise."""
    simulation = SimulationSettings(
        min_size=size if min_size is None else min_size,
        max_size=size + 2,
        desired_capacity=size,
        run_ms=(run_minutes * MINUTE_MS, run_minutes * MINUTE_MS),
    )
    service = VirtualService(simulation=simulation, policy=policy or Policy())
    assert service.run_until(lambda: service.engine.loop.digest.idle == size)
    return service


def detach(service: VirtualService, ec2_id: str) -> None:
    """An operator takes it out of the group, which launches another."""
    service.account.call(
        "autoscaling",
        "DetachInstances",
        {"AutoScalingGroupName": GROUP, "InstanceIds": [ec2_id], "ShouldDecrementDesiredCapacity": False},
    )
    service.let_pass(1)
    assert service.strays() == [ec2_id]


def deny(service: VirtualService, operation: str, code: str, count: int) -> None:
    """So many calls fail without an effect."""
    service.account.faults.add(
        Fault(operation=operation, kind="error_before", code=code, http_status=400, count=count)
    )


@pytest.mark.parametrize("crashes", [False, True])
def test_a_member_that_somebody_detaches_is_ended(crashes: bool) -> None:
    """By this life of the service or the next; the group keeps its size, and nothing of it is touched."""
    service = a_service(2)
    first = service.members()[0]
    detach(service, first)
    if crashes:
        service.driver.crash()
    assert service.run_until(lambda: service.strays() == [], limit_minutes=15)
    assert service.run_until(lambda: service.has_size(2), limit_minutes=5)
    assert first not in service.members()
    assert [each.code for each in service.log(ScalingKind.TERMINATE)] == ["NOT_IN_GROUP"]
    assert "FOREIGN_INSTANCES" not in service.conditions()


def test_one_that_was_detached_at_work_is_ended_when_its_task_has() -> None:
    """The build goes on, and nothing new comes onto it."""
    service = a_service(1, run_minutes=20)
    service.submit(1, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1, limit_minutes=5)
    detach(service, service.members()[0])
    service.let_pass(15)
    assert len(service.strays()) == 1
    assert service.finish(limit_minutes=20)
    assert service.run_until(lambda: service.strays() == [], limit_minutes=10)
    assert service.states() == {TaskState.SUCCEEDED: 1}
    assert {each.act for each in harms(service.account.journal)} == {Effect.DETACH_INSTANCES}, (
        "by the operator"
    )


@pytest.mark.parametrize(
    ("foreign", "remain"), [(ForeignInstances.REPORT, 1), (ForeignInstances.TERMINATE, 0)]
)
def test_a_lost_store_knows_nobody(foreign: ForeignInstances, remain: int) -> None:
    """What was detached before it was lost may be anybody's: told, or ended if the cluster is ours alone."""
    service = a_service(2, policy=Policy(foreign_instances=foreign))
    detach(service, service.members()[0])
    service.wipe()
    service.let_pass(20)
    assert len(service.strays()) == remain
    assert ("FOREIGN_INSTANCES" in service.conditions()) is bool(remain)


@pytest.mark.parametrize("step", [RemovalStep.DETACHING, RemovalStep.TERMINATING])
def test_a_removal_that_a_crash_cuts_short_is_ended_whole(step: RemovalStep) -> None:
    """Wherever it was: nothing is left outside the group."""
    service = a_service(3, min_size=1)
    assert service.run_until(lambda: any(each.step is step for each in service.removals()))
    service.driver.crash()
    assert service.run_until(lambda: service.has_size(1), limit_minutes=20)
    assert (service.strays(), harms(service.account.journal)) == ([], [])


def test_a_throttled_detach_is_told_once() -> None:
    """It is looked at again and again before each try; that is no new step."""
    service = a_service(2, min_size=1)
    deny(service, "DetachInstances", "Throttling", 20)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=20)
    kinds = [each.kind for each in service.log(*STEPS)]
    assert kinds == [ScalingKind.DRAIN, ScalingKind.DETACH, ScalingKind.TERMINATE]
    assert len(detached(service.account.journal, decrement=True)) == 1


def test_a_denied_detach_is_told_once_with_what_is_true() -> None:
    """It is taken back because AWS refuses, and tried again after each rest without a word."""
    service = a_service(2, min_size=1)
    deny(service, "DetachInstances", "AccessDenied", 10_000)
    service.let_pass(40)
    events = service.log(*STEPS)
    told = Counter((each.ec2_instance_id, each.kind) for each in events)
    kinds = {ScalingKind.DRAIN, ScalingKind.DETACH, ScalingKind.TAKE_BACK}
    assert told == Counter((ec2_id, kind) for ec2_id in service.members() for kind in kinds)
    assert events[-1].message == "AWS refuses to let it go: AccessDenied"
    service.account.faults.clear()
    assert service.run_until(lambda: service.has_size(1), limit_minutes=20)


def test_one_that_is_wanted_again_is_told_so() -> None:
    """Of all reasons to take one back."""
    service = a_service(2, min_size=1)
    service.run_until(lambda: any(each.step is RemovalStep.DRAINING for each in service.removals()))
    service.submit(2, MOST)
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 2, limit_minutes=10)
    assert [each.message for each in service.log(ScalingKind.TAKE_BACK)] == ["it is wanted again"]
