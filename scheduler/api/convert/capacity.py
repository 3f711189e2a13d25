"""Wishes, plans, events and container instances as messages."""

from ecs_scheduler.v1 import capacity_pb2, container_instance_pb2
from scheduler.api.convert.enums import INSTANCE_HEALTHS, REMOVAL_CAUSES, REMOVAL_STEPS, SCALING_KINDS
from scheduler.api.convert.render import resources, timestamp
from scheduler.core.model.digest import InstanceDigest
from scheduler.core.model.removal import Removal
from scheduler.core.model.scaling import ScalePlan, ScaleWish, ScalingEvent, WishKind


def scale_wish(wish: ScaleWish) -> capacity_pb2.ScaleWish:
    """A wish as it was accepted."""
    return capacity_pb2.ScaleWish(
        request_id=wish.request_id,
        group=wish.group,
        floor=wish.size if wish.kind is WishKind.FLOOR else None,
        target=wish.size if wish.kind is WishKind.TARGET else None,
        clear=capacity_pb2.Clear() if wish.kind is WishKind.CLEAR else None,
        create_time=timestamp(wish.at_ms),
        expire_time=timestamp(wish.expires_ms),
    )


def scale_plan(plan: ScalePlan) -> capacity_pb2.ScalePlan:
    """What would be done, and what stays."""
    return capacity_pb2.ScalePlan(
        group=plan.group,
        desired=plan.desired,
        desired_after=plan.desired_after,
        floor=plan.floor,
        ceiling=plan.ceiling,
        in_flight=plan.in_flight,
        held=plan.held,
        actions=[scaling_event(action) for action in plan.actions],
        kept=[
            capacity_pb2.KeptInstance(
                ec2_instance_id=kept.ec2_instance_id,
                container_instance_arn=kept.container_instance_arn,
                reason=kept.reason,
            )
            for kept in plan.kept
        ],
    )


def scaling_event(event: ScalingEvent, sequence: int = 0) -> capacity_pb2.ScalingEvent:
    """One thing that was done, or would be."""
    return capacity_pb2.ScalingEvent(
        sequence=sequence,
        kind=SCALING_KINDS[event.kind],
        group=event.group,
        event_time=timestamp(event.at_ms),
        code=event.code,
        message=event.message,
        ec2_instance_id=event.ec2_instance_id,
        container_instance_arn=event.container_instance_arn,
        # None leaves an optional field unset.
        desired_before=event.desired_before,
        desired_after=event.desired_after,
        held=event.held,
    )


def container_instance(digest: InstanceDigest) -> container_instance_pb2.ContainerInstance:
    """A container instance as the loop sees it."""
    instance = digest.instance
    return container_instance_pb2.ContainerInstance(
        arn=instance.arn,
        ec2_instance_id=instance.ec2_instance_id,
        instance_type=instance.instance_type,
        availability_zone=instance.availability_zone,
        group=digest.group,
        health=INSTANCE_HEALTHS[digest.health],
        registered=resources(instance.registered),
        free=resources(digest.free),
        foreign=resources(digest.foreign),
        tasks=digest.tasks,
        starting=digest.starting,
        launch_time=timestamp(instance.launched_ms),
        stale=digest.stale,
        idle_since_time=timestamp(digest.idle_since_ms),
        disconnected_since_time=timestamp(digest.disconnected_since_ms),
        removal=_removal(digest.removal) if digest.removal else None,
    )


def _removal(removal: Removal) -> container_instance_pb2.Removal:
    return container_instance_pb2.Removal(
        cause=REMOVAL_CAUSES[removal.cause],
        step=REMOVAL_STEPS[removal.step],
        decrement=removal.decrement,
        since_time=timestamp(removal.since_ms),
    )
