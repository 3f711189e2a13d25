"""ECS's container instances, read into the core's."""

from collections.abc import Sequence

from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import milliseconds
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.resources import Architecture, Resources

_STORAGE_DRIVER = "pbc.dind.storage.driver"
"""The attribute by which an operator says what docker-in-docker is to use on a container instance."""

_ARCHITECTURES = {each.lower(): each for each in Architecture}
"""By ECS's attribute, which is in lower case (ECS Developer Guide: container instance attributes)."""


def container_instance(
    shape: Shape, launched_ms: int | None, ec2_state: str = ""
) -> ContainerInstance | None:
    """A ContainerInstance of DescribeContainerInstances; None for one that is not really there yet.

    An agent that has not reported, or whose registration failed, shows neither CPU nor MEMORY: no task fits
    it, and taken for a size it would teach the scheduler that its type is empty. Without EC2's launch time
    the registration stands for it, which is later by the boot.
    """
    registered = _amounts(shape.get("registeredResources", ()))
    if launched_ms is None and "registeredAt" in shape:
        launched_ms = milliseconds(shape["registeredAt"])
    if launched_ms is None or not registered.keys() >= {"CPU", "MEMORY"}:
        return None
    attributes = {each["name"]: each.get("value", "") for each in shape.get("attributes", ())}
    return ContainerInstance(
        arn=shape["containerInstanceArn"],
        ec2_instance_id=shape.get("ec2InstanceId", ""),
        status=shape["status"],
        agent_connected=shape.get("agentConnected", False),
        registered=_resources(registered).on(_architecture(attributes)),
        remaining=_resources(_amounts(shape.get("remainingResources", ()))),
        version=shape.get("version", 0),
        launched_ms=launched_ms,
        instance_type=attributes.get("ecs.instance-type", ""),
        availability_zone=attributes.get("ecs.availability-zone", ""),
        ec2_state=ec2_state,
        tasks=shape.get("runningTasksCount", 0) + shape.get("pendingTasksCount", 0),
        storage_driver=attributes.get(_STORAGE_DRIVER, ""),
    )


def _architecture(attributes: dict[str, str]) -> Architecture:
    return _ARCHITECTURES.get(attributes.get("ecs.cpu-architecture", ""), Architecture.ANY)


def _amounts(resources: Sequence[Shape]) -> dict[str, int]:
    """Amounts by name; of a set of strings, such as GPU's ids, their number."""
    return {
        each["name"]: len(each.get("stringSetValue", ()))
        if each["type"] == "STRINGSET"
        else each.get("integerValue", 0)
        for each in resources
    }


def _resources(amounts: dict[str, int]) -> Resources:
    return Resources(
        cpu=amounts.get("CPU", 0), memory_mib=amounts.get("MEMORY", 0), gpus=amounts.get("GPU", 0)
    )
