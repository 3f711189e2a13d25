"""Upkeep: which instances are lost, which never joined, and what of them is left over in ECS."""

from dataclasses import replace

import pytest

from scheduler.core.decide import decide
from scheduler.core.model.answers import Accepted, Outcome
from scheduler.core.model.calls import CAPACITY_ACTS, DeregisterInstance, DescribeContainerInstances, Lane
from scheduler.core.model.records import IntentRecorded, ScaleRequested, ScalingRecorded
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import Limits, WishKind
from scheduler.core.view import ClusterView
from tests.builders import M4_4XLARGE, a_group, a_member, a_wish, ec2_id, instance_arn
from tests.core.clusters import LOST, POLICY
from tests.core.region import Region


def at_work(count: int) -> Region:
    """So many instances, each with a task that fills it."""
    region = Region(count)
    region.run(*range(1, count + 1), ask=M4_4XLARGE)
    return region


def view(region: Region) -> ClusterView:
    return region.steps.view()


def read(region: Region) -> None:
    """The cluster is read, and nothing is decided."""
    region.steps.now_ms += 1_000
    answer = region.truth.answer(DescribeContainerInstances())
    outcome = Outcome(call=DescribeContainerInstances(), answer=answer, sent_ms=region.steps.now_ms)
    region.world.hear(outcome, region.steps.now_ms)


def lost(region: Region) -> list[str]:
    return [each.ec2_instance_id for each in view(region).upkeep.lost]


def test_a_lost_member_is_to_be_detached_without_decrement() -> None:
    """Nothing is asked of an agent that is not there; the group replaces it."""
    region = at_work(3)
    region.go_silent(2)
    region.minutes(19)
    while not (found := region.removals()):
        region.turn(5_000)
    (removal,) = found
    assert (removal.ec2_instance_id, removal.arn) == (ec2_id(2), instance_arn(2))
    assert (removal.cause, removal.step, removal.decrement) == (
        RemovalCause.DISCONNECTED,
        RemovalStep.DETACHING,
        False,
    )


@pytest.mark.parametrize("drain", [False, True])
def test_a_lost_one_that_others_drained_is_ended_too(drain: bool) -> None:
    """Else ECS would show its tasks as RUNNING for good. It is drained already."""
    region = Region(3, policy=replace(POLICY, drain_disconnected=drain, keep_last_instance=True))
    region.truth.turn(instance_arn(2), status="DRAINING", agent_connected=True)
    region.minutes(10)
    assert region.removal(2) is None
    region.truth.turn(instance_arn(2), status="DRAINING", agent_connected=False)
    region.minutes(18)
    assert region.removal(2) is None
    while not (removal := region.removal(2)):
        region.turn(5_000)
    assert (removal.cause, removal.step) == (RemovalCause.DISCONNECTED, RemovalStep.DETACHING)


def test_one_whose_agent_registered_again_is_not_lost() -> None:
    """Its old ARN is disconnected for ever, and the instance works."""
    region = at_work(2)
    region.truth.register_again(instance_arn(1))
    region.minutes(25)
    assert (lost(region), region.removals()) == ([], [])


def test_a_lost_one_that_the_group_is_taking_away_is_left_to_it() -> None:
    """However long that takes: nothing is begun that would end at once, again and again."""
    region = at_work(3)
    region.go_silent(2)
    region.minutes(15)
    region.truth.members[ec2_id(2)] = "Terminating"
    before = len(region.steps.committed)
    region.minutes(15)
    assert (lost(region), region.removals()) == ([], [])
    told = [each for each in region.steps.committed[before:] if isinstance(each, ScalingRecorded)]
    assert [each.event for each in told if each.event.ec2_instance_id == ec2_id(2)] == []


@pytest.mark.parametrize("state", ["Standby", "EnteringStandby", "Terminating:Wait", "Detaching"])
def test_only_members_in_service_are_lost(state: str) -> None:
    """What an operator has put on standby, or the group is at, is theirs."""
    region = at_work(3)
    region.go_silent(2)
    region.minutes(1)
    region.truth.members[ec2_id(2)] = state
    region.minutes(25)
    assert (lost(region), region.removals(), region.truth.harms) == ([], [], [])


def test_a_stranger_is_nobody_s_to_remove() -> None:
    """It is in the cluster, and in no group of ours: neither lost nor left over, whatever its agent does."""
    region = at_work(2)
    region.truth.launched["i-stranger"] = 0
    stranger = region.truth.register("i-stranger")
    region.truth.turn(stranger, status="ACTIVE", agent_connected=False)
    region.minutes(25)
    assert stranger in region.truth.instances
    assert (lost(region), region.removals()) == ([], [])


def awaiting(count: int, missing: int) -> Region:
    """Of `count` members at work and `missing` more, the latter never register."""
    region = at_work(count)
    region.truth.desired = count + missing
    for _ in range(missing):
        region.truth.launch(region.steps.now_ms)
    return region


def test_few_that_never_joined_are_replaced_at_a_time() -> None:
    """One in ten minutes of a small group: a list that lies does no more harm than that."""
    region = awaiting(2, 2)
    region.minutes(6)
    assert len(region.truth.unregistered()) == 1
    region.minutes(9)
    assert len(region.truth.unregistered()) == 1
    region.minutes(2)
    assert region.truth.unregistered() == set()


def test_a_restart_forgets_none_that_never_joined() -> None:
    """What the last life has ended for its absence still counts: the next goes ten minutes later."""
    region = awaiting(2, 2)
    while len(region.truth.unregistered()) == 2:
        region.turn(5_000)
    region.restart()
    region.minutes(9)
    assert len(region.truth.unregistered()) == 1
    region.minutes(2)
    assert region.truth.unregistered() == set()


def test_many_that_never_joined_end_it() -> None:
    """Ten in an hour are the image: no more are replaced, and a condition says so."""
    region = awaiting(1, 1)
    for _ in range(POLICY.max_replacements_per_hour):
        region.world.replacements.note(region.steps.now_ms, never_joined=True)
    region.minutes(30)
    assert len(region.truth.unregistered()) == 1
    assert "INSTANCES_NEVER_JOIN" in region.world.troubles


@pytest.mark.parametrize("restarted", [False, True])
def test_the_only_member_is_replaced_when_it_never_joins(restarted: bool) -> None:
    """No member is in the cluster any more, but earlier ones were: the settings are right, and it is sick."""
    region = at_work(1)
    region.truth.leave(instance_arn(1))
    if restarted:
        region.restart()
    region.truth.launch(region.steps.now_ms)
    region.minutes(4)
    assert len(region.truth.unregistered()) == 1
    region.minutes(3)
    assert region.truth.unregistered() == set()


def test_nobody_is_replaced_before_the_first_member_joins() -> None:
    """Nothing ever showed that cluster and group belong together: the settings may be wrong."""
    region = Region(0)
    region.truth.desired = 1
    region.truth.launch(region.steps.now_ms)
    region.minutes(30)
    assert len(region.truth.unregistered()) == 1


def test_the_last_of_many_that_never_joined_is_replaced_too() -> None:
    """They go one by one, for more than an hour: it was young when it was first missed."""
    region = awaiting(1, 7)
    region.minutes(55)
    assert region.truth.unregistered()
    region.minutes(20)
    assert region.truth.unregistered() == set()


def test_an_old_member_that_blinks_out_of_the_list_is_left_alone() -> None:
    """It was launched an hour ago: whatever it is, it is not slow to join. An operator is told."""
    region = at_work(2)
    region.truth.desired = 3
    region.truth.launch(region.steps.now_ms - POLICY.never_joined_until_ms)
    region.minutes(10)
    assert len(region.truth.unregistered()) == 1
    assert "1 members are not in the cluster" in region.world.troubles["INSTANCES_NEVER_JOIN"]


def test_one_with_a_task_of_ours_has_joined() -> None:
    """In a former life of ours: this one has never seen it in the list, which leaves it out."""
    region = at_work(2)
    del region.truth.instances[instance_arn(2)]
    region.restart()
    region.minutes(10)
    assert (region.removals(), region.truth.harms) == ([], [])
    assert ec2_id(2) in region.truth.launched


def test_one_that_an_earlier_life_has_seen_has_joined() -> None:
    """What it was seen to be is durable, idle as it is; an operator is told that lists leave it out."""
    region = Region(2)
    region.run(1)
    del region.truth.instances[instance_arn(2)]
    region.restart()
    region.minutes(10)
    assert ec2_id(2) in region.truth.launched
    assert "1 members are not in the cluster" in region.world.troubles["INSTANCES_NEVER_JOIN"]


@pytest.mark.parametrize(("arn", "goes"), [(instance_arn(9), False), ("", True)])
def test_while_a_task_is_on_an_instance_that_is_not_listed_none_is_missed(arn: str, goes: bool) -> None:
    """The list leaves somebody out, who may be this one; what runs without instances shows nothing."""
    region = awaiting(1, 1)
    region.truth.foreign[arn] = M4_4XLARGE
    region.minutes(8)
    assert (region.truth.unregistered() == set()) is goes


def test_one_that_joins_at_the_last_moment_stays() -> None:
    """It is awaited no longer."""
    region = awaiting(1, 1)
    region.minutes(4)
    (late,) = region.truth.unregistered()
    region.truth.register(late)
    region.minutes(1.5)
    assert late in region.truth.launched


def test_an_answer_of_an_act_that_tells_of_the_group_harms_nobody_awaited() -> None:
    """A member that was awaited is gone from the group before its next reading."""
    region = awaiting(1, 1)
    region.minutes(5.5)
    region.world.fleet.see_group(region.truth.group())
    awaited = region.truth.unregistered()
    for member in awaited:
        del region.truth.members[member]
    region.world.fleet.see_group(region.truth.group())
    assert not [each for each in view(region).upkeep.lost if each.ec2_instance_id in awaited]


def a_ghost() -> Region:
    """Two instances at work, and a third that EC2 ended while its agent was away."""
    region = at_work(3)
    region.go_silent(3)
    region.truth.leave(instance_arn(3))
    return region


def test_a_ghost_is_deregistered() -> None:
    """ECS would list it for ever: it never heard of its end."""
    region = a_ghost()
    region.minutes(0.5)
    assert instance_arn(3) not in region.truth.instances


def test_ec2_must_say_twice_that_an_instance_has_ended() -> None:
    """In two readings in a row: one answer may leave out what is there."""
    region, leftovers = a_ghost(), []
    region.world.fleet.see_group(region.truth.group())
    for _ in range(2):
        read(region)
        leftovers.append(view(region).upkeep.leftovers)
    assert leftovers == [(), (instance_arn(3),)]


def test_what_ecs_has_forgotten_is_not_asked_for_again() -> None:
    """It is listed until the next reading, and decisions come faster than readings."""
    region = a_ghost()
    region.world.fleet.see_group(region.truth.group())
    for _ in range(2):
        read(region)
    forgotten = Outcome(
        call=DeregisterInstance(arn=instance_arn(3)), answer=Accepted(), sent_ms=region.steps.now_ms
    )
    region.world.hear(forgotten, region.steps.now_ms)
    assert view(region).upkeep.leftovers == ()


def test_a_member_in_service_is_no_ghost() -> None:
    """The group checks the health of its instances, and would replace one that had ended."""
    region = a_ghost()
    region.world.fleet.see_group(a_group(*map(a_member, (1, 2, 3))))
    for _ in range(3):
        read(region)
    assert view(region).upkeep.leftovers == ()


def test_an_instance_that_ec2_still_runs_is_no_ghost() -> None:
    """Its agent is away; that is all."""
    region = at_work(3)
    region.go_silent(3)
    region.minutes(5)
    assert instance_arn(3) in region.truth.instances


def test_few_ghosts_are_deregistered_at_a_time() -> None:
    """EC2's word on absence may be wrong as well: one in ten minutes of a small group."""
    region = at_work(4)
    for number in (3, 4):
        region.go_silent(number)
        region.truth.leave(instance_arn(number))
    region.minutes(5)
    assert len(region.truth.instances) == 3
    region.minutes(6)
    assert len(region.truth.instances) == 2


def test_an_old_arn_without_tasks_is_deregistered_at_once() -> None:
    """As many as there are: nothing is absent, the same instance works under another ARN."""
    region = Region(3)
    for number in (1, 2, 3):
        region.truth.register_again(instance_arn(number))
    region.minutes(0.5)
    assert sorted(region.truth.instances) == [instance_arn(number) for number in (4, 5, 6)]


def test_an_old_arn_with_tasks_is_kept_for_as_long_as_a_lost_agent() -> None:
    """ECS would show them as RUNNING for good; after twenty minutes it is told to forget them."""
    region = at_work(2)
    region.truth.register_again(instance_arn(1))
    region.minutes(19)
    assert instance_arn(1) in region.truth.instances
    region.minutes(2)
    assert instance_arn(1) not in region.truth.instances
    assert region.truth.harms == []


def test_an_old_arn_goes_when_its_last_task_has_ended() -> None:
    """What ran under it ended by itself."""
    region = at_work(2)
    region.truth.register_again(instance_arn(1))
    region.minutes(1)
    region.end_all()
    region.minutes(0.5)
    assert instance_arn(1) not in region.truth.instances


def test_room_under_an_old_arn_is_not_free_under_the_new_one() -> None:
    """Its tasks run on: what they hold is free when they end, without any reading in between."""
    region = at_work(1)
    region.truth.register_again(instance_arn(1))
    region.minutes(0.5)
    free = {room.arn: room.free for _, room in region.world.fleet.rooms.spots()}
    assert free[instance_arn(2)].cpu == 0
    region.end_all()
    free = {room.arn: room.free for _, room in region.world.fleet.rooms.spots()}
    assert free[instance_arn(2)] == M4_4XLARGE


def test_what_ecs_would_not_forget_is_asked_again_after_a_rest() -> None:
    """It does no harm meanwhile."""
    region = a_ghost()
    while not region.awaited(DeregisterInstance):
        region.turn()
    (call,) = region.awaited(DeregisterInstance)
    region.steps.answer(call, LOST)
    for _ in range(58):
        region.turn()
        assert region.awaited(DeregisterInstance) == []
    region.minutes(11)
    assert instance_arn(3) not in region.truth.instances


def test_leftovers_beyond_the_slots_of_their_lane_wait() -> None:
    """No intent stays open whose act was never sent."""
    region = Region(4)
    for number in range(1, 5):
        region.truth.register_again(instance_arn(number))
    while len(view(region).upkeep.leftovers) < 4:
        read(region)
    crowded = region.world.view(region.steps.now_ms, dict.fromkeys(Lane, 2), explain=False)
    plan = decide(crowded, POLICY)
    opened = [each.key for each in plan.settled if isinstance(each, IntentRecorded)]
    sent = [call.arn for call in plan.calls if isinstance(call, DeregisterInstance)]
    assert opened == sent
    assert len(sent) == 2


def test_limits_follow_the_operator_s_wish() -> None:
    """In the view of every decision."""
    region = Region(2)
    region.steps.commit(ScaleRequested(wish=a_wish(size=3, kind=WishKind.TARGET)))
    assert view(region).upkeep.limits == Limits(floor=3, ceiling=3)
    region.steps.now_ms += 1
    region.steps.commit(ScaleRequested(wish=a_wish(kind=WishKind.CLEAR)))
    assert view(region).upkeep.limits == Limits(floor=0, ceiling=4)


def test_the_size_counts_removals_under_way_once() -> None:
    """While they are members; what was detached has shrunk the group already."""
    region = Region(3)
    sizes = set()
    for _ in range(100):
        region.turn(2_000)
        sizes.add(view(region).upkeep.size)
    assert sizes <= {3, 2, 1}
    assert view(region).upkeep.size == region.truth.desired == 1


@pytest.mark.parametrize("only_looking", [True, False])
def test_a_held_service_tells_once_what_it_would_do(only_looking: bool) -> None:
    """Nothing is sent, no intent is opened, and each action is in the log once, with what holds it."""
    region = Region(3)
    region.world.observe_only = only_looking
    before = len(region.steps.committed)
    region.minutes(5)
    held = [each.event for each in region.steps.committed[before:] if isinstance(each, ScalingRecorded)]
    assert {each.held for each in held} == ({"OBSERVE_ONLY"} if only_looking else {""})
    assert len({(each.kind, each.ec2_instance_id) for each in held}) == len(held)
    acts = [call for call, _ in region.steps.under_way if isinstance(call, CAPACITY_ACTS)]
    assert acts == []
    assert len(region.truth.members) == (3 if only_looking else 1)
