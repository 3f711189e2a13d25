"""Environment values are dropped when a task is terminal."""

from dataclasses import replace
from typing import TypeVar

from scheduler.core.model.task import Container, ContainersSpec, ExtraContainer, TaskSpec

_AnyContainer = TypeVar("_AnyContainer", Container, ExtraContainer)


def masked(spec: TaskSpec | None) -> TaskSpec | None:
    """The spec with `***` for every environment value."""
    if spec is None:
        return None
    if isinstance(spec, ContainersSpec):
        return replace(spec, containers=_masked(spec.containers))
    return replace(spec, extra_containers=_masked(spec.extra_containers))


def _masked(containers: tuple[_AnyContainer, ...]) -> tuple[_AnyContainer, ...]:
    return tuple(
        replace(
            container,
            environment=tuple(replace(variable, value="***") for variable in container.environment),
        )
        for container in containers
    )
