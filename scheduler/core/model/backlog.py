"""The backlog as a decision sees it: groups of alike tasks, never a list of all."""

from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask

Place = tuple[int, int, str]
"""A task's place in the queue's total order: priority (negated), time of acceptance, then the id."""


def place_of(task: QueuedTask) -> Place:
    """Higher priority first, then the older."""
    return (-task.priority, task.enqueue_revision, task.task_id)


def place_of_nobody(priority: int) -> Place:
    """Where a line ranks that has nobody to place now."""
    return (-priority, 1 << 62, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogGroup:
    """Waiting tasks of one tenant, priority and shape.

    `heads` yields those that may be placed now, in queue order, lazily: a window onto the World that
    is only valid during the decision. `first` is the place of the first of them, or a place behind all
    others of the priority if there is none. `count` also counts those that rest or wait for a registration.
    """

    tenant: str
    priority: int
    ask: Resources
    count: int
    first: Place
    heads: Iterable[QueuedTask]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingGroup:
    """Waiting tasks of one tenant, priority and shape that nothing is looked for, and why."""

    tenant: str
    priority: int
    ask: Resources
    count: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDefinition:
    """A definition that waiting tasks need and that is not registered; `task_id` is the first of them."""

    definition_key: str
    task_id: str
