"""What both kinds of agents share in the overrides of one launch.

Environment and command are always overrides, never part of the definition: one build is not one revision.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.core.agents.definition import Json, variable
from scheduler.core.model.task import EnvironmentVariable

ATTEMPT_ID = "ATTEMPT_ID"
"""Tells the main container which launch it is, so that an agent which must never run twice can claim it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What is known only when a task is started on a container instance.

    `storage_driver` is the one that docker-in-docker is to use there.
    """

    attempt_id: str
    request_id: str
    container_instance_arn: str
    submit_ms: int
    storage_driver: str = "overlay2"


def container_override(name: str, command: tuple[str, ...], environment: list[Json]) -> Json | None:
    """The override of one container (ECS API: ContainerOverride), or None when nothing is overridden."""
    if not command and not environment:
        return None
    override: Json = {"name": name}
    if command:
        override["command"] = list(command)
    if environment:
        override["environment"] = environment
    return override


def variables(environment: Iterable[EnvironmentVariable]) -> list[Json]:
    """Environment variables as ECS takes them."""
    return [variable(each.name, each.value) for each in environment]
