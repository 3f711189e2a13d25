"""The group shrinks by name: idle instances leave one by one, whatever fails, and busy ones never."""

from collections.abc import Callable

import pytest

from scheduler.core.model.calls import Call, DetachInstances, DrainInstances, TerminateInstances
from scheduler.core.model.removal import RemovalStep
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import detached, harms, lowered, statuses
from tests.lab.worlds import MOST, VirtualService

ONE_TOO_MANY = SimulationSettings(min_size=1, max_size=4, desired_capacity=2)


def a_service(*faults: Fault, seed: int = 0) -> VirtualService:
    """Two idle instances where one is enough."""
    return VirtualService(seed=seed, simulation=ONE_TOO_MANY, faults=faults)


def assert_shrunk_by_name(service: VirtualService, *, gone: int) -> None:
    """The group is at its least, each instance left once and by name, and nothing is left behind."""
    journal = service.account.journal
    assert service.run_until(lambda: service.has_size(1), limit_minutes=30)
    assert len(detached(journal, decrement=True)) == len(set(detached(journal, decrement=True))) == gone
    assert (lowered(journal), harms(journal), service.strays()) == ([], [], [])


def has_step(service: VirtualService, step: RemovalStep) -> bool:
    return any(each.step is step for each in service.removals())


def has_happened(service: VirtualService, effect: Effect) -> bool:
    return any(service.account.journal.of(effect))


def test_after_a_burst_the_group_shrinks_to_its_least_size() -> None:
    """One by one and by name; desired capacity is never lowered by a set, and no busy instance goes."""
    service = VirtualService(simulation=SimulationSettings(min_size=1, max_size=8, desired_capacity=1))
    service.submit(40)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 40}
    assert_shrunk_by_name(service, gone=4)
    removed = service.log(ScalingKind.REMOVED)
    assert {each.ec2_instance_id for each in removed} == set(
        detached(service.account.journal, decrement=True)
    )
    drains = service.log(ScalingKind.DRAIN)
    assert [(each.desired_before, each.desired_after) for each in drains] == [(5, 4), (4, 3), (3, 2), (2, 1)]


def test_a_draining_instance_is_taken_back_before_one_is_bought() -> None:
    """New demand while it drains: it is ACTIVE again and gets the task, and nothing is launched."""
    service = a_service()
    assert service.run_until(lambda: has_step(service, RemovalStep.DRAINING))
    (removal,) = service.removals()
    service.submit(2, MOST)
    assert service.finish()
    journal = service.account.journal
    assert statuses(journal, removal.ec2_instance_id)[:2] == ["DRAINING", "ACTIVE"]
    assert len(list(journal.of(Effect.INSTANCE_LAUNCHED))) == 2
    assert {task.attempts[-1].ec2_instance_id for task in service.tasks()} == set(service.members())
    assert [each.ec2_instance_id for each in service.log(ScalingKind.TAKE_BACK)] == [removal.ec2_instance_id]


def test_a_drain_that_comes_late_is_undone() -> None:
    """Its answer was lost; a repeated one was accepted, and undone since AWS kept it; then the first came."""
    service = a_service(
        Fault(operation="UpdateContainerInstancesState", kind="dropped_late"),
        Fault(operation="DetachInstances", kind="error_before", code="AccessDenied", http_status=403),
    )
    assert service.run_until(lambda: bool(service.log(ScalingKind.TAKE_BACK)))
    (told,) = service.log(ScalingKind.TAKE_BACK)
    service.let_pass(1.5)
    seen = statuses(service.account.journal, told.ec2_instance_id)
    assert seen[:4] == ["DRAINING", "ACTIVE", "DRAINING", "ACTIVE"]
    assert_shrunk_by_name(service, gone=1)


def test_an_instance_is_not_taken_back_once_its_detach_is_durable() -> None:
    """It leaves, and what its room was wanted for is bought."""
    service = a_service()
    assert service.run_until(lambda: has_step(service, RemovalStep.DETACHING))
    (removal,) = service.removals()
    service.submit(2, MOST)
    assert service.finish()
    assert statuses(service.account.journal, removal.ec2_instance_id) == ["DRAINING"]
    assert len(list(service.account.journal.of(Effect.INSTANCE_LAUNCHED))) == 3
    assert service.log(ScalingKind.TAKE_BACK) == []
    assert service.strays() == []


def die_instead_of(kind: type[Call]) -> Callable[[VirtualService], None]:
    """The process dies after the intent of a call is durable and before the call is sent."""

    def arrange(service: VirtualService) -> None:
        send = service.driver._send
        died: list[Call] = []

        def dying(call: Call) -> None:
            if isinstance(call, kind) and not died:
                died.append(call)
                service.driver.at(service.clock.now_ms(), service.driver.crash)
            else:
                send(call)

        service.driver._send = dying  # type: ignore[method-assign] # this death has no other door
        assert service.run_until(lambda: bool(died), limit_minutes=10)

    return arrange


def die_at(step: RemovalStep) -> Callable[[VirtualService], None]:
    """The process dies as soon as the act of a step is under way; it has its effect all the same."""

    def arrange(service: VirtualService) -> None:
        assert service.run_until(lambda: has_step(service, step), limit_minutes=10)
        service.driver.crash()

    return arrange


def die_after(effect: Effect) -> Callable[[VirtualService], None]:
    """The process dies as soon as something has happened to the account."""

    def arrange(service: VirtualService) -> None:
        assert service.run_until(lambda: has_happened(service, effect), limit_minutes=10)
        service.driver.crash()

    return arrange


DEATHS = {
    "drain committed": die_instead_of(DrainInstances),
    "drain sent": die_at(RemovalStep.DRAINING),
    "drained": die_after(Effect.CONTAINER_INSTANCE_STATE_CHANGE),
    "found empty": die_instead_of(DetachInstances),
    "detach sent": die_at(RemovalStep.DETACHING),
    "detaching": die_after(Effect.DETACH_INSTANCES),
    "detached": die_after(Effect.INSTANCE_DETACHED),
    "termination committed": die_instead_of(TerminateInstances),
    "termination sent": die_at(RemovalStep.TERMINATING),
    "terminating": die_after(Effect.INSTANCE_TERMINATING),
    "terminated": die_after(Effect.INSTANCE_TERMINATED),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("death", DEATHS)
def test_a_removal_goes_on_after_a_crash_at_any_step(death: str, seed: int) -> None:
    """It ends as if nothing had been, and no instance is left running outside the group."""
    service = a_service(seed=seed)
    DEATHS[death](service)
    assert_shrunk_by_name(service, gone=1)


KINDS: tuple[FaultKind, ...] = ("dropped_before", "dropped_after", "error_before", "error_after", "throttle")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "operation", ["UpdateContainerInstancesState", "DetachInstances", "TerminateInstances"]
)
def test_a_removal_survives_failures_of_each_act(operation: str, kind: FaultKind) -> None:
    """Lost answers, errors before and after the effect, throttles: the same end, desired exactly right."""
    service = a_service(Fault(operation=operation, kind=kind, count=2))
    assert service.run_until(lambda: has_happened(service, Effect.FAULT_INJECTED), limit_minutes=10)
    assert_shrunk_by_name(service, gone=1)


def test_a_detach_whose_answer_was_lost_is_told_from_a_replacement_by_the_group() -> None:
    """Its repeat is refused, and no reading shows yet why: the instance is not left to itself."""
    service = a_service(Fault(operation="DetachInstances", kind="dropped_after"))
    assert service.run_until(lambda: has_happened(service, Effect.FAULT_INJECTED), limit_minutes=10)
    service.account.faults.add(Fault(operation="DescribeAutoScalingGroups", kind="error_before", count=6))
    assert_shrunk_by_name(service, gone=1)
    service.let_pass(0.1)
    assert service.conditions() == {}
