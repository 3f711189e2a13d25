"""Hearing of capacity: what the census, the hazards and failed launches teach the World."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scheduler.core.model.answers import (
    Answer,
    EcsTask,
    FailedLaunchesSeen,
    Failure,
    HazardsSeen,
    InstancesSeen,
    Outcome,
    TasksSeen,
)
from scheduler.core.model.calls import (
    Call,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeHazards,
    DrainInstances,
    Lane,
    SetDesiredCapacity,
    TakeCensus,
)
from scheduler.core.model.facts import launch_failure_fact, pair_fact
from scheduler.core.model.group import FailedLaunch, Hazard
from scheduler.core.model.mark import Mark
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.world.world import World
from tests.builders import (
    M4_4XLARGE,
    a_world,
    an_ecs_task,
    an_instance,
    attempt,
    ec2_id,
    instance_arn,
    task_id,
)
from tests.clocks import START_MS
from tests.core.clusters import LOST
from tests.core.region import Region

LARGE, DAEMON = Resources(cpu=8192, memory_mib=32_000), Resources(cpu=128, memory_mib=419)
STEERED = Hazard(reason="SCALING_POLICY", message="it has a scaling policy", stops_scaling=True)
RIVAL = Mark(service_id="", store_epoch="another", since_ms=-1)


def hear(world: World, call: Call, answer: Answer, now_ms: int) -> None:
    world.hear(Outcome(call=call, answer=answer, sent_ms=now_ms), now_ms)


def foreign(number: int = 1, mark: Mark | None = None) -> EcsTask:
    """A task that nobody here started."""
    somebody = attempt(99, number, container_instance_arn=instance_arn(number))
    return an_ecs_task(somebody, mark=mark, created_ms=START_MS + 10_000)


def census(region: Region, *tasks: EcsTask) -> None:
    hear(region.world, TakeCensus(), TasksSeen(tasks=tasks), region.steps.now_ms)


def test_a_task_of_others_makes_its_instance_busy() -> None:
    """Even one that asks for nothing, and shows in no reading of what remains."""
    region = Region(2)
    census(region, foreign(1))
    assert region.world.fleet.is_busy(instance_arn(1))
    assert not region.world.fleet.is_busy(instance_arn(2))
    assert "1 tasks on 1 container instances" in region.world.troubles["FOREIGN_TASKS"]


def test_an_instance_with_a_task_of_others_stays() -> None:
    """Until a census shows that it ended; then its idle time begins."""
    region = Region(2)
    region.truth.foreign[instance_arn(1)] = M4_4XLARGE - M4_4XLARGE
    region.minutes(10)
    assert list(region.truth.launched) == [ec2_id(1)]
    assert region.truth.harms == []
    region.truth.foreign.clear()
    region.minutes(1)
    assert "FOREIGN_TASKS" not in region.world.troubles
    assert not region.world.fleet.is_busy(instance_arn(1))


@pytest.mark.parametrize(("asks", "fails"), [(M4_4XLARGE - DAEMON, False), (M4_4XLARGE, True)])
def test_daemons_make_those_fail_that_no_type_holds_beside_them(asks: Resources, fails: bool) -> None:
    """What is bought would come with its daemons too; the others go on waiting."""
    region = Region(1)
    region.run(1, ask=LARGE)
    region.submit(2, asks)
    region.turn()
    region.turn()
    assert task_id(2) in region.world.attempts.tracks
    census(region, replace(foreign(1), daemon=True, service="router", ask=DAEMON))
    region.steps.step()
    assert (task_id(2) not in region.world.attempts.tracks) is fails
    assert region.world.growth.types[0].allocatable == M4_4XLARGE - DAEMON


def test_tasks_of_ours_are_not_foreign() -> None:
    """By the attempt that started them."""
    region = Region(2)
    region.run(1, 2)
    region.minutes(1)
    assert "FOREIGN_TASKS" not in region.world.troubles


def test_a_census_that_failed_teaches_nothing() -> None:
    """What was known stands, and nothing is decided before the first one."""
    world = World(Policy(), "ci")
    hear(world, TakeCensus(), LOST, START_MS)
    assert world.census_read_ms is None
    assert world.troubles.keys() == {"TASKS_UNLISTED"}


def test_a_second_scheduler_s_marks_hold_everything() -> None:
    """Neither is anything placed nor drained while the one that was there before us marks tasks."""
    region = Region(3)
    region.minutes(1)
    census(region, foreign(3, mark=RIVAL))
    region.submit(1)
    plan = region.steps.step()
    assert (plan.hold.reason if plan.hold else None) == "SECOND_SCHEDULER"
    assert (plan.placements, region.removals()) == ((), [])


def hazards(region: Region, *found: Hazard) -> None:
    hear(region.world, DescribeHazards(group="ci"), HazardsSeen(hazards=found), region.steps.now_ms)


def test_a_hazard_that_makes_numbers_wrong_leaves_capacity_alone() -> None:
    """Tasks are placed on what is there; nothing is bought and nothing removed."""
    region = Region(2)
    hazards(region, STEERED)
    region.run(1)
    for number in (2, 3, 4):
        region.submit(number, M4_4XLARGE)
    region.minutes(5)
    assert len(region.truth.tasks) == 2
    assert (region.truth.desired, region.removals()) == (2, [])


@pytest.mark.parametrize(
    ("failure", "goes_on"),
    [
        (Failure(definite=True, code="AccessDenied", message="not authorized"), True),
        (Failure(definite=True, throttled=True, code="Throttling", message="Rate exceeded"), False),
        (LOST, False),
    ],
)
def test_hazards_that_cannot_be_read_are_waited_for_if_they_may_come(failure: Failure, goes_on: bool) -> None:
    """A missing permission must not stop the service; a throttle passes, and weights may be behind it."""
    world = World(Policy(), "ci")
    hear(world, DescribeHazards(group="ci"), failure, START_MS)
    assert (world.hazards.asked, world.hazards.found) == (goes_on, ())
    assert world.troubles.keys() == {"HAZARDS_UNREADABLE"}


def test_hazards_that_were_read_stand_until_they_are_read_otherwise() -> None:
    """A reading that fails ends none of them."""
    region = Region(1)
    hazards(region, STEERED)
    hear(region.world, DescribeHazards(group="ci"), LOST, region.steps.now_ms)
    assert region.world.hazards.found == (STEERED,)


def failed(*at_ms: int) -> FailedLaunchesSeen:
    launches = (FailedLaunch(activity_id=f"a-{at}", at_ms=at, message=f"no capacity {at}") for at in at_ms)
    return FailedLaunchesSeen(launches=tuple(launches))


def tell(region: Region, answer: Answer) -> list[str]:
    """What the log of scaling gains by this answer."""
    before = len(region.steps.committed)
    hear(region.world, DescribeFailedLaunches(group="ci"), answer, region.steps.now_ms)
    region.steps.step()
    events = [each.event for each in region.steps.committed[before:] if isinstance(each, ScalingRecorded)]
    return [each.message for each in events if each.kind is ScalingKind.LAUNCH_FAILED]


def test_a_failed_launch_is_told_once() -> None:
    """However often it is listed; of several all that are new."""
    region = Region(1)
    region.run(1)
    assert tell(region, failed(START_MS + 5, START_MS + 9)) == [
        f"no capacity {START_MS + 5}",
        f"no capacity {START_MS + 9}",
    ]
    assert tell(region, failed(START_MS + 5, START_MS + 9)) == []
    assert tell(region, failed(START_MS + 9, START_MS + 12)) == [f"no capacity {START_MS + 12}"]
    assert launch_failure_fact(START_MS + 12) in region.steps.committed


def test_a_failed_launch_is_not_told_again_after_a_restart() -> None:
    """The newest one that was told is a fact."""
    region = Region(1)
    tell(region, failed(START_MS + 5))
    region.restart()
    assert tell(region, failed(START_MS + 5)) == []


@pytest.mark.parametrize("answer", [failed(), LOST])
def test_no_news_of_launches_is_no_event(answer: Answer) -> None:
    """Nor a reason to rest."""
    region = Region(1)
    assert tell(region, answer) == []
    assert not region.steps.view().capacity.resting


def test_growth_rests_after_a_failed_launch() -> None:
    """The next one would fail as well; the condition says why, until nothing is awaited any more.

    One that fails after that is the first of its row again.
    """
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    region.submit(2, M4_4XLARGE)
    region.turn()
    region.turn()
    tell(region, failed(START_MS + 5))
    region.submit(3, M4_4XLARGE)
    region.steps.step()
    assert region.awaited(SetDesiredCapacity) == []
    assert "no capacity" in region.world.troubles["LAUNCHES_FAIL"]
    region.truth.join(region.steps.now_ms)
    region.minutes(0.2)
    region.truth.join(region.steps.now_ms)
    region.minutes(0.5)
    assert "LAUNCHES_FAIL" not in region.world.troubles
    assert not region.steps.view().capacity.resting
    tell(region, failed(START_MS + 6))
    assert region.world.growth.next_ms() == region.steps.now_ms + region.policy.growth_pauses_ms[0]


def test_a_rest_after_a_failed_launch_outlasts_readings_of_the_group() -> None:
    """The group wants what it was asked for, and cannot have it: that is no success."""
    region = Region(1)
    region.run(1, ask=M4_4XLARGE)
    region.submit(2, M4_4XLARGE)
    region.turn()
    region.turn()
    for number in range(3):
        tell(region, failed(START_MS + number))
    for _ in range(5):
        region.turn()
    region.submit(3, M4_4XLARGE)
    region.steps.step()
    assert region.steps.view().capacity.resting
    assert region.awaited(SetDesiredCapacity) == []


def silent(region: Region, numbers: Sequence[int]) -> Region:
    for number in numbers:
        region.go_silent(number)
    region.minutes(0.5)
    return region


@pytest.mark.parametrize(("numbers", "frozen"), [((1,), False), ((1, 2), False), ((1, 2, 3), True)])
def test_more_agents_than_likely_freeze_replacement(numbers: Sequence[int], frozen: bool) -> None:
    """Two of four may fail at a time; three are the region, the agent or the image."""
    region = silent(Region(4), numbers)
    assert region.world.fleet.frozen is frozen
    assert ("MASS_DISCONNECT" in region.world.troubles) is frozen


def test_replacement_thaws_ten_minutes_after_agents_have_come_back() -> None:
    """Stragglers of what befell all of them are no worse; those that stay away are then judged one by one."""
    region = silent(Region(4), (1, 2, 3))
    region.run(1, 2, 3, ask=M4_4XLARGE)
    region.minutes(30)
    region.come_back(2)
    region.minutes(9)
    assert "come back" in region.world.troubles["MASS_DISCONNECT"]
    assert region.removals() == []
    region.minutes(1.5)
    assert "MASS_DISCONNECT" not in region.world.troubles


def test_nothing_is_bought_for_agents_that_are_lost_in_masses() -> None:
    """Builds go on without ECS: their instances count as capacity for as long as it lasts."""
    region = Region(4)
    region.run(1, 2, 3, ask=M4_4XLARGE)
    silent(region, (1, 2, 3))
    region.minutes(5)
    supply = region.world.fleet.supply(region.steps.now_ms)
    assert (supply.in_flight, len(supply.silent)) == (0, 3)


def test_the_proof_of_the_pair_is_kept() -> None:
    """Once; a new life does not begin by doubting it."""
    region = Region(2)
    region.minutes(1)
    assert region.steps.committed.count(pair_fact("", "ci")) == 1
    region.restart()
    region.truth.instances.clear()
    region.minutes(1)
    plan = region.turn()
    assert plan.hold is None


def test_a_pair_that_is_unproven_is_left_alone() -> None:
    """No member was ever seen in the cluster: nothing is placed, bought or drained."""
    region = Region(0)
    region.truth.desired = 2
    region.truth.launch(START_MS)
    for number in (7, 8):
        region.truth.launched[ec2_id(number)] = START_MS
        region.truth.register(ec2_id(number))
    region.submit(1, M4_4XLARGE)
    region.minutes(10)
    assert (region.truth.tasks, region.truth.desired) == ({}, 2)
    assert "GROUP_NOT_IN_CLUSTER" in {each.reason for each in [region.turn().hold] if each}


def test_an_empty_group_grows_and_proves_the_pair() -> None:
    """Strangers in the cluster are no contradiction."""
    region = Region(0)
    region.truth.launched["i-stranger"] = START_MS
    region.truth.register("i-stranger")
    region.submit(1, M4_4XLARGE)
    region.minutes(0.2)
    assert region.truth.desired == 1
    region.truth.join(region.steps.now_ms)
    region.minutes(0.2)
    assert len(region.truth.tasks) == 1


def test_nothing_goes_before_two_readings_agree() -> None:
    """One complete reading may be of another moment than the group's."""
    instances = (an_instance(1), an_instance(2))
    world, candidates = a_world(*instances), []
    for at_ms in (START_MS, START_MS + 10_000):
        hear(world, DescribeContainerInstances(), InstancesSeen(instances=instances), at_ms)
        view = world.view(at_ms + 1_000_000, dict.fromkeys(Lane, 5), explain=False)
        candidates.append(len(view.upkeep.candidates))
    assert candidates == [0, 2]


def test_an_instance_is_drained_by_name_after_all_that() -> None:
    """The interlocks hold nothing back for good."""
    region = Region(2)
    while not region.awaited(DrainInstances):
        region.turn()
    assert region.awaited(DrainInstances) == [DrainInstances(arns=(an_instance().arn,))]


def test_instances_outside_the_group_are_told_after_a_while() -> None:
    """They may be somebody else's, or ours from before the store was lost: an operator must know."""
    region = Region(1)
    region.truth.add_stranger()
    region.minutes(4)
    assert "FOREIGN_INSTANCES" not in region.world.troubles
    region.minutes(2)
    told = region.world.troubles["FOREIGN_INSTANCES"]
    assert "1 container instances" in told
    assert "1 never were seen to be members or may be in a warm pool, and are not ours to end" in told


def test_members_that_others_drain_are_told_after_a_while() -> None:
    """Whoever did it may have forgotten; until then they serve nobody."""
    region = Region(2)
    region.truth.turn(instance_arn(2), status="DRAINING", agent_connected=True)
    region.minutes(6)
    assert "1 members were drained" in region.world.troubles["DRAINED_BY_OTHERS"]
    region.truth.turn(instance_arn(2), status="ACTIVE", agent_connected=True)
    region.minutes(1)
    assert "DRAINED_BY_OTHERS" not in region.world.troubles
