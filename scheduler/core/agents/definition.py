"""What both kinds of agents share in a task definition, and its content hash."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from json import JSONEncoder
from typing import Any, NamedTuple

from scheduler.core.model.resources import Architecture, Resources
from scheduler.core.model.task import Secret, Ulimit

Json = dict[str, Any]
"""A structure of ECS's API as it is sent: camelCase keys, JSON-like values."""

_canonical = JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What every task definition of this service has in common.

    `cluster` is what agents see as `ecs_cluster`. Without a log driver containers log where their container
    instance sends it. The roles are for requests that name none. `storage_driver` is docker-in-docker's where
    the container instance names none, and `image_overrides` its old images with what is run instead.
    """

    family: str
    cluster: str
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()
    task_role_arn: str = ""
    execution_role_arn: str = ""
    storage_driver: str = "overlay2"
    image_overrides: tuple[tuple[str, str], ...] = ()


class Outline(NamedTuple):
    """What a whole definition has beside its containers; empty parts are left out."""

    task_role_arn: str
    execution_role_arn: str
    architecture: Architecture


def definition_key(definition: Json) -> str:
    """The content hash: equal definitions, and no others, share a revision.

    Canonical JSON: the order of keys does not count, the order of containers does.
    """
    return sha256(_canonical(definition).encode()).hexdigest()


def definition_bytes(definition: Json) -> int:
    """Its size as JSON, in ASCII: however ECS counts, its count is not above that."""
    return len(_canonical(definition))


def container_definition(
    name: str, image: str, resources: Resources, *, essential: bool, settings: AgentSettings
) -> Json:
    """One container with its reservation and its hard limit."""
    definition: Json = {
        "name": name,
        "image": image.strip(),
        "cpu": resources.cpu,
        "memoryReservation": resources.memory_mib,
        "memory": hard_limit_mib(resources.memory_mib),
        "essential": essential,
    }
    if settings.log_driver:
        definition["logConfiguration"] = _log_configuration(settings)
    return definition


def task_definition(outline: Outline, containers: list[Json], settings: AgentSettings) -> Json:
    """A definition around its containers, with the service's roles where the request named none."""
    definition: Json = {"family": settings.family, "containerDefinitions": containers}
    if role := outline.task_role_arn or settings.task_role_arn:
        definition["taskRoleArn"] = role
    if role := outline.execution_role_arn or settings.execution_role_arn:
        definition["executionRoleArn"] = role
    if outline.architecture:
        definition["runtimePlatform"] = {
            "cpuArchitecture": outline.architecture.value,
            "operatingSystemFamily": "LINUX",
        }
    return definition


def add_secrets(definition: Json, secrets: Iterable[Secret], registry_credentials: str) -> None:
    """What the execution role fetches for a container: values of variables, and what its image takes."""
    fetched = [{"name": secret.name, "valueFrom": secret.value_from} for secret in secrets]
    if fetched:
        definition["secrets"] = fetched
    if registry_credentials:
        definition["repositoryCredentials"] = {"credentialsParameter": registry_credentials}


def add_ulimits(definition: Json, ulimits: Iterable[Ulimit]) -> None:
    """A container's limits, if it has any (ECS API: Ulimit)."""
    limits = [{"name": each.name, "softLimit": each.soft, "hardLimit": each.hard} for each in ulimits]
    if limits:
        definition["ulimits"] = limits


def is_secret_option(value: str) -> bool:
    """Whether an option of the log driver is told by where its value is kept."""
    return _SECRET_ARN.match(value) is not None


_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:(secretsmanager:[^:]*:[0-9]*:secret|ssm:[^:]*:[0-9]*:parameter)\b")


def _log_configuration(settings: AgentSettings) -> Json:
    """Options that are ARNs of secrets go where ECS fetches them (ECS API: LogConfiguration)."""
    secret = [
        {"name": name, "valueFrom": value} for name, value in settings.log_options if is_secret_option(value)
    ]
    plain = {name: value for name, value in settings.log_options if not is_secret_option(value)}
    configuration: Json = {"logDriver": settings.log_driver, "options": plain}
    return configuration | {"secretOptions": secret} if secret else configuration


def hard_limit_mib(reservation_mib: int) -> int:
    """Where the kernel stops a container: 1.25 times its reservation, truncated; 4,001 MiB give 5,001."""
    return reservation_mib * 5 // 4


def variable(name: str, value: str) -> Json:
    """An environment variable (ECS API: KeyValuePair)."""
    return {"name": name, "value": value}
