"""What a valid request asks of the service's surroundings, against what it may have of them."""

from collections.abc import Iterator
from itertools import chain

from scheduler.core.agents import AgentSettings
from scheduler.core.agents.docker_in_docker import is_docker_in_docker
from scheduler.core.model.allow_lists import AllowLists, is_among
from scheduler.core.model.errors import Violation
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ExtraContainer,
    TaskRequest,
    TaskSpec,
)

MOST_DEFINITION_BYTES = 63 * 1_024
"""64 KiB, less what is left for the tags of a registration."""


def forbidden(request: TaskRequest, agents: AgentSettings, allowed: AllowLists) -> tuple[Violation, ...]:
    """Fields that ask for what the operator has not allowed."""
    spec = request.spec
    found = chain(
        _folders(request, allowed),
        _role("task_role_arn", spec.task_role_arn, agents.task_role_arn, allowed.task_roles),
        _role(
            "execution_role_arn", spec.execution_role_arn, agents.execution_role_arn, allowed.execution_roles
        ),
        () if is_among(request.tenant, allowed.privileged_tenants) else _privileged(spec),
    )
    return tuple(Violation(field_path=f"{spec.kind}.{path}", expected=expected) for path, expected in found)


def unfetchable(spec: TaskSpec, agents: AgentSettings) -> tuple[Violation, ...]:
    """ECS fetches secrets and credentials with an execution role alone (ECS API: RegisterTaskDefinition)."""
    if spec.execution_role_arn or agents.execution_role_arn or not _fetches(spec):
        return ()
    path = f"{spec.kind}.execution_role_arn"
    return (Violation(field_path=path, expected="a role with which secrets and credentials are fetched"),)


def oversized(spec: TaskSpec, definition_bytes: int) -> tuple[Violation, ...]:
    """ECS's limit on a whole definition (ECS Developer Guide: service quotas, task definition size)."""
    if definition_bytes <= MOST_DEFINITION_BYTES:
        return ()
    expected = (
        f"a task definition of at most {MOST_DEFINITION_BYTES:,} bytes as JSON, not {definition_bytes:,}"
    )
    return (Violation(field_path=spec.kind, expected=expected),)


_Found = Iterator[tuple[str, str]]


def _folders(request: TaskRequest, allowed: AllowLists) -> _Found:
    for path, asked in _mounted(request.spec):
        if not any(
            asked == (folder.source, folder.container_path) and is_among(request.tenant, (folder.tenants,))
            for folder in allowed.host_folders
        ):
            yield path, "a folder, or a shared volume, that the operator allows there"


def _mounted(spec: TaskSpec) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a spec mounts of the container instance: its field, and the pair of paths."""
    if isinstance(spec, BambooAgentSpec):
        for index, each in enumerate(spec.host_folder_mappings):
            yield f"host_folder_mappings[{index}]", (each.source_path, each.container_path)
    elif spec.volumes:
        # A shared volume is told by its name. One that is neither is the task's own.
        sources = {each.name: each.source_path or (each.shared and each.name) for each in spec.volumes}
        for index, container in enumerate(spec.containers):
            for at, mount in enumerate(container.mount_points):
                if source := sources[mount.source_volume]:
                    yield f"containers[{index}].mount_points[{at}]", (source, mount.container_path)


def _role(field: str, asked: str, own: str, patterns: tuple[str, ...]) -> _Found:
    if asked and asked != own and not is_among(asked, patterns):
        yield field, "not set, or a role that the operator allows"


def _privileged(spec: TaskSpec) -> _Found:
    if isinstance(spec, BambooAgentSpec):
        for index, extra in enumerate(spec.extra_containers):
            if is_docker_in_docker(extra.image):
                yield f"extra_containers[{index}].image", "none of docker-in-docker, which is privileged"
        return
    for index, container in enumerate(spec.containers):
        if container.privileged:
            yield f"containers[{index}].privileged", "false: the tenant may not run privileged containers"


def _fetches(spec: TaskSpec) -> bool:
    given: tuple[BambooAgentSpec | ExtraContainer | Container, ...] = (
        (spec, *spec.extra_containers) if isinstance(spec, BambooAgentSpec) else spec.containers
    )
    return any(each.secrets or each.registry_credentials for each in given)
