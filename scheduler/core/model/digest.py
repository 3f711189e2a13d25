"""What the loop publishes after a step, for readers in other threads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.removal import Removal
from scheduler.core.model.reservation import ReservationOutcomes, StandingReservation
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import ScaleWish
from scheduler.core.model.task import TaskState


class Unplaced(NamedTuple):
    """Tasks of one tenant, priority and shape that found no room, and per reason how many instances said no.

    `clamped`: the group's max size stops it from growing for them.
    """

    tenant: str
    priority: int
    ask: Resources
    waiting: int
    rejects: tuple[tuple[str, int], ...] = ()
    clamped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that stands until it changes; `reason` is upper-snake, `message` names the remedy."""

    reason: str
    message: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceDigest:
    """One container instance as the loop sees it. `free` is what tasks of ours could still have of it.

    `tasks` counts our attempts on it, `starting` those that do not run yet; `foreign` is what others hold.
    `idle_since_ms` and `disconnected_since_ms` are None while it is not so.
    """

    instance: ContainerInstance
    group: str
    health: InstanceHealth
    free: Resources
    foreign: Resources
    tasks: int
    starting: int
    stale: bool
    idle_since_ms: int | None = None
    disconnected_since_ms: int | None = None
    removal: Removal | None = None


_NO_OUTCOMES = ReservationOutcomes()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDigest:
    """The cluster as the last step saw it. `observed_ms` is None until AWS was read completely once."""

    cluster: str
    group: InstanceGroup | None
    in_flight: int
    types: tuple[InstanceType, ...]
    health: Mapping[InstanceHealth, int]
    idle: int
    registered: Resources
    free: Resources
    tasks: Mapping[TaskState, int]
    unplaced: tuple[Unplaced, ...]
    observed_ms: int | None
    stale: bool
    conditions: tuple[Condition, ...]
    revision: int
    wish: ScaleWish | None = None
    reservations: tuple[StandingReservation, ...] = ()
    reservation_outcomes: ReservationOutcomes = _NO_OUTCOMES


def empty_digest(cluster: str) -> ClusterDigest:
    """The digest before the first step."""
    return ClusterDigest(
        cluster=cluster,
        group=None,
        in_flight=0,
        types=(),
        health={},
        idle=0,
        registered=NOTHING,
        free=NOTHING,
        tasks={},
        unplaced=(),
        observed_ms=None,
        stale=True,
        conditions=(),
        revision=0,
    )
