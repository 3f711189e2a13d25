"""The contract of the ports of logs and consoles, on both fronts of the simulated account and on moto."""

from typing import Any

import pytest

from scheduler.adapters.aws.consoles import NO_OUTPUT, AwsConsoles
from scheduler.adapters.system import SystemClock
from scheduler.lab.stand_ins import in_process_log_clients
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import (
    LogPage,
    LogPlace,
    LogPlaceGone,
    LogsDenied,
    LogsNotReadable,
    LogSource,
    LogStreamMissing,
)
from tests.contract.cloud_worlds import HttpFrontOfMany, SimulatedWorldMaker
from tests.contract.log_worlds import (
    GROUP,
    LAG_MS,
    OPTIONS,
    STREAM,
    TASK_ARN,
    LogWorld,
    SimulatedLogWorld,
    log_world,
    simulated_log_world,
)
from tests.contract.moto_worlds import MotoAccount

DENIED = {"kind": "error_before", "code": "AccessDeniedException", "http_status": 400}
A_NITRO_LAUNCH_MS = 120_000


@pytest.fixture(params=["in_process", "over_http", "moto"])
def logs(request: pytest.FixtureRequest) -> LogWorld:
    """A world whose log group is there."""
    if request.param == "moto":
        moto: MotoAccount = request.getfixturevalue("moto")
        made = log_world(moto.world(), moto.log_clients)
        made.client.create_log_group(logGroupName=GROUP)
        return made
    made_simulated: SimulatedLogWorld = request.getfixturevalue(f"logs_{request.param}")
    return made_simulated


@pytest.fixture
def logs_in_process(in_process: SimulatedWorldMaker) -> SimulatedLogWorld:
    world = in_process()
    return simulated_log_world(world, in_process_log_clients(world.account, world.account.settings.region))


@pytest.fixture
def logs_over_http(over_http: SimulatedWorldMaker, http_front: HttpFrontOfMany) -> SimulatedLogWorld:
    return simulated_log_world(over_http(), http_front.log_clients)


@pytest.fixture(params=["logs_in_process", "logs_over_http"])
def simulated(request: pytest.FixtureRequest) -> SimulatedLogWorld:
    """A world with clock, journal and faults."""
    made: SimulatedLogWorld = request.getfixturevalue(request.param)
    return made


def write(world: LogWorld, *texts: str) -> None:
    """Lines that are visible now."""
    if isinstance(world, SimulatedLogWorld):
        world.write(*texts, now_ms=world.now_ms)
        world.world.clock.advance_ms(LAG_MS)
    else:
        world.write(*texts, now_ms=SystemClock().now_ms() - 60_000)


def texts(page: LogPage) -> list[str]:
    return [line.text for line in page.lines]


def behind(page: LogPage) -> LogPlace:
    return LogPlace(token=page.token)


class TestReading:
    def test_lines_are_read_in_order(self, logs: LogWorld) -> None:
        """In the stream that prefix, container and the task's id name."""
        source = logs.source()
        logs.create_stream()
        write(logs, "a", "b")
        assert texts(logs.read(source)) == ["a", "b"]

    def test_the_same_token_is_the_end(self, logs: LogWorld) -> None:
        """And goes on when there is more."""
        source = logs.source()
        logs.create_stream()
        write(logs, "a")
        page = logs.read(source)
        end = logs.read(source, behind(page))
        assert (end.lines, end.token) == ((), page.token)

    def test_pages_follow_each_other(self, logs: LogWorld) -> None:
        """None is repeated and none is left out."""
        source = logs.source()
        logs.create_stream()
        write(logs, "a", "b", "c")
        first = logs.read(source, limit=2)
        second = logs.read(source, behind(first), limit=2)
        assert (texts(first), texts(second)) == (["a", "b"], ["c"])

    def test_the_last_lines_alone(self, logs: LogWorld) -> None:
        """And the token behind them; of none of them there is one too."""
        source = logs.source()
        logs.create_stream()
        write(logs, "a", "b", "c")
        last, none = logs.read(source, LogPlace(last=2)), logs.read(source, LogPlace(last=0))
        assert (texts(last), texts(none)) == (["b", "c"], [])
        assert texts(logs.read(source, behind(none))) == []

    def test_a_stream_that_is_not_there_is_told(self, logs: LogWorld) -> None:
        """That is normal right after the start."""
        source = logs.source()
        with pytest.raises(LogStreamMissing, match="does not exist"):
            logs.read(source)

    def test_a_group_that_is_not_there_is_told(self, logs: LogWorld) -> None:
        """Nobody need wait for it, but the text says so."""
        source = logs.source(options=OPTIONS | {"awslogs-group": "none"})
        with pytest.raises(LogStreamMissing, match="group does not exist"):
            logs.read(source)

    def test_a_definition_is_read_once(self, simulated: SimulatedLogWorld) -> None:
        """A revision never changes."""
        source = simulated.source()
        simulated.create_stream()
        for _ in range(3):
            simulated.read(source)
        assert simulated.world.calls("DescribeTaskDefinition") == 1

    def test_what_a_task_wrote_is_read(self, simulated: SimulatedLogWorld) -> None:
        """The source is its definition, its ARN, its container."""
        source = simulated.source()
        world = simulated.world
        task = world.cloud.start_task(world.launch(task_definition_arn=source.task_definition_arn))
        world.clock.advance_ms(60_000)
        written = LogSource(
            task_definition_arn=source.task_definition_arn, ecs_task_arn=task.arn, container="agent"
        )
        assert texts(simulated.read(written))[0] == "agent:1 starts"


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("driver", "options", "said"),
        [
            ("json-file", {}, "with the log driver json-file"),
            ("awslogs", {"awslogs-group": GROUP}, "awslogs-stream-prefix is not set"),
        ],
    )
    def test_another_driver_is_named(
        self, logs: LogWorld, driver: str, options: dict[str, str], said: str
    ) -> None:
        """And what awslogs lacks."""
        source = logs.source(driver, options)
        with pytest.raises(LogsNotReadable, match=said):
            logs.read(source)

    def test_a_container_without_a_driver_logs_elsewhere(self, simulated: SimulatedLogWorld) -> None:
        """Where its container instance sends it."""
        arn = simulated.world.register()
        source = LogSource(task_definition_arn=arn, ecs_task_arn=TASK_ARN, container="agent")
        with pytest.raises(LogsNotReadable, match="where its container instance sends it"):
            simulated.read(source)

    @pytest.mark.parametrize(
        ("operation", "permission"),
        [
            ("DescribeTaskDefinition", "ecs:DescribeTaskDefinition"),
            ("GetLogEvents", "logs:GetLogEvents"),
        ],
    )
    def test_a_missing_permission_is_named(
        self, simulated: SimulatedLogWorld, operation: str, permission: str
    ) -> None:
        """As a policy spells it."""
        source = simulated.source()
        denied: dict[str, Any] = dict(DENIED)
        simulated.world.fault(operation, denied.pop("kind"), **denied)
        with pytest.raises(LogsDenied, match=permission):
            simulated.read(source)

    def test_a_token_that_is_none_any_more_is_told(self, simulated: SimulatedLogWorld) -> None:
        """CloudWatch Logs keeps it for a day."""
        source = simulated.source()
        simulated.create_stream()
        with pytest.raises(LogPlaceGone):
            simulated.read(source, LogPlace(token="f/1"))

    @pytest.mark.parametrize(
        ("kind", "throttled", "definite"),
        [("throttle", True, True), ("dropped_before", False, False), ("error_before", False, False)],
    )
    def test_a_reading_is_tried_once(
        self, simulated: SimulatedLogWorld, kind: Any, throttled: bool, definite: bool
    ) -> None:
        """Whoever asked decides whether to try again."""
        source = simulated.source()
        simulated.create_stream()
        simulated.world.fault("GetLogEvents", kind)
        with pytest.raises(CloudError) as caught:
            simulated.read(source)
        assert (caught.value.failure.throttled, caught.value.failure.definite) == (throttled, definite)
        assert simulated.read(source).lines == ()


class TestConsoles:
    def booting(self, world: SimulatedLogWorld) -> str:
        """A fresh instance that will never join."""
        account = world.world.account
        account.set_next_launches_never_join(1)
        account.set_desired(3)
        world.world.clock.advance_ms(A_NITRO_LAUNCH_MS)
        account.advance()
        rows = account.instances()
        return next(str(row["ec2InstanceId"]) for row in rows if not row["containerInstances"])

    def saved(self, world: SimulatedLogWorld, ec2_id: str) -> list[str]:
        world.world.clock.advance_ms(LAG_MS)
        stream = f"pbc-ec2-instance-stale/{ec2_id}"
        answer = world.client.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)
        return [each["message"] for each in answer["events"]]

    def test_a_console_is_written_to_the_log_group(self, simulated: SimulatedLogWorld) -> None:
        """Line by line, into a stream that is named by the instance."""
        ec2_id = self.booting(simulated)
        simulated.world.clock.advance_ms(180_000)
        evidence = simulated.consoles.save(ec2_id)
        assert (evidence.stream, evidence.problem) == (f"pbc-ec2-instance-stale/{ec2_id}", "")
        assert (
            self.saved(simulated, ec2_id)[-1] == "systemd: ecs.service: main process exited, status=1/FAILURE"
        )

    def test_saved_twice_it_is_there_twice(self, simulated: SimulatedLogWorld) -> None:
        """That the stream is there already is no failure."""
        ec2_id = self.booting(simulated)
        simulated.world.clock.advance_ms(180_000)
        simulated.consoles.save(ec2_id)
        assert simulated.consoles.save(ec2_id).problem == ""
        assert len(self.saved(simulated, ec2_id)) == 6

    def test_a_console_may_not_be_there_yet(self, simulated: SimulatedLogWorld) -> None:
        """Where EC2 cannot show the latest, it posts one some minutes after the launch."""
        evidence = simulated.consoles.save(self.booting(simulated))
        assert (evidence.output, evidence.problem) == ("", NO_OUTPUT)

    @pytest.mark.parametrize("operation", ["CreateLogStream", "PutLogEvents"])
    def test_what_cannot_be_written_is_returned(self, simulated: SimulatedLogWorld, operation: str) -> None:
        """With AWS's word for it, to be kept elsewhere."""
        ec2_id = self.booting(simulated)
        simulated.world.clock.advance_ms(180_000)
        denied: dict[str, Any] = dict(DENIED)
        simulated.world.fault(operation, denied.pop("kind"), **denied)
        evidence = simulated.consoles.save(ec2_id)
        assert (evidence.stream, "ecs.service" in evidence.output) == ("", True)
        assert "AccessDeniedException" in evidence.problem

    def test_without_a_log_group_it_is_returned(self, logs_in_process: SimulatedLogWorld) -> None:
        """None need be set."""
        ec2_id = self.booting(logs_in_process)
        logs_in_process.world.clock.advance_ms(180_000)
        account = logs_in_process.world.account
        clients = in_process_log_clients(account, account.settings.region)
        evidence = AwsConsoles(clients, group="").save(ec2_id)
        assert evidence.output
        assert "no log group" in evidence.problem

    def test_what_cannot_be_read_is_said(self, simulated: SimulatedLogWorld) -> None:
        """And nothing is raised: it is not what the instance is terminated for."""
        simulated.world.fault(
            "GetConsoleOutput", "error_before", code="UnauthorizedOperation", http_status=403
        )
        evidence = simulated.consoles.save("i-00000000000000001")
        assert (evidence.output, evidence.stream) == ("", "")
        assert "UnauthorizedOperation" in evidence.problem


def test_streams_are_named_by_the_tasks_id() -> None:
    """Not by all that stands behind its ARN's kind, which names the cluster too."""
    assert f"builds/agent/{TASK_ARN.rsplit('/', 1)[1]}" == STREAM
