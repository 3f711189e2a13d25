"""Cases B and A06 on instances that are disconnected, lonely, stale or outside the group.

What the seed asked of the group (its sums + 1) is replaced by what packing needs, and its one cycle by
readings over time.
"""

from dataclasses import replace

import pytest

from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from tests.conformance.sick import PATIENT, a_service, detach, occupants, share
from tests.lab.oracle import detached, lowered, statuses
from tests.lab.worlds import LOG_GROUP, VirtualService


def codes(service: VirtualService, kind: ScalingKind) -> list[str]:
    """Why things of this kind were done, in order."""
    return [each.code for each in service.log(kind)]


def test_a06_never_all_instances_are_chosen_to_go() -> None:
    """Idle for long, some of them disconnected: the last one that works stays, whatever happens to others."""
    service = a_service(4, min_size=0)
    service.account.set_agent_connected(service.members()[0], False)
    service.let_pass(60)
    assert len(service.instances()) >= 1
    assert any(each["agentConnected"] for each in service.account.instances() if each["state"] == "running")


def test_b12_ripe_disconnected_instances_are_replaced_without_decrement() -> None:
    """One of four, 40 minutes on, with tasks that ECS still reports on it; the request runs elsewhere."""
    service = a_service(4)
    service.submit(1, share(10, 60))
    service.let_pass(2)
    lost = occupants(service)[0]
    service.account.set_agent_connected(lost, False)
    service.submit(1, share(10, 60))
    service.let_pass(40)
    assert detached(service.account.journal, decrement=False) == [lost]
    assert detached(service.account.journal, decrement=True) == []
    assert service.states()[TaskState.RUNNING] == 1
    assert lowered(service.account.journal) == []


def test_b12_all_disconnected_at_once_is_no_instances_fault() -> None:
    """Differs from the seed, which kills all five: so many at a time freeze the kills, and builds go on."""
    service = a_service(5)
    for each in service.members():
        service.account.set_agent_connected(each, False)
    service.let_pass(40)
    assert detached(service.account.journal, decrement=False) == []
    assert "MASS_DISCONNECT" in service.conditions()


def test_b13_freshly_disconnected_instances_are_not_ended() -> None:
    """They are no capacity either: once the grace for blinks is over, another is bought for the request."""
    service = a_service(2)
    for each in service.members():
        service.account.set_agent_connected(each, False)
    service.submit(1, share(10, 60))
    service.let_pass(5)
    assert detached(service.account.journal, decrement=False) == []
    assert (service.desired, service.states()[TaskState.RUNNING]) == (3, 1)


def test_b14_a_detach_that_fails_is_repeated_and_told() -> None:
    """The group goes on meanwhile, and what waits is served by what is bought."""
    service = a_service(1)
    lost = service.members()[0]
    service.account.set_agent_connected(lost, False)
    denied = Fault(
        operation="DetachInstances", kind="error_before", code="AccessDenied", http_status=403, count=10_000
    )
    service.account.faults.add(denied)
    service.submit(1, share(60, 10))
    service.let_pass(40)
    assert "INSTANCES_NOT_DETACHED" in service.conditions()
    assert (service.desired, service.states()[TaskState.RUNNING]) == (2, 1)
    service.account.faults.clear()
    assert service.run_until(lambda: lost not in service.members(), limit_minutes=10)


def test_b16_an_instance_outside_the_group_gets_nothing_and_goes() -> None:
    """It was a member once: nothing is placed on it, and it is ended by name; desired capacity stays."""
    service = a_service(5, min_size=4)
    stranger = service.members()[4]
    detach(service, stranger)
    service.submit(1, share(79, 59))
    service.let_pass(30)
    assert occupants(service)[0] != stranger
    assert stranger not in [each["ec2InstanceId"] for each in service.instances()]
    assert codes(service, ScalingKind.TERMINATE) == [RemovalCause.NOT_IN_GROUP]


@pytest.mark.parametrize(
    ("groups", "stream", "word"), [((LOG_GROUP,), 1, "is in the log stream"), ((), 0, "status=1/FAILURE")]
)
def test_b17_a_lonely_member_is_replaced_once_and_its_console_kept(
    groups: tuple[str, ...], stream: int, word: str
) -> None:
    """In the group, never in ECS: terminated without decrement, told once, with what it said.

    Where there is no log group the scaling log has the end of it.
    """
    service = a_service(2, log_groups=groups)
    service.account.set_next_launches_never_join(1)
    service.account.set_desired(3)
    assert service.run_until(lambda: len(service.log(ScalingKind.TERMINATE)) == 1, limit_minutes=20)
    assert service.run_until(lambda: service.has_size(3), limit_minutes=10)
    assert codes(service, ScalingKind.TERMINATE) == [RemovalCause.NEVER_JOINED]
    (evidence,) = service.log(ScalingKind.EVIDENCE)
    assert word in evidence.message
    streams = [each["logStreamName"] for each in service.account.journal.of(Effect.CREATE_LOG_STREAM)]
    assert streams == [f"pbc-ec2-instance-stale/{evidence.ec2_instance_id}"] * stream
    assert lowered(service.account.journal) == []


def test_b09_a_listing_that_fails_starts_scales_and_ends_nothing() -> None:
    """The request waits, and is served when the list is back."""
    service = a_service(2)
    service.account.faults.add(Fault(operation="ListContainerInstances", kind="error_before", count=10_000))
    service.let_pass(40)
    assert detached(service.account.journal, decrement=False) == []
    service.account.faults.clear()
    service.submit(1, share(10, 10))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1, limit_minutes=5)


@pytest.mark.parametrize(("drains", "ends"), [(False, 1), (True, 0)])
def test_a_disconnected_instance_with_tasks_is_drained_instead_if_so_set(drains: bool, ends: int) -> None:
    """With `drain_disconnected` a build that goes on without its agent is never ended by us."""
    service = a_service(3, policy=replace(PATIENT, drain_disconnected=drains))
    service.submit(1, share(10, 10))
    service.let_pass(2)
    lost = occupants(service)[0]
    service.account.set_agent_connected(lost, False)
    service.let_pass(40)
    assert len(detached(service.account.journal, decrement=False)) == ends
    if drains:
        service.account.set_agent_connected(lost, True)
        assert service.finish(limit_minutes=60)
        assert service.states() == {TaskState.SUCCEEDED: 1}
        assert statuses(service.account.journal, lost) == ["DRAINING", "ACTIVE"]
