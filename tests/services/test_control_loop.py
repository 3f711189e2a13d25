"""The control loop: nothing takes effect before it is durable, and nothing is sent twice."""

from dataclasses import replace

import pytest

from scheduler.adapters.memory.store import MemoryStore
from scheduler.core.model.answers import Failure, Outcome, Registered, Started, TasksSeen, Wake
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.calls import (
    DescribeGroup,
    DescribeTasks,
    FindAttempt,
    Lane,
    RegisterTaskDefinition,
    StartTask,
)
from scheduler.core.model.facts import definition_fact, revision_fact
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import (
    AttemptRecorded,
    IntentRecorded,
    IntentState,
    Record,
    TaskTransitioned,
)
from scheduler.core.model.revision import DAY_MS, Revision
from scheduler.core.model.task import TaskState
from scheduler.core.world.world import World
from scheduler.services.control_loop import COALESCE_MS, EXPLAIN_PAUSE_MS, Step
from scheduler.services.lanes import LaneLimit
from tests.builders import a_world, an_ecs_task, an_instance, attempt, submitted, task_id, transitioned
from tests.clocks import START_MS
from tests.services.steps import HandDriver, answered

THROTTLED = Failure(definite=True, throttled=True, code="ThrottlingException", message="Rate exceeded")
LOST = Failure(definite=False, code="ReadTimeoutError", message="no answer")


@pytest.fixture
def driver() -> HandDriver:
    """A loop over one empty container instance, its first readings done."""
    return HandDriver(a_world(an_instance(1)))


def states(of: HandDriver) -> dict[str, TaskState]:
    return {each: track.state for each, track in of.world.attempts.tracks.items()}


def moves(step: Step) -> list[tuple[str, TaskState]]:
    """Tasks and the states that the step's records bring them into."""
    return [(each.task_id, each.state) for each in step.records if isinstance(each, TaskTransitioned)]


def starts(step: Step) -> list[StartTask]:
    return [each for each in step.calls if isinstance(each, StartTask)]


def opened(step: Step) -> list[Attempt]:
    """Attempts whose intent is in the step's records."""
    found = (each.attempt for each in step.records if isinstance(each, TaskTransitioned))
    return [each for each in found if each is not None and each.state is AttemptState.OPEN]


def start_one(driver: HandDriver) -> StartTask:
    """Task 1 is assigned and its StartTask is under way."""
    (call,) = starts(driver.turn(driver.submission(1)))
    return call


# ---- commit, apply, send


def test_a_start_is_sent_for_the_intent_that_was_committed(driver: HandDriver) -> None:
    """The call carries the attempt that is durable by then, and that attempt's room is taken."""
    step = driver.turn(driver.submission(1))
    (intent,), (call,) = opened(step), starts(step)
    assert call.attempt_id == intent.attempt_id
    stored = driver.store.get(task_id(1))
    assert stored is not None
    assert stored.attempts == (intent,)
    assert driver.world.ledger.load(intent.container_instance_arn).attempts == 1


def test_a_started_task_is_not_started_again(driver: HandDriver) -> None:
    """While its outcome is awaited a task is placed nowhere else, however often the loop looks."""
    start_one(driver)
    for _ in range(3):
        assert starts(driver.turn(Wake(), after_ms=5_000)) == []


def test_a_step_alone_changes_nothing(driver: HandDriver) -> None:
    """Before its records are durable a step has no effect: no state, no room, no slot."""
    slots = driver.lanes.slots(driver.now_ms)
    driver.step(driver.submission(1))
    assert states(driver) == {task_id(1): TaskState.QUEUED}
    assert driver.world.ledger.load(an_instance(1).arn).attempts == 0
    assert driver.lanes.slots(driver.now_ms) == slots


def test_after_a_failed_commit_the_same_is_decided_again(driver: HandDriver) -> None:
    """A full disk costs time and nothing else: the next step wants the same, without hearing it again."""
    failed = driver.step(driver.submission(1, 2, 3))
    again = driver.step()
    assert moves(again) == moves(failed)
    assert [each.container_instance_arn for each in opened(again)] == [
        each.container_instance_arn for each in opened(failed)
    ]


def test_an_attempt_whose_commit_failed_never_lives(driver: HandDriver) -> None:
    """The next decision makes a new attempt: nothing outside ever heard of the id that was lost."""
    failed = driver.step(driver.submission(1))
    step = driver.turn()
    assert opened(failed)[0].attempt_id != opened(step)[0].attempt_id
    assert [each.attempt_id for each in starts(step)] == [opened(step)[0].attempt_id]


def test_what_aws_said_outlives_a_failed_commit(driver: HandDriver) -> None:
    """An outcome is heard once; the change that it makes is wanted until it is durable."""
    call = start_one(driver)
    answer = Started(task=an_ecs_task(attempt(attempt_id=call.attempt_id)))
    driver.step(answered(call, answer))
    assert moves(driver.turn()) == [(task_id(1), TaskState.STARTING)]
    assert moves(driver.turn()) == []


def test_a_closed_intent_outlives_a_failed_commit(driver: HandDriver) -> None:
    """An act that is done is recorded as done, at the second attempt too, and then no more."""
    call = RegisterTaskDefinition(definition_key="definition-2", task_id=task_id(1))
    driver.step(answered(call, Registered(task_definition_arn="agents:2")))
    revision = Revision(arn="agents:2", definition_key="definition-2", used_day=driver.now_ms // DAY_MS)
    assert driver.turn().records == (
        definition_fact("definition-2", "agents:2"),
        revision_fact(revision),
        IntentRecorded(kind="register", key="definition-2", state=IntentState.DONE),
    )
    assert driver.turn().records == ()


def test_causes_are_journalled_before_effects(driver: HandDriver) -> None:
    """In one commit what ended comes before what starts in its place."""
    call = start_one(driver)
    gone = Failure(definite=True, code="AccessDeniedException", message="")
    step = driver.turn(answered(call, gone), driver.submission(2))
    assert moves(step) == [(task_id(1), TaskState.FAILED), (task_id(2), TaskState.ASSIGNED)]


# ---- lanes


def test_no_more_starts_than_slots() -> None:
    """Nobody sits ASSIGNED behind a bucket: tasks without a slot stay QUEUED."""
    driver = HandDriver(a_world(*(an_instance(each) for each in range(1, 30))))
    step = driver.turn(driver.submission(*range(1, 60)))
    assert len(starts(step)) == 24
    assert starts(driver.turn()) == []


def test_a_throttled_start_is_sent_again_under_the_same_attempt(driver: HandDriver) -> None:
    """Throttled is certainly without effect: the same intent is sent again after a rest."""
    call = start_one(driver)
    assert starts(driver.turn(answered(call, THROTTLED))) == []
    assert starts(driver.turn(after_ms=1_000)) == [call]
    assert opened(driver.turn(after_ms=1_000)) == []


def test_a_lost_answer_is_searched_for_and_not_sent_again(driver: HandDriver) -> None:
    """After a lost answer the attempt is UNKNOWN and looked for; it keeps its room."""
    call = start_one(driver)
    driver.turn(answered(call, LOST))
    step = driver.turn()
    assert [each.attempt_id for each in step.calls if isinstance(each, FindAttempt)] == [call.attempt_id]
    assert starts(step) == []
    assert driver.world.ledger.load(call.container_instance_arn).attempts == 1


def test_a_found_attempt_is_adopted(driver: HandDriver) -> None:
    """The search finds the ECS task: the attempt goes on as if the answer had come."""
    call = start_one(driver)
    driver.turn(answered(call, LOST))
    search = FindAttempt(attempt_id=call.attempt_id, container_instance_arn=call.container_instance_arn)
    found = TasksSeen(tasks=(an_ecs_task(attempt(attempt_id=call.attempt_id)),))
    assert moves(driver.turn(answered(search, found))) == [(task_id(1), TaskState.STARTING)]


# ---- when to look again


def test_a_change_is_followed_by_another_look(driver: HandDriver) -> None:
    """What was committed may let more happen: the loop looks again at once."""
    driver.turn(driver.submission(1))
    assert driver.wake_ms == driver.now_ms


def test_an_idle_loop_sleeps_until_something_is_due(driver: HandDriver) -> None:
    """With nothing to do the loop wakes for its next reading, not before."""
    failed = Failure(definite=True, code="x", message="")
    driver.turn(*(answered(call, failed) for call in driver.turn().calls))
    assert driver.wake_ms == START_MS + Policy().cluster_poll_ms


def test_the_loop_never_spins_behind_a_full_lane(driver: HandDriver) -> None:
    """A reading that is due and has no slot is looked for again after a moment, not at once."""
    driver.now_ms += 10_000
    driver.lanes.sent(DescribeGroup(group="ci"), driver.now_ms)
    step = driver.turn()
    assert not any(isinstance(each, DescribeGroup) for each in step.calls)
    assert driver.wake_ms >= driver.now_ms + COALESCE_MS


@pytest.mark.parametrize(("per_second", "sleeps_ms"), [(2.0, 500), (0.1, 1_000)])
def test_an_empty_bucket_is_waited_for(per_second: float, sleeps_ms: int) -> None:
    """When a due call only lacks a token the loop sleeps until it comes, or until other things may be due."""
    limit = LaneLimit(burst=1, per_second=per_second, at_once=9)
    driver = HandDriver(a_world(an_instance(1)), limits=dict.fromkeys(Lane, limit))
    driver.now_ms += 10_000
    driver.lanes.sent(DescribeGroup(group="ci"), driver.now_ms)
    driver.turn()
    assert driver.wake_ms == driver.now_ms + sleeps_ms


# ---- the digest


def test_the_digest_follows_a_confirmed_step(driver: HandDriver) -> None:
    """Readers see what is durable: a step whose commit failed publishes nothing."""
    driver.step(driver.submission(1))
    assert driver.loop.digest.revision == 0
    driver.turn()
    assert driver.loop.digest.tasks[TaskState.ASSIGNED] == 1


def test_the_digest_is_made_at_most_four_times_a_second(driver: HandDriver) -> None:
    """Counting rejects costs more than placing: steps in quick succession share one digest."""
    driver.turn()
    first = driver.loop.digest
    driver.turn(driver.submission(1), after_ms=EXPLAIN_PAUSE_MS - 1)
    assert driver.loop.digest is first
    driver.turn(after_ms=1)
    assert driver.loop.digest is not first


def test_a_condition_stands_with_the_time_it_began(driver: HandDriver) -> None:
    """A reading that fails again and again is one condition, and it ends with the first that succeeds."""
    call, denied = DescribeGroup(group="ci"), Failure(definite=True, code="AccessDenied", message="no")
    driver.lanes.sent(call, driver.now_ms)
    driver.turn(answered(call, denied))
    driver.turn(after_ms=10_000)
    (condition,) = driver.loop.digest.conditions
    assert (condition.reason, condition.since_ms) == ("GROUP_UNREADABLE", START_MS)


# ---- resuming


def resumed(*records: Record, now_ms: int = START_MS) -> HandDriver:
    """A new process on a store that holds these records; it has read the cluster again."""
    store = MemoryStore()
    store.commit([records])
    driver = HandDriver(a_world(an_instance(1)), store)
    driver.loop.resume(store.load(), now_ms)
    return driver


def finds(step: Step) -> list[str]:
    return [each.attempt_id for each in step.calls if isinstance(each, FindAttempt)]


def test_an_attempt_without_an_outcome_is_looked_for_after_a_restart() -> None:
    """The last process died between intent and answer: the attempt is searched for, never sent again."""
    driver = resumed(submitted(1), transitioned(1, attempt=attempt()))
    step = driver.turn()
    assert finds(step) == [attempt().attempt_id]
    assert starts(step) == []
    assert states(driver) == {task_id(1): TaskState.ASSIGNED}


def test_a_resumed_attempt_is_abandoned_only_after_the_window() -> None:
    """A search in vain counts once it began a whole window after the restart; then a new attempt is made."""
    driver = resumed(submitted(1), transitioned(1, attempt=attempt()))
    search = FindAttempt(
        attempt_id=attempt().attempt_id, container_instance_arn=attempt().container_instance_arn
    )
    nothing, window_ms = TasksSeen(tasks=()), Policy().visibility_window_ms
    early = driver.turn(Outcome(call=search, answer=nothing, sent_ms=START_MS + window_ms - 1))
    assert moves(early) == []
    late = driver.turn(Outcome(call=search, answer=nothing, sent_ms=START_MS + window_ms))
    assert moves(late) == [(task_id(1), TaskState.QUEUED)]
    (call,) = starts(driver.turn(after_ms=2_000))
    assert call.attempt_id != attempt().attempt_id


def test_a_resumed_attempt_keeps_its_room() -> None:
    """Room is held from the first step on: nobody is placed where a lost task may run."""
    driver = resumed(submitted(1), transitioned(1, attempt=attempt()))
    assert driver.world.ledger.load(attempt().container_instance_arn).attempts == 1


def test_a_resumed_task_waits_for_as_long_as_before() -> None:
    """A launch that failed late has given it more time, which neither a restart takes nor a later refusal."""
    late_ms = START_MS + Policy().queue_timeout_ms
    failed = attempt(1, 1, state=AttemptState.ENDED, stopped_ms=late_ms)
    refused = attempt(1, 2, state=AttemptState.DEFINITE_FAILURE, stopped_ms=late_ms + 9_000)
    closed = [AttemptRecorded(attempt=failed), AttemptRecorded(attempt=refused)]
    driver = resumed(submitted(1), *closed, now_ms=late_ms + 60_000)
    assert driver.world.deadlines.next_ms() == late_ms + Policy().requeue_grace_ms


def test_a_running_task_is_only_read_after_a_restart() -> None:
    """A task whose ECS task is known is followed by its ARN; nothing is searched and nothing started."""
    known = attempt(state=AttemptState.STARTED, ecs_task_arn="arn:aws:ecs:us-east-1:123456789012:task/ci/1")
    driver = resumed(submitted(1), transitioned(1, TaskState.RUNNING, TaskState.ASSIGNED, attempt=known))
    step = driver.turn(after_ms=2_000)
    assert [each.task_arns for each in step.calls if isinstance(each, DescribeTasks)] == [
        (known.ecs_task_arn,)
    ]
    assert (finds(step), starts(step)) == ([], [])


def test_a_waiting_task_is_placed_after_a_restart() -> None:
    """The queue survives, in its order."""
    driver = resumed(submitted(1), submitted(2))
    assert [task for task, _ in moves(driver.turn())] == [task_id(1), task_id(2)]


def test_an_act_under_way_at_the_end_is_decided_anew() -> None:
    """An open intent is closed as abandoned: what it wanted is asked for again if it is still wanted."""
    act = IntentRecorded(kind="set_desired", key="ci", state=IntentState.OPEN, payload="3")
    step = resumed(act).turn()
    assert replace(act, state=IntentState.ABANDONED) in step.records


def test_what_was_learned_survives_a_restart() -> None:
    """A registered definition is not registered again."""
    driver = resumed(
        submitted(1, definition_key="definition-9"), definition_fact("definition-9", "arn:agents:9")
    )
    step = driver.turn()
    assert [each.task_definition_arn for each in starts(step)] == ["arn:agents:9"]
    assert not any(isinstance(each, RegisterTaskDefinition) for each in step.calls)


def test_nothing_is_placed_before_the_cluster_was_read() -> None:
    """A restart knows its tasks, not its instances: it reads first."""
    driver = HandDriver(World(Policy(), "ci"))
    step = driver.turn(driver.submission(1))
    assert starts(step) == []
    assert {type(each).__name__ for each in step.calls} >= {"DescribeContainerInstances"}


def test_revisions_go_on_after_a_restart() -> None:
    """A restarted loop numbers nothing anew."""
    driver = resumed(submitted(1), submitted(2))
    assert driver.world.revision == 2
    driver.turn()
    assert driver.world.revision == 4
