"""The World: what becomes of a task that was started, whatever AWS answers."""

from scheduler.core.model.answers import INSTANCE_UNFIT, Failure, InstancesSeen, Outcome, Started, TasksSeen
from scheduler.core.model.attempt import AttemptState, StopCategory, StopReason
from scheduler.core.model.calls import DescribeContainerInstances, DescribeTasks, FindAttempt, StartTask
from scheduler.core.model.task import TaskState
from tests.builders import M4_4XLARGE, a_task, an_ecs_task, an_end, an_instance, task_id
from tests.clocks import START_MS
from tests.core.clusters import (
    LOST,
    NO_ROOM,
    POLICY,
    THROTTLED,
    a_cluster,
    answer,
    holds,
    launched,
    pass_ms,
    present,
    search_in_vain,
    state_of,
)
from tests.core.steps import Steps


def test_a_started_task_is_read_and_ends() -> None:
    """Assigned, starting, running, succeeded: each by what ECS said, and then its room is free."""
    steps = a_cluster(1)
    call = launched(steps)
    task = an_ecs_task(present(steps))
    answer(steps, call, Started(task=task))
    assert state_of(steps) is TaskState.STARTING
    for status, version, stop in (("RUNNING", 2, None), ("STOPPED", 3, an_end(0))):
        pass_ms(steps, POLICY.task_poll_ms)
        (read,) = steps.awaited(DescribeTasks)
        news = an_ecs_task(present(steps), last_status=status, version=version, stop=stop)
        answer(steps, read, TasksSeen(tasks=(news,)))
    assert task_id(1) not in steps.world.attempts.tracks
    assert holds(steps) == 0


def test_room_is_taken_before_start_task_is_answered() -> None:
    """From the intent on: the next decision cannot give it away again."""
    steps = a_cluster(1)
    steps.step()
    assert holds(steps) == 1
    (spot,) = steps.view().rooms.spots()
    assert spot[1].cpu == M4_4XLARGE.cpu - a_task().ask.cpu


def test_a_throttled_start_is_repeated_with_the_same_attempt() -> None:
    """It certainly had no effect: no new attempt, nobody is suspect, and the room stays held."""
    steps = a_cluster(1)
    call = launched(steps)
    answer(steps, call, THROTTLED)
    assert steps.awaited(StartTask) == []
    assert (state_of(steps), holds(steps)) == (TaskState.ASSIGNED, 1)
    pass_ms(steps, 1_000)
    assert steps.awaited(StartTask) == [call]
    assert steps.view().suspects == frozenset()


def test_a_start_that_is_throttled_for_too_long_expires() -> None:
    """It goes back to the queue once its queue timeout is over, and no token comes for it later."""
    steps = a_cluster(1)
    call = launched(steps)
    pass_ms(steps, POLICY.queue_timeout_ms - 2_000)
    answer(steps, call, THROTTLED)
    pass_ms(steps, 2_000)
    assert (state_of(steps), steps.awaited(StartTask)) == (TaskState.ASSIGNED, [call])
    answer(steps, call, THROTTLED)
    steps.step()
    assert (steps.world.attempts.tracks, holds(steps)) == ({}, 0)
    pass_ms(steps, 60_000)
    assert steps.awaited(StartTask) == []


def test_a_refused_task_tries_another_instance_after_a_rest() -> None:
    """The instance is suspect for this shape until it was read again."""
    steps = a_cluster(1, 2)
    call = launched(steps)
    answer(steps, call, NO_ROOM)
    assert (state_of(steps), holds(steps)) == (TaskState.QUEUED, 0)
    assert steps.view().suspects == {(call.container_instance_arn, a_task().ask)}
    pass_ms(steps, 1_000)
    (second,) = steps.awaited(StartTask)
    assert second.container_instance_arn != call.container_instance_arn
    assert second.attempt_id != call.attempt_id


def test_a_refusal_is_believed_until_the_instance_was_read_again() -> None:
    """Its room is known anew then: it may serve the shape that it refused."""
    steps = a_cluster(1)
    answer(steps, launched(steps), NO_ROOM)
    pass_ms(steps, POLICY.cluster_poll_ms)
    assert state_of(steps) is TaskState.QUEUED
    answer(steps, DescribeContainerInstances(), InstancesSeen(instances=(an_instance(1),)))
    assert steps.view().suspects == frozenset()
    assert state_of(steps) is TaskState.ASSIGNED


def test_refusals_in_a_row_rest_longer() -> None:
    """One, two, then every four seconds."""
    steps = a_cluster(*range(1, 7))
    for pause_ms in (1_000, 2_000, 4_000, 4_000):
        answer(steps, launched(steps), NO_ROOM)
        pass_ms(steps, pause_ms - 1)
        assert steps.awaited(StartTask) == []
        steps.now_ms += 1


def test_refusals_do_not_prolong_the_wait() -> None:
    """One that is refused again and again expires when its queue timeout is over."""
    steps = a_cluster(1)
    pass_ms(steps, POLICY.queue_timeout_ms - 2_000)
    answer(steps, steps.awaited(StartTask)[-1], NO_ROOM)
    pass_ms(steps, 2_000)
    assert task_id(1) not in steps.world.attempts.tracks


def test_a_start_that_was_lost_gives_more_time() -> None:
    """It was looked for meanwhile, and may be made again for a while."""
    steps = a_cluster(1)
    pass_ms(steps, POLICY.queue_timeout_ms - 2_000)
    answer(steps, steps.awaited(StartTask)[-1], LOST)
    search_in_vain(steps, POLICY.queue_timeout_ms + POLICY.visibility_window_ms + 1_000)
    assert state_of(steps) in (TaskState.QUEUED, TaskState.ASSIGNED)


def test_a_refused_task_keeps_its_place() -> None:
    """Who came later with the same needs does not pass it when there is room again."""
    steps = a_cluster(1, tasks=(1, 2, 3, 4, 5, 6))
    steps.step()
    first = steps.awaited(StartTask)[0]
    steps.answer(first, NO_ROOM)
    plan = steps.step()
    assert not plan.placements
    (group,) = steps.view().backlog
    assert group.count == 3
    steps.now_ms += 1_000
    (group,) = steps.view().backlog
    assert [task.task_id for task in group.heads] == [task_id(1), task_id(5), task_id(6)]


def test_a_lost_answer_holds_its_room_and_is_looked_for() -> None:
    """Until it is known, the task may be running: nothing else gets its room, and it is not started again."""
    steps = a_cluster(1)
    answer(steps, launched(steps), LOST)
    assert present(steps).state is AttemptState.UNKNOWN
    steps.step()
    assert len(steps.awaited(FindAttempt)) == 1
    assert (state_of(steps), holds(steps)) == (TaskState.ASSIGNED, 1)


def test_a_lost_start_that_is_found_is_adopted() -> None:
    """The search shows its task: it goes on as if the answer had come."""
    steps = a_cluster(1)
    answer(steps, launched(steps), LOST)
    steps.step()
    (search,) = steps.awaited(FindAttempt)
    found = an_ecs_task(present(steps), last_status="RUNNING")
    answer(steps, search, TasksSeen(tasks=(found,)))
    assert (state_of(steps), present(steps).state) == (TaskState.RUNNING, AttemptState.ADOPTED)
    pass_ms(steps, 60_000)
    assert steps.awaited(FindAttempt) == []


def test_a_late_true_answer_is_adopted() -> None:
    """A lost answer that turns up after all is one more outcome."""
    steps = a_cluster(1)
    call = launched(steps)
    answer(steps, call, LOST)
    task = an_ecs_task(present(steps))
    steps.world.hear(Outcome(call=call, answer=Started(task=task), sent_ms=START_MS), steps.now_ms)
    steps.step()
    assert (state_of(steps), present(steps).state) == (TaskState.STARTING, AttemptState.ADOPTED)


def test_a_lost_start_is_abandoned_after_the_window() -> None:
    """Only then another attempt is made, and only then its room is free."""
    steps = a_cluster(1)
    answer(steps, launched(steps), LOST)
    search_in_vain(steps, POLICY.visibility_window_ms)
    assert state_of(steps) is TaskState.ASSIGNED
    search_in_vain(steps, POLICY.visibility_window_ms + 40_000)
    assert present(steps).number == 2
    assert holds(steps) == 1


def test_a_search_that_began_in_the_window_abandons_nothing() -> None:
    """Its answer may come late: what it did not see may have been started since."""
    steps = a_cluster(1)
    answer(steps, launched(steps), LOST)
    steps.step()
    (search,) = steps.awaited(FindAttempt)
    pass_ms(steps, 10 * POLICY.visibility_window_ms)
    answer(steps, search, TasksSeen(tasks=()))
    assert state_of(steps) is TaskState.ASSIGNED


def test_an_older_reading_of_a_task_is_dropped() -> None:
    """Readings overtake each other: a version that is behind the newest changes nothing."""
    steps = a_cluster(1)
    call = launched(steps)
    of = present(steps)
    answer(steps, call, Started(task=an_ecs_task(of, last_status="RUNNING", version=5)))
    stale = an_ecs_task(of, last_status="STOPPED", version=4)
    steps.world.attempts.see(stale, steps.now_ms)
    steps.step()
    assert state_of(steps) is TaskState.RUNNING


UNFIT = Failure(
    definite=True,
    code=INSTANCE_UNFIT,
    message="The container instance is DRAINING.",
    reason=StopReason(category=StopCategory.CAPACITY, code=INSTANCE_UNFIT, message=""),
)


def test_a_start_that_is_refused_for_its_instance_goes_to_another() -> None:
    """Whatever readings show of it: it is not asked again before a minute has passed."""
    steps = a_cluster(1, 2)
    call = launched(steps)
    answer(steps, call, UNFIT)
    assert state_of(steps) is TaskState.QUEUED
    pass_ms(steps, 10_000)
    read_anew(steps)
    (again,) = steps.awaited(StartTask)
    assert again.container_instance_arn != call.container_instance_arn


def test_an_instance_that_refused_everything_is_asked_again_at_last() -> None:
    """A cluster of one that was drained for a while: its task waits, and neither fails nor hammers it."""
    steps = a_cluster(1)
    answer(steps, launched(steps), UNFIT)
    pass_ms(steps, 10_000)
    read_anew(steps)
    assert steps.awaited(StartTask) == []
    pass_ms(steps, POLICY.retry_suspect_ms)
    read_anew(steps)
    assert len(steps.awaited(StartTask)) == 1


def read_anew(steps: Steps) -> None:
    """The cluster is read, and what follows from it is done."""
    call, now_ms = DescribeContainerInstances(), steps.now_ms
    seen = InstancesSeen(instances=tuple(steps.world.fleet.instances.values()))
    steps.world.hear(Outcome(call=call, answer=seen, sent_ms=now_ms), now_ms)
    steps.step()
