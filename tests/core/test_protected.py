"""One that EC2 refuses to end, since somebody protected it from termination: it stays, and it alone."""

from scheduler.core.model.calls import TerminateInstances
from scheduler.core.model.plan import Plan
from scheduler.core.model.removal import RemovalCause, RemovalStep
from tests.builders import M4_4XLARGE, a_removal, ec2_id
from tests.core.clusters import refused
from tests.core.region import Region

PROTECTED = refused("OperationNotPermitted")
STUCK = "INSTANCES_NOT_TERMINATED"


class Protecting(Region):
    """EC2 does not end the `protected` instance, nor anything else in the same call."""

    protected = ""

    def turn(self, ms: int = 1_000) -> Plan:
        """What names it is refused; the rest is answered as things are."""
        for call in self.awaited(TerminateInstances):
            if isinstance(call, TerminateInstances) and self.protected in call.ec2_instance_ids:
                self.steps.answer(call, PROTECTED)
        return super().turn(ms)

    def idle(self) -> list[str]:
        """Those on which nothing runs, by EC2 id."""
        at_work = {self.truth.tasks[each].container_instance_arn for each in self.truth.moving()}
        return [each.ec2_instance_id for arn, each in self.truth.instances.items() if arn not in at_work]


def stuck(count: int, *, busy: int) -> Protecting:
    """So many are at work. One of the others was let go, and cannot be ended."""
    region = Protecting(count)
    region.run(*range(1, busy + 1), ask=M4_4XLARGE)
    region.protected = min(region.idle())
    region.minutes(12)
    assert STUCK in region.world.troubles
    return region


def test_the_other_idle_ones_go() -> None:
    """Builds end, and of the instances that are idle then one is to stay; what cannot be ended is told."""
    region = stuck(4, busy=2)
    region.end_all()
    region.minutes(15)
    assert len(region.truth.members) == 1
    assert region.truth.launched.keys() - region.truth.members.keys() == {region.protected}
    assert region.protected in region.world.troubles[STUCK]


def test_it_goes_when_it_may() -> None:
    """It is asked for again each minute, and the condition ends with it."""
    region = stuck(2, busy=1)
    gone, region.protected = region.protected, ""
    region.minutes(2)
    assert gone not in region.truth.launched
    assert STUCK not in region.world.troubles


def test_a_lost_agent_is_replaced_all_the_same() -> None:
    """A member whose agent is away would hold its place for as long as the protection stands."""
    region = stuck(4, busy=3)
    members = region.truth.members
    lost = next(arn for arn, each in region.truth.instances.items() if each.ec2_instance_id in members)
    region.truth.turn(lost, status="ACTIVE", agent_connected=False)
    region.minutes(25)
    assert region.truth.instances.get(lost) is None
    assert len(region.truth.members) == 2


def test_one_that_was_to_be_replaced_holds_up_no_other() -> None:
    """The group launched another in its place; who waits for the end of this one waits for good."""
    region, stale = Protecting(3), ec2_id(1)
    region.protected = stale
    removal = a_removal(1, cause=RemovalCause.STALE, step=RemovalStep.TERMINATING, decrement=False)
    region.world.removals.record(removal, region.steps.now_ms)
    del region.truth.members[stale]
    region.truth.desired = 2
    assert region.steps.view().upkeep.replacing
    region.minutes(1)
    assert STUCK in region.world.troubles
    assert not region.steps.view().upkeep.replacing
