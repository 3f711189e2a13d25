"""The reporting loop: it decides as any other, and tells of it."""

from collections.abc import Iterator
from itertools import count

import pytest
from structlog.testing import capture_logs

from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.task import TaskState
from scheduler.ports.telemetry import Metric, Title
from scheduler.services.reporter import GAUGES_MS, Reporting, ReportingLoop
from tests.builders import a_scaling_event, a_world, an_instance, submitted
from tests.services.fakes import CountedIds
from tests.services.steps import HandDriver, stored
from tests.services.telling import Recorder, by_tag


class ReportingDriver(HandDriver):
    """A hand driver of a reporting loop, on one instance; each look at its watch takes a millisecond."""

    def __init__(self, told: Recorder) -> None:
        super().__init__(a_world(an_instance(1)))
        ticks: Iterator[int] = count()
        to = Reporting(told, lambda: float(next(ticks)))
        self.loop = ReportingLoop(self.world, self.lanes, CountedIds(), "ci", to=to)


@pytest.fixture
def told() -> Recorder:
    return Recorder()


def test_every_decision_is_timed(told: Recorder) -> None:
    """By the watch, not by the service's own clock, which may be faster."""
    driver = ReportingDriver(told)
    driver.turn()
    driver.turn()
    assert told.values(Metric.DECISION_TIME) == [1, 1]


def test_gauges_are_read_once_in_a_while(told: Recorder) -> None:
    """At the first step and then every ten seconds."""
    driver = ReportingDriver(told)
    for _ in range(5):
        driver.turn(after_ms=GAUGES_MS // 2)
    assert len(told.values(Metric.IDLE)) == 3


def test_a_submission_waits_until_it_is_assigned(told: Recorder) -> None:
    """The queue is told of by tenant, and the way to RUNNING when it is over."""
    driver = ReportingDriver(told)
    step = driver.step(driver.submission(1))
    assert step.calls
    driver.loop.confirm(step, driver._commit(step.records))
    assert by_tag(told.samples, Metric.TASKS)[TaskState.ASSIGNED.lower()] == 1
    assert by_tag(told.samples, Metric.QUEUE_DEPTH) == {"bamboo": 0}


def test_scaling_events_are_told_when_they_are_durable(told: Recorder) -> None:
    """And not when they were only meant."""
    driver = ReportingDriver(told)
    step = driver.step()
    assert told.titles() == []
    driver.loop.confirm(step, stored(ScalingRecorded(event=a_scaling_event())))
    assert told.titles() == [Title.GROUP_GROWN]


def test_tasks_that_the_store_kept_are_waited_for_on(told: Recorder) -> None:
    """After a restart the depth of the queue is what it was, and every task is placed as ever."""
    driver = ReportingDriver(told)
    driver.store.commit([[submitted(1)], [submitted(2)]])
    driver.loop.resume(driver.store.load(), driver.now_ms)
    assert len(driver.turn().view.backlog) == 1
    assert by_tag(told.samples, Metric.QUEUE_DEPTH) == {"bamboo": 0}
    assert by_tag(told.samples, Metric.TASKS)["assigned"] == 2


def test_a_defect_in_the_telling_ends_only_the_telling(told: Recorder) -> None:
    """Agents are started all the same; the log says why the metrics have stopped."""
    driver = ReportingDriver(told)
    told.fails = True
    with capture_logs() as logs:
        step = driver.turn(driver.submission(1))
        driver.turn()
    assert step.calls
    assert [each["event"] for each in logs] == ["telemetry.defect"]
