"""Faults strike where they are told to, and the journal knows what really happened."""

import json
from pathlib import Path
from typing import Any

import pytest

from scheduler.simulated_aws.errors import ApiError, ConnectionDropped
from scheduler.simulated_aws.faults import Fault
from scheduler.simulated_aws.journal import Effect, Journal
from tests.simulated_aws.driver import Driver, make_account, refused


def faulty(**fault: Any) -> Driver:
    account = make_account(faults=[Fault(operation="StartTask", **fault)])
    account.register()
    return account


def starts(account: Driver) -> int:
    return len(list(account.aws.journal.of(Effect.START_TASK)))


@pytest.mark.parametrize(("kind", "started"), [("error_before", 0), ("error_after", 1)])
def test_an_error_strikes_before_or_after_the_effect(kind: str, started: int) -> None:
    """The caller sees the same 500 whether the task started or not."""
    account = faulty(kind=kind)
    with refused("ServerException") as raised:
        account.start_task()
    assert (raised.value.http_status, starts(account)) == (500, started)


@pytest.mark.parametrize(("kind", "started"), [("dropped_before", 0), ("dropped_after", 1)])
def test_a_connection_is_dropped_before_or_after_the_effect(kind: str, started: int) -> None:
    """The caller gets no answer whether the task started or not."""
    account = faulty(kind=kind)
    with pytest.raises(ConnectionDropped):
        account.start_task()
    assert starts(account) == started


def test_an_effect_comes_late() -> None:
    """The caller has given up long before."""
    account = faulty(kind="dropped_late", delay_ms=5_000)
    with pytest.raises(ConnectionDropped):
        account.start_task()
    started = [starts(account)]
    account.pass_ms(5_000)
    account.aws.advance()
    assert [*started, starts(account)] == [0, 1]


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("ecs", "ListTasks", "ThrottlingException", 400),
        ("autoscaling", "DescribeAutoScalingGroups", "Throttling", 400),
        ("ec2", "DescribeInstances", "RequestLimitExceeded", 503),
    ],
)
def test_each_service_throttles_in_its_own_words(
    service: str, operation: str, code: str, status: int
) -> None:
    """A throttled call has no effect and carries the service's own code."""
    account = make_account(faults=[Fault(operation=operation, kind="throttle")])
    with refused(code) as raised:
        account.aws.call(service, operation, {})
    assert raised.value.http_status == status


def test_a_fault_spares_some_calls_and_strikes_some() -> None:
    """skip=1, count=2: the second and third call are struck, the fourth is not."""
    account = faulty(kind="error_before", skip=1, count=2)
    outcomes = []
    for _ in range(4):
        try:
            account.start_task()
            outcomes.append("ok")
        except ApiError:
            outcomes.append("struck")
    assert outcomes == ["ok", "struck", "struck", "ok"]


def test_faults_strike_one_after_the_other() -> None:
    """Two faults of one operation strike the first and the second call."""
    account = faulty(kind="error_before", code="First")
    account.aws.faults.add(Fault(operation="StartTask", kind="error_before", code="Second"))
    for code in ("First", "Second"):
        with refused(code):
            account.start_task()


def test_a_fault_may_strike_any_operation() -> None:
    """A fault of operation * strikes whatever is called next."""
    account = make_account(faults=[Fault(operation="*", kind="error_before")])
    with refused("ServerException"):
        account.described_group()


def test_faults_can_be_added_and_cleared_at_run_time() -> None:
    """An added fault strikes the next call; cleared ones strike no more."""
    account = make_account()
    account.aws.faults.add(Fault(operation="ListTasks", kind="error_before", count=5))
    with refused("ServerException"):
        account.ecs("ListTasks")
    account.aws.faults.clear()
    assert account.ecs("ListTasks") == {"taskArns": []}


def test_a_fault_hides_a_refusal_too() -> None:
    """A call that would have been refused shows the fault; the refusal is still counted."""
    account = faulty(kind="error_after", code="InternalError")
    with refused("InternalError"):
        account.start_task("nobody")
    assert account.aws.journal.rejections["StartTask", "ClientException"] == 1


def test_each_use_of_a_fault_is_journalled() -> None:
    """The journal names the operation and the kind of each fault."""
    account = faulty(kind="dropped_after")
    with pytest.raises(ConnectionDropped):
        account.start_task()
    (entry,) = account.aws.journal.of(Effect.FAULT_INJECTED)
    assert (entry["operation"], entry["kind"]) == ("StartTask", "dropped_after")


def test_unknown_kinds_of_fault_are_refused() -> None:
    """A kind that no fault has is refused when the fault is made."""
    plan: dict[str, Any] = json.loads('{"operation": "StartTask", "kind": "explode"}')
    with pytest.raises(ValueError, match="kind must be one of"):
        Fault(**plan)


def test_the_journal_counts_calls() -> None:
    """Every call is counted by operation, whatever becomes of it."""
    account = make_account(faults=[Fault(operation="ListTasks", kind="error_before")])
    with refused("ServerException"):
        account.ecs("ListTasks")
    account.ecs("ListTasks")
    assert account.aws.journal.calls["ListTasks"] == 2


def test_the_journal_file_is_written_before_the_answer(tmp_path: Path) -> None:
    """Each effect is a JSON line in the file as soon as the call returns, in the order of the entries."""
    path = tmp_path / "journal.jsonl"
    account = make_account(journal=Journal(path))
    account.register()
    account.started(startedBy="attempt-1")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    account.aws.journal.close()
    assert lines == account.aws.journal.entries
    assert lines[-1]["startedBy"] == "attempt-1"


def test_effects_carry_their_own_time() -> None:
    """What became due between two calls is journalled at the time it was due, in order."""
    account = make_account()
    account.register()
    account.started()
    account.pass_ms(1_000_000)
    account.aws.advance()
    times = [entry["time_ms"] for entry in account.aws.journal.entries]
    assert times == sorted(times)
    assert times[-1] < account.clock.now_ms()


def test_a_clock_that_is_set_back_holds_time_still() -> None:
    """A clock that jumps back undoes nothing: the account waits until it has caught up."""
    account = make_account()
    account.register()
    first = account.task(account.started())["createdAt"]
    account.clock.jump_ms(-3_600_000)
    assert account.task(account.started())["createdAt"] == first


def test_the_same_seed_gives_the_same_account() -> None:
    """Two accounts with one seed and the same calls have the same journal; another seed has another."""
    journals = []
    for seed in (1, 1, 2):
        account = make_account(seed=seed, desired_capacity=3)
        account.register()
        account.started(startedBy="attempt-1")
        account.pass_ms(1_000_000)
        account.aws.advance()
        journals.append(account.aws.journal.entries)
    assert journals[0] == journals[1] != journals[2]
