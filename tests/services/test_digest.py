"""The digest: what GetCluster shows of the World."""

from dataclasses import replace

from scheduler.core.model.answers import Failure, GroupSeen, Outcome
from scheduler.core.model.calls import DescribeGroup
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, Unplaced, empty_digest
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import TaskState
from scheduler.core.world.world import World
from scheduler.services.digest import digest_of, instances_of
from tests.builders import M4_4XLARGE, REGULAR, a_group, a_member, a_world, an_instance, submitted
from tests.clocks import START_MS
from tests.core.clusters import a_cluster
from tests.services.steps import stored

NOBODY = empty_digest("ci")
STALE_MS = Policy().stale_after_ms
DENIED = Failure(definite=True, code="AccessDenied", message="not allowed")


def digest(world: World, now_ms: int = START_MS, before: ClusterDigest = NOBODY) -> ClusterDigest:
    return digest_of(world, (), now_ms, before)


def fail_group(world: World, now_ms: int) -> None:
    world.hear(Outcome(call=DescribeGroup(group="ci"), answer=DENIED, sent_ms=now_ms), now_ms)


def test_capacity_is_summed_over_schedulable_instances() -> None:
    """An instance that gets no tasks is neither registered nor free capacity."""
    world = a_world(an_instance(1), an_instance(2, status="DRAINING"), an_instance(3))
    seen = digest(world)
    assert (seen.registered, seen.free, seen.idle) == (M4_4XLARGE.times(2), M4_4XLARGE.times(2), 2)
    assert seen.health[InstanceHealth.DRAINING] == 1


def test_foreign_load_is_not_free_and_not_idle() -> None:
    """What ECS shows as taken and we did not place is occupied room."""
    taken = Resources(cpu=4096, memory_mib=16000)
    seen = digest(a_world(an_instance(1, remaining=M4_4XLARGE - taken)))
    assert (seen.free, seen.idle) == (M4_4XLARGE - taken, 0)


def test_an_exclusive_task_leaves_no_room() -> None:
    """Nobody gets what it does not use, so neither instance nor cluster shows it as free."""
    steps = a_cluster(1, tasks=())
    steps.commit(submitted(1, ask=REGULAR.alone()))
    steps.step()
    [instance] = instances_of(steps.world)
    assert (instance.tasks, instance.free, digest(steps.world).free) == (1, NOTHING, NOTHING)


def test_only_a_member_has_the_group() -> None:
    """An instance that the group does not list belongs to none."""
    world = a_world(an_instance(1), an_instance(2), group=a_group(a_member(1)))
    assert [each.group for each in instances_of(world)] == [a_group().name, ""]


def test_tasks_are_counted_by_state() -> None:
    """A waiting task is counted, and the revision is the last one folded in."""
    world = a_world()
    world.apply(stored(submitted(1), submitted(2)), START_MS)
    seen = digest(world)
    assert (seen.tasks[TaskState.QUEUED], seen.revision) == (2, 2)


def test_nothing_read_is_stale() -> None:
    """Before AWS was read completely the digest says so and gives no time."""
    seen = digest(World(Policy(), "ci"))
    assert (seen.stale, seen.observed_ms) == (True, None)


def test_one_of_two_readings_is_not_a_complete_one() -> None:
    """The group alone is half a picture: the digest stays stale."""
    world = World(Policy(), "ci")
    answer = GroupSeen(group=a_group())
    world.hear(Outcome(call=DescribeGroup(group="ci"), answer=answer, sent_ms=START_MS), START_MS)
    assert digest(world).stale


def test_a_picture_grows_stale_with_the_older_reading() -> None:
    """Both readings must be young: the digest is as old as the older one."""
    world = a_world(an_instance(1))
    later_ms = START_MS + STALE_MS
    answer = GroupSeen(group=a_group(a_member(1)))
    world.hear(Outcome(call=DescribeGroup(group="ci"), answer=answer, sent_ms=later_ms), later_ms)
    assert not digest(world, later_ms).stale
    seen = digest(world, later_ms + 1)
    assert (seen.stale, seen.observed_ms) == (True, START_MS)


def test_a_condition_keeps_the_time_at_which_it_began() -> None:
    """While a trouble stands its time stands, although its message may change."""
    world = a_world()
    fail_group(world, START_MS)
    first = digest(world)
    fail_group(world, START_MS + 5_000)
    second = digest(world, START_MS + 5_000, first)
    assert [(each.reason, each.since_ms) for each in second.conditions] == [("GROUP_UNREADABLE", START_MS)]
    assert "AccessDenied" in second.conditions[0].message


def test_a_condition_that_comes_back_begins_anew() -> None:
    """Once a reading succeeds its condition is gone; the next failure has its own time."""
    world = a_world()
    fail_group(world, START_MS)
    before = digest(world)
    answer = GroupSeen(group=a_group())
    world.hear(Outcome(call=DescribeGroup(group="ci"), answer=answer, sent_ms=START_MS), START_MS)
    healthy = digest(world, START_MS + 1, before)
    fail_group(world, START_MS + 2)
    assert healthy.conditions == ()
    assert digest(world, START_MS + 2, healthy).conditions[0].since_ms == START_MS + 2


def test_a_clamp_is_a_condition_with_its_remedy() -> None:
    """Tasks that wait for more than the max size allows make a condition that says what to raise."""
    shape = Unplaced(tenant="bamboo", priority=0, ask=REGULAR, waiting=1, clamped=True)
    seen = digest_of(a_world(group=a_group(max_size=3)), (shape,), START_MS, NOBODY)
    assert [each.reason for each in seen.conditions] == ["GROUP_AT_MAX_SIZE"]
    assert "more than the 3 instances" in seen.conditions[0].message


def test_a_wait_without_a_clamp_is_no_condition() -> None:
    """Tasks that wait for instances in flight are nobody's trouble."""
    shape = Unplaced(tenant="bamboo", priority=0, ask=REGULAR, waiting=1)
    assert digest_of(a_world(), (shape,), START_MS, NOBODY).conditions == ()


def test_a_digest_does_not_change_afterwards() -> None:
    """Readers in other threads keep what they were given while the World goes on."""
    world = a_world(an_instance(1))
    seen = digest(world)
    world.apply(stored(submitted(1)), START_MS)
    assert (seen.tasks, seen) == ({}, replace(seen))
