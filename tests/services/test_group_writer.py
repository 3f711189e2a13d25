"""The group's one writer: a reading that lags behind our last change lowers nothing."""

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core.model.answers import GroupSeen
from scheduler.core.model.calls import DetachInstances, SetDesiredCapacity
from scheduler.lab.clock import VirtualClock
from scheduler.services.group_writer import LAG_MS, GroupWriter
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.lab.worlds import CLUSTER, GROUP, clients_of

LAGGING = SimulationSettings(desired_capacity=2, max_size=20, group_read_lag_ms=2 * LAG_MS)


class Desk:
    """A writer on an account whose readings of the group are two minutes old."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.account = SimulatedAws(self.clock, LAGGING)
        self.clock.advance_ms(3 * LAG_MS)
        self.writer = GroupWriter(AwsCloud(clients_of(self.account), cluster=CLUSTER), self.clock)

    def ask(self, desired: int) -> int:
        """Raises desired capacity, and tells what the group is then said to be."""
        call = SetDesiredCapacity(group=GROUP, desired=desired, types=("m4.4xlarge",) * 20)
        answer = self.writer.raise_desired(call)
        assert isinstance(answer, GroupSeen)
        return answer.group.desired

    def sets(self) -> list[int]:
        """What was set since the account was made."""
        return [e["desiredCapacity"] for e in self.account.journal.of(Effect.SET_DESIRED_CAPACITY)][1:]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_reading_that_lags_lowers_nothing(desk: Desk) -> None:
    """Seven were granted and the reading still shows two: four are not asked for, that would end three."""
    assert desk.ask(7) == 7
    assert desk.ask(4) == 7
    assert desk.sets() == [7]


def test_more_is_more_than_what_was_granted(desk: Desk) -> None:
    """What is above both is set."""
    desk.ask(7)
    assert desk.ask(9) == 9
    assert desk.sets() == [7, 9]


def test_what_was_granted_is_seen_at_once(desk: Desk) -> None:
    """Else the same instances would be bought again with each decision."""
    desk.ask(7)
    assert desk.writer.read(GROUP).desired == 7


def test_what_was_detached_is_not_wanted_back(desk: Desk) -> None:
    """A group that we made smaller by name is not said to be as large as before."""
    desk.ask(7)
    victim = next(iter(desk.writer.read(GROUP).members))
    desk.writer.detach(DetachInstances(group=GROUP, ec2_instance_ids=(victim,), decrement=True))
    assert desk.writer.read(GROUP).desired == 6


def test_after_a_while_the_reading_is_believed(desk: Desk) -> None:
    """Somebody else may have lowered it: that is theirs to do, and seen when no lag explains it."""
    desk.ask(7)
    desk.clock.advance_ms(LAG_MS)
    assert desk.writer.read(GROUP).desired == 2
