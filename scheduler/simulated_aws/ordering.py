"""Dependencies between the containers of a running task (ECS API: ContainerDependency).

An awaited container, one that others wait for to exit, does work of its own, as a rule a short script. When
the health of one is known follows from its health check.
"""

from collections.abc import Iterator

from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.tasks import Container, Task

_EXITS = ("COMPLETE", "SUCCESS")

# ECS API: HealthCheck, the defaults in seconds and times.
_INTERVAL_S = 30
_RETRIES = 3


def awaited(containers: list[Shape]) -> set[str]:
    """Names of the containers of a definition whose exit others wait for."""
    return {
        dependency["containerName"]
        for container in containers
        for dependency in container.get("dependsOn", ())
        if dependency["condition"] in _EXITS
    }


def is_due(container: Container, task: Task) -> bool:
    """Whether it has not started, and all that it depends on is so."""
    return (
        container.last_status == "PENDING"
        and never_due(container, task) is None
        and all(_resolved(condition, target) for condition, target in _dependencies(container, task))
    )


def never_due(container: Container, task: Task) -> str | None:
    """Why it will never start, in the words of ECS's agent (amazon-ecs-agent: dependencygraph)."""
    if container.last_status != "PENDING":
        return None
    for condition, target in _dependencies(container, task):
        if target.last_status == "STOPPED" and target.reason:
            why = "because dependency will never start"
        elif condition == "SUCCESS" and target.exit_code:
            why = "as dependency did not exit successfully."
        else:
            continue
        return (
            "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency "
            f"[{_named(target)}] for target [{_named(container)}] {why}"
        )
    return None


def health_due_ms(container: Container, *, healthy: bool) -> int:
    """From its start until its health is known: the first check passes, or the last of its retries fails."""
    check = container.definition["healthCheck"]
    interval_s: int = check.get("interval", _INTERVAL_S)
    if healthy:
        return interval_s * 1_000
    failing_s: int = check.get("startPeriod", 0) + check.get("retries", _RETRIES) * interval_s
    return failing_s * 1_000


def _dependencies(container: Container, task: Task) -> Iterator[tuple[str, Container]]:
    by_name = {each.definition["name"]: each for each in task.containers}
    for dependency in container.definition.get("dependsOn", ()):
        yield dependency["condition"], by_name[dependency["containerName"]]


def _resolved(condition: str, target: Container) -> bool:
    if condition == "START":
        return target.last_status != "PENDING"
    if condition == "HEALTHY":
        return target.health_status == "HEALTHY"
    return target.last_status == "STOPPED" and (condition == "COMPLETE" or target.exit_code == 0)


def _named(container: Container) -> str:
    return f"{container.definition['name']}({container.definition['image']})"
