"""What both kinds of agents share in a task definition, and its content hash."""

from dataclasses import dataclass
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from scheduler.core.model.resources import Resources

Json = dict[str, Any]
"""A structure of ECS's API as it is sent: camelCase keys, JSON-like values."""

_canonical = JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What every task definition of this service has in common.

    `cluster` is what agents see as `ecs_cluster`. Without a log driver containers log where their container
    instance sends it.
    """

    family: str
    cluster: str
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()


def definition_key(definition: Json) -> str:
    """The content hash: equal definitions, and no others, share a revision.

    Canonical JSON: the order of keys does not count, the order of containers does.
    """
    return sha256(_canonical(definition).encode()).hexdigest()


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
        definition["logConfiguration"] = {
            "logDriver": settings.log_driver,
            "options": dict(settings.log_options),
        }
    return definition


def hard_limit_mib(reservation_mib: int) -> int:
    """Where the kernel stops a container: 1.25 times its reservation, truncated; 4,001 MiB give 5,001."""
    return reservation_mib * 5 // 4


def variable(name: str, value: str) -> Json:
    """An environment variable (ECS API: KeyValuePair)."""
    return {"name": name, "value": value}
