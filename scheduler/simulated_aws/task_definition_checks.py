"""What RegisterTaskDefinition refuses (ECS API: RegisterTaskDefinition, ContainerDefinition)."""

import json
import re
from collections import Counter

from scheduler.simulated_aws import limits
from scheduler.simulated_aws.checks import check_choice, check_tags
from scheduler.simulated_aws.errors import client_exception
from scheduler.simulated_aws.resources import cpu_units, memory_mib
from scheduler.simulated_aws.shapes import Shape
from scheduler.simulated_aws.task_definition_ordering import check_dependencies, check_health
from scheduler.simulated_aws.task_definition_secrets import check_ulimits, check_what_is_fetched

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ARCHITECTURES = ("X86_64", "ARM64")
_VOLUME_KINDS = {"host", "dockerVolumeConfiguration", "efsVolumeConfiguration", "configuredAtLaunch"}
_NETWORK_MODES = ("bridge", "host", "none")
# Docker before 20.10 needs 4 MiB, later ones 6 MiB; ECS itself refuses below 4 (ContainerDefinition, memory).
_LEAST_MEMORY_MIB = 4


def check_registration(params: Shape) -> None:
    """Refuse a registration that ECS would refuse, whole definition first, then each container."""
    _check_name("Family", params["family"], limits.FAMILY)
    check_tags(params.get("tags", []))
    # awsvpc needs network interfaces that the simulated account does not have.
    check_choice("networkMode", params.get("networkMode", "bridge"), _NETWORK_MODES)
    _check_task_sizes(params)
    _check_size(params)
    if "runtimePlatform" in params:
        check_choice("cpuArchitecture", params["runtimePlatform"].get("cpuArchitecture"), _ARCHITECTURES)
    _check_volumes(params.get("volumes", []))
    containers = params["containerDefinitions"]
    _check_containers(containers)
    for container in containers:
        _check_container(container, params)
        check_what_is_fetched(container, params)
        check_health(container)
    check_dependencies(containers)


def _check_name(what: str, name: str, limit: limits.Limit) -> None:
    if not name:
        raise client_exception(f"{what} should not be null or empty.")
    limits.refuse_above(limit, len(name), of=what, refusal=client_exception)
    if not _NAME.fullmatch(name):
        raise client_exception(f"{what} contains invalid characters: {name}")


def _check_task_sizes(params: Shape) -> None:
    try:
        sizes = [cpu_units(params.get("cpu") or "1"), memory_mib(params.get("memory") or "1")]
    except ValueError:
        raise client_exception("Invalid setting for cpu or memory of the task.") from None
    if min(sizes) <= 0:
        raise client_exception("cpu and memory of the task must be positive.")


def _check_size(params: Shape) -> None:
    size = len(json.dumps(params, separators=(",", ":")).encode())
    limits.refuse_above(limits.TASK_DEFINITION_SIZE, size, of="Task definition", refusal=client_exception)


def _check_volumes(volumes: list[Shape]) -> None:
    names = Counter(volume.get("name", "") for volume in volumes)
    for name, count in names.items():
        _check_name("Volume.name", name, limits.CONTAINER_NAME)
        if count > 1:
            raise client_exception(f"Volume.name must be unique: {name}")
    for volume in volumes:
        # "may only specify a name and one of" the kinds (ECS API: Volume).
        if len(volume.keys() & _VOLUME_KINDS) > 1:
            raise client_exception(f"Volume '{volume['name']}' must have one kind of configuration.")


def _check_containers(containers: list[Shape]) -> None:
    if not containers:
        raise client_exception("Container list cannot be empty.")
    limits.refuse_above(
        limits.CONTAINERS, len(containers), of="containerDefinitions", refusal=client_exception
    )
    names = Counter(container.get("name", "") for container in containers)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise client_exception(f"Container.name must be unique: {', '.join(repeated)}")
    # "All tasks must have at least one essential container" (ContainerDefinition, essential).
    if not any(container.get("essential", True) for container in containers):
        raise client_exception("At least one container must be marked as essential.")


def _check_container(container: Shape, params: Shape) -> None:
    name = container.get("name", "")
    _check_name("Container.name", name, limits.CONTAINER_NAME)
    if not container.get("image"):
        raise client_exception(f"Container.image should not be null or empty: {name}")
    if container.get("cpu", 0) < 0:
        raise client_exception(f"Invalid setting for container '{name}'. cpu must not be negative.")
    _check_memory(name, container, task_memory=params.get("memory"))
    check_ulimits(name, container.get("ulimits", []))
    _check_references(name, container, params)


def _check_memory(name: str, container: Shape, *, task_memory: str | None) -> None:
    hard, soft = container.get("memory"), container.get("memoryReservation")
    if hard is None and soft is None and task_memory is None:
        raise client_exception(
            f"Invalid setting for container '{name}'. "
            "At least one of 'memory' or 'memoryReservation' must be specified."
        )
    if any(size is not None and size < _LEAST_MEMORY_MIB for size in (hard, soft)):
        raise client_exception(f"Invalid setting for container '{name}'. Memory must be at least 4 MiB.")
    # "memory must be greater than memoryReservation" if both are given (ContainerDefinition, memory).
    if hard is not None and soft is not None and hard < soft:
        raise client_exception(f"Invalid setting for container '{name}'. memory is below memoryReservation.")


def _check_references(name: str, container: Shape, params: Shape) -> None:
    """Links, volumesFrom and mountPoints must name what the same definition declares."""
    siblings = {sibling.get("name") for sibling in params["containerDefinitions"]} - {name}
    volumes = {volume["name"] for volume in params.get("volumes", [])}
    for link in container.get("links", []):
        if link.partition(":")[0] not in siblings:
            raise client_exception(f"Container '{name}' links to an unknown container: {link}")
    for source in container.get("volumesFrom", []):
        if source.get("sourceContainer") not in siblings:
            raise client_exception(f"Unknown source container '{source.get('sourceContainer')}'.")
    for mount in container.get("mountPoints", []):
        if mount.get("sourceVolume") not in volumes:
            raise client_exception(f"Unknown volume '{mount.get('sourceVolume')}'.")
    paths = Counter(mount.get("containerPath") for mount in container.get("mountPoints", []))
    if repeated := [path for path, count in paths.items() if count > 1]:
        raise client_exception(
            f"Container '{name}' has more than one mount at: {', '.join(map(str, repeated))}"
        )
