"""What every adapter of the cloud port owes the service: tasks, readings, the group and its types."""

import pytest

from scheduler.adapters.aws.access import check_access
from scheduler.core.model.answers import DEFINITION_GONE
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.simulated_aws.faults import FaultKind
from scheduler.simulated_aws.journal import Effect
from tests.clocks import START_MS
from tests.contract.cloud_worlds import (
    ATTEMPT,
    CLUSTER,
    GROUP,
    RUN_MS,
    SimulatedWorld,
    SimulatedWorldMaker,
    World,
    WorldMaker,
    failure_in,
    unknown_like,
)

LONG_MS = 10 * RUN_MS
STARTED_WITHIN_MS = 30_000
EXIT_CODE = 3


class TestStart:
    def test_a_started_task_carries_its_attempt(self, world: World) -> None:
        """`startedBy` is how a lost one is found again."""
        launch = world.launch()
        task = world.cloud.start_task(launch)
        assert (task.started_by, task.container_instance_arn) == (ATTEMPT, launch.container_instance_arn)
        assert (task.desired_status, task.stop) == ("RUNNING", None)

    def test_overrides_and_tags_reach_ecs(self, simulated: SimulatedWorld) -> None:
        """They are what makes one configuration many builds."""
        environment = [{"name": "ATTEMPT_ID", "value": ATTEMPT}]
        simulated.cloud.start_task(
            simulated.launch(
                overrides={"containerOverrides": [{"name": "agent", "environment": environment}]}
            )
        )
        [effect] = simulated.account.journal.of(Effect.START_TASK)
        assert (effect["environment"], effect["tags"]) == (
            {"ATTEMPT_ID": ATTEMPT},
            {"service": "ecs-scheduler"},
        )

    @pytest.mark.parametrize("kind", ["error_after", "dropped_after"])
    def test_a_lost_answer_is_unknown_and_the_call_was_sent_once(
        self, simulated: SimulatedWorld, kind: FaultKind
    ) -> None:
        """A second sending would start a second task."""
        launch = simulated.launch()
        simulated.fault("StartTask", kind)
        assert not failure_in(lambda: simulated.cloud.start_task(launch)).definite
        assert (simulated.starts(), simulated.account.journal.calls["StartTask"]) == (1, 1)

    @pytest.mark.parametrize("kind", ["error_before", "dropped_before"])
    def test_an_error_that_hides_no_effect_is_unknown_all_the_same(
        self, simulated: SimulatedWorld, kind: FaultKind
    ) -> None:
        """From outside it looks like the other one."""
        launch = simulated.launch()
        simulated.fault("StartTask", kind)
        assert not failure_in(lambda: simulated.cloud.start_task(launch)).definite
        assert (simulated.starts(), simulated.account.journal.calls["StartTask"]) == (0, 1)

    def test_a_throttled_start_is_definite_and_not_repeated(self, simulated: SimulatedWorld) -> None:
        """The scheduler's own buckets decide when it is sent again."""
        launch = simulated.launch()
        simulated.fault("StartTask", "throttle")
        failure = failure_in(lambda: simulated.cloud.start_task(launch))
        assert (failure.definite, failure.throttled) == (True, True)
        assert (simulated.starts(), simulated.account.journal.calls["StartTask"]) == (0, 1)

    def test_a_full_instance_is_a_lack_of_capacity(self, world: World) -> None:
        """Definite, and told by ECS's own reason."""
        launch = world.launch(task_definition_arn=world.register(memoryReservation=70_000))
        failure = failure_in(lambda: world.cloud.start_task(launch))
        assert (failure.definite, failure.code) == (True, "RESOURCE:MEMORY")
        assert failure.reason is not None
        assert failure.reason.category is StopCategory.CAPACITY

    def test_a_disconnected_agent_is_a_lack_of_capacity(self, simulated: SimulatedWorld) -> None:
        """ECS refuses at once."""
        instance = simulated.cloud.container_instances()[0]
        simulated.account.set_agent_connected(instance.ec2_instance_id, False)
        failure = failure_in(
            lambda: simulated.cloud.start_task(simulated.launch(container_instance_arn=instance.arn))
        )
        assert (failure.definite, failure.code) == (True, "AGENT")

    def test_an_unknown_instance_is_a_lack_of_capacity(self, world: World) -> None:
        """It is gone; another one will do."""
        launch = world.launch(container_instance_arn=unknown_like(world.instance_arn()))
        failure = failure_in(lambda: world.cloud.start_task(launch))
        assert failure.reason is not None
        assert (failure.code, failure.reason.category) == ("MISSING", StopCategory.CAPACITY)

    def test_an_unknown_definition_is_not_the_tasks_fault(self, world: World) -> None:
        """Somebody removed the revision: the task may run once its definition is registered anew."""
        launch = world.launch(task_definition_arn="agents:77")
        failure = failure_in(lambda: world.cloud.start_task(launch))
        assert (failure.definite, failure.blames_request, failure.code) == (True, False, DEFINITION_GONE)
        assert failure.reason is not None
        assert failure.reason.category is StopCategory.CAPACITY


class TestFind:
    def test_a_running_task_is_found_by_its_attempt(self, world: World) -> None:
        """The first search: startedBy."""
        launch = world.launch()
        started = world.cloud.start_task(launch)
        found = world.cloud.find_task(ATTEMPT, launch.container_instance_arn)
        assert found is not None
        assert found.arn == started.arn

    def test_a_stopped_task_is_found_on_its_instance(self, simulated: SimulatedWorld) -> None:
        """The second search; it may have started, run and ended before anybody looked."""
        launch = simulated.launch()
        started = simulated.cloud.start_task(launch)
        simulated.clock.advance_ms(LONG_MS)
        found = simulated.cloud.find_task(ATTEMPT, launch.container_instance_arn)
        assert found is not None
        assert (found.arn, found.last_status) == (started.arn, "STOPPED")

    def test_an_attempt_that_started_nothing_is_absent(self, simulated: SimulatedWorld) -> None:
        """Other attempts' tasks are not mistaken for it, running or stopped."""
        launch = simulated.launch("another")
        simulated.cloud.start_task(launch)
        assert simulated.cloud.find_task(ATTEMPT, launch.container_instance_arn) is None
        simulated.clock.advance_ms(LONG_MS)
        assert simulated.cloud.find_task(ATTEMPT, launch.container_instance_arn) is None

    def test_an_attempt_on_an_instance_that_is_gone_is_absent(self, world: World) -> None:
        """ECS refuses to list its tasks: there are none."""
        gone = unknown_like(world.instance_arn())
        assert world.cloud.find_task(ATTEMPT, gone) is None

    def test_a_search_that_fails_is_no_no(self, simulated: SimulatedWorld) -> None:
        """Absence is believed from complete readings alone."""
        launch = simulated.launch()
        simulated.fault("ListTasks", "throttle", skip=1, count=3)
        assert failure_in(lambda: simulated.cloud.find_task(ATTEMPT, launch.container_instance_arn)).throttled


class TestDescribe:
    def test_a_task_is_followed_to_its_exit(self, simulated: SimulatedWorld) -> None:
        """Exit codes, stop code and reason are ECS's own."""
        environment = [{"name": "SIMULATED_EXIT_CODE", "value": str(EXIT_CODE)}]
        overrides = {"containerOverrides": [{"name": "agent", "environment": environment}]}
        task = simulated.cloud.start_task(simulated.launch(overrides=overrides))
        simulated.clock.advance_ms(STARTED_WITHIN_MS)
        [running], _ = simulated.cloud.describe_tasks((task.arn,))
        simulated.clock.advance_ms(LONG_MS)
        [stopped], missing = simulated.cloud.describe_tasks((task.arn,))
        assert (running.last_status, stopped.last_status, missing) == ("RUNNING", "STOPPED", ())
        assert stopped.version > running.version
        assert stopped.stop is not None
        assert (stopped.stop.category, stopped.stop.code) == (StopCategory.EXIT, "EssentialContainerExited")
        assert [(each.name, each.exit_code) for each in stopped.stop.containers] == [("agent", EXIT_CODE)]

    def test_unknown_tasks_are_told_apart(self, world: World) -> None:
        """One unknown ARN never hides the others."""
        task = world.cloud.start_task(world.launch())
        unknown = unknown_like(task.arn)
        tasks, missing = world.cloud.describe_tasks((unknown, task.arn))
        assert ([each.arn for each in tasks], missing) == ([task.arn], (unknown,))

    def test_no_arns_ask_nothing(self, simulated: SimulatedWorld) -> None:
        """A describe without ids is refused, or worse, answered with everything."""
        assert simulated.cloud.describe_tasks(()) == ((), ())
        assert simulated.account.journal.calls["DescribeTasks"] == 0

    def test_a_task_whose_instance_was_terminated_was_lost_with_it(self, simulated: SimulatedWorld) -> None:
        """No exit code, and therefore no outcome of its own."""
        task = simulated.cloud.start_task(simulated.launch())
        simulated.clock.advance_ms(STARTED_WITHIN_MS)
        by_arn = {each.arn: each.ec2_instance_id for each in simulated.cloud.container_instances()}
        victim = by_arn[task.container_instance_arn]
        simulated.account.call("ec2", "TerminateInstances", {"InstanceIds": [victim]})
        simulated.clock.advance_ms(LONG_MS)
        [stopped], _ = simulated.cloud.describe_tasks((task.arn,))
        assert stopped.stop is not None
        assert stopped.stop.category is StopCategory.INSTANCE_LOST
        assert [each.exit_code for each in stopped.stop.containers] == [None]


class TestManyPages:
    def test_more_than_100_instances_are_all_seen(self, make_simulated: SimulatedWorldMaker) -> None:
        """List pages hold 100, and so do describes."""
        world = make_simulated(desired_capacity=130, max_size=200)
        instances = world.cloud.container_instances()
        assert len({each.ec2_instance_id for each in instances}) == 130
        assert world.account.journal.calls["DescribeContainerInstances"] == 2

    def test_a_task_among_more_than_100_stopped_ones_is_found(
        self, make_simulated: SimulatedWorldMaker
    ) -> None:
        """An instance that ran short tasks all hour has many."""
        world = make_simulated(run_ms=(1_000, 1_000))
        launch = world.launch("first", task_definition_arn=world.register(cpu=1, memoryReservation=6))
        for name in ["first", *(f"attempt-{n}" for n in range(110)), ATTEMPT]:
            world.cloud.start_task(
                world.launch(
                    name,
                    container_instance_arn=launch.container_instance_arn,
                    task_definition_arn=launch.task_definition_arn,
                )
            )
        world.clock.advance_ms(LONG_MS)
        found = world.cloud.find_task(ATTEMPT, launch.container_instance_arn)
        assert found is not None
        assert found.started_by == ATTEMPT

    def test_a_page_that_fails_fails_the_whole_reading(self, make_simulated: SimulatedWorldMaker) -> None:
        """A partial reading would show instances as gone."""
        world = make_simulated(desired_capacity=130, max_size=200)
        world.fault("DescribeContainerInstances", "error_before", skip=1, count=3)
        assert not failure_in(world.cloud.container_instances).definite


class TestContainerInstances:
    def test_an_instance_is_read_whole(self, world: World) -> None:
        """Size as registered, launch time as EC2 tells it, type, zone, architecture from the attributes."""
        instance = world.cloud.container_instances()[0]
        assert instance.remaining == Resources(cpu=16_384, memory_mib=64_419)
        assert instance.registered == instance.remaining.on(Architecture.X86_64)
        assert (instance.instance_type, instance.status, instance.agent_connected) == (
            "m4.4xlarge",
            "ACTIVE",
            True,
        )
        assert instance.availability_zone.startswith("eu-west-1")
        assert instance.launched_ms < START_MS

    def test_gpus_are_counted(self, make_world: WorldMaker) -> None:
        """ECS registers them as a set of ids."""
        world = make_world(instance_types=("g4dn.xlarge",))
        assert world.cloud.container_instances()[0].registered.gpus == 1

    def test_a_task_takes_room(self, world: World) -> None:
        """What remains is what is registered, less what runs."""
        arn = world.cloud.start_task(world.launch()).container_instance_arn
        [instance] = [each for each in world.cloud.container_instances() if each.arn == arn]
        assert NOTHING + instance.registered - instance.remaining == Resources(cpu=512, memory_mib=1000)

    def test_a_lost_connection_is_seen(self, simulated: SimulatedWorld) -> None:
        """At the next reading, with a newer version."""
        before = simulated.cloud.container_instances()[0]
        simulated.account.set_agent_connected(before.ec2_instance_id, False)
        after = simulated.cloud.container_instances()[0]
        assert (after.arn, after.agent_connected, after.version > before.version) == (before.arn, False, True)

    def test_launch_times_are_asked_once(self, simulated: SimulatedWorld) -> None:
        """They never change."""
        first, second = simulated.cloud.container_instances(), simulated.cloud.container_instances()
        assert first == second
        assert simulated.account.journal.calls["DescribeInstances"] == 1

    def test_an_empty_cluster_is_a_complete_reading(self, make_simulated: SimulatedWorldMaker) -> None:
        """And nothing is described."""
        world = make_simulated(desired_capacity=0)
        assert world.cloud.container_instances() == ()
        assert world.account.journal.calls["DescribeContainerInstances"] == 0


class TestGroup:
    def test_the_group_is_found_by_its_name(self, world: World) -> None:
        """With its limits and members."""
        group = world.cloud.group(GROUP)
        assert (group.min_size, group.max_size, group.desired) == (0, 10, 2)
        in_ecs = {each.ec2_instance_id for each in world.cloud.container_instances()}
        assert group.members.keys() == in_ecs
        assert {each.lifecycle_state for each in group.members.values()} == {"InService"}

    def test_no_group_of_that_name_is_a_clear_failure(self, world: World) -> None:
        """Most likely a typo or the wrong region: both are named."""
        failure = failure_in(lambda: world.cloud.group("ci-agent"))
        assert failure.definite
        assert failure.message == "No Auto Scaling group with the name ci-agent in eu-west-1"

    def test_a_raised_desired_capacity_launches_instances(self, simulated: SimulatedWorld) -> None:
        """And the next reading shows it."""
        simulated.cloud.set_desired_capacity(GROUP, 3)
        assert simulated.cloud.group(GROUP).desired == 3
        simulated.clock.advance_ms(LONG_MS)
        assert len(simulated.cloud.container_instances()) == 3

    def test_a_desired_capacity_outside_the_limits_is_refused(self, world: World) -> None:
        """Definite; AWS's sentence is kept."""
        failure = failure_in(lambda: world.cloud.set_desired_capacity(GROUP, 11))
        assert (failure.definite, failure.code) == (True, "ValidationError")
        assert "max value 10" in failure.message

    def test_rebalancing_between_zones_is_suspended(self, world: World) -> None:
        """It terminates busy instances; nothing else is suspended."""
        world.cloud.suspend_az_rebalance(GROUP)
        assert world.cloud.group(GROUP).suspended_processes == {"AZRebalance"}


class TestInstanceTypes:
    @pytest.mark.parametrize("source", ["launch_template", "launch_configuration"])
    def test_a_group_of_one_type_names_it(self, make_world: WorldMaker, source: str) -> None:
        """At EC2's declared size, which is more than an instance registers."""
        [found] = make_world(launch_source=source).cloud.instance_types(GROUP)
        assert (found.name, found.learned) == ("m4.4xlarge", False)
        assert found.allocatable == Resources(cpu=16_384, memory_mib=65_536, architecture=Architecture.X86_64)

    def test_a_mixed_group_names_its_types_smallest_first(self, make_world: WorldMaker) -> None:
        """Order: CPU, memory, GPUs, name."""
        types = ("r5.4xlarge", "g4dn.xlarge", "m5.4xlarge", "m5.large", "m4.4xlarge", "c5.4xlarge")
        found = make_world(launch_source="mixed_instances", instance_types=types).cloud.instance_types(GROUP)
        assert [each.name for each in found] == [
            "m5.large",
            "g4dn.xlarge",
            "c5.4xlarge",
            "m4.4xlarge",
            "m5.4xlarge",
            "r5.4xlarge",
        ]
        assert found[1].allocatable == Resources(
            cpu=4_096, memory_mib=16_384, gpus=1, architecture=Architecture.X86_64
        )

    @pytest.mark.parametrize("source", ["requirements_in_overrides", "requirements_in_template"])
    def test_types_by_requirements_are_those_that_an_operator_names(
        self, make_simulated: SimulatedWorldMaker, source: str
    ) -> None:
        """Without any they are not known; EC2 tells their sizes."""
        failure = failure_in(lambda: make_simulated(launch_source=source).cloud.instance_types(GROUP))
        assert (failure.definite, failure.code) == (True, "INSTANCE_TYPES_UNKNOWN")
        named = make_simulated(launch_source=source, named_types=("m5.4xlarge", "m5.large"))
        assert [each.name for each in named.cloud.instance_types(GROUP)] == ["m5.large", "m5.4xlarge"]

    @pytest.mark.parametrize("source", ["launch_template", "mixed_instances", "launch_configuration"])
    def test_a_group_that_names_its_types_is_believed(
        self, make_simulated: SimulatedWorldMaker, source: str
    ) -> None:
        """Whatever an operator said of it once."""
        world = make_simulated(launch_source=source, named_types=("m5.large",))
        assert [each.name for each in world.cloud.instance_types(GROUP)] == ["m4.4xlarge"]

    def test_a_types_architecture_is_told(self, make_world: WorldMaker) -> None:
        """In ECS's words."""
        [found] = make_world(instance_types=("m6g.4xlarge",)).cloud.instance_types(GROUP)
        assert found.allocatable.architecture is Architecture.ARM64


class TestDefinitions:
    def test_each_registration_is_a_revision(self, world: World) -> None:
        """That is why they are counted on, not repeated: one sending, one revision."""
        assert world.register().endswith(":1")
        assert world.register().endswith(":2")

    def test_a_lost_registration_is_unknown_and_was_sent_once(self, simulated: SimulatedWorld) -> None:
        """A spare revision does no harm, but a bucket of one a second does."""
        simulated.fault("RegisterTaskDefinition", "error_after")
        assert not failure_in(simulated.register).definite
        assert simulated.account.journal.calls["RegisterTaskDefinition"] == 1

    def test_the_family_and_tags_are_kept(self, simulated: SimulatedWorld) -> None:
        """The hash in a tag is how a lost index is rebuilt."""
        arn = simulated.register()
        described = simulated.account.call(
            "ecs", "DescribeTaskDefinition", {"taskDefinition": arn, "include": ["TAGS"]}
        )
        assert described["tags"] == [{"key": "hash", "value": "abc"}]


def test_the_account_lets_us_in(world: World) -> None:
    """The first question of the service, answered by the same front."""
    assert check_access(world.clients, CLUSTER).startswith("arn:aws:")
