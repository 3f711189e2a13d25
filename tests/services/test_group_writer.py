"""The group's one writer: neither a reading that lags behind our last change nor a lost answer lowers it."""

from dataclasses import replace

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core.model.answers import GroupSeen
from scheduler.core.model.calls import DetachInstances, SetDesiredCapacity
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.lab.clock import VirtualClock
from scheduler.ports.cloud import CloudError
from scheduler.services.group_writer import LAG_MS, UNSETTLED, GroupWriter
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.builders import M4_4XLARGE
from tests.core.clusters import THROTTLED
from tests.core.region import Region
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

    def ask_in_vain(self, desired: int) -> str:
        """Raises desired capacity, and tells by which code that failed."""
        with pytest.raises(CloudError) as failed:
            self.ask(desired)
        return failed.value.failure.code

    def lose_the_answer(self, desired: int) -> None:
        """A SetDesiredCapacity has its effect, and nobody is told."""
        self.account.faults.add(Fault(operation="SetDesiredCapacity", kind="dropped_after"))
        self.ask_in_vain(desired)

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


def test_what_was_detached_is_seen_to_leave_at_once(desk: Desk) -> None:
    """It would count as there, in a group that is smaller already, and another would be bought for it."""
    leaving, staying = desk.writer.read(GROUP).members
    desk.writer.detach(DetachInstances(group=GROUP, ec2_instance_ids=(leaving,), decrement=True))
    members = desk.writer.read(GROUP).members
    assert (members[leaving].lifecycle_state, members[staying].lifecycle_state) == ("Detaching", "InService")
    desk.clock.advance_ms(LAG_MS)
    assert desk.writer.read(GROUP).members[leaving].lifecycle_state == "InService"


def test_after_a_while_the_reading_is_believed(desk: Desk) -> None:
    """Somebody else may have lowered it: that is theirs to do, and seen when no lag explains it."""
    desk.ask(7)
    desk.clock.advance_ms(LAG_MS)
    assert desk.writer.read(GROUP).desired == 2


def test_less_than_what_may_have_been_granted_is_not_set(desk: Desk) -> None:
    """Seven were granted, the answer was lost and the reading still shows two: four would end three."""
    desk.lose_the_answer(7)
    assert desk.ask_in_vain(4) == UNSETTLED
    assert desk.sets() == [7]


def test_the_same_again_settles_what_was_lost(desk: Desk) -> None:
    """Seven twice lowers nothing, and after the second answer seven is what the group is said to be."""
    desk.lose_the_answer(7)
    assert desk.ask(7) == 7
    assert desk.ask(4) == 7


def test_what_was_refused_for_certain_holds_nothing_back(desk: Desk) -> None:
    """A throttled seven had no effect: four may be set."""
    desk.account.faults.add(Fault(operation="SetDesiredCapacity", kind="throttle"))
    desk.ask_in_vain(7)
    assert desk.ask(4) == 4


def test_what_may_have_been_granted_is_forgotten_after_a_while(desk: Desk) -> None:
    """A minute later the reading is believed, and what is needed now is set."""
    desk.lose_the_answer(7)
    desk.clock.advance_ms(LAG_MS)
    assert desk.ask(4) == 4


def test_what_was_detached_does_not_hold_back_either(desk: Desk) -> None:
    """Seven may have been granted and one was detached with its place: six lower nothing."""
    desk.lose_the_answer(7)
    victim = next(iter(desk.writer.read(GROUP).members))
    desk.writer.detach(DetachInstances(group=GROUP, ec2_instance_ids=(victim,), decrement=True))
    assert desk.ask(6) == 6


def grown(desk: Desk, desired: int, *, ago_ms: int, held: str = "") -> ScalingEvent:
    """What the log tells of a growth that was decided in an earlier life."""
    return ScalingEvent(
        kind=ScalingKind.GROW,
        group=GROUP,
        at_ms=desk.clock.now_ms() - ago_ms,
        code="DEMAND",
        message="",
        desired_before=2,
        desired_after=desired,
        held=held,
    )


def test_a_life_remembers_what_the_last_one_asked_for(desk: Desk) -> None:
    """Seven may have been granted a moment before the restart: four would end three, whatever is read."""
    desk.writer.recall([grown(desk, 7, ago_ms=5_000), grown(desk, 3, ago_ms=1_000)])
    assert desk.ask_in_vain(4) == UNSETTLED
    assert desk.ask(8) == 8


def test_a_life_remembers_what_was_granted_after_a_smaller_ask_had_failed(desk: Desk) -> None:
    """Decisions told two, which was refused, and then four: three would end one."""
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    region.submit(2, M4_4XLARGE)
    region.steps.step()
    (ask,) = region.awaited(SetDesiredCapacity)
    region.steps.answer(ask, THROTTLED)
    for number in (3, 4):
        region.submit(number, M4_4XLARGE)
    region.minutes(0.5)
    assert region.truth.desired == 4
    told = [each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)]
    desk.writer.recall(replace(each, at_ms=desk.clock.now_ms()) for each in told)
    assert desk.ask_in_vain(3) == UNSETTLED


@pytest.mark.parametrize(("ago_ms", "held"), [(2 * LAG_MS, ""), (5_000, "OBSERVE_ONLY")])
def test_what_was_asked_long_before_or_never_holds_nothing_back(desk: Desk, ago_ms: int, held: str) -> None:
    """The last life saw what came of it, or it was only found right."""
    desk.writer.recall([grown(desk, 7, ago_ms=ago_ms, held=held), grown(desk, 3, ago_ms=0)])
    assert desk.ask(4) == 4


@pytest.mark.parametrize("ago_ms", [300_000, -300_000])
def test_a_clock_that_was_set_makes_a_life_forget_nothing(desk: Desk, ago_ms: int) -> None:
    """What the last life asked for a second ago looks five minutes old, or as much too young."""
    desk.writer.recall([grown(desk, 7, ago_ms=ago_ms), grown(desk, 3, ago_ms=ago_ms)])
    assert desk.ask_in_vain(4) == UNSETTLED


def test_what_the_last_life_asked_for_is_forgotten_after_a_while(desk: Desk) -> None:
    """A minute after the start readings are believed."""
    desk.writer.recall([grown(desk, 7, ago_ms=5_000)])
    desk.clock.advance_ms(LAG_MS)
    assert desk.ask(4) == 4
