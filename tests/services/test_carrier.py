"""The carrier: every call has an outcome, whatever AWS, the network and the store do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.store import MemoryStore
from scheduler.bootstrap import build_engine
from scheduler.core.agents import expand
from scheduler.core.model.answers import (
    Answer,
    Failure,
    GroupSeen,
    InstancesSeen,
    Registered,
    Started,
    TasksSeen,
    TypesSeen,
)
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.calls import (
    Call,
    DescribeContainerInstances,
    DescribeFailedLaunches,
    DescribeGroup,
    DescribeHazards,
    DescribeInstanceTypes,
    DescribeTasks,
    FindAttempt,
    RegisterTaskDefinition,
    SetDesiredCapacity,
    StartTask,
    SuspendAZRebalance,
    TakeCensus,
)
from scheduler.core.model.mark import Mark
from scheduler.core.model.task import Task, TaskState
from scheduler.lab.stand_ins import SeededIds
from scheduler.ports.store import StoreCorrupt, StoreError
from scheduler.services.calls import Carrier
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.faults import Fault, FaultKind
from scheduler.simulated_aws.journal import Effect
from scheduler.simulated_aws.settings import SimulationSettings
from tests.builders import attempt_id, containers_spec, submitted, task_id, transitioned
from tests.clocks import START_MS, VirtualClock
from tests.lab.worlds import CLUSTER, GROUP, clients_of, settings

SPEC = containers_spec(TOKEN="secret")
KEY = expand(SPEC, settings().agents).definition_key
ATTEMPT = attempt_id(1, 1)
GROWN = SimulationSettings(min_size=1, max_size=5, desired_capacity=2)

A = TypeVar("A", bound=Answer)


@dataclass
class Unreadable(MemoryStore):
    """A store that gives no task back."""

    error: StoreError

    def __post_init__(self) -> None:
        super().__init__()

    def get(self, task_id: str) -> Task | None:
        raise self.error


class Emptied(MemoryStore):
    """A store that has the task and not what it runs."""

    def get(self, task_id: str) -> Task | None:
        task = super().get(task_id)
        return task and replace(task, spec=None)


@dataclass
class Shell:
    """A carrier between a store with one task and a simulated account."""

    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.account = SimulatedAws(self.clock, GROWN)
        self.store.commit([[submitted(1, spec=SPEC, definition_key=KEY)]])
        cloud = AwsCloud(clients_of(self.account), cluster=CLUSTER)
        engine = build_engine(settings(), clock=self.clock, ids=SeededIds(0), cloud=cloud, store=self.store)
        self.carrier: Carrier = engine.carrier

    def ask(self, call: Call, kind: type[A]) -> A:
        """The call's answer, which is of that kind."""
        outcome = self.carrier.carry_out(call)
        assert outcome.call is call
        assert outcome.sent_ms == self.clock.now_ms()
        assert isinstance(outcome.answer, kind), outcome.answer
        return outcome.answer

    def start(self) -> StartTask:
        """A StartTask that the account would accept."""
        registered = self.ask(REGISTER, Registered)
        instances = self.ask(DescribeContainerInstances(), InstancesSeen).instances
        return StartTask(
            attempt_id=ATTEMPT,
            task_id=task_id(1),
            container_instance_arn=instances[0].arn,
            task_definition_arn=registered.task_definition_arn,
        )

    def fault(self, operation: str, kind: FaultKind) -> None:
        self.account.faults.add(Fault(operation=operation, kind=kind))

    def effects(self, effect: Effect) -> list[dict[str, Any]]:
        return list(self.account.journal.of(effect))


REGISTER = RegisterTaskDefinition(definition_key=KEY, task_id=task_id(1))


@pytest.fixture
def shell() -> Shell:
    return Shell()


# ---- every kind of call


def test_an_outcome_tells_how_many_requests_it_took(shell: Shell) -> None:
    """One more than 100 ids is asked for in two batches, and AWS counts both; so it does a refused one."""
    arns = tuple(f"arn:aws:ecs:eu-west-1:1:task/{CLUSTER}/{number:032x}" for number in range(101))
    assert shell.carrier.carry_out(DescribeTasks(task_arns=arns)).requests == 2
    shell.fault("DescribeTasks", "throttle")
    assert shell.carrier.carry_out(DescribeTasks(task_arns=arns)).requests == 1


def test_start_task_tells_ecs_whose_it_is(shell: Shell) -> None:
    """One ECS task, started by the attempt, tagged with task, attempt, service and store."""
    started = shell.ask(shell.start(), Started)
    (entry,) = shell.effects(Effect.START_TASK)
    assert started.task.started_by == entry["startedBy"] == ATTEMPT
    assert entry["tags"] == {
        "ecs-scheduler:task": task_id(1),
        "ecs-scheduler:attempt": ATTEMPT,
        "ecs-scheduler:service": "lab",
        "ecs-scheduler:epoch": shell.store.epoch,
        "ecs-scheduler:since": str(START_MS),
    }


def test_register_task_definition_registers_what_the_task_needs(shell: Shell) -> None:
    """The revision carries its content hash as a tag."""
    assert "task-definition/agents:1" in shell.ask(REGISTER, Registered).task_definition_arn
    assert len(shell.effects(Effect.REGISTER_TASK_DEFINITION)) == 1


def test_find_attempt_finds_a_started_one(shell: Shell) -> None:
    """An attempt whose answer was lost is found by its id, and none by another's."""
    call = shell.start()
    shell.ask(call, Started)
    arn = call.container_instance_arn
    found = shell.ask(FindAttempt(attempt_id=ATTEMPT, container_instance_arn=arn), TasksSeen)
    other = shell.ask(FindAttempt(attempt_id=attempt_id(9, 9), container_instance_arn=arn), TasksSeen)
    assert ([each.started_by for each in found.tasks], other.tasks) == ([ATTEMPT], ())


def test_describe_tasks_tells_who_is_missing(shell: Shell) -> None:
    """What ECS does not know is told apart from what it knows."""
    known = shell.ask(shell.start(), Started).task.arn
    unknown = known[:-1] + ("0" if known[-1] != "0" else "1")
    seen = shell.ask(DescribeTasks(task_arns=(known, unknown)), TasksSeen)
    assert ([each.arn for each in seen.tasks], seen.missing) == ([known], (unknown,))


def test_the_cluster_is_read(shell: Shell) -> None:
    """Instances, group and types come back in the core's nouns."""
    assert len(shell.ask(DescribeContainerInstances(), InstancesSeen).instances) == 2
    assert shell.ask(DescribeGroup(group=GROUP), GroupSeen).group.desired == 2
    assert [each.name for each in shell.ask(DescribeInstanceTypes(group=GROUP), TypesSeen).types] == [
        "m4.4xlarge"
    ]


def test_az_rebalance_is_suspended_and_the_group_read_again(shell: Shell) -> None:
    """The answer shows the group as it is afterwards."""
    group = shell.ask(SuspendAZRebalance(group=GROUP), GroupSeen).group
    assert "AZRebalance" in group.suspended_processes


def test_a_census_reads_the_marks_that_starts_leave(shell: Shell) -> None:
    """Service, store and since when: by them a second scheduler is told apart, and which is the younger."""
    shell.ask(shell.start(), Started)
    shell.clock.advance_ms(60_000)
    (counted,) = shell.ask(TakeCensus(), TasksSeen).tasks
    assert counted.mark == Mark(service_id="lab", store_epoch=shell.store.epoch, since_ms=START_MS)


# ---- desired capacity


def desired(shell: Shell, to: int, more: int = 100) -> int:
    """The group's desired capacity, 2 at first, after it was asked to grow by that many."""
    call = SetDesiredCapacity(group=GROUP, desired=to, types=("m4.4xlarge",) * more)
    return shell.ask(call, GroupSeen).group.desired


def test_desired_capacity_is_raised(shell: Shell) -> None:
    """The answer shows the group after the act."""
    assert desired(shell, 4) == 4


@pytest.mark.parametrize("to", [0, 1, 2])
def test_desired_capacity_is_never_lowered(shell: Shell, to: int) -> None:
    """What is not above a fresh reading is dropped: the group would choose a victim among busy instances."""
    before = len(shell.effects(Effect.SET_DESIRED_CAPACITY))
    assert desired(shell, to) == 2
    assert len(shell.effects(Effect.SET_DESIRED_CAPACITY)) == before


def test_an_older_wish_does_not_undo_a_newer_one(shell: Shell) -> None:
    """Somebody raised it further since the decision: the reading before the act sees it."""
    desired(shell, 5)
    assert desired(shell, 4) == 5


def test_no_more_is_bought_than_was_decided(shell: Shell) -> None:
    """The group shrank by an instance since the decision: it is raised by one, not back to what it was."""
    assert desired(shell, 5, more=1) == 3


def test_desired_capacity_is_clamped_to_max(shell: Shell) -> None:
    """Max size may have been lowered since the decision: it is asked for, never more."""
    assert desired(shell, 50) == 5


def test_without_a_fresh_reading_nothing_is_set(shell: Shell) -> None:
    """If the group cannot be read the act is not sent, and that is certain."""
    shell.fault("DescribeAutoScalingGroups", "throttle")
    failure = shell.ask(SetDesiredCapacity(group=GROUP, desired=4, types=()), Failure)
    assert failure.definite
    assert len(shell.effects(Effect.SET_DESIRED_CAPACITY)) == 1


@pytest.mark.parametrize("kind", ["throttle", "error_before", "dropped_before"])
def test_a_raise_is_told_although_the_reading_after_it_fails(shell: Shell, kind: FaultKind) -> None:
    """The act had its effect: a reading that fails afterwards must not call it a failure."""
    shell.account.faults.add(Fault(operation="DescribeAutoScalingGroups", kind=kind, skip=1))
    assert desired(shell, 4) == 4


# ---- failures


@pytest.mark.parametrize(
    ("kind", "definite", "throttled", "started"),
    [
        ("throttle", True, True, 0),
        ("error_before", False, False, 0),
        ("dropped_before", False, False, 0),
        ("error_after", False, False, 1),
        ("dropped_after", False, False, 1),
    ],
)
def test_a_failed_start_says_whether_it_may_have_had_its_effect(
    shell: Shell, kind: FaultKind, definite: bool, throttled: bool, started: int
) -> None:
    """A throttle is certain; a 5xx or a lost answer is not, whether the task was started or not."""
    call = shell.start()
    shell.fault("StartTask", kind)
    failure = shell.ask(call, Failure)
    assert (failure.definite, failure.throttled) == (definite, throttled)
    assert len(shell.effects(Effect.START_TASK)) == started


def test_a_start_is_sent_once(shell: Shell) -> None:
    """No failure is answered by sending again: that is decided elsewhere, from what is known."""
    call = shell.start()
    shell.fault("StartTask", "dropped_after")
    shell.ask(call, Failure)
    assert shell.account.journal.calls["StartTask"] == 1


READS: dict[str, Callable[[], Call]] = {
    "ListContainerInstances": DescribeContainerInstances,
    "DescribeAutoScalingGroups": lambda: DescribeGroup(group=GROUP),
    "DescribeInstanceTypes": lambda: DescribeInstanceTypes(group=GROUP),
    "DescribeTasks": lambda: DescribeTasks(task_arns=("arn:aws:ecs:eu-west-1:123456789012:task/ci/1",)),
    "ListTasks": TakeCensus,
    "DescribePolicies": lambda: DescribeHazards(group=GROUP),
    "DescribeScalingActivities": lambda: DescribeFailedLaunches(group=GROUP),
}


@pytest.mark.parametrize("operation", READS)
def test_a_failed_reading_is_a_failure(shell: Shell, operation: str) -> None:
    """A reading is whole or a failure: nothing is believed of a part."""
    shell.fault(operation, "error_before")
    shell.ask(READS[operation](), Failure)


def test_a_refused_start_has_its_reason(shell: Shell) -> None:
    """An instance without room is ECS's own refusal: certain, and no fault of the task."""
    call = shell.start()
    shell.account.set_agent_connected(
        shell.ask(DescribeContainerInstances(), InstancesSeen).instances[0].ec2_instance_id, False
    )
    failure = shell.ask(call, Failure)
    assert failure.definite
    assert failure.reason is not None
    assert (failure.reason.category, failure.code) == (StopCategory.CAPACITY, "AGENT")


# ---- the store


START = StartTask(
    attempt_id=ATTEMPT, task_id=task_id(1), container_instance_arn="arn", task_definition_arn="arn"
)


@pytest.mark.parametrize("call", [REGISTER, START])
def test_a_store_that_cannot_be_read_at_present_is_waited_for(call: Call) -> None:
    """The spec could not be read, so nothing was sent: the same intent may be sent later."""
    shell = Shell(Unreadable(StoreError("store: disk I/O error")))
    failure = shell.ask(call, Failure)
    assert (failure.definite, failure.throttled, failure.code) == (True, True, "STORE")
    assert shell.effects(Effect.START_TASK) == []


@pytest.mark.parametrize("call", [REGISTER, START])
@pytest.mark.parametrize("store", [lambda: Unreadable(StoreCorrupt("a row cannot be read")), Emptied])
def test_a_spec_that_is_lost_is_the_end_of_its_task(call: Call, store: Callable[[], MemoryStore]) -> None:
    """No wait brings back a damaged row: the task is rejected, and AWS is not asked."""
    shell = Shell(store())
    failure = shell.ask(call, Failure)
    assert (failure.definite, failure.throttled, failure.code) == (True, False, "SPEC_UNREADABLE")
    assert failure.reason is not None
    assert failure.reason.category is StopCategory.REJECTED
    assert shell.account.journal.calls["StartTask"] == 0


def test_a_task_that_is_not_in_the_store_is_not_started(shell: Shell) -> None:
    """A restored older file: without its request a task cannot be launched, and nothing is sent."""
    call = StartTask(
        attempt_id=ATTEMPT, task_id=task_id(9), container_instance_arn="arn", task_definition_arn="arn"
    )
    assert task_id(9) in shell.ask(call, Failure).message
    assert shell.account.journal.calls["StartTask"] == 0


def test_an_ended_tasks_definition_is_not_registered(shell: Shell) -> None:
    """Its environment is dropped, and what is told there of the definition with it: others give it whole."""
    shell.store.commit([[transitioned(1, state=TaskState.CANCELLED)]])
    assert shell.ask(REGISTER, Failure).code == "SPEC_UNREADABLE"
    assert shell.effects(Effect.REGISTER_TASK_DEFINITION) == []


def test_a_task_accepted_under_other_settings_runs_under_those_of_now(shell: Shell) -> None:
    """What it expands to now is registered under its own hash, and answers for the hash of before."""
    call = RegisterTaskDefinition(definition_key="of-other-settings", task_id=task_id(1))
    shell.ask(call, Registered)
    (entry,) = shell.effects(Effect.REGISTER_TASK_DEFINITION)
    assert entry["tags"]["ecs-scheduler:config-hash"] == KEY


def test_a_launch_says_which_attempt_it_is(shell: Shell) -> None:
    """The main container finds its attempt in ATTEMPT_ID, beside the environment that was asked for."""
    shell.store.commit([[transitioned(1)]])
    call = shell.start()
    shell.ask(call, Started)
    described = clients_of(shell.account).ecs.describe_tasks(
        cluster=CLUSTER, tasks=[shell.effects(Effect.START_TASK)[0]["taskArn"]]
    )
    (override,) = described["tasks"][0]["overrides"]["containerOverrides"]
    environment = {each["name"]: each["value"] for each in override["environment"]}
    assert environment == {"TOKEN": "secret", "ATTEMPT_ID": ATTEMPT}
