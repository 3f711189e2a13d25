"""The cluster's digest as a message."""

from collections.abc import Mapping, Sequence
from heapq import nlargest

from ecs_scheduler.v1 import capacity_pb2, scaling_pb2
from scheduler.api.convert.capacity import scale_wish
from scheduler.api.convert.enums import ARCHITECTURES
from scheduler.api.convert.render import resources, timestamp
from scheduler.api.convert.reservations import reservations
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, Unplaced
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.scaling import ScaleWish, WishKind
from scheduler.core.model.task import TaskState

UNPLACED_SHOWN = 500
"""Entries of demand in one answer: some 150 KB, where gRPC's clients take 4 MiB."""


def cluster(digest: ClusterDigest) -> scaling_pb2.Cluster:
    """The cluster as the last step of the control loop saw it."""
    shown = nlargest(UNPLACED_SHOWN, digest.unplaced, key=lambda each: each.waiting)
    return scaling_pb2.Cluster(
        cluster=digest.cluster,
        group=_group(digest.group, digest.in_flight, digest.types) if digest.group else None,
        instances=_instance_counts(digest.health, digest.idle),
        registered=resources(digest.registered),
        free=resources(digest.free),
        tasks=_task_counts(digest.tasks),
        unplaced=[_unplaced(shape) for shape in shown],
        unplaced_left_out=len(digest.unplaced) - len(shown),
        stale=digest.stale,
        observe_time=timestamp(digest.observed_ms),
        conditions=[
            scaling_pb2.Condition(
                reason=condition.reason, message=condition.message, since_time=timestamp(condition.since_ms)
            )
            for condition in digest.conditions
        ],
        revision=digest.revision,
        wish=_present(digest.wish),
        reservations=reservations(digest.reservations, digest.reservation_outcomes),
    )


def _group(group: InstanceGroup, in_flight: int, types: Sequence[InstanceType]) -> scaling_pb2.InstanceGroup:
    return scaling_pb2.InstanceGroup(
        name=group.name,
        min_size=group.min_size,
        max_size=group.max_size,
        desired_capacity=group.desired,
        in_flight=in_flight,
        instance_types=[
            scaling_pb2.InstanceType(
                name=kind.name,
                allocatable=resources(kind.allocatable),
                learned=kind.learned,
                architecture=ARCHITECTURES[kind.allocatable.architecture],
            )
            for kind in types
        ],
    )


def _instance_counts(health: Mapping[InstanceHealth, int], idle: int) -> scaling_pb2.InstanceCounts:
    # NOT_ACTIVE is left out: an instance that registers or deregisters is neither capacity nor trouble.
    return scaling_pb2.InstanceCounts(
        schedulable=health.get(InstanceHealth.SCHEDULABLE, 0),
        idle=idle,
        disconnected=health.get(InstanceHealth.DISCONNECTED, 0),
        draining=health.get(InstanceHealth.DRAINING, 0),
        outside_group=health.get(InstanceHealth.NOT_IN_GROUP, 0)
        + health.get(InstanceHealth.NOT_IN_SERVICE, 0),
        leaving=health.get(InstanceHealth.LEAVING, 0),
        stale=health.get(InstanceHealth.STALE, 0),
        suspect=health.get(InstanceHealth.SUSPECT, 0),
    )


def _present(wish: ScaleWish | None) -> capacity_pb2.ScaleWish | None:
    """One that was cleared is none."""
    return None if wish is None or wish.kind is WishKind.CLEAR else scale_wish(wish)


def _task_counts(tasks: Mapping[TaskState, int]) -> scaling_pb2.TaskCounts:
    return scaling_pb2.TaskCounts(
        queued=tasks.get(TaskState.QUEUED, 0),
        assigned=tasks.get(TaskState.ASSIGNED, 0),
        starting=tasks.get(TaskState.STARTING, 0),
        running=tasks.get(TaskState.RUNNING, 0),
        stopping=tasks.get(TaskState.STOPPING, 0),
    )


def _unplaced(shape: Unplaced) -> scaling_pb2.UnplacedShape:
    return scaling_pb2.UnplacedShape(
        tenant=shape.tenant,
        priority=shape.priority,
        resources=resources(shape.ask),
        count=shape.waiting,
        rejects=[
            scaling_pb2.RejectCount(reason=reason, container_instances=count)
            for reason, count in shape.rejects
        ],
        clamped=shape.clamped,
        architecture=ARCHITECTURES[shape.ask.architecture],
        exclusive=shape.ask.exclusive,
    )
