"""Measures: the digest as metrics."""

from collections import Counter
from collections.abc import Iterator

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest
from scheduler.core.model.group import InstanceGroup
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.ports.telemetry import Metric, Sample

_LIVE = [state for state in TaskState if state not in TERMINAL_STATES]

_MINUTE_MS = 60_000


def gauges(digest: ClusterDigest) -> Iterator[Sample]:
    """What stands now; nothing of capacity until AWS was read completely once."""
    for state in _LIVE:
        yield Sample(Metric.TASKS, digest.tasks.get(state, 0), state.lower())
    if digest.reservation_outcomes.hit_rate is not None:
        yield Sample(Metric.RESERVATION_HITS, digest.reservation_outcomes.hit_rate)
    if digest.group is None or digest.observed_ms is None:
        return
    outside = digest.health.get(InstanceHealth.NOT_IN_GROUP, 0)
    yield Sample(Metric.DESIRED, digest.group.desired)
    yield Sample(Metric.IN_FLIGHT, digest.in_flight)
    yield Sample(Metric.RUNNING, sum(digest.health.values()) - outside)
    yield Sample(Metric.SCHEDULABLE, digest.health.get(InstanceHealth.SCHEDULABLE, 0))
    yield Sample(Metric.IDLE, digest.idle)
    yield from _free(digest)


def _free(digest: ClusterDigest) -> Iterator[Sample]:
    """The free share of what schedulable instances have, which is no number without one."""
    shares = (
        ("cpu", digest.free.cpu, digest.registered.cpu),
        ("memory", digest.free.memory_mib, digest.registered.memory_mib),
        ("gpu", digest.free.gpus, digest.registered.gpus),
    )
    for resource, free, registered in shares:
        if registered:
            yield Sample(Metric.FREE_RATIO, free / registered, resource)


def instance_minutes(group: InstanceGroup | None, elapsed_ms: int) -> Iterator[Sample]:
    """What the group's members cost in that time, whatever they did: EC2 bills from launch to termination."""
    if group is None:
        return
    for name, count in Counter(each.instance_type or "unknown" for each in group.members.values()).items():
        yield Sample(Metric.INSTANCE_MINUTES, count * elapsed_ms / _MINUTE_MS, name)
