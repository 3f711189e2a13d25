"""Strays: the task of an abandoned attempt that shows up after all is stopped, and then left alone."""

from scheduler.core.model.answers import EcsTask, Started, TasksSeen
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.calls import FindAttempt, StartTask, StopTask
from tests.builders import an_ecs_task
from tests.core.clusters import LOST, POLICY, a_cluster, answer, launched, pass_ms, present, search_in_vain
from tests.core.steps import Steps

LOOKS = len(POLICY.stray_pauses_ms)
HOUR_MS = 3_600_000


def abandoned() -> tuple[Steps, Attempt]:
    """An attempt that was given up as lost; its task has another one, which runs."""
    steps = a_cluster(1)
    answer(steps, launched(steps), LOST)
    given_up = present(steps)
    search_in_vain(steps, POLICY.visibility_window_ms + 10_000)
    (second,) = steps.awaited(StartTask)
    answer(steps, second, Started(task=an_ecs_task(present(steps), last_status="RUNNING")))
    return steps, given_up


def look(steps: Steps, *found: EcsTask) -> None:
    """The next look-out comes, and finds this; stops that are due are sent, and accepted."""
    while not steps.awaited(FindAttempt):
        pass_ms(steps, 10_000)
    answer(steps, steps.awaited(FindAttempt)[0], TasksSeen(tasks=found))


def stops(steps: Steps) -> int:
    """StopTasks that were sent since this was last asked."""
    sent = [each for each in steps.under_way if isinstance(each[0], StopTask)]
    steps.under_way = [each for each in steps.under_way if each not in sent]
    return len(sent)


def stops_in_an_hour(steps: Steps) -> int:
    """Of which none is answered."""
    count = 0
    for _ in range(HOUR_MS // 10_000):
        pass_ms(steps, 10_000)
        count += stops(steps)
    return count


def test_a_stray_that_the_last_look_finds_is_stopped() -> None:
    """And looked at again, until it has ended."""
    steps, of = abandoned()
    for _ in range(LOOKS - 1):
        look(steps)
    look(steps, an_ecs_task(of, last_status="RUNNING"))
    assert stops(steps) == 1
    pass_ms(steps, POLICY.stray_pauses_ms[0])
    assert len(steps.awaited(FindAttempt)) == 1


def test_a_stray_is_stopped_until_it_was_seen_stopped() -> None:
    """Whichever look finds it running, and which one sees its end."""
    steps, of = abandoned()
    for _ in range(LOOKS - 1):
        look(steps)
    look(steps, an_ecs_task(of, last_status="RUNNING"))
    look(steps, an_ecs_task(of, last_status="STOPPED", version=2))
    stops(steps)
    assert stops_in_an_hour(steps) == 0
    assert not steps.world.agenda.searches.is_stray(of.attempt_id)


def test_a_stray_that_is_gone_is_not_stopped_for_ever() -> None:
    """ECS forgets what has stopped: when the looks find nothing any more, nothing is sent either."""
    steps, of = abandoned()
    look(steps, an_ecs_task(of, last_status="RUNNING"))
    for _ in range(LOOKS):
        look(steps)
    stops(steps)
    assert stops_in_an_hour(steps) == 0
