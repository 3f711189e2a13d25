"""Cases M22 and M50: the registry of task definitions under many configurations, and without its index."""

from dataclasses import replace

import pytest

from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.registries import active, deregistered, is_scanned, of_image, registered, submit_each
from tests.lab.worlds import FAMILY, VirtualService

THROTTLED = SimulationSettings(min_size=1, max_size=2, desired_capacity=1, throttling=True)
COLLISION = Fault(
    operation="RegisterTaskDefinition",
    kind="error_before",
    code="ClientException",
    message="Too many concurrent attempts to create a new revision of the specified family.",
    http_status=400,
    count=5,
)
FAILED = (TaskState.FAILED, TaskState.EXPIRED)


def a_service(*faults: Fault, simulation: SimulationSettings = THROTTLED) -> VirtualService:
    return VirtualService(simulation=simulation, faults=faults)


def failed(service: VirtualService) -> int:
    states = service.states()
    return sum(states[state] for state in FAILED)


def test_M22_ten_thousand_requests_over_fifty_configurations_make_fifty_registrations() -> None:
    """Whoever asks for a configuration that is on its way waits for it with the others."""
    service = a_service(Fault(operation="RegisterTaskDefinition", kind="throttle", count=3), COLLISION)
    submit_each(service, 50, times=200)
    assert service.run_until(lambda: len(registered(service)) == 50, limit_minutes=10)
    service.let_pass(2)
    assert len(registered(service)) == len(set(registered(service))) == 50
    assert failed(service) == 0


def test_M22_five_hundred_new_configurations_register_at_our_share_of_the_rate() -> None:
    """Burst 10 and one in two seconds: all within the queue's patience, none refused, none failed."""
    service = a_service(simulation=replace(THROTTLED, run_ms=(1_000, 2_000)))
    submit_each(service, 500)
    before_ms = service.clock.now_ms()
    assert service.run_until(lambda: len(registered(service)) == 500, limit_minutes=20)
    assert service.clock.now_ms() - before_ms >= (500 - 10) * 2_000
    assert len(set(registered(service))) == 500
    assert not [name for name, _ in service.account.journal.rejections if name == "RegisterTaskDefinition"]
    assert failed(service) == 0


def test_M22_a_known_configuration_waits_for_no_registration() -> None:
    """It came behind a hundred new ones, and goes before most of them are registered."""
    service = a_service()
    service.submit(1, spec=of_image(0))
    assert service.finish()
    submit_each(service, 100)
    service.submit(1, spec=of_image(0))
    (last,) = service.tasks()[-1:]
    assert service.run_until(lambda: service.starts()[last.task_id] == 1, limit_minutes=1)
    assert len(registered(service)) < 50


@pytest.mark.parametrize(
    "fault", [COLLISION, replace(COLLISION, kind="throttle"), replace(COLLISION, count=1)]
)
def test_M22_a_registration_that_aws_puts_off_is_waited_out(fault: Fault) -> None:
    """A throttle and a collision of registrations are never shown to a client."""
    service = a_service(fault)
    submit_each(service, 3)
    assert service.finish()
    assert service.states() == {TaskState.SUCCEEDED: 3}
    assert len(registered(service)) == 3


def test_M50_a_cold_store_in_a_family_of_ten_thousand_foreign_revisions_places_within_a_minute() -> None:
    """The scan is nobody's concern: what is needed is registered, and not one of theirs is touched."""
    service = a_service()
    service.account.register_revisions(FAMILY, 10_000)
    service.wipe()
    service.submit(1)
    started = service.account.journal.of
    assert service.run_until(lambda: any(started(Effect.START_TASK)), limit_minutes=1)
    assert service.run_until(lambda: is_scanned(service), limit_minutes=15)
    assert deregistered(service) == []
    # Newest first, and no more than the setting allows: a page of a hundred costs one request more.
    assert (
        service.account.journal.calls["DescribeTaskDefinition"]
        <= service.settings.policy.scanned_revisions_max
    )
    assert not [name for name, _ in service.account.journal.rejections if name.endswith("TaskDefinition")]


def test_M50_after_a_restart_the_same_revision_is_used() -> None:
    """The index is in the store."""
    service = a_service()
    submit_each(service, 3)
    assert service.finish()
    service.driver.crash()
    submit_each(service, 3)
    assert service.finish()
    assert len(registered(service)) == 3


def test_M50_after_a_lost_store_the_same_revision_is_found() -> None:
    """The scan rebuilds the index from tags: each configuration has its revision back, and no new one."""
    service = a_service()
    submit_each(service, 3)
    assert service.finish()
    service.account.register_revisions(FAMILY, 120)
    service.wipe()
    assert service.run_until(lambda: is_scanned(service), limit_minutes=5)
    submit_each(service, 3)
    assert service.finish()
    assert len(registered(service)) == 3
    starts = service.account.journal.of(Effect.START_TASK)
    assert {entry["taskDefinitionArn"] for entry in starts} <= set(active(service)[:3])


def test_M50_what_was_registered_meanwhile_is_not_replaced() -> None:
    """A request that is ahead of the scan registers; what the scan finds later does not take its place."""
    service = a_service()
    service.submit(1, spec=of_image(0))
    assert service.finish()
    service.account.register_revisions(FAMILY, 300)
    service.wipe()
    service.submit(1, spec=of_image(0))
    assert service.run_until(lambda: len(registered(service)) == 2, limit_minutes=1)
    assert service.run_until(lambda: is_scanned(service), limit_minutes=5)
    service.submit(1, spec=of_image(0))
    assert service.finish()
    assert len(registered(service)) == 2
    *_, last = service.account.journal.of(Effect.START_TASK)
    assert last["taskDefinitionArn"].endswith(":302")


def test_M50_a_revision_of_another_service_is_not_ours() -> None:
    """Same family, same configuration, another service id: it is neither used nor ever collected."""
    theirs, ours = a_service(), None
    theirs.submit(1, spec=of_image(0))
    assert theirs.finish()
    ours = VirtualService(seed=1, beside=theirs)
    ours.settings = replace(ours.settings, service_id="another")
    ours.wipe()
    assert ours.run_until(lambda: is_scanned(ours), limit_minutes=5)
    assert ours.engine.loop._world.definitions.registered == {}
    assert ours.engine.loop._world.revisions.next_ms() is None
