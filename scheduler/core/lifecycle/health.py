"""The health of a container instance: ordered rules, the first that applies wins."""

from collections.abc import Callable

from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.group import GroupMember

_Rule = Callable[[ContainerInstance, GroupMember | None], bool]

RULES: tuple[tuple[InstanceHealth, _Rule], ...] = (
    # A stranger in the cluster may be anybody's: nothing of ours goes there.
    (InstanceHealth.NOT_IN_GROUP, lambda instance, member: member is None),
    # Draining never stops standalone tasks and never takes new ones (ECS API, UpdateContainerInstancesState).
    (InstanceHealth.DRAINING, lambda instance, member: instance.status == "DRAINING"),
    (InstanceHealth.NOT_ACTIVE, lambda instance, member: instance.status != "ACTIVE"),
    # StartTask on it fails with AGENT at once (ECS API failure reasons).
    (InstanceHealth.DISCONNECTED, lambda instance, member: not instance.agent_connected),
    # Pending, Terminating, Standby, Detaching...: the group is doing something with it.
    (
        InstanceHealth.NOT_IN_SERVICE,
        lambda instance, member: member is not None and member.lifecycle_state != "InService",
    ),
)
"""Why an instance gets no task, most telling reason first."""


def classify(instance: ContainerInstance, member: GroupMember | None) -> InstanceHealth:
    """What the instance is good for; `member` is its entry in the group, if it has one."""
    for health, applies in RULES:
        if applies(instance, member):
            return health
    return InstanceHealth.SCHEDULABLE
