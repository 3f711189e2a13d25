"""The cloud port's contract: readings that removals, strays and growth are decided by."""

from dataclasses import replace

import pytest

from scheduler.core.model.container_instance import GONE
from scheduler.core.model.mark import Mark
from tests.contract.cloud_worlds import (
    ATTEMPT,
    GROUP,
    RUN_MS,
    SimulatedWorld,
    SimulatedWorldMaker,
    World,
    failure_in,
    unknown_like,
)

LONG_MS = 10 * RUN_MS
STARTED_WITHIN_MS = 30_000
TERMINATED_WITHIN_MS = 60_000
LAUNCHED_WITHIN_MS = 60_000
MARK = Mark(service_id="ours", store_epoch="e-1", since_ms=1_795_000_000_000)
TAGS = {
    "ecs-scheduler:task": "t-1",
    "ecs-scheduler:service": "ours",
    "ecs-scheduler:epoch": "e-1",
    "ecs-scheduler:since": "1795000000000",
}


class TestInspection:
    def test_a_busy_instance_shows_its_tasks(self, world: World) -> None:
        """Its own, and not those of another one."""
        first, second = world.cloud.container_instances()
        task = world.cloud.start_task(world.launch(container_instance_arn=first.arn))
        world.cloud.start_task(world.launch("another", container_instance_arn=second.arn))
        seen = world.cloud.inspect(first.arn)
        assert seen.instance is not None
        assert seen.instance.arn == first.arn
        assert [each.arn for each in seen.tasks] == [task.arn]

    def test_an_idle_instance_shows_none(self, world: World) -> None:
        """Read as a whole: the same as in the reading of the cluster."""
        world.cloud.set_draining((world.instance_arn(),), draining=True)
        instance = world.cloud.container_instances()[0]
        seen = world.cloud.inspect(instance.arn)
        assert (seen.instance, seen.tasks) == (instance, ())

    def test_a_task_that_is_to_stop_is_there_until_it_has(self, simulated: SimulatedWorld) -> None:
        """Whatever it is to become: it has its grace, and whoever waits for it wants its exit."""
        task = simulated.cloud.start_task(simulated.launch())
        simulated.clock.advance_ms(STARTED_WITHIN_MS)
        simulated.cloud.stop_task(task.arn, "cancelled")
        stopping = simulated.cloud.inspect(task.container_instance_arn).tasks
        simulated.clock.advance_ms(LONG_MS)
        stopped = simulated.cloud.inspect(task.container_instance_arn).tasks
        assert ([each.desired_status for each in stopping], stopped) == (["STOPPED"], ())

    def test_an_unknown_instance_is_none(self, world: World) -> None:
        """That is an answer, not a failure."""
        seen = world.cloud.inspect(unknown_like(world.instance_arn()))
        assert (seen.instance, seen.tasks) == (None, ())

    def test_a_deregistered_instance_is_none(self, simulated: SimulatedWorld) -> None:
        """ECS describes it as INACTIVE for a while."""
        arn = simulated.instance_arn()
        simulated.cloud.deregister_container_instance(arn)
        assert simulated.cloud.inspect(arn).instance is None

    @pytest.mark.parametrize("operation", ["DescribeContainerInstances", "ListTasks", "DescribeTasks"])
    def test_an_inspection_that_fails_shows_nothing(self, simulated: SimulatedWorld, operation: str) -> None:
        """Half of one would show a busy instance as idle."""
        arn = simulated.cloud.start_task(simulated.launch()).container_instance_arn
        simulated.fail_reading(operation, "error_before")
        assert not failure_in(lambda: simulated.cloud.inspect(arn)).definite

    def test_the_second_list_counts_too(self, simulated: SimulatedWorld) -> None:
        """Tasks that are to stop are listed apart."""
        arn = simulated.cloud.start_task(simulated.launch()).container_instance_arn
        simulated.fault("ListTasks", "throttle", skip=1, count=3)
        assert failure_in(lambda: simulated.cloud.inspect(arn)).throttled


class TestCensus:
    def test_every_task_that_is_to_run_is_counted(self, world: World) -> None:
        """On whatever instance, whoever started it."""
        first, second = world.cloud.container_instances()
        ours = world.cloud.start_task(world.launch(container_instance_arn=first.arn, tags=TAGS))
        theirs = world.cloud.start_task(world.launch("jenkins", container_instance_arn=second.arn, tags={}))
        counted = {each.arn: each for each in world.cloud.census()}
        assert {arn: each.mark for arn, each in counted.items()} == {ours.arn: MARK, theirs.arn: None}
        assert (counted[ours.arn].started_by, counted[theirs.arn].started_by) == (ATTEMPT, "jenkins")
        assert counted[theirs.arn].container_instance_arn == second.arn

    def test_the_mark_is_the_censuss_alone(self, world: World) -> None:
        """Other readings do not ask for tags, and answer the same otherwise."""
        task = world.cloud.start_task(world.launch(tags=TAGS))
        [counted] = world.cloud.census()
        [described], _ = world.cloud.describe_tasks((task.arn,))
        assert (counted.mark, described) == (MARK, replace(counted, mark=None))

    def test_a_task_that_is_to_stop_is_not_counted(self, world: World) -> None:
        """Not even while it is still running."""
        task = world.cloud.start_task(world.launch())
        assert len(world.cloud.census()) == 1
        world.cloud.stop_task(task.arn, "cancelled")
        assert world.cloud.census() == ()

    def test_an_empty_cluster_has_none(self, world: World) -> None:
        """That is a complete reading."""
        assert world.cloud.census() == ()

    def test_a_task_is_described_once(self, simulated: SimulatedWorld) -> None:
        """What a census tells of it never changes, and descriptions are the account's scarcest reads."""
        simulated.cloud.start_task(simulated.launch())
        before = simulated.cloud.census()
        assert (simulated.cloud.census(), simulated.calls("DescribeTasks")) == (before, 1)
        simulated.cloud.start_task(simulated.launch("another"))
        assert len(simulated.cloud.census()) == 2
        assert simulated.calls("DescribeTasks") == 2

    def test_more_than_100_tasks_are_all_counted(self, make_simulated: SimulatedWorldMaker) -> None:
        """Lists and descriptions hold 100."""
        world = make_simulated()
        arn = world.register(cpu=1, memoryReservation=6)
        instance = world.instance_arn()
        for number in range(120):
            world.cloud.start_task(
                world.launch(f"a-{number}", container_instance_arn=instance, task_definition_arn=arn)
            )
        assert len({each.started_by for each in world.cloud.census()}) == 120

    def test_when_a_task_was_made_is_told(self, simulated: SimulatedWorld) -> None:
        """By ECS's clock."""
        simulated.cloud.start_task(simulated.launch())
        [counted] = simulated.cloud.census()
        assert counted.created_ms == simulated.clock.now_ms()


def silence(world: SimulatedWorld) -> str:
    """Disconnects an agent; tells of which EC2 instance."""
    ec2_id = world.cloud.container_instances()[0].ec2_instance_id
    world.account.set_agent_connected(ec2_id, False)
    return ec2_id


def ec2_states(world: SimulatedWorld) -> dict[str, str]:
    return {each.ec2_instance_id: each.ec2_state for each in world.cloud.container_instances()}


class TestSilentInstances:
    def test_ec2_is_asked_about_the_disconnected(self, simulated: SimulatedWorld) -> None:
        """Only about them: a connected agent is proof enough of its instance."""
        silent = silence(simulated)
        states = ec2_states(simulated)
        assert states.pop(silent) == "running"
        assert list(states.values()) == [""]

    def test_a_ghost_is_known_by_its_end(self, simulated: SimulatedWorld) -> None:
        """ECS keeps it ACTIVE; EC2 tells that it was terminated, and later that there is no such thing."""
        silent = silence(simulated)
        simulated.cloud.terminate((silent,))
        simulated.clock.advance_ms(TERMINATED_WITHIN_MS)
        assert ec2_states(simulated)[silent] == "terminated"
        simulated.clock.advance_ms(simulated.account.settings.terminated_instance_visible_ms)
        assert ec2_states(simulated)[silent] == GONE

    def test_an_inspection_tells_it_too(self, simulated: SimulatedWorld) -> None:
        """It is the same instance, read alone."""
        silent = silence(simulated)
        [arn] = [each.arn for each in simulated.cloud.container_instances() if each.ec2_instance_id == silent]
        seen = simulated.cloud.inspect(arn).instance
        assert seen is not None
        assert seen.ec2_state == "running"

    def test_while_ec2_cannot_be_asked_nothing_is_said(self, simulated: SimulatedWorld) -> None:
        """Never GONE: the reading stands without its word."""
        simulated.cloud.container_instances()
        silent = silence(simulated)
        simulated.fail_reading("DescribeInstances", "error_before")
        assert ec2_states(simulated)[silent] == ""
        assert ec2_states(simulated)[silent] == "running"


class TestMembers:
    def test_members_have_their_launch_times(self, world: World) -> None:
        """EC2's, as container instances have them."""
        launched_ms = {each.ec2_instance_id: each.launched_ms for each in world.cloud.container_instances()}
        members = world.cloud.group(GROUP).members
        assert {each.ec2_instance_id: each.launched_ms for each in members.values()} == launched_ms

    def test_one_question_serves_both_readings(self, simulated: SimulatedWorld) -> None:
        """A launch time never changes."""
        simulated.cloud.group(GROUP)
        simulated.cloud.container_instances()
        simulated.cloud.group(GROUP)
        assert simulated.calls("DescribeInstances") == 1

    def test_an_unknown_launch_time_is_asked_again(self, simulated: SimulatedWorld) -> None:
        """The group is worth more than it."""
        simulated.fail_reading("DescribeInstances", "error_before")
        first = simulated.cloud.group(GROUP).members.values()
        assert {each.launched_ms for each in first} == {None}
        assert None not in {each.launched_ms for each in simulated.cloud.group(GROUP).members.values()}


NO_CAPACITY = "We currently do not have sufficient m4.4xlarge capacity in eu-west-1a."


class TestFailedLaunches:
    def test_a_failed_launch_is_told_in_ec2s_words(self, simulated: SimulatedWorld) -> None:
        """Nothing else tells why a group stays small."""
        simulated.account.fail_launches(1, NO_CAPACITY)
        simulated.cloud.set_desired_capacity(GROUP, 3)
        simulated.clock.advance_ms(LAUNCHED_WITHIN_MS)
        [failed] = simulated.cloud.failed_launches(GROUP)
        assert failed.message.startswith(NO_CAPACITY)
        assert 0 <= simulated.clock.now_ms() - failed.at_ms <= LAUNCHED_WITHIN_MS

    def test_they_are_told_oldest_first(self, simulated: SimulatedWorld) -> None:
        """Each once, by its id."""
        simulated.account.fail_launches(3, NO_CAPACITY)
        simulated.cloud.set_desired_capacity(GROUP, 3)
        simulated.clock.advance_ms(LONG_MS)
        failed = simulated.cloud.failed_launches(GROUP)
        assert len({each.activity_id for each in failed}) == 3
        assert [each.at_ms for each in failed] == sorted(each.at_ms for each in failed)

    def test_launches_that_succeed_are_none(self, world: World) -> None:
        """And neither are terminations."""
        world.cloud.set_desired_capacity(GROUP, 3)
        assert world.cloud.failed_launches(GROUP) == ()
