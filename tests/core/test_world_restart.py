"""The World in a new life: what the store kept is looked for, and nothing is done twice."""

from dataclasses import replace
from itertools import product

import pytest

from scheduler.core.model.answers import Outcome, TasksSeen
from scheduler.core.model.attempt import CLOSED_ATTEMPT_STATES, Attempt, AttemptState
from scheduler.core.model.calls import (
    DescribeInstanceTypes,
    DescribeTasks,
    FindAttempt,
    SetDesiredCapacity,
    StartTask,
)
from scheduler.core.model.records import IntentRecorded, IntentState, TaskTransitioned
from scheduler.core.model.task import TaskState
from scheduler.core.world.attempts import Track
from scheduler.core.world.timeouts import queued_until_ms
from scheduler.core.world.world import World
from tests.builders import (
    a_task,
    a_world,
    an_ecs_task,
    an_end,
    an_instance,
    attempt,
    submitted,
    task_id,
    transitioned,
)
from tests.clocks import START_MS
from tests.core.clusters import (
    KNOWN,
    POLICY,
    a_cluster,
    answer,
    holds,
    pass_ms,
    present,
    search_in_vain,
    state_of,
)
from tests.core.steps import Steps


def resumed(state: TaskState, of: Attempt | None) -> Steps:
    """A World that was read from the store with one task, and has read AWS since."""
    world = a_world(an_instance(1))
    world.remember(KNOWN.key, KNOWN.value)
    track = Track(task=a_task(), state=state, attempt=of, attempts_made=1)
    world.resume(track, START_MS, since_ms=START_MS, cancelled=False)
    return Steps(world)


def test_an_attempt_without_an_outcome_is_looked_for_after_a_restart() -> None:
    """It may have been sent: it is never sent again, and holds its room."""
    steps = resumed(TaskState.ASSIGNED, attempt())
    steps.step()
    assert steps.awaited(StartTask) == []
    assert len(steps.awaited(FindAttempt)) == 1
    assert holds(steps) == 1


def test_an_open_attempt_that_nobody_finds_is_abandoned_after_a_restart() -> None:
    """The window begins with the new life: downtime is no evidence."""
    steps = resumed(TaskState.ASSIGNED, attempt(created_ms=START_MS - 1_000_000))
    steps.step()
    search_in_vain(steps, POLICY.visibility_window_ms - 1_000)
    assert state_of(steps) is TaskState.ASSIGNED
    assert present(steps).number == 1
    search_in_vain(steps, POLICY.visibility_window_ms + 40_000)
    assert present(steps).number == 2


@pytest.mark.parametrize("age_ms", [3_600_000, -10_000_000])
def test_an_open_attempt_that_ecs_may_have_forgotten_is_not_repeated(age_ms: int) -> None:
    """ECS lists for an hour what has stopped: later, or by a clock that was set back, it may have run."""
    steps = resumed(TaskState.ASSIGNED, attempt(created_ms=START_MS - age_ms))
    steps.step()
    search_in_vain(steps, POLICY.visibility_window_ms + 40_000)
    assert steps.world.attempts.tracks == {}
    ended = next(each for each in steps.committed if isinstance(each, TaskTransitioned))
    assert (ended.state, ended.stop_reason.code if ended.stop_reason else "") == (
        TaskState.FAILED,
        "NOT_FOUND",
    )
    assert steps.world.agenda.searches.is_stray(attempt().attempt_id), "what shows up after all is stopped"


def test_a_running_task_is_read_after_a_restart() -> None:
    """It goes on; its end is seen."""
    of = attempt(state=AttemptState.STARTED, ecs_task_arn=an_ecs_task(attempt()).arn)
    steps = resumed(TaskState.RUNNING, of)
    steps.now_ms += POLICY.task_poll_ms
    steps.step()
    (read,) = steps.awaited(DescribeTasks)
    answer(steps, read, TasksSeen(tasks=(an_ecs_task(of, last_status="STOPPED", stop=an_end(0)),)))
    assert steps.world.attempts.tracks == {}


def test_a_waiting_task_waits_on_after_a_restart() -> None:
    """And starts like any other."""
    assert len(resumed(TaskState.QUEUED, None).step().placements) == 1


@pytest.mark.parametrize("out", [False, True])
@pytest.mark.parametrize("closed", list(product(sorted(CLOSED_ATTEMPT_STATES), repeat=3)))
def test_a_restart_neither_extends_nor_forgets_the_wait_of_a_task(
    closed: tuple[AttemptState, ...], out: bool
) -> None:
    """What refused, lost and failed starts have cost it is on disk, as it waits and as it is out."""
    steps = a_cluster()
    for number, state in enumerate(closed, 1):
        of, at_ms = attempt(1, number), START_MS + POLICY.queue_timeout_ms + number * 60_000
        ended = replace(of, state=state, stopped_ms=at_ms)
        back = transitioned(1, TaskState.QUEUED, TaskState.ASSIGNED, at_ms=at_ms, attempt=ended)
        steps.commit(transitioned(attempt=of), back)
    if out:
        steps.commit(transitioned(attempt=attempt(1, 4)))
    before = waits_until_ms(steps)
    steps.now_ms += 600_000
    steps.restart()
    assert waits_until_ms(steps) == before


def waits_until_ms(steps: Steps) -> int:
    return queued_until_ms(steps.world, steps.world.attempts.tracks[task_id(1)])


def test_a_task_that_is_abandoned_after_a_restart_waits_on() -> None:
    """However long the process was away while its start was lost."""
    since_ms = START_MS - POLICY.queue_timeout_ms
    steps = a_cluster(1, tasks=())
    steps.commit(submitted(at_ms=since_ms), transitioned(at_ms=since_ms + 60_000, attempt=attempt()))
    steps.restart()
    (search,) = steps.world.agenda.searches.due(steps.now_ms)
    steps.now_ms += POLICY.visibility_window_ms
    nothing = Outcome(call=search, answer=TasksSeen(tasks=()), sent_ms=steps.now_ms)
    steps.world.hear(nothing, steps.now_ms)
    steps.step()
    pass_ms(steps, POLICY.requeue_grace_ms - 1)
    assert state_of(steps) is TaskState.QUEUED


def test_an_act_that_was_under_way_is_decided_anew_after_a_restart() -> None:
    """Its intent is closed, and the ask is made from a fresh reading."""
    steps = a_cluster()
    steps.world.close_intent(IntentRecorded(kind="set_desired", key="ci", state=IntentState.OPEN))
    steps.step()
    closed, opened = [each for each in steps.committed if isinstance(each, IntentRecorded)]
    assert (closed.state, opened.state) == (IntentState.ABANDONED, IntentState.OPEN)
    assert len(steps.awaited(SetDesiredCapacity)) == 1


def test_nothing_is_decided_before_group_and_instances_were_read() -> None:
    """A cold World reads first."""
    steps = Steps(World(POLICY, "ci"))
    steps.commit(KNOWN, submitted(1))
    plan = steps.step()
    assert (plan.placements, steps.awaited(SetDesiredCapacity)) == ((), [])
    assert DescribeInstanceTypes(group="ci") in plan.calls
