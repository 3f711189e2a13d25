"""The health of a container instance: ordered rules, the first that applies wins."""

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.group import GroupMember


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What we know of an instance beyond its readings: it is being removed, sick or too old."""

    claimed: bool = False
    suspect: bool = False
    too_old: bool = False


_Rule = Callable[[ContainerInstance, GroupMember | None, Standing], bool]

RULES: tuple[tuple[InstanceHealth, _Rule], ...] = (
    # Claimed for removal; also while ECS and the group do not show it yet, and after the group let it go.
    (InstanceHealth.LEAVING, lambda instance, member, standing: standing.claimed),
    # A stranger in the cluster may be anybody's: nothing of ours goes there.
    (InstanceHealth.NOT_IN_GROUP, lambda instance, member, standing: member is None),
    # Draining never stops standalone tasks and never takes new ones (ECS API, UpdateContainerInstancesState).
    (InstanceHealth.DRAINING, lambda instance, member, standing: instance.status == "DRAINING"),
    (InstanceHealth.NOT_ACTIVE, lambda instance, member, standing: instance.status != "ACTIVE"),
    # StartTask on it fails with AGENT at once (ECS API failure reasons).
    (InstanceHealth.DISCONNECTED, lambda instance, member, standing: not instance.agent_connected),
    # Pending, Terminating, Standby, Detaching...: the group is doing something with it.
    (
        InstanceHealth.NOT_IN_SERVICE,
        lambda instance, member, standing: member is not None and member.lifecycle_state != "InService",
    ),
    # What starts on it fails: it looks free, and would be given more and more.
    (InstanceHealth.SUSPECT, lambda instance, member, standing: standing.suspect),
    # It finishes what runs there and is removed once idle.
    (InstanceHealth.STALE, lambda instance, member, standing: standing.too_old),
)
"""Why an instance gets no task, most telling reason first."""

_UNCLAIMED = Standing()


def classify(
    instance: ContainerInstance, member: GroupMember | None, standing: Standing = _UNCLAIMED
) -> InstanceHealth:
    """What the instance is good for; `member` is its entry in the group, if it has one."""
    for health, applies in RULES:
        if applies(instance, member, standing):
            return health
    return InstanceHealth.SCHEDULABLE
