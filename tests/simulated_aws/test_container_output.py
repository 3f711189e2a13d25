"""What simulated containers and consoles write."""

from typing import Any

from tests.simulated_aws.driver import RUN_MS, START_MS, Driver, container, environment, make_account, refused

LAG_MS = 1_000
LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "ci-agents", "awslogs-stream-prefix": "builds"}}


def an_account(**members: Any) -> tuple[Driver, str]:
    """With a task whose container logs so, running."""
    account = make_account()
    account.register("agents", container(**{"logConfiguration": LOGS} | members))
    arn = account.started()
    account.pass_ms(START_MS)
    return account, arn


def lines(account: Driver, arn: str, group: str = "ci-agents") -> list[str]:
    account.pass_ms(LAG_MS)
    task_id = arn.rsplit("/")[-1]
    answer = account.logs(
        "GetLogEvents", logGroupName=group, logStreamName=f"builds/agent/{task_id}", startFromHead=True
    )
    return [each["message"] for each in answer["events"]]


def test_a_container_tells_its_course() -> None:
    """Its start, five steps, its end, in the stream that is named by the task's id."""
    account, arn = an_account()
    account.pass_ms(RUN_MS)
    told = lines(account, arn)
    assert told[0] == "registry.example/agent:1 starts"
    assert told[1:-1] == [f"step {n} of 5" for n in range(1, 6)]
    assert told[-1] == "exits with 0"


def test_lines_come_as_time_passes() -> None:
    """Half of them are there when half of the work is done."""
    account, arn = an_account()
    account.pass_ms(RUN_MS // 2)
    assert lines(account, arn)[-1] == "step 3 of 5"


def test_an_agent_is_not_needed() -> None:
    """The log driver writes while the ECS agent is disconnected."""
    account, arn = an_account()
    account.aws.set_agent_connected(account.instance()["ec2InstanceId"], False)
    account.pass_ms(RUN_MS // 2)
    assert len(lines(account, arn)) == 4


def test_a_stopped_container_tells_its_exit() -> None:
    """And nothing after it."""
    account, arn = an_account()
    account.ecs("StopTask", task=arn)
    account.pass_ms(RUN_MS)
    assert lines(account, arn)[-1] == "exits with 143"


def test_a_lost_instance_tells_nothing() -> None:
    """Its containers had no time for it."""
    account, arn = an_account()
    account.aws.terminate_instance(account.instance()["ec2InstanceId"])
    account.pass_ms(RUN_MS)
    assert "exits" not in lines(account, arn)[-1]


def test_without_its_group_a_task_does_not_start() -> None:
    """As Docker's log driver has it, in ECS's words."""
    options = LOGS["options"] | {"awslogs-group": "none"}  # type: ignore[operator]  # the options are a dict
    account, arn = an_account(logConfiguration=LOGS | {"options": options})
    task = account.task(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "log group does not exist" in task["containers"][0]["reason"]


def test_a_group_can_be_made_by_the_driver() -> None:
    """With awslogs-create-group."""
    options = LOGS["options"] | {"awslogs-group": "new", "awslogs-create-group": "true"}  # type: ignore[operator]  # the options are a dict
    account, arn = an_account(logConfiguration=LOGS | {"options": options})
    assert lines(account, arn, group="new")


def test_without_a_driver_there_is_no_stream() -> None:
    """Other drivers write elsewhere."""
    account, arn = an_account(logConfiguration={"logDriver": "json-file"})
    with refused("ResourceNotFoundException", "stream"):
        lines(account, arn)


def test_a_long_work_is_told_evenly() -> None:
    """What a task's environment asks for counts here too."""
    account = make_account()
    account.register("agents", container(logConfiguration=LOGS))
    arn = account.started(overrides=environment(SIMULATED_RUN_MS="600000"))
    account.pass_ms(START_MS + 100_000)
    assert lines(account, arn)[-1] == "step 1 of 5"


class TestConsole:
    def test_it_is_posted_after_a_while(self) -> None:
        """Minutes after the launch; before it there is none."""
        account = make_account(desired_capacity=0, instance_types=("m5.large",))
        account.set_desired(1)
        account.pass_ms(51_000)
        [ec2_id] = account.members()
        assert "Output" not in account.ec2("GetConsoleOutput", InstanceId=ec2_id)
        account.pass_ms(180_000)
        assert account.ec2("GetConsoleOutput", InstanceId=ec2_id)["Output"]

    def test_the_latest_is_there_at_once(self) -> None:
        """On the Nitro system."""
        account = make_account(desired_capacity=0, instance_types=("m5.large",))
        account.set_desired(1)
        account.pass_ms(51_000)
        [ec2_id] = account.members()
        assert account.ec2("GetConsoleOutput", InstanceId=ec2_id, Latest=True)["Output"]

    def test_the_latest_needs_nitro(self) -> None:
        """An m4 is older than that."""
        account = make_account()
        with refused("UnsupportedOperation"):
            account.ec2("GetConsoleOutput", InstanceId=account.instance()["ec2InstanceId"], Latest=True)
