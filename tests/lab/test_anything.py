"""Whatever happens in whatever order: nobody's work is harmed, nothing is left behind, all ends well."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.core.model.scaling import WishKind
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.oracle import harms
from tests.lab.worlds import MINUTE_MS, MOST, REGULAR, VirtualService

OPERATIONS = (
    "UpdateContainerInstancesState",
    "DetachInstances",
    "TerminateInstances",
    "SetDesiredCapacity",
    "DescribeAutoScalingGroups",
    "DescribeContainerInstances",
    "DescribeTasks",
    "StartTask",
    "ListTasks",
)
KINDS: tuple[FaultKind, ...] = ("dropped_before", "dropped_after", "error_before", "error_after", "throttle")

Event = Callable[[VirtualService, Random], None]


def submit(service: VirtualService, random: Random) -> None:
    service.submit(random.randint(1, 6), random.choice((MOST, REGULAR)))


def pass_time(service: VirtualService, random: Random) -> None:
    service.let_pass(random.choice((0.1, 0.5, 2, 5)))


def crash(service: VirtualService, random: Random) -> None:
    service.let_pass(random.random() * 3)
    service.driver.crash()


def fail(service: VirtualService, random: Random) -> None:
    service.account.faults.add(
        Fault(operation=random.choice(OPERATIONS), kind=random.choice(KINDS), count=random.randint(1, 5))
    )


def wish(service: VirtualService, random: Random) -> None:
    service.wish(random.choice(tuple(WishKind)), random.randint(0, 4), for_minutes=10)


def change_limits(service: VirtualService, random: Random) -> None:
    least = random.randint(0, 2)
    service.account.set_group_limits(least, least + random.randint(1, 4))


def fail_launches(service: VirtualService, random: Random) -> None:
    service.account.fail_launches(random.randint(1, 3), "no capacity")


def blink(service: VirtualService, random: Random) -> None:
    """Of all agents for two minutes."""
    for connected in (False, True):
        for each in service.instances():
            if each["containerInstances"]:
                service.account.set_agent_connected(each["ec2InstanceId"], connected)
        service.let_pass(2)


EVENTS: tuple[Event, ...] = (submit, pass_time, crash, fail, wish, change_limits, fail_launches, blink)


@pytest.mark.timeout(120)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.lists(st.sampled_from(EVENTS), min_size=3, max_size=15))
def test_whatever_happens_ends_well(seed: int, events: list[Event]) -> None:
    """Every task ends, no instance goes while it works, and the group comes down to its least size."""
    simulation = SimulationSettings(
        seed=seed, min_size=1, max_size=5, desired_capacity=2, run_ms=(MINUTE_MS, 10 * MINUTE_MS)
    )
    service, random = VirtualService(seed=seed, simulation=simulation), Random(seed)
    for event in events:
        event(service, random)
    service.account.faults.clear()
    service.account.set_group_limits(1, 5)
    assert service.finish(limit_minutes=120)
    assert service.run_until(lambda: service.has_size(1), limit_minutes=60)
    assert (harms(service.account.journal), service.strays()) == ([], [])
    assert not service.starts() or max(service.starts().values()) == 1
