"""The census: whose are the tasks that no attempt is known for?"""

from dataclasses import replace

import pytest

from scheduler.core.model.answers import EcsTask, TasksSeen
from scheduler.core.model.calls import TakeCensus
from scheduler.core.model.mark import Mark
from tests.builders import an_ecs_task, attempt, instance_arn
from tests.core.clusters import a_cluster, pass_ms
from tests.core.steps import Steps

OWN = Mark(service_id="", store_epoch="", since_ms=0)
OTHERS = Mark(service_id="java", store_epoch="", since_ms=0)


def a_census(steps: Steps, *tasks: EcsTask) -> None:
    """Half a minute later all tasks are read again, and these are there."""
    pass_ms(steps, 31_000)
    (call,) = steps.awaited(TakeCensus)
    steps.answer(call, TasksSeen(tasks=tasks))


def a_task_of(mark: Mark | None) -> EcsTask:
    return replace(an_ecs_task(attempt()), started_by="nobody-we-know", mark=mark)


@pytest.mark.parametrize("mark", [None, OTHERS])
def test_a_task_of_others_makes_its_instance_busy(mark: Mark | None) -> None:
    """Even one that asks for nothing: whatever it does, it is not ours to end."""
    steps = a_cluster(1, tasks=())
    a_census(steps, a_task_of(mark))
    assert steps.world.fleet.is_busy(instance_arn(1))
    assert "1 tasks on 1 container instances" in steps.world.troubles["FOREIGN_TASKS"]


def test_a_task_that_ended_meanwhile_is_nobody_elses() -> None:
    """It has our mark, and its attempt was closed while the census was on its way: no alarm."""
    steps = a_cluster(1, tasks=())
    a_census(steps, a_task_of(OWN))
    assert "FOREIGN_TASKS" not in steps.world.troubles


def test_a_task_of_ours_that_the_store_has_lost_is_foreign() -> None:
    """It has our mark and is still there at the next census: an older copy of the store was put back."""
    steps = a_cluster(1, tasks=())
    a_census(steps, a_task_of(OWN))
    a_census(steps, a_task_of(OWN))
    assert steps.world.fleet.is_busy(instance_arn(1))


def test_who_is_gone_makes_nothing_busy() -> None:
    """The next census is the truth."""
    steps = a_cluster(1, tasks=())
    a_census(steps, a_task_of(OTHERS))
    a_census(steps)
    assert not steps.world.fleet.is_busy(instance_arn(1))
    assert "FOREIGN_TASKS" not in steps.world.troubles
