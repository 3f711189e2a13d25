"""Consoles of sick instances: saved before the end of the instance, which they never put off for long."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.adapters.aws.consoles import STREAM_PREFIX
from scheduler.core.model.policy import Policy
from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.iam_policy import IamPolicy
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import harms
from tests.lab.worlds import FAMILY, VirtualService
from tests.policies import deployed

PATIENT = Policy(cluster_poll_ms=10_000, eager_poll_ms=5_000, census_poll_ms=60_000)
SIMULATION = SimulationSettings(min_size=3, max_size=4, desired_capacity=3, instance_types=("m5.4xlarge",))


def a_service(simulation: SimulationSettings = SIMULATION, iam: IamPolicy | None = None) -> VirtualService:
    """Three members that work."""
    service = VirtualService(simulation=simulation, policy=PATIENT, iam=iam)
    assert service.run_until(lambda: service.engine.loop.digest.idle == 3)
    return service


def lose(service: VirtualService) -> str:
    """The agent of a member is away until that is terminated; its EC2 id."""
    lost = service.members()[0]
    service.account.set_agent_connected(lost, False)
    assert service.run_until(lambda: bool(ends(service)), limit_minutes=40)
    service.let_pass(1)
    return lost


def ends(service: VirtualService) -> list[dict[str, Any]]:
    """What the journal has of instances that EC2 was told to end."""
    return list(service.account.journal.of(Effect.INSTANCE_TERMINATING))


def evidence(service: VirtualService) -> list[ScalingEvent]:
    """What the scaling log has of consoles."""
    return service.log(ScalingKind.EVIDENCE)


def waited_ms(service: VirtualService) -> int:
    """From the step that ends the instance to its end."""
    (meant,), (end,) = service.log(ScalingKind.TERMINATE), ends(service)
    return int(end["time_ms"]) - meant.at_ms


def test_what_a_lost_instance_said_is_in_the_log_group_before_it_ends() -> None:
    """Under the name where operators look for it; the scaling log names the stream and the cause."""
    service = a_service()
    lost = lose(service)
    (told,) = evidence(service)
    assert (told.code, told.ec2_instance_id) == (RemovalCause.DISCONNECTED, lost)
    assert told.message == f"its console output is in the log stream {STREAM_PREFIX}/{lost}"
    (written,), (end,) = service.account.journal.of(Effect.PUT_LOG_EVENTS), ends(service)
    assert (end["ec2InstanceId"], written["time_ms"] < end["time_ms"]) == (lost, True)


@pytest.mark.parametrize("action", ["ec2:GetConsoleOutput", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_console_that_may_not_be_kept_puts_off_no_end(action: str) -> None:
    """The evidence names the action, and the instance goes as it would have gone."""
    service = a_service(iam=deployed(SIMULATION, family=FAMILY, without=action))
    lose(service)
    (told,) = evidence(service)
    assert f"not authorized to perform: {action}" in told.message
    assert waited_ms(service) < 10_000


@pytest.mark.parametrize("kind", ["error_before", "dropped_before", "dropped_after", "throttle"])
def test_a_console_that_cannot_be_read_puts_off_no_end(kind: FaultKind) -> None:
    """However EC2 answers, or does not."""
    service = a_service()
    service.account.faults.add(Fault(operation="GetConsoleOutput", kind=kind, count=10_000))
    lose(service)
    assert waited_ms(service) <= PATIENT.console_timeout_ms + 10_000
    assert [each.code for each in evidence(service)] == [RemovalCause.DISCONNECTED]


def test_the_console_of_a_healthy_instance_is_nobodys_business() -> None:
    """It goes because it is idle, and nobody will ask why."""
    service = a_service(replace(SIMULATION, min_size=2))
    assert service.run_until(lambda: service.has_size(2), limit_minutes=40)
    assert (evidence(service), service.account.journal.calls["GetConsoleOutput"]) == ([], 0)
    assert harms(service.account.journal) == []
