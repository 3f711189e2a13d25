"""The registry of task definitions through weeks: what is collected, and what never is."""

from dataclasses import replace

from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.registries import (
    active,
    all_succeeded,
    deregistered,
    is_scanned,
    of_image,
    pass_days,
    registered,
    submit_each,
)
from tests.lab.worlds import FAMILY, VirtualService

QUIET = SimulationSettings(
    min_size=1, max_size=2, desired_capacity=1, throttling=True, run_ms=(1_000, 60_000)
)
DENIED = Fault(
    operation="DeregisterTaskDefinition",
    kind="error_before",
    code="AccessDeniedException",
    message="User is not authorized to perform: ecs:DeregisterTaskDefinition",
    http_status=400,
    count=100,
)


def used(count: int, *faults: Fault) -> VirtualService:
    """A service that has run `count` configurations, one task each."""
    service = VirtualService(simulation=QUIET, faults=faults)
    submit_each(service, count)
    assert service.finish()
    return service


def use(service: VirtualService, number: int = 0) -> None:
    """One more task of a configuration, run to its end."""
    service.submit(1, spec=of_image(number))
    assert service.finish()


def test_what_nobody_used_for_a_month_is_deregistered() -> None:
    """Our own, all of them, one after the other; those of others in the family stay as they are."""
    service = used(3)
    service.account.register_revisions(FAMILY, 5)
    pass_days(service, 32)
    assert len(deregistered(service)) == 3
    assert len(active(service)) == 5


def test_what_was_used_meanwhile_stays() -> None:
    """A use a week ago counts, whatever the age of the revision."""
    service = used(2)
    pass_days(service, 25)
    use(service, 0)
    pass_days(service, 10)
    assert len(deregistered(service)) == 1
    use(service, 0)
    assert len(registered(service)) == 2


def test_after_a_deregistration_the_configuration_is_registered_anew() -> None:
    """A build that comes back after a summer finds no dead revision in its way."""
    service = used(1)
    pass_days(service, 32)
    use(service, 0)
    assert all_succeeded(service)
    assert len(registered(service)) == 2


def test_the_last_use_survives_a_restart() -> None:
    """A revision that is used every week is not collected because the service was restarted."""
    service = used(1)
    for _ in range(5):
        pass_days(service, 7)
        use(service)
        service.driver.crash()
    assert (deregistered(service), len(registered(service))) == ([], 1)


def test_a_task_that_runs_keeps_its_revision() -> None:
    """However long it runs."""
    long = SimulationSettings(min_size=1, max_size=2, desired_capacity=1, run_ms=(1 << 40, 1 << 40))
    service = VirtualService(simulation=long)
    service.submit(1, spec=of_image(0))
    assert service.run_until(lambda: service.states()[TaskState.RUNNING] == 1)
    pass_days(service, 40)
    assert deregistered(service) == []


def test_what_a_scan_found_is_collected_a_month_later() -> None:
    """After a lost store nobody knows when a revision was used last: it counts as used when it is found.

    What it found of others is none of our business.
    """
    service = used(2)
    service.account.register_revisions(FAMILY, 5)
    service.wipe()
    assert service.run_until(lambda: is_scanned(service), limit_minutes=5)
    pass_days(service, 20)
    assert deregistered(service) == []
    pass_days(service, 12)
    assert len(deregistered(service)) == 2
    assert len(active(service)) == 5


def test_without_the_permission_nothing_is_lost() -> None:
    """It is told as a condition, asked for once a day, and the revisions stay in use."""
    service = used(3, DENIED)
    pass_days(service, 32)
    assert "REVISIONS_NOT_DEREGISTERED" in service.conditions()
    assert service.account.journal.calls["DeregisterTaskDefinition"] == 1
    use(service, 1)
    assert len(registered(service)) == 3


def test_with_observe_only_nothing_is_deregistered() -> None:
    """It looks, and does nothing."""
    service = used(1)
    service.settings = replace(service.settings, observe_only=True)
    service.driver.crash()
    pass_days(service, 40)
    assert deregistered(service) == []


def test_the_budget_of_registrations_is_left_alone() -> None:
    """While revisions are collected, a new configuration still finds a full burst."""
    service = used(40)
    service.clock.advance_ms(32 * 86_400_000)
    service.let_pass(3)
    assert 0 < len(deregistered(service)) < 40
    before = len(registered(service))
    submit_each(service, 49)
    before_ms = service.clock.now_ms()
    assert service.run_until(lambda: len(registered(service)) >= before + 9, limit_minutes=1)
    assert service.clock.now_ms() - before_ms <= 10_000
    assert not [name for name, _ in service.account.journal.rejections if name.endswith("TaskDefinition")]


def test_a_throttled_deregistration_is_waited_out() -> None:
    """It is repeated until it is done."""
    service = used(1, Fault(operation="DeregisterTaskDefinition", kind="throttle", count=3))
    pass_days(service, 32)
    assert len(deregistered(service)) == 1
    assert "REVISIONS_NOT_DEREGISTERED" not in service.conditions()


def test_a_lost_answer_to_a_deregistration_does_no_harm() -> None:
    """It is asked for again, and the revision is forgotten."""
    service = used(1, Fault(operation="DeregisterTaskDefinition", kind="dropped_after"))
    pass_days(service, 32)
    assert len(deregistered(service)) == 1
    assert not [key for key in service.store.load().facts if key.startswith(("revision/", "definition/"))]


def test_uses_are_written_down_by_day() -> None:
    """Sixty launches in a day are one record of use."""
    service = used(1)
    for _ in range(3):
        submit_each(service, 1, times=20)
        assert service.finish()
    facts = [key for key in service.store.load().facts if key.startswith("revision/")]
    assert len(facts) == 1
