"""The warm pool of the group: how large it is, what becomes of its instances, and what they are to ECS."""

from typing import Any

import pytest

from scheduler.simulated_aws.group_features import WarmPoolConfiguration
from tests.simulated_aws.driver import BOOT_MS, Driver, make_account, refused

WARM_UP_MS = 60_000
STOP_MS = 10_000
WARM_START_MS = 5_000
READY_MS = 1_000 + 20_000 + WARM_UP_MS + STOP_MS


def pooled(desired: int = 1, *, agents_wait: bool = True, **configuration: Any) -> Driver:
    """A group of at most four with a pool that is filled and at rest."""
    account = make_account(
        desired_capacity=desired,
        max_size=4,
        warm_pool=WarmPoolConfiguration(**configuration),
        warm_pool_agents_wait=agents_wait,
        warm_up_ms=(WARM_UP_MS, WARM_UP_MS),
        warm_start_ms=(WARM_START_MS, WARM_START_MS),
    )
    account.pass_ms(READY_MS)
    return account


def warm(account: Driver) -> dict[str, str]:
    """The pool's instances with their lifecycle states."""
    answer = account.group("DescribeWarmPool")
    return {each["InstanceId"]: each["LifecycleState"] for each in answer["Instances"]}


def ec2_state(account: Driver, ec2_id: str) -> str:
    return str(account.ec2_instance(ec2_id)["State"]["Name"])


@pytest.mark.parametrize(
    ("configuration", "size"),
    [
        ({}, 3),
        ({"max_group_prepared_capacity": 2}, 1),
        ({"max_group_prepared_capacity": 0}, 0),
        ({"max_group_prepared_capacity": 1, "min_size": 2}, 2),
    ],
)
def test_the_pool_has_what_lacks_of_the_prepared_capacity(configuration: dict[str, Any], size: int) -> None:
    """Of the group's maximum unless told otherwise, and never fewer than its own minimum."""
    account = pooled(**configuration)
    assert list(warm(account).values()) == ["Warmed:Stopped"] * size
    assert account.described_group()["WarmPoolSize"] == size


def test_warm_instances_are_no_members() -> None:
    """The group lists its own alone, and says that there is a pool."""
    account = pooled()
    assert len(account.members()) == 1
    assert account.members().keys().isdisjoint(warm(account))
    assert account.described_group()["WarmPoolConfiguration"] == {"MinSize": 0, "PoolState": "Stopped"}


def test_a_group_without_a_pool_says_nothing_of_one() -> None:
    """Nor has it any."""
    account = make_account()
    assert {"WarmPoolConfiguration", "WarmPoolSize"}.isdisjoint(account.described_group())
    assert account.group("DescribeWarmPool") == {"Instances": []}


@pytest.mark.parametrize(
    ("state", "ec2"), [("Stopped", "stopped"), ("Hibernated", "stopped"), ("Running", "running")]
)
def test_the_pool_keeps_them_as_it_is_told(state: Any, ec2: str) -> None:
    """Pending while they are prepared."""
    account = make_account(max_size=2, desired_capacity=1, warm_pool=WarmPoolConfiguration(pool_state=state))
    assert list(warm(account).values()) == ["Warmed:Pending"]
    account.pass_ms(READY_MS + 120_000)
    assert list(warm(account).values()) == [f"Warmed:{state}"]
    assert ec2_state(account, next(iter(warm(account)))) == ec2


@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_the_group_grows_from_its_pool(state: Any) -> None:
    """Sooner than by a launch; what the maximum then leaves is less, and is not launched again."""
    account = pooled(pool_state=state)
    kept = warm(account)
    account.set_desired(3)
    account.pass_ms(1_000 + 2 * WARM_START_MS)
    assert list(account.members().values()) == ["InService"] * 3
    assert len(account.instances()) == 3
    assert 1_000 + 2 * WARM_START_MS < BOOT_MS
    assert len(kept.keys() & account.members().keys()) == 2
    assert warm(account).keys() < kept.keys()


def test_what_the_pool_lacks_is_launched_cold() -> None:
    """A pool that is used up delays nothing."""
    account = pooled(max_group_prepared_capacity=2)
    account.set_desired(3)
    account.pass_ms(1_000 + BOOT_MS)
    assert len(account.instances()) == 3


def test_an_agent_that_waits_is_not_in_the_cluster() -> None:
    """ECS_WARM_POOLS_CHECK: nobody places anything on a warm instance."""
    assert len(pooled().instances()) == 1


def test_an_agent_that_does_not_wait_registers_and_goes_away() -> None:
    """It is listed as disconnected while its instance is stopped, and comes back under its ARN."""
    account = pooled(agents_wait=False)
    before = {each["containerInstanceArn"]: each["agentConnected"] for each in account.instances()}
    assert sorted(before.values()) == [False, False, False, True]
    account.set_desired(4)
    account.pass_ms(1_000 + 2 * WARM_START_MS)
    assert {each["containerInstanceArn"]: each["agentConnected"] for each in account.instances()} == (
        dict.fromkeys(before, True)
    )


def test_a_started_instance_was_launched_then() -> None:
    """EC2 tells the time of the last start."""
    account = pooled()
    before = {ec2_id: account.ec2_instance(ec2_id)["LaunchTime"] for ec2_id in warm(account)}
    account.set_desired(4)
    account.pass_ms(1_000 + WARM_START_MS)
    assert all(account.ec2_instance(ec2_id)["LaunchTime"] > at for ec2_id, at in before.items())


def test_a_pool_may_come_and_go() -> None:
    """Put, it is filled; deleted, it is shown as going until its instances are terminated."""
    account = make_account(max_size=3, desired_capacity=1)
    account.group("PutWarmPool", MinSize=1)
    account.pass_ms(1_000)
    assert len(warm(account)) == 2
    account.group("DeleteWarmPool")
    account.pass_ms(1_000)
    assert set(warm(account).values()) == {"Warmed:Terminating"}
    assert account.described_group()["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    account.hours_later()
    assert "WarmPoolConfiguration" not in account.described_group()
    assert len(account.members()) == 1


def test_a_warm_instance_that_somebody_ends_is_replaced() -> None:
    """By another warm one."""
    account = pooled(max_group_prepared_capacity=2)
    (gone,) = warm(account)
    account.ec2("TerminateInstances", InstanceIds=[gone])
    account.hours_later()
    assert list(warm(account).values()) == ["Warmed:Stopped"]
    assert gone not in warm(account)


def test_a_pool_state_that_is_none_is_refused() -> None:
    """In Auto Scaling's code."""
    with refused("ValidationError"):
        make_account().group("PutWarmPool", PoolState="Cold")
