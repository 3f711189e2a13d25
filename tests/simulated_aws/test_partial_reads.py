"""Reads that leave out what is there, and reads of the group that lag behind."""

from typing import Any

import pytest

from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect
from tests.simulated_aws.driver import HOUR_MS, Driver, make_account


def listed(account: Driver) -> list[str]:
    found: list[str] = account.ecs("ListContainerInstances")["containerInstanceArns"]
    return found


def test_a_list_may_leave_out_what_is_there() -> None:
    """A partial list is an answer like any other; the next one is whole again."""
    account = make_account(desired_capacity=3)
    account.aws.faults.add(Fault(operation="ListContainerInstances", kind="partial"))
    assert (listed(account), len(listed(account))) == ([], 3)
    (fault,) = account.effects(Effect.FAULT_INJECTED)
    assert (fault["operation"], fault["kind"]) == ("ListContainerInstances", "partial")


def test_a_description_may_call_what_is_there_missing() -> None:
    """DescribeContainerInstances and DescribeTasks answer a failure for what exists."""
    account = make_account()
    account.register()
    instance, task = account.instance()["containerInstanceArn"], account.started()
    for operation, name, arn in (
        ("DescribeContainerInstances", "containerInstances", instance),
        ("DescribeTasks", "tasks", task),
    ):
        account.aws.faults.add(Fault(operation=operation, kind="partial"))
        answer = account.ecs(operation, **{name: [arn]})
        assert (answer[name], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
        assert len(account.ecs(operation, **{name: [arn]})[name]) == 1


def test_a_partial_answer_may_leave_out_a_share() -> None:
    """About half of it is left out of a list; what is left keeps its order."""
    account = make_account(desired_capacity=100, max_size=100)
    everything = listed(account)
    account.aws.faults.add(Fault(operation="ListContainerInstances", kind="partial", share=0.5))
    some = listed(account)
    assert 30 < len(some) < 70
    assert some == [arn for arn in everything if arn in set(some)]


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 100, 100), (0.2, 60, 95), (1.0, 0, 0)])
def test_gaps_between_container_instances_are_a_knob(share: float, least: int, most: int) -> None:
    """Whether long-known container instances can be left out, no source says: any share can be tried."""
    account = make_account(desired_capacity=100, max_size=100, container_instance_gap_share=share)
    ids = [row["containerInstances"][0]["containerInstanceArn"] for row in account.aws.instances()]
    answer = account.ecs("DescribeContainerInstances", containerInstances=ids)
    assert least <= len(listed(account)) <= most
    assert least <= len(answer["containerInstances"]) <= most
    assert len(answer["containerInstances"]) + len(answer["failures"]) == 100


def test_gaps_move_no_other_draw() -> None:
    """An account with gaps does what the same account does without them."""
    journals = []
    for share in (0.0, 0.5):
        account = make_account(container_instance_gap_share=share, scaling_reaction_ms=(0, 9_000))
        for desired in (2, 3):
            listed(account)
            account.set_desired(desired)
            account.hours_later()
        journals.append(account.aws.journal.entries)
    assert journals[0] == journals[1]


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ({"operation": "StartTask", "kind": "partial"}, "can be partial"),
        ({"operation": "*", "kind": "partial"}, "can be partial"),
        ({"operation": "ListTasks", "kind": "partial", "share": 2.0}, "share"),
    ],
)
def test_only_reads_can_be_partial(fault: dict[str, Any], match: str) -> None:
    """A fault that would do nothing is refused when it is made."""
    with pytest.raises(ValueError, match=match):
        Fault(**fault)


def test_reads_of_the_group_may_lag() -> None:
    """Members, sizes and desired capacity are shown as they were so long ago."""
    account = make_account(group_read_lag_ms=5_000)
    account.set_desired(2)
    account.pass_ms(4_999)
    assert (account.described_group()["DesiredCapacity"], len(account.members())) == (1, 1)
    account.pass_ms(1)
    assert (account.described_group()["DesiredCapacity"], len(account.members())) == (2, 1)
    account.pass_ms(1_000)
    assert len(account.members()) == 2


def test_a_lagging_read_shows_one_moment() -> None:
    """Three changes in a row appear one after the other, each as late as the last."""
    account = make_account(group_read_lag_ms=5_000, max_size=10)
    seen = []
    for desired in (2, 3, 4, 5, 6, 7, 8, 9):
        account.aws.set_desired(desired)
        seen.append(account.described_group()["DesiredCapacity"])
        account.pass_ms(1_000)
    assert seen == [1, 1, 1, 1, 1, 2, 3, 4]


def test_a_quiet_group_is_shown_as_it_is() -> None:
    """Once nothing changed for longer than the lag, the read is right."""
    account = make_account(group_read_lag_ms=5_000)
    account.set_desired(3)
    account.pass_ms(HOUR_MS)
    account.aws.advance()
    assert list(account.members().values()) == ["InService"] * 3
