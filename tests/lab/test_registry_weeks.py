"""Weeks of a registry in any order: uses, days, crashes, lost stores, answers that fail or are lost."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.core.model.revision import DAY_MS
from scheduler.core.model.task import TaskState
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.registries import HASH, of_image, pass_days
from tests.lab.worlds import FAMILY, VirtualService

QUIET = SimulationSettings(
    min_size=1, max_size=2, desired_capacity=1, throttling=True, run_ms=(1_000, 60_000)
)
OPERATIONS = (
    "RegisterTaskDefinition",
    "DeregisterTaskDefinition",
    "ListTaskDefinitions",
    "DescribeTaskDefinition",
)
KINDS: tuple[FaultKind, ...] = ("throttle", "dropped_before", "dropped_after", "error_after")
UNUSED_MS = 30 * DAY_MS

Step = Callable[[VirtualService], object]


def use(number: int) -> Step:
    return lambda service: service.submit(1, spec=of_image(number))


def rest(minutes: int) -> Step:
    return lambda service: service.let_pass(minutes)


def days(count: int) -> Step:
    """They pass when nothing runs: ECS forgets in an hour what ended while nobody looked."""

    def step(service: VirtualService) -> None:
        assert service.finish()
        pass_days(service, count)

    return step


def fault(operation: str, kind: FaultKind) -> Step:
    return lambda service: service.account.faults.add(Fault(operation=operation, kind=kind))


STEPS = st.one_of(
    st.integers(0, 3).map(use),
    st.sampled_from([1, 5]).map(rest),
    st.sampled_from([3, 20, 33]).map(days),
    st.builds(fault, st.sampled_from(OPERATIONS), st.sampled_from(KINDS)),
    st.just(lambda service: service.driver.crash()),
    st.just(lambda service: service.wipe()),
    st.just(lambda service: service.account.register_revisions(FAMILY, 3)),
)


def untimely(service: VirtualService) -> list[str]:
    """Deregistrations of what was not ours, or was used within the last 30 days."""
    used_ms: dict[str, int] = {}
    wrong = []
    for entry in service.account.journal.entries:
        arn, at_ms = entry.get("taskDefinitionArn", ""), entry["time_ms"]
        is_ours = entry["effect"] == Effect.REGISTER_TASK_DEFINITION and HASH in entry["tags"]
        if is_ours or entry["effect"] == Effect.START_TASK:
            used_ms[arn] = at_ms
        elif entry["effect"] == Effect.DEREGISTER_TASK_DEFINITION:
            wrong += [arn] if at_ms - used_ms.get(arn, at_ms) < UNUSED_MS else []
    return wrong


@pytest.mark.timeout(300)
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1_000), st.lists(STEPS, min_size=3, max_size=10))
def test_nothing_of_use_is_ever_collected(seed: int, steps: list[Step]) -> None:
    """Whatever happens: only ours go, after a month without use, and no task fails for a revision."""
    service = VirtualService(seed=seed, simulation=QUIET)
    for step in steps:
        step(service)
    service.let_pass(3)
    service.submit(1, spec=of_image(0))
    assert service.finish()
    assert untimely(service) == []
    assert service.states()[TaskState.SUCCEEDED] >= 1
    assert service.states()[TaskState.FAILED] == 0
