"""Instances that are in the cluster and not in the group: which of them go, when, and how."""

import pytest

from scheduler.core.model.calls import CAPACITY_ACTS, TerminateInstances
from scheduler.core.model.policy import ForeignInstances, Policy
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.world.world import World
from tests.builders import M4_4XLARGE, REGULAR, ec2_id, instance_arn
from tests.core.clusters import THROTTLED
from tests.core.region import Region

TERMINATE = Policy(foreign_instances=ForeignInstances.TERMINATE)


def detach(region: Region, *numbers: int) -> None:
    """Somebody takes these out of the group, which is smaller then."""
    for number in numbers:
        del region.truth.members[ec2_id(number)]
        region.truth.desired -= 1


def told(region: Region) -> str:
    """What the condition says."""
    return region.world.troubles.get("FOREIGN_INSTANCES", "")


def log(region: Region, number: int) -> list[ScalingEvent]:
    """The scaling log of an instance."""
    events = [each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)]
    return [each for each in events if each.ec2_instance_id == ec2_id(number)]


def a_region(count: int, *, outside: int) -> Region:
    """The last of `count` idle instances have just been detached by somebody."""
    region = Region(count)
    detach(region, *range(count - outside + 1, count + 1))
    return region


def test_one_that_was_a_member_goes_when_it_is_outside_for_long() -> None:
    """Drained and terminated, never detached; the group is not replaced one for it."""
    region = a_region(2, outside=1)
    region.minutes(4.5)
    assert ec2_id(2) in region.truth.launched
    region.minutes(2)
    assert region.truth.launched.keys() == {ec2_id(1)}
    assert (region.truth.desired, region.truth.harms, region.removals()) == (1, [], [])
    kinds = [each.kind for each in log(region, 2)]
    assert kinds == [ScalingKind.DRAIN, ScalingKind.TERMINATE, ScalingKind.REMOVED]
    assert {each.code for each in log(region, 2)} == {RemovalCause.NOT_IN_GROUP}


def test_it_is_remembered_across_restarts() -> None:
    """It was detached while nobody looked."""
    region = Region(2)
    detach(region, 2)
    region.restart(downtime_ms=60_000)
    region.minutes(7)
    assert ec2_id(2) not in region.truth.launched


def test_one_that_never_was_a_member_is_left_alone() -> None:
    """It may be anybody's; the condition tells."""
    region = Region(1)
    region.truth.add_stranger()
    region.minutes(60)
    assert ec2_id(2) in region.truth.launched
    assert "1 never were seen to be members" in told(region)


@pytest.mark.parametrize("policy", [Policy(), TERMINATE])
def test_none_goes_while_the_group_has_a_warm_pool(policy: Policy) -> None:
    """The group lists nothing of it, and its members may go back there."""
    region = Region(2, policy=policy)
    region.truth.has_warm_pool = True
    detach(region, 2)
    region.minutes(60)
    assert len(region.truth.launched) == 2


def test_every_idle_one_goes_by_the_other_policy() -> None:
    """`foreign_instances=terminate`: the cluster is ours alone."""
    region = Region(1, policy=TERMINATE)
    region.truth.add_stranger()
    region.minutes(8)
    assert region.truth.launched.keys() == {ec2_id(1)}


@pytest.mark.parametrize("policy", [Policy(), TERMINATE])
def test_one_with_a_task_of_others_stays_and_is_told(policy: Policy) -> None:
    """For as long as it runs."""
    region = Region(2, policy=policy)
    region.truth.foreign[instance_arn(2)] = REGULAR
    detach(region, 2)
    region.minutes(60)
    assert (region.removals(), ec2_id(2) in region.truth.launched) == ([], True)
    assert "1 are terminated once nothing runs on them" in told(region)
    region.truth.foreign.clear()
    region.minutes(5)
    assert ec2_id(2) not in region.truth.launched
    assert told(region) == ""


def test_one_with_a_task_of_ours_stays_until_that_has_ended() -> None:
    """Nothing new is placed on it."""
    region = Region(2)
    region.run(1, 2, ask=REGULAR)
    busy = next(number for number in (1, 2) if region.world.ledger.load(instance_arn(number)).attempts)
    detach(region, busy)
    region.minutes(30)
    assert ec2_id(busy) in region.truth.launched
    region.end_all()
    region.minutes(5)
    assert ec2_id(busy) not in region.truth.launched
    assert region.truth.harms == []


def test_one_whose_agent_is_lost_goes_with_what_ran_on_it() -> None:
    """As a member would: its tasks would be shown as running for good."""
    region = Region(1)
    region.run(1)
    region.truth.desired = 2
    region.truth.join()
    region.minutes(1)
    detach(region, 1)
    region.go_silent(1)
    region.minutes(19)
    assert ec2_id(1) in region.truth.launched
    region.minutes(3)
    assert ec2_id(1) not in region.truth.launched


def test_few_go_at_a_time() -> None:
    """One in ten minutes of a small group: its list may lie."""
    region = a_region(4, outside=3)
    region.minutes(7)
    assert len(region.truth.launched) == 3
    region.minutes(8)
    assert len(region.truth.launched) == 3
    region.minutes(20)
    assert region.truth.launched.keys() == {ec2_id(1)}


def test_those_that_were_members_go_when_the_group_is_to_be_empty() -> None:
    """Else the last ones would run on until the group grows again. Others stay, whatever the policy says."""
    region = a_region(2, outside=2)
    region.truth.add_stranger()
    region.minutes(60)
    assert region.truth.launched.keys() == {ec2_id(3)}
    region = Region(1, policy=TERMINATE)
    detach(region, 1)
    region.truth.add_stranger()
    region.minutes(60)
    assert region.truth.launched.keys() == {ec2_id(2)}


def test_none_goes_while_the_group_lists_nobody_and_desires_some() -> None:
    """Then the list of the group lies, or the two may not belong together."""
    region = a_region(2, outside=2)
    region.truth.desired = 2
    region.minutes(60)
    assert len(region.truth.launched) == 2


def test_none_goes_while_too_many_agents_are_lost() -> None:
    """It is a bad hour to judge anybody."""
    region = Region(4)
    for number in (1, 2, 3):
        region.go_silent(number)
    detach(region, 4)
    region.minutes(8)
    assert (region.removals(), len(region.truth.launched)) == ([], 4)


def test_none_goes_while_we_only_look() -> None:
    """What would be done is told once."""
    region = Region(2)
    region.world.observe_only = True
    detach(region, 2)
    region.minutes(30)
    assert [call for call, _ in region.steps.under_way if isinstance(call, CAPACITY_ACTS)] == []
    assert [(each.kind, each.held) for each in log(region, 2) if each.code == "NOT_IN_GROUP"] == [
        (ScalingKind.DRAIN, "OBSERVE_ONLY")
    ]


def test_one_that_is_attached_again_while_it_is_drained_serves_again() -> None:
    """Somebody has thought better of it."""
    region = a_region(2, outside=1)
    region.truth.min_size = 2
    while region.removal(2) is None:
        region.turn(5_000)
    region.truth.members[ec2_id(2)] = "InService"
    region.truth.desired = 2
    region.minutes(1)
    assert (region.removals(), region.truth.instances[instance_arn(2)].status) == ([], "ACTIVE")
    assert [each.message for each in log(region, 2)][-1] == "it is in the group again"


def a_detached_one_at_work() -> Region:
    """It was let go because its agent was lost, was not terminated, and is back with a task of others."""
    region = Region(3)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.truth.foreign[instance_arn(2)] = REGULAR
    region.go_silent(2)
    while not region.awaited(TerminateInstances):
        region.turn(5_000)
    region.come_back(2)
    while region.awaited(TerminateInstances):
        for call in region.awaited(TerminateInstances):
            region.steps.answer(call, THROTTLED)
        region.turn(5_000)
    region.minutes(1)
    return region


@pytest.mark.parametrize("restarted", [False, True])
def test_one_that_was_let_go_and_is_back_at_work_is_drained(restarted: bool) -> None:
    """Nothing new comes onto it, services of others move away, and it goes when the last task has ended."""
    region = a_detached_one_at_work()
    if restarted:
        region.restart()
    region.minutes(30)
    removal = region.removal(2)
    assert removal is not None
    assert (removal.step, removal.cause) == (RemovalStep.DRAINING, RemovalCause.DISCONNECTED)
    assert region.truth.instances[instance_arn(2)].status == "DRAINING"
    assert "1 are terminated once nothing runs on them" in told(region)
    region.end_all()
    region.minutes(2)
    assert ec2_id(2) in region.truth.launched
    region.truth.foreign.clear()
    region.minutes(2)
    assert ec2_id(2) not in region.truth.launched


def test_what_others_stand_for_is_not_of_our_world() -> None:
    """A World of another group in the same store knows nobody as a member."""
    region = Region(2)
    other = World(Policy(), "another")
    for key, value in ((f"member/{ec2_id(1)}", "ci"), (f"member/{ec2_id(2)}", "another")):
        other.remember(key, value)
    assert [other.is_ours_to_end(ec2_id(each)) for each in (1, 2)] == [False, True]
    assert region.world.is_ours_to_end(ec2_id(1))
