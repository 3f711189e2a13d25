"""Growth over hours of virtual time: what misleads it once must not run it up to max size."""

from collections import Counter
from dataclasses import replace

import pytest

from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.clients import InProcessClient
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.instance_types import INSTANCE_TYPES
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.settings import LaunchSourceKind, RangeMs, SimulationSettings
from tests.lab.worlds import CLUSTER, REGULAR, VirtualService

HALF = Resources(cpu=2048, memory_mib=40_000)
NEARLY_ALL = Resources(cpu=15_000, memory_mib=60_000)
USUAL: RangeMs = (60_000, 600_000)
LONG: RangeMs = (36_000_000, 36_000_000)


def a_service(desired: int, *, max_size: int = 10, run_ms: RangeMs = USUAL) -> VirtualService:
    """A service whose cluster has booted its first instances."""
    service = VirtualService(
        simulation=SimulationSettings(
            desired_capacity=desired, min_size=desired, max_size=max_size, run_ms=run_ms
        )
    )
    assert service.run_until(lambda: service.engine.loop.digest.idle == desired)
    pass_ms(service, 10_000)
    return service


def pass_ms(service: VirtualService, duration_ms: int) -> None:
    end_ms = service.clock.now_ms() + duration_ms
    service.driver.at(end_ms, lambda: None)
    assert service.driver.run_until(lambda: service.clock.now_ms() >= end_ms, limit_ms=duration_ms + 1)


def a_mixed_service(monkeypatch: pytest.MonkeyPatch, launched: str) -> VirtualService:
    """A group of small and large instances, whatever fits, of which only one type is ever launched."""
    monkeypatch.setattr(LaunchSource, "draw_type", lambda source: INSTANCE_TYPES[launched])
    simulation = SimulationSettings(
        min_size=0,
        max_size=60,
        desired_capacity=0,
        instance_types=("m5.large", "m4.4xlarge"),
        launch_source="mixed_instances",
    )
    return VirtualService(simulation=simulation)


def desired(service: VirtualService) -> int:
    *_, last = service.account.journal.of(Effect.SET_DESIRED_CAPACITY)
    return int(last["desiredCapacity"])


def conditions(service: VirtualService) -> dict[str, str]:
    return {each.reason: each.message for each in service.engine.loop.digest.conditions}


def connect(service: VirtualService, *, connected: bool) -> None:
    """The agents of all members connect or go silent."""
    group = service.engine.loop.digest.group
    assert group is not None
    for ec2_id in group.members:
        service.account.set_agent_connected(ec2_id, connected)


def test_a_stranger_in_the_cluster_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It registered half of what the group's instances do: tasks that those hold go on waiting for them."""
    service = a_service(2, max_size=2)
    service.submit(4, HALF)
    real = service.cloud.container_instances

    def with_a_stranger() -> tuple[ContainerInstance, ...]:
        first, *rest = real()
        little = Resources(cpu=16_384, memory_mib=30_000)
        stranger = replace(
            first, arn=f"{first.arn}x", ec2_instance_id="i-x", registered=little, remaining=little
        )
        return (stranger, first, *rest)

    monkeypatch.setattr(service.cloud, "container_instances", with_a_stranger)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 4}


def test_a_blink_of_all_agents_buys_nothing() -> None:
    """What is free on them will be there in a moment."""
    service = a_service(2)
    connect(service, connected=False)
    pass_ms(service, 7_000)
    service.submit(2)
    pass_ms(service, 5_000)
    connect(service, connected=True)
    assert service.finish()
    assert desired(service) == 2


def test_a_lost_instance_is_bought_on_top_of() -> None:
    """Its agent does not come back and EC2 sees nothing wrong: the group would not replace it."""
    service = a_service(1)
    connect(service, connected=False)
    pass_ms(service, 120_000)
    service.submit(3)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 3}
    assert desired(service) == 2


def test_a_smaller_type_than_was_hoped_for_does_not_run_up_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group chooses types; one that does not hold the shape is bought for it once in ten minutes."""
    service = a_mixed_service(monkeypatch, "m5.large")
    service.submit(1, NEARLY_ALL)
    pass_ms(service, 500_000)
    assert desired(service) == 1
    assert "15000 CPU units" in conditions(service)["SHAPE_NOT_HELD"]


def test_daemons_do_not_run_up_the_group() -> None:
    """They take what the task needs on every instance that comes: one in ten minutes, and it is told."""
    service = a_service(0, max_size=15, run_ms=LONG)
    ecs = InProcessClient(service.account, "ecs")
    container = {"name": "daemon", "image": "daemon:1", "cpu": 512, "memory": 8_000, "essential": True}
    ecs.register_task_definition(family="daemon", containerDefinitions=[container])
    served: set[str] = set()

    def start_daemons() -> None:
        for arn in ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]:
            if arn not in served:
                answer = ecs.start_task(cluster=CLUSTER, containerInstances=[arn], taskDefinition="daemon")
                served.update(arn for _ in answer["tasks"])
        service.driver.at(service.clock.now_ms() + 300, start_daemons)

    start_daemons()
    service.submit(1, NEARLY_ALL)
    pass_ms(service, 1_800_000)
    assert desired(service) <= 3
    assert "SHAPE_NOT_HELD" in conditions(service)


def test_crashes_during_a_boot_buy_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the group has launched is of the type it shows, whoever asked for it and was forgotten."""
    service = a_mixed_service(monkeypatch, "m4.4xlarge")
    service.submit(4, Resources(cpu=12_000, memory_mib=40_000))
    pass_ms(service, 10_000)
    for _ in range(5):
        service.driver.crash()
        pass_ms(service, 5_000)
    assert service.finish()
    assert desired(service) == 4


@pytest.mark.parametrize("source", ["requirements_in_overrides", "requirements_in_template"])
def test_a_group_that_goes_by_requirements_grows_by_the_types_that_are_named(
    source: LaunchSourceKind,
) -> None:
    """Whichever of them it launches; each of them holds the task, so that as many come as tasks wait."""
    types = ("m4.4xlarge", "m5.4xlarge", "r5.4xlarge")
    simulation = SimulationSettings(
        desired_capacity=0, max_size=20, instance_types=types, launch_source=source
    )
    service = VirtualService(simulation=simulation, named_types=types)
    service.submit(12, NEARLY_ALL)
    assert service.finish()
    assert (service.states(), desired(service)) == ({TaskState.SUCCEEDED: 12}, 12)
    launched = {each["instanceType"] for each in service.account.journal.of(Effect.INSTANCE_LAUNCHED)}
    assert len(launched) > 1


def test_a_group_that_goes_by_requirements_does_not_grow_without_their_names() -> None:
    """The condition names the setting; what has never been seen is not bought blindly."""
    source: LaunchSourceKind = "requirements_in_overrides"
    service = VirtualService(simulation=SimulationSettings(desired_capacity=0, launch_source=source))
    service.submit(1)
    pass_ms(service, 600_000)
    assert "ECS_SCHEDULER_INSTANCE_TYPES" in conditions(service)["INSTANCE_TYPES_UNREADABLE"]
    assert (service.desired, service.states()) == (0, {TaskState.QUEUED: 1})


def test_a_refused_raise_is_told_and_not_repeated_at_once() -> None:
    """A few asks in ten minutes, the group read all the while, and AWS's own words in a condition."""
    service = a_service(1)
    denied = Fault(
        operation="SetDesiredCapacity",
        kind="error_before",
        code="AccessDenied",
        message="not authorized to perform it",
        http_status=403,
        count=12,
    )
    service.account.faults.add(denied)
    service.submit(60)
    before = Counter(service.account.journal.calls)
    pass_ms(service, 600_000)
    asks = Counter(service.account.journal.calls) - before
    assert asks["SetDesiredCapacity"] <= 12
    assert "not authorized to perform it" in conditions(service)["GROUP_NOT_GROWN"]
    assert service.finish(limit_minutes=180)
    assert "GROUP_NOT_GROWN" not in conditions(service)


def test_a_broken_instance_does_not_use_up_a_task() -> None:
    """Nothing starts on it: another one is bought, and the task runs there."""
    service = a_service(1)
    group = service.engine.loop.digest.group
    assert group is not None
    for ec2_id in group.members:
        service.account.set_start_failure(ec2_id, "CannotStartContainerError: no space left on device")
    service.submit(1, REGULAR)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 1}
    assert desired(service) == 2


def test_a_restart_right_after_a_growth_lowers_nothing() -> None:
    """Readings show what the group was before, and less is wanted now: that would end what was launched."""
    simulation = SimulationSettings(desired_capacity=1, max_size=10, group_read_lag_ms=60_000, run_ms=LONG)
    service = VirtualService(simulation=simulation)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 1)
    service.submit(4, NEARLY_ALL)
    assert service.run_until(lambda: desired(service) > 1)
    grown = desired(service)
    service.driver.crash()
    for task in service.tasks()[2:]:
        service.cancel(task.task_id)
    service.let_pass(5)
    sets = [each["desiredCapacity"] for each in service.account.journal.of(Effect.SET_DESIRED_CAPACITY)]
    assert grown == 4
    assert sets == sorted(sets)
