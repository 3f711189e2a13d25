"""Removals from beginning to end: an idle, an old, a surplus, a lost and a never joined instance."""

from scheduler.core.model.answers import InstanceInspected, InstancesSeen
from scheduler.core.model.calls import (
    ActivateInstances,
    Call,
    DetachInstances,
    DrainInstances,
    InspectInstance,
    SetDesiredCapacity,
    TerminateInstances,
)
from scheduler.core.model.records import ScaleRequested, ScalingRecorded
from scheduler.core.model.removal import RemovalCause, RemovalStep
from scheduler.core.model.scaling import ScalingEvent, ScalingKind, WishKind
from tests.builders import M4_4XLARGE, a_wish, ec2_id, instance_arn
from tests.core.clusters import LOST, THROTTLED
from tests.core.region import Region


def events(region: Region) -> list[ScalingEvent]:
    """The log of scaling."""
    return [each.event for each in region.steps.committed if isinstance(each, ScalingRecorded)]


def told(region: Region, number: int) -> list[ScalingKind]:
    """What it tells of an instance."""
    return [each.kind for each in events(region) if each.ec2_instance_id == ec2_id(number)]


def gone(region: Region) -> set[str]:
    """Instances that EC2 does not run any more."""
    return {ec2_id(number) for number in range(1, 10)} - region.truth.launched.keys()


ALL_STEPS = [ScalingKind.DRAIN, ScalingKind.DETACH, ScalingKind.TERMINATE, ScalingKind.REMOVED]


def test_idle_instances_go_by_name_until_one_is_left() -> None:
    """Drained, read once more, detached with the group shrinking, terminated, seen gone; each step told."""
    region = Region(3)
    region.minutes(5)
    assert [told(region, number) for number in (1, 2, 3)] == [ALL_STEPS, ALL_STEPS, []]
    assert (region.truth.desired, list(region.truth.members)) == (1, [ec2_id(3)])
    assert region.truth.launched.keys() == {ec2_id(3)}
    assert region.awaited(SetDesiredCapacity) == []


def test_an_instance_with_a_task_stays() -> None:
    """However long it runs; it goes when the task is seen stopped and its idle time is over."""
    region = Region(2)
    region.run(1)
    region.minutes(10)
    assert list(region.truth.launched) == [ec2_id(1)]
    assert region.truth.harms == []


def test_one_that_is_being_drained_is_taken_back_for_a_task() -> None:
    """Nothing is bought: its room is back before any boot would be over."""
    region = Region(2)
    region.run(1, ask=M4_4XLARGE)
    while not (removal := region.removal(2)) or not region.awaited(DrainInstances):
        region.turn()
    assert removal.step is RemovalStep.DRAINING
    region.submit(2, M4_4XLARGE)
    for _ in range(12):
        assert region.awaited(SetDesiredCapacity) == []
        region.turn()
    assert told(region, 2) == [ScalingKind.DRAIN, ScalingKind.TAKE_BACK]
    assert {task.container_instance_arn for task in region.truth.tasks.values()} == {
        instance_arn(1),
        instance_arn(2),
    }


def test_after_its_detach_is_durable_one_is_not_taken_back() -> None:
    """The way back is closed: another is bought."""
    region = Region(2)
    region.run(1, ask=M4_4XLARGE)
    while not region.awaited(DetachInstances):
        region.turn()
    region.submit(2, M4_4XLARGE)
    for _ in range(10):
        region.turn()
        assert region.awaited(ActivateInstances) == []
    assert (region.truth.desired, ec2_id(2) in region.truth.members) == (2, False)


def test_a_busy_old_one_in_a_full_group_is_drained_while_its_task_runs() -> None:
    """It is never idle under steady load; it goes alone, without decrement, once its task has ended."""
    region = Region(4, old=2)
    region.run(1, 2, 3, 4, ask=M4_4XLARGE)
    region.minutes(5)
    (removal,) = region.removals()
    assert (removal.cause, removal.step, removal.decrement) == (
        RemovalCause.STALE,
        RemovalStep.DRAINING,
        False,
    )
    region.end_all()
    region.turn(5_000)
    region.turn(5_000)
    assert region.truth.desired == 4
    assert region.truth.harms == []


def test_a_task_under_the_old_arn_of_an_instance_keeps_it() -> None:
    """Its agent registered again while a task ran; the task runs on, and nothing is terminated below it."""
    region = Region(4, old=4)
    region.run(1, 2, 3, 4, ask=M4_4XLARGE)
    for number in (1, 2, 3, 4):
        region.truth.register_again(instance_arn(number))
    region.minutes(10)
    assert region.truth.harms == []
    assert len(region.truth.launched) == 4
    assert len(region.removals()) == 1


def test_an_operator_s_target_lets_idle_ones_go_at_once() -> None:
    """Busy ones stay, above the target or not."""
    region = Region(4)
    region.run(1, ask=M4_4XLARGE)
    region.steps.commit(ScaleRequested(wish=a_wish(size=2, kind=WishKind.TARGET)))
    region.minutes(0.7)
    assert (region.truth.desired, ec2_id(1) in region.truth.members) == (2, True)
    assert {each.code for each in events(region) if each.kind is ScalingKind.DRAIN} == {"SURPLUS"}


def test_an_operator_s_floor_is_grown_to_and_kept() -> None:
    """Without any task; and taken back is preferred to bought."""
    region = Region(2)
    while not region.awaited(DrainInstances):
        region.turn()
    region.steps.commit(ScaleRequested(wish=a_wish(size=3)))
    region.turn()
    (call,) = region.awaited(SetDesiredCapacity)
    assert isinstance(call, SetDesiredCapacity)
    assert call.desired == 3
    for _ in range(60):
        region.truth.join(region.steps.now_ms)
        region.turn(5_000)
    assert (region.truth.desired, len(region.truth.launched), region.removals()) == (3, 3, [])
    assert region.removal(1) is None
    assert region.truth.launched.keys() == {ec2_id(1), ec2_id(2), ec2_id(3)}


def lost_one(*, minutes: float = 20.5) -> Region:
    """Three instances at work; the agent of the first has been away for so long."""
    region = Region(3)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.go_silent(1)
    region.minutes(minutes)
    return region


def test_a_lost_instance_is_replaced_with_what_runs_on_it() -> None:
    """After twenty minutes and not before; detached without decrement, so that the group launches another."""
    assert lost_one(minutes=19.5).removals() == []
    region = lost_one(minutes=22)
    assert told(region, 1)[:2] == [ScalingKind.DETACH, ScalingKind.TERMINATE]
    assert ec2_id(1) not in region.truth.launched
    assert (region.truth.desired, len(region.truth.members)) == (3, 2)
    region.minutes(1)
    assert instance_arn(1) not in region.truth.instances, "ECS forgot it, though it never heard of its end"


def about_to_be_detached() -> tuple[Region, Call]:
    """Three instances at work; the agent of the first is lost, and the group is being told."""
    region = lost_one(minutes=19)
    while not region.awaited(DetachInstances):
        region.turn(5_000)
    (detach,) = region.awaited(DetachInstances)
    assert detach == DetachInstances(group="ci", ec2_instance_ids=(ec2_id(1),), decrement=False)
    return region, detach


def test_a_lost_one_that_comes_back_in_time_is_kept() -> None:
    """The group was not told yet: its agent is there, and so is the build on it."""
    region, detach = about_to_be_detached()
    region.steps.answer(detach, THROTTLED)
    region.come_back(1)
    for _ in range(60):
        region.turn()
    assert region.removals() == []
    assert region.truth.harms == []
    assert ec2_id(1) in region.truth.members


def test_a_lost_one_whose_detach_may_have_happened_is_not_left_alone() -> None:
    """Its answer was lost: a reading of the group tells, and it is ended where it is no member any more."""
    region, detach = about_to_be_detached()
    region.truth.answer(detach)
    region.steps.answer(detach, LOST)
    region.come_back(1)
    region.minutes(1)
    assert ec2_id(1) in region.truth.launched, "the build on it goes on"
    region.end_all()
    region.minutes(1)
    assert ec2_id(1) not in region.truth.launched


def test_one_that_was_drained_and_lost_is_drained_on_when_it_is_back() -> None:
    """A task of others is on it still: it is neither detached nor given up."""
    region = Region(4, old=1)
    region.run(1, 2, 3, 4, ask=M4_4XLARGE)
    region.truth.foreign[instance_arn(1)] = M4_4XLARGE - M4_4XLARGE
    region.minutes(1)
    region.go_silent(1)
    region.end_all()
    region.minutes(18)
    while not region.awaited(DetachInstances):
        region.turn(5_000)
    (detach,) = region.awaited(DetachInstances)
    region.steps.answer(detach, THROTTLED)
    region.come_back(1)
    for _ in range(60):
        region.turn()
    removal = region.removal(1)
    assert removal is not None
    assert removal.step is RemovalStep.DRAINING
    assert region.truth.harms == []


def test_many_lost_agents_are_nobody_s_fault() -> None:
    """Three at about the same time: nothing is detached while they are away, nor when they are back."""
    region = Region(4)
    region.run(1, 2, 3, 4, ask=M4_4XLARGE)
    for number in (1, 2, 3):
        region.go_silent(number)
    region.minutes(25)
    assert region.removals() == []
    assert "MASS_DISCONNECT" in region.world.troubles
    for number in (1, 2, 3):
        region.come_back(number)
    region.minutes(11)
    assert region.removals() == []
    assert "MASS_DISCONNECT" not in region.world.troubles


def test_one_that_never_joins_is_replaced() -> None:
    """Terminated after five minutes of waiting; the group launches another."""
    region = Region(2)
    region.run(1, 2, ask=M4_4XLARGE)
    region.truth.desired = 3
    missing = region.truth.launch(region.steps.now_ms)
    region.minutes(4.9)
    assert missing in region.truth.launched
    region.minutes(0.8)
    assert missing not in region.truth.launched
    assert (region.truth.desired, region.removals()) == (3, [])


def test_terminations_are_only_of_what_was_let_go() -> None:
    """Of a healthy instance the group knows first."""
    region = Region(3)
    for _ in range(300):
        for call in region.awaited(TerminateInstances):
            assert isinstance(call, TerminateInstances)
            assert not region.truth.members.keys() & set(call.ec2_instance_ids)
        region.turn()
    assert gone(region) >= {ec2_id(1), ec2_id(2)}


def turn_without(region: Region, arn: str) -> None:
    """A turn in which what ECS lists and describes leaves the instance out, though it is there."""
    region.steps.now_ms += 5_000
    for call, _ in list(region.steps.under_way):
        answer = region.truth.answer(call)
        if isinstance(answer, InstancesSeen):
            answer = InstancesSeen(instances=tuple(each for each in answer.instances if each.arn != arn))
        if isinstance(answer, InstanceInspected):
            answer = InstanceInspected(instance=None)
        region.steps.answer(call, answer)
    region.steps.step()


def test_one_that_lists_and_looks_leave_out_is_removed_all_the_same() -> None:
    """Twice neither shows it, right after its drain. It is drained once more, which ECS would refuse."""
    region = Region(2)
    while not region.awaited(InspectInstance):
        region.turn()
    (removal,) = region.removals()
    for _ in range(2):
        turn_without(region, removal.arn)
    assert region.removals() == [removal]
    region.minutes(3)
    assert told(region, 1) == ALL_STEPS
