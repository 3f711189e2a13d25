"""The World: what is asked for once, and what is never lost when a commit fails."""

import pytest

from scheduler.core.decide import decide
from scheduler.core.lifecycle.transitions import IllegalTransition
from scheduler.core.model.answers import DEFINITION_GONE, Failure, GroupSeen, Registered, Started
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.calls import (
    DescribeGroup,
    RegisterTaskDefinition,
    SetDesiredCapacity,
    StartTask,
    SuspendAZRebalance,
)
from scheduler.core.model.facts import definition_fact, instance_type_fact
from scheduler.core.model.records import IntentRecorded, IntentState, ScalingRecorded
from scheduler.core.model.scaling import ScalingKind
from scheduler.core.model.task import TaskState
from tests.builders import (
    M4_4XLARGE,
    a_group,
    a_task,
    a_world,
    an_ecs_task,
    an_instance,
    stop_reason,
    submitted,
    task_id,
    transitioned,
)
from tests.core.clusters import (
    KNOWN,
    LOST,
    NO_ROOM,
    POLICY,
    REFUSED,
    THROTTLED,
    a_cluster,
    answer,
    launched,
    pass_ms,
    present,
    state_of,
)
from tests.core.steps import Steps
from tests.core.test_starts import failure


def test_news_are_kept_until_what_they_led_to_is_committed() -> None:
    """A full disk loses no outcome: the next view shows it again, and the plan is the same."""
    steps = a_cluster(1)
    steps.answer(launched(steps), NO_ROOM)
    steps.world.settled.append(IntentRecorded(kind="register", key="definition-2", state=IntentState.DONE))
    plan = decide(steps.view(), POLICY)
    assert [each.state for each in plan.transitions] == [TaskState.QUEUED]
    assert decide(steps.view(), POLICY) == plan
    assert steps.step() == plan
    assert steps.view().evidence == ()
    assert steps.view().settled == ()


def test_news_that_were_acted_on_are_old() -> None:
    """A decision looks at what changed, not at every attempt again."""
    steps = a_cluster(1)
    steps.answer(launched(steps), Started(task=an_ecs_task(present(steps))))
    assert len(steps.view().evidence) == 1
    steps.step()
    assert steps.view().evidence == ()


def test_what_settles_while_a_view_is_carried_out_is_not_lost() -> None:
    """Only what the view showed is old when it is committed."""
    steps = a_cluster(1)
    view = steps.view()
    late = IntentRecorded(kind="register", key="definition-2", state=IntentState.DONE)
    steps.world.settled.append(late)
    steps.world.looked_at(view)
    assert steps.view().settled == (late,)


def test_a_transition_that_does_not_exist_is_refused() -> None:
    """A defect of ours stops there, before it is believed."""
    steps = a_cluster(1)
    with pytest.raises(IllegalTransition):
        steps.commit(transitioned(1, TaskState.SUCCEEDED))


def unregistered(*numbers: int) -> Steps:
    steps = Steps(a_world(an_instance(1)))
    steps.commit(instance_type_fact("m4.4xlarge", M4_4XLARGE), *(submitted(number) for number in numbers))
    return steps


def test_tasks_of_one_configuration_register_it_once() -> None:
    """One call, however many wait and however often is decided; they start when it is there."""
    steps = unregistered(1, 2, 3)
    steps.step()
    steps.step()
    (call,) = steps.awaited(RegisterTaskDefinition)
    steps.answer(call, Registered(task_definition_arn="definition-1:1"))
    assert not steps.step().placements
    assert [each.task_definition_arn for each in steps.step().placements] == ["definition-1:1"] * 3


@pytest.mark.parametrize("failure", [THROTTLED, LOST])
def test_a_registration_that_may_succeed_later_is_repeated(failure: Failure) -> None:
    """After a rest; the tasks know nothing of it."""
    steps = unregistered(1)
    steps.step()
    answer(steps, steps.awaited(RegisterTaskDefinition)[0], failure)
    steps.step()
    assert steps.awaited(RegisterTaskDefinition) == []
    pass_ms(steps, 1_000)
    assert len(steps.awaited(RegisterTaskDefinition)) == 1
    assert state_of(steps) is TaskState.QUEUED


def test_a_refused_definition_fails_its_tasks_and_no_others() -> None:
    """The tasks of other configurations go on."""
    steps = unregistered(1, 2)
    steps.commit(submitted(3, definition_key="definition-2"))
    steps.step()
    first, _ = steps.awaited(RegisterTaskDefinition)
    answer(steps, first, REFUSED)
    assert list(steps.world.attempts.tracks) == [task_id(3)]
    assert sum(group.count for group in steps.view().backlog) == 1


def test_growth_is_asked_for_once() -> None:
    """While the ask is under way there is no other, and what was granted is in flight."""
    steps = a_cluster()
    steps.step()
    steps.step()
    (call,) = steps.awaited(SetDesiredCapacity)
    steps.answer(call, GroupSeen(group=a_group(desired=1)))
    for _ in range(3):
        steps.step()
    assert steps.awaited(SetDesiredCapacity) == []
    assert steps.view().capacity.in_flight_types == ("m4.4xlarge",)


def test_growth_whose_answer_was_lost_is_decided_anew() -> None:
    """The same number again: an ask that had its effect is dropped by whoever reads the group first."""
    steps = a_cluster()
    steps.step()
    (call,) = steps.awaited(SetDesiredCapacity)
    answer(steps, call, LOST)
    steps.step()
    assert steps.awaited(SetDesiredCapacity) == []
    pass_ms(steps, POLICY.growth_pauses_ms[0])
    assert steps.awaited(SetDesiredCapacity) == [call]


def test_an_ask_that_failed_is_told_once_and_a_larger_one_after_it_anew() -> None:
    """The end of the log tells a later life the most that may have been granted."""
    steps = a_cluster(tasks=())
    for number in (1, 2, 3):
        steps.commit(submitted(number, ask=M4_4XLARGE) if number != 2 else KNOWN)
        steps.step()
        (call,) = steps.awaited(SetDesiredCapacity)
        answer(steps, call, LOST)
        pass_ms(steps, POLICY.growth_pauses_ms[-1])
    (call,) = steps.awaited(SetDesiredCapacity)
    told = [each.event for each in steps.committed if isinstance(each, ScalingRecorded)]
    assert [each.desired_after for each in told if each.kind is ScalingKind.GROW] == [1, 2]
    assert call.desired == 2


def test_a_failed_ask_reads_the_group_soon() -> None:
    """What it did, if anything, is seen within a second."""
    steps = a_cluster()
    steps.step()
    (call,) = steps.awaited(SetDesiredCapacity)
    answer(steps, call, LOST)
    pass_ms(steps, POLICY.eager_poll_ms)
    assert steps.awaited(DescribeGroup) == [DescribeGroup(group="ci")]


def test_rebalancing_of_zones_is_suspended() -> None:
    """It kills running agents: a group that has it on is told to stop it."""
    steps = Steps(a_world(group=a_group(suspended_processes=frozenset())))
    steps.step()
    assert steps.awaited(SuspendAZRebalance) == [SuspendAZRebalance(group="ci")]


def test_a_lost_suspension_that_had_its_effect_is_no_trouble() -> None:
    """The group shows that rebalancing is suspended: whatever became of the answer, all is well."""
    steps = Steps(a_world(group=a_group(suspended_processes=frozenset())))
    steps.step()
    (call,) = steps.awaited(SuspendAZRebalance)
    answer(steps, call, LOST)
    assert steps.world.troubles.keys() == {"AZ_REBALANCE_NOT_SUSPENDED"}
    pass_ms(steps, POLICY.cluster_poll_ms)
    (reading,) = steps.awaited(DescribeGroup)
    answer(steps, reading, GroupSeen(group=a_group()))
    assert steps.world.troubles == {}


def test_a_denied_suspension_is_asked_for_once_a_poll() -> None:
    """A missing permission costs a call now and then, and no reading is hurried for it."""
    steps = Steps(a_world(group=a_group(suspended_processes=frozenset())))
    steps.step()
    (call,) = steps.awaited(SuspendAZRebalance)
    answer(steps, call, REFUSED)
    pass_ms(steps, POLICY.cluster_poll_ms - 1)
    assert steps.awaited(SuspendAZRebalance) == []
    pass_ms(steps, 1)
    assert steps.awaited(SuspendAZRebalance) == [call]


@pytest.mark.parametrize(
    "failure",
    [
        Failure(definite=True, code="EndpointConnectionError", message="never connected"),
        Failure(definite=True, code="ExpiredTokenException", message="the security token is expired"),
        LOST,
        THROTTLED,
    ],
)
def test_a_registration_that_fails_for_our_own_reasons_is_repeated(failure: Failure) -> None:
    """A connection that breaks, or credentials that expire, fail no task."""
    steps = unregistered(1)
    steps.step()
    (call,) = steps.awaited(RegisterTaskDefinition)
    answer(steps, call, failure)
    assert list(steps.world.attempts.tracks) == [task_id(1)]
    pass_ms(steps, POLICY.registration_pauses_ms[0])
    assert steps.awaited(RegisterTaskDefinition) == [call]


def test_a_revision_that_is_gone_is_registered_anew() -> None:
    """Somebody deregistered it: the configuration's tasks wait for another one, and none fails."""
    steps = a_cluster(1, 2)
    call = launched(steps)
    reason = stop_reason(category=StopCategory.CAPACITY)
    gone = Failure(definite=True, code=DEFINITION_GONE, message="TaskDefinition is inactive", reason=reason)
    answer(steps, call, gone)
    steps.step()
    (again,) = steps.awaited(RegisterTaskDefinition)
    assert again.definition_key == a_task().definition_key
    assert steps.world.definitions.registered == {}
    assert state_of(steps) is TaskState.QUEUED
    answer(steps, again, Registered(task_definition_arn="arn:new"))
    pass_ms(steps, POLICY.cluster_poll_ms)
    assert {each.task_definition_arn for each in steps.awaited(StartTask)} >= {"arn:new"}


def test_tasks_of_a_resting_configuration_rest_when_it_is_registered_anew() -> None:
    """They waited for its definition when it was found that it fails everywhere: none is started before."""
    steps = a_cluster(1, tasks=(1, 2))
    steps.commit(definition_fact("definition-1", ""))
    steps.world.breakers.trip(failure(9, "typo", key="definition-1"), steps.now_ms)
    steps.commit(KNOWN)
    assert (steps.step().placements, steps.view().backlog) == ((), ())
    pass_ms(steps, POLICY.breaker_pauses_ms[0])
    assert len(steps.awaited(StartTask)) == 1


def test_a_task_that_cannot_be_read_fails_alone() -> None:
    """Its definition is made from the next task that waits for it."""
    steps = unregistered(1, 2)
    steps.step()
    (call,) = steps.awaited(RegisterTaskDefinition)
    reason = stop_reason(category=StopCategory.REJECTED)
    unreadable = Failure(definite=True, blames_request=True, code="x", message="", reason=reason)
    answer(steps, call, unreadable)
    assert list(steps.world.attempts.tracks) == [task_id(2)]
    pass_ms(steps, POLICY.registration_pauses_ms[0])
    (again,) = steps.awaited(RegisterTaskDefinition)
    assert again.task_id == task_id(2)
