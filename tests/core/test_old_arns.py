"""Old ARNs: what runs under one while its agent is under another, and ECS's lists leave out either."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scheduler.core.model.calls import DeregisterInstance
from tests.builders import M4_4XLARGE, ec2_id, instance_arn
from tests.core.region import Region

OLD, NEW = instance_arn(1), instance_arn(3)


def registered_anew() -> Region:
    """Two instances at work, full; the first has a new ARN."""
    region = Region(2)
    region.run(1, 2, ask=M4_4XLARGE)
    region.truth.register_again(OLD)
    region.minutes(0.5)
    return region


@contextmanager
def left_out(region: Region, arn: str) -> Iterator[None]:
    """Meanwhile the lists of ECS lack this ARN, if it is there."""
    hidden = region.truth.instances.pop(arn, None)
    yield
    if hidden is not None:
        region.truth.instances[arn] = hidden


def test_work_under_an_arn_that_a_list_leaves_out_holds_its_room() -> None:
    """It runs on the EC2 instance, whatever is listed."""
    region = registered_anew()
    with left_out(region, OLD):
        region.minutes(0.5)
        free = {room.arn: room.free for _, room in region.world.fleet.rooms.spots()}
        assert free[NEW].cpu == 0


def test_an_instance_with_such_work_is_not_idle() -> None:
    """However long the lists leave it out."""
    region = registered_anew()
    with left_out(region, OLD):
        region.minutes(10)
    assert (region.removals(), region.truth.harms) == ([], [])


@pytest.mark.parametrize("blinking", [OLD, NEW])
def test_gaps_in_lists_do_not_keep_an_old_arn_for_ever(blinking: str) -> None:
    """Every third list lacks one of the two: after twenty minutes ECS is told to forget the old one."""
    region = registered_anew()
    for _ in range(22 * 4):
        with left_out(region, "" if region.awaited(DeregisterInstance) else blinking):
            region.turn(5_000)
        region.minutes(0.2)
    assert OLD not in region.truth.instances
    assert ec2_id(1) in region.truth.launched


def test_an_old_arn_goes_while_its_instance_is_being_removed() -> None:
    """The removal waits for what runs there, which ECS would show as RUNNING for good."""
    region = Region(4, old=4)
    region.run(1, 2, 3, 4, ask=M4_4XLARGE)
    before = [instance_arn(number) for number in (1, 2, 3, 4)]
    for arn in before:
        region.truth.register_again(arn)
    region.minutes(10)
    assert len(region.removals()) == 1
    region.minutes(12)
    assert region.truth.instances.keys().isdisjoint(before)
    assert region.truth.harms == []


def test_what_ran_on_an_ended_instance_is_lost_when_the_group_is_empty() -> None:
    """Nobody else proves any more that cluster and group belong together: it was proven before."""
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    region.go_silent(1)
    region.truth.leave(OLD)
    region.truth.desired = 0
    region.minutes(2)
    assert OLD not in region.truth.instances
