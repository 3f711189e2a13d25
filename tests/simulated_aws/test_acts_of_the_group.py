"""What the group does by itself, and what hangs or hides: none of it is asked for by a call."""

from scheduler.simulated_aws.journal import Effect
from tests.simulated_aws.driver import BOOT_MS, HOUR_MS, START_MS, Driver, make_account


def running() -> tuple[Driver, str, str]:
    """An account with one instance and a task that runs there: account, EC2 id, task."""
    account = make_account()
    account.register()
    task = account.started()
    account.pass_ms(START_MS)
    return account, account.instance()["ec2InstanceId"], task


def test_nothing_stops_where_stops_hang() -> None:
    """A task that is stopped stays DEACTIVATING until that is over."""
    account, ec2_id, task = running()
    account.aws.set_stops_hang(ec2_id, True)
    account.ecs("StopTask", task=task)
    account.hours_later()
    assert account.task(task)["lastStatus"] == "DEACTIVATING"
    account.aws.set_stops_hang(ec2_id, False)
    assert account.task(task)["lastStatus"] == "STOPPED"


def test_an_instance_can_be_left_out_of_lists() -> None:
    """It is not listed, and described all the same, until it is listed again."""
    account, ec2_id, _ = running()
    arn = account.instance()["containerInstanceArn"]
    account.aws.set_listed(ec2_id, False)
    assert arn not in account.ecs("ListContainerInstances")["containerInstanceArns"]
    described = account.ecs("DescribeContainerInstances", containerInstances=[arn])
    assert described["containerInstances"][0]["ec2InstanceId"] == ec2_id
    account.aws.set_listed(ec2_id, True)
    assert arn in account.ecs("ListContainerInstances")["containerInstanceArns"]


def test_what_was_left_out_of_lists_is_listed_again_though_its_agent_registered_anew() -> None:
    """The old registration as well as the new one."""
    account, ec2_id, _ = running()
    account.aws.set_listed(ec2_id, False)
    account.aws.reregister(ec2_id)
    account.aws.set_listed(ec2_id, True)
    assert len(account.ecs("ListContainerInstances")["containerInstanceArns"]) == 2


def test_what_was_left_out_of_lists_is_listed_again_though_its_instance_has_ended() -> None:
    """An old registration outlives its instance, and is there to be found."""
    account, ec2_id, _ = running()
    old = account.instance()["containerInstanceArn"]
    account.aws.set_listed(ec2_id, False)
    account.aws.reregister(ec2_id)
    account.aws.terminate_instance(ec2_id)
    account.pass_ms(600_000)
    account.aws.set_listed(ec2_id, True)
    assert old in account.ecs("ListContainerInstances")["containerInstanceArns"]


def test_an_unhealthy_member_is_replaced_busy_or_not() -> None:
    """Desired capacity stays; what ran there ends with it."""
    account, ec2_id, task = running()
    before = len(account.members())
    account.aws.set_unhealthy(ec2_id)
    account.pass_ms(BOOT_MS + HOUR_MS // 2)
    assert (ec2_id in account.members(), len(account.members())) == (False, before)
    assert account.task(task)["stopCode"] == "TerminationNotice"


def test_zones_are_balanced_by_a_launch_and_a_termination() -> None:
    """One more is launched in the emptiest zone before one of the fullest ends."""
    account = make_account(desired_capacity=3, max_size=4, availability_zone_letters="ab")
    (lonely,) = [each for each in account.members() if zone(account, each) == "eu-west-1b"]
    account.detach(lonely)
    account.pass_ms(HOUR_MS)
    account.aws.rebalance_zones()
    assert len(account.members()) == 3
    account.pass_ms(HOUR_MS)
    assert sorted(zone(account, each) for each in account.members()) == ["eu-west-1a", "eu-west-1b"]


def test_zones_are_left_alone_while_that_is_suspended() -> None:
    """Nothing is launched and nothing ends."""
    account = make_account(desired_capacity=3, availability_zone_letters="ab")
    account.detach(next(each for each in account.members() if zone(account, each) == "eu-west-1b"))
    account.pass_ms(HOUR_MS)
    account.group("SuspendProcesses", ScalingProcesses=["AZRebalance"])
    account.aws.rebalance_zones()
    assert (len(account.members()), account.effects(Effect.ZONES_REBALANCED)) == (2, [])


def zone(account: Driver, ec2_id: str) -> str:
    """The availability zone of an EC2 instance."""
    return str(account.ec2_instance(ec2_id)["Placement"]["AvailabilityZone"])
