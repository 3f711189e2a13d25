"""Journeys: how long tasks take to RUNNING, part by part, and who waits."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.records import TaskTransitioned
from scheduler.core.model.task import TaskState
from scheduler.ports.store import LiveTask
from scheduler.ports.telemetry import Metric
from scheduler.services.journeys import Journeys
from tests.builders import a_task, submitted, transitioned
from tests.clocks import START_MS
from tests.services.telling import by_tag

QUEUED, ASSIGNED, STARTING, RUNNING = (
    TaskState.QUEUED,
    TaskState.ASSIGNED,
    TaskState.STARTING,
    TaskState.RUNNING,
)


def to(state: TaskState, after_s: float, task: int = 1) -> TaskTransitioned:
    return transitioned(task, state, at_ms=START_MS + int(after_s * 1000))


def times(journeys: Journeys, *moves: TaskTransitioned) -> dict[Metric, float]:
    """What is told of the moves."""
    return {sample.metric: sample.value for move in moves for sample in journeys.moved(move)}


def after_submissions(*tasks: int, tenant: str = "bamboo") -> Journeys:
    journeys = Journeys()
    for each in tasks:
        journeys.submitted(submitted(each, tenant=tenant))
    return journeys


def resumed(state: TaskState) -> Journeys:
    journeys = Journeys()
    journeys.resume(
        LiveTask(
            queued=a_task(1),
            state=state,
            attempt=None,
            attempts_made=0,
            launches=0,
            cancelled=False,
            updated_ms=START_MS,
            returned_ms=None,
        )
    )
    return journeys


def test_the_way_to_running_is_split_into_its_parts() -> None:
    """Until it is assigned, until ECS has accepted it, until it runs; and all together."""
    told = times(after_submissions(1), to(ASSIGNED, 2), to(STARTING, 2.5), to(RUNNING, 12.5))
    assert told == {
        Metric.TIME_QUEUED: 2,
        Metric.TIME_LAUNCHING: 0.5,
        Metric.TIME_STARTING: 10,
        Metric.TIME_TO_RUNNING: 12.5,
    }


def test_a_start_that_ecs_shows_as_running_at_once_has_no_third_part() -> None:
    """The parts add up all the same."""
    told = times(after_submissions(1), to(ASSIGNED, 2), to(RUNNING, 5))
    assert (told[Metric.TIME_LAUNCHING], told[Metric.TIME_STARTING]) == (3, 0)


def test_a_retry_counts_as_time_in_the_queue() -> None:
    """Only the launch that succeeded is launch and start."""
    moves = (to(ASSIGNED, 1), to(STARTING, 2), to(QUEUED, 3), to(ASSIGNED, 10), to(RUNNING, 11))
    told = times(after_submissions(1), *moves)
    assert (told[Metric.TIME_QUEUED], told[Metric.TIME_LAUNCHING]) == (10, 1)


def test_a_task_is_timed_once() -> None:
    """One whose work is repeated has run for a part of the time."""
    journeys = after_submissions(1)
    times(journeys, to(ASSIGNED, 1), to(RUNNING, 2))
    assert times(journeys, to(QUEUED, 100), to(ASSIGNED, 101), to(RUNNING, 102)) == {}


def test_a_task_that_waited_during_a_restart_is_timed_from_its_submission() -> None:
    """The store knows when that was; of one that was assigned it does not know enough."""
    assert times(resumed(QUEUED), to(ASSIGNED, 1), to(RUNNING, 60))[Metric.TIME_TO_RUNNING] == 60
    assert times(resumed(ASSIGNED), to(RUNNING, 60)) == {}


def test_a_task_of_an_earlier_life_is_no_error() -> None:
    """What is not known is not told."""
    assert times(Journeys(), to(RUNNING, 1), to(TaskState.SUCCEEDED, 2)) == {}


def test_queues_have_a_depth_and_an_age_by_tenant() -> None:
    """The age is that of the task that waits for longest."""
    journeys = after_submissions(1, 2)
    journeys.submitted(submitted(3, tenant="other", at_ms=START_MS + 5_000))
    queues = list(journeys.queues(START_MS + 60_000))
    assert by_tag(queues, Metric.QUEUE_DEPTH) == {"bamboo": 2, "other": 1}
    assert by_tag(queues, Metric.QUEUE_AGE) == {"bamboo": 60, "other": 55}


def test_an_empty_queue_is_told_of_once() -> None:
    """Else its last depth would stand for ever; and tenants that are gone are not told of for ever."""
    journeys = after_submissions(1)
    times(journeys, to(ASSIGNED, 1))
    assert by_tag(journeys.queues(START_MS), Metric.QUEUE_DEPTH) == {"bamboo": 0}
    times(journeys, to(RUNNING, 2))
    assert list(journeys.queues(START_MS)) == []


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(TaskState))))
def test_the_depth_is_the_number_of_queued_tasks(moves: list[tuple[int, TaskState]]) -> None:
    """Whatever becomes of four tasks, and after their end nothing is kept of them."""
    journeys, states = after_submissions(1, 2, 3, 4), dict.fromkeys(range(1, 5), QUEUED)
    terminal = {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.EXPIRED}
    for task, state in moves:
        if states[task] not in terminal:
            states[task] = state
            times(journeys, to(state, 1, task))
    depth = by_tag(journeys.queues(START_MS), Metric.QUEUE_DEPTH)
    assert depth.get("bamboo", 0) == list(states.values()).count(QUEUED)
