"""Attributes: what container instances say of themselves and what task definitions require of them."""

from collections.abc import Iterable, Mapping

from scheduler.simulated_aws.instance_types import InstanceType
from scheduler.simulated_aws.shapes import Shape

AMI_ID = "ami-0e5c51ab0c1e0ec50"
VPC_ID = "vpc-0a1b2c3d4e5f60718"

_LOG_DRIVER = "com.amazonaws.ecs.capability.logging-driver."
_ALWAYS_PRESENT = (
    "com.amazonaws.ecs.capability.privileged-container",
    "com.amazonaws.ecs.capability.task-iam-role",
    "com.amazonaws.ecs.capability.ecr-auth",
    "com.amazonaws.ecs.capability.docker-remote-api.1.21",
    "ecs.capability.execution-role-awslogs",
    "ecs.capability.secrets.asm.environment-variables",
    "ecs.capability.secrets.ssm.environment-variables",
    "ecs.capability.private-registry-authentication.secretsmanager",
    "ecs.capability.container-ordering",
    "ecs.capability.container-health-check",
    "ecs.capability.docker-plugin.local",
)
_ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


def subnet_id(availability_zone: str) -> str:
    """The group's one subnet in a zone."""
    return f"subnet-0{ord(availability_zone[-1]):016x}"


def instance_attributes(
    instance_type: InstanceType,
    availability_zone: str,
    log_drivers: Iterable[str],
    custom: Mapping[str, str],
) -> dict[str, str | None]:
    """What an agent registers (ECS Developer Guide: Amazon ECS container instance attributes).

    `custom` are an operator's own, from ECS_INSTANCE_ATTRIBUTES of the agent's configuration.
    """
    named = {
        "ecs.availability-zone": availability_zone,
        "ecs.instance-type": instance_type.name,
        "ecs.cpu-architecture": instance_type.architecture,
        "ecs.ami-id": AMI_ID,
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.vpc-id": VPC_ID,
        "ecs.subnet-id": subnet_id(availability_zone),
    }
    return {
        **named,
        **custom,
        **dict.fromkeys(_ALWAYS_PRESENT),
        **{_LOG_DRIVER + driver: None for driver in log_drivers},
    }


def required_attributes(definition: Shape) -> dict[str, str | None]:
    """What ECS derives from a task definition's parameters (ECS API: TaskDefinition, requiresAttributes)."""
    required: dict[str, str | None] = {}
    for container in definition["containerDefinitions"]:
        if driver := container.get("logConfiguration", {}).get("logDriver"):
            required[_LOG_DRIVER + driver] = None
        if container.get("privileged"):
            required["com.amazonaws.ecs.capability.privileged-container"] = None
        if container.get("repositoryCredentials"):
            required["ecs.capability.private-registry-authentication.secretsmanager"] = None
        if container.get("dependsOn") or "stopTimeout" in container:
            required["ecs.capability.container-ordering"] = None
        if container.get("healthCheck"):
            required["ecs.capability.container-health-check"] = None
        for secret in container.get("secrets", ()):
            keeper = "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
            required[f"ecs.capability.secrets.{keeper}.environment-variables"] = None
    for volume in definition.get("volumes", ()):
        if driver := volume.get("dockerVolumeConfiguration", {}).get("driver"):
            required[f"ecs.capability.docker-plugin.{driver}"] = None
    if definition.get("taskRoleArn"):
        required["com.amazonaws.ecs.capability.task-iam-role"] = None
    if architecture := definition.get("runtimePlatform", {}).get("cpuArchitecture"):
        required["ecs.cpu-architecture"] = _ARCHITECTURES.get(architecture, architecture)
    return required


def satisfied(required: dict[str, str | None], present: dict[str, str | None]) -> bool:
    """Whether every required attribute is there, with the required value where one is required."""
    return all(
        name in present and (value is None or present[name] == value) for name, value in required.items()
    )


def attribute_shapes(attributes: dict[str, str | None]) -> list[Shape]:
    """As ECS shows them: an attribute without a value has none."""
    return [
        {"name": name} if value is None else {"name": name, "value": value}
        for name, value in attributes.items()
    ]
