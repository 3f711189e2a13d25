"""DetachInstances: what Auto Scaling refuses, and in which words."""

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.errors import validation_error
from scheduler.simulated_aws.group_members import Member
from scheduler.simulated_aws.shapes import Shape


class DetachInstances:
    """The operation that takes members out of the group without ending them: all of them or none.

    The texts of its refusals are those that AWS was seen to answer (reproio/ecs_deploy 39, 47, 56 and
    84; spacelift-io/terraform-aws-spacelift-workerpool-on-ec2 issue 85); all are ValidationErrors.
    """

    def __init__(self, group: AutoScalingGroup, name: str) -> None:
        self._group = group
        self._name = name

    def __call__(self, params: Shape) -> Shape:
        """One activity per instance, begun and not ended: detaching takes its time."""
        ids = list(dict.fromkeys(params.get("InstanceIds", [])))
        if len(ids) > limits.DETACH_INSTANCES.value:
            raise validation_error("List exceeds the maximum number of instances to detach")
        members = [self._detachable(instance_id) for instance_id in ids]
        decrement = params["ShouldDecrementDesiredCapacity"]
        if decrement:
            self._check_min_size(members)
        activities = self._group.detach(members, decrement=decrement) if members else []
        return {"Activities": [self._group.activities.shape(activity) for activity in activities]}

    def _detachable(self, instance_id: str) -> Member:
        member = self._group.members.get(instance_id)
        if member is None:
            raise validation_error(
                f"The instance {instance_id} is not part of Auto Scaling group {self._name}."
            )
        if member.lifecycle_state not in ("InService", "Standby"):
            raise validation_error(f"The instance {instance_id} is not in InService or Standby.")
        return member

    def _check_min_size(self, members: list[Member]) -> None:
        group, count = self._group, len(members)
        if group.desired_capacity - sum(member.weight for member in members) < group.min_size:
            raise validation_error(
                f"AutoScalingGroup {self._name} has min-size={group.min_size}, max-size={group.max_size}, "
                f"and desired-size={group.desired_capacity}. To detach {count} "
                f"instance{'s' if count > 1 else ''}, please update the AutoScalingGroup sizes appropriately."
            )
