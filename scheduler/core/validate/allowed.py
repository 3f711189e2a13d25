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


def forbidden(request: TaskRequest, agents: AgentSettings, allowed: AllowLists) -> tuple[Violation, ...]:
    """Fields that ask for what the operator has not allowed."""
    spec = request.spec
    found = chain(
        _folders(spec, allowed),
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


_Found = Iterator[tuple[str, str]]


def _folders(spec: TaskSpec, allowed: AllowLists) -> _Found:
    if isinstance(spec, BambooAgentSpec):
        for index, each in enumerate(spec.host_folder_mappings):
            if (each.source_path, each.container_path) not in allowed.host_folders:
                yield f"host_folder_mappings[{index}]", "a folder that the operator allows"


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
