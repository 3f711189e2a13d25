"""Members of the Auto Scaling group: the instances that it lists, from launch to leaving."""

from dataclasses import dataclass

from scheduler.simulated_aws.ec2_instances import Ec2Instance
from scheduler.simulated_aws.launch_sources import LaunchSource
from scheduler.simulated_aws.scaling_activities import Activity
from scheduler.simulated_aws.shapes import Shape


@dataclass(slots=True, eq=False)
class Member:
    """One instance of the group, from launch to the end of its termination or detaching."""

    instance: Ec2Instance
    activity: Activity
    protected: bool
    weight: int = 1
    lifecycle_state: str = "Pending"
    health_status: str = "Healthy"
    beyond: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is part of the capacity that the group compares with the desired one.

        An unhealthy member is, until its replacement begins: with ReplaceUnhealthy suspended nothing comes.
        One that is `beyond` it is not, until who it was launched for goes.
        """
        return self.lifecycle_state in ("Pending", "InService") and not self.beyond

    @property
    def leaving(self) -> bool:
        """Whether the group has given it up: its health is nobody's business any more."""
        return self.lifecycle_state in ("Terminating", "Detaching", "Detached")


def instance_shape(
    instance: Ec2Instance,
    source: LaunchSource,
    *,
    lifecycle_state: str,
    health_status: str = "Healthy",
    protected: bool = False,
) -> Shape:
    """Auto Scaling API: Instance, of a member or of one in the warm pool."""
    return {
        "InstanceId": instance.instance_id,
        "InstanceType": instance.instance_type.name,
        "AvailabilityZone": instance.availability_zone,
        "LifecycleState": lifecycle_state,
        "HealthStatus": health_status,
        "ProtectedFromScaleIn": protected,
        **source.instance_members(instance.instance_type),
    }
