"""Measures: the digest as metrics."""

from dataclasses import replace

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, empty_digest
from scheduler.core.model.reservation import ReservationOutcomes
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.ports.telemetry import Metric, Sample
from scheduler.services.measures import gauges, instance_minutes
from tests.builders import a_group, a_member
from tests.clocks import START_MS
from tests.services.telling import by_tag

FOUR = Resources(cpu=4096, memory_mib=16_000)


def a_digest() -> ClusterDigest:
    """Three instances, one of them outside the group and one draining; a quarter of the CPU is free."""
    return replace(
        empty_digest("ci"),
        group=a_group(a_member(1), a_member(2), desired=4),
        in_flight=2,
        health={
            InstanceHealth.SCHEDULABLE: 1,
            InstanceHealth.DRAINING: 1,
            InstanceHealth.NOT_IN_GROUP: 1,
        },
        idle=1,
        registered=FOUR,
        free=Resources(cpu=1024, memory_mib=8_000),
        tasks={TaskState.QUEUED: 3, TaskState.RUNNING: 2},
        observed_ms=START_MS,
    )


def test_instances_are_counted_by_what_they_are_good_for() -> None:
    """Desired, in flight, running in the group, schedulable and idle."""
    seen = {each.metric: each.value for each in gauges(a_digest()) if not each.tag}
    assert seen == {
        Metric.DESIRED: 4,
        Metric.IN_FLIGHT: 2,
        Metric.RUNNING: 2,
        Metric.SCHEDULABLE: 1,
        Metric.IDLE: 1,
    }


def test_the_hit_rate_of_reservations_is_told_once_there_is_one() -> None:
    """Before the first piece of room was used or lapsed it is no number."""
    outcomes = ReservationOutcomes(used=3, lapsed=1)
    [told] = (
        each
        for each in gauges(replace(a_digest(), reservation_outcomes=outcomes))
        if each.metric is Metric.RESERVATION_HITS
    )
    assert told.value == 0.75


def test_the_free_ratio_is_a_share_of_each_resource_there_is() -> None:
    """Without GPUs there is no share of them."""
    assert by_tag(gauges(a_digest()), Metric.FREE_RATIO) == {"cpu": 0.25, "memory": 0.5}


def test_tasks_are_counted_by_state() -> None:
    """States without a task are told as none, else their last count would stand."""
    counts = by_tag(gauges(a_digest()), Metric.TASKS)
    assert counts == {"queued": 3, "assigned": 0, "starting": 0, "running": 2, "stopping": 0}


def test_nothing_of_capacity_is_told_before_it_was_read() -> None:
    """No instances and not yet known are different things."""
    assert {each.metric for each in gauges(empty_digest("ci"))} == {Metric.TASKS}


def test_members_cost_by_type_and_minute() -> None:
    """Whatever they do; without a group nothing is known."""
    types = ("m4.4xlarge", "m4.4xlarge", "c7i.large", "")
    group = a_group(*(a_member(number, instance_type=each) for number, each in enumerate(types)))
    minutes = by_tag(instance_minutes(group, 30_000), Metric.INSTANCE_MINUTES)
    assert minutes == {"m4.4xlarge": 1, "c7i.large": 0.5, "unknown": 0.5}
    assert list[Sample](instance_minutes(None, 30_000)) == []
