"""What RegisterTaskDefinition refuses of health checks and dependencies (ECS API: ContainerDependency)."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from scheduler.simulated_aws.errors import client_exception
from scheduler.simulated_aws.shapes import Shape

# ECS API: HealthCheck, seconds and times.
_RANGES = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
_CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")


def check_health(container: Shape) -> None:
    """A command that says how it is run, and numbers within their ranges."""
    check = container.get("healthCheck")
    if check is None:
        return
    if check.get("command", [""])[0] not in ("CMD", "CMD-SHELL"):
        raise client_exception(
            f"Health check of container '{container['name']}' must begin with CMD or CMD-SHELL."
        )
    for name, (least, most) in _RANGES.items():
        if name in check and not least <= check[name] <= most:
            raise client_exception(f"Health check {name} must be between {least} and {most}.")


def check_dependencies(containers: list[Shape]) -> None:
    """Each names a sibling and a condition that it can come to; none waits for itself, however indirectly."""
    by_name = {container["name"]: container for container in containers}
    for container in containers:
        for dependency in container.get("dependsOn", []):
            _check_dependency(container["name"], dependency, by_name)
    waits_for = {
        container["name"]: [dependency["containerName"] for dependency in container.get("dependsOn", [])]
        for container in containers
    }
    try:
        TopologicalSorter(waits_for).prepare()
    except CycleError as error:
        raise client_exception(f"Container dependencies form a cycle: {' -> '.join(error.args[1])}") from None


def _check_dependency(name: str, dependency: Shape, by_name: Mapping[str, Shape]) -> None:
    target, condition = dependency["containerName"], dependency["condition"]
    if condition not in _CONDITIONS:
        raise client_exception(f"Container '{name}' has an invalid dependency condition: {condition}")
    if target not in by_name:
        raise client_exception(f"Container '{name}' depends on an unknown container: {target}")
    if condition in ("COMPLETE", "SUCCESS") and by_name[target].get("essential", True):
        raise client_exception(f"Condition {condition} can't be set on essential container '{target}'.")
    if condition == "HEALTHY" and not by_name[target].get("healthCheck"):
        raise client_exception(f"Condition HEALTHY needs a health check of container '{target}'.")
