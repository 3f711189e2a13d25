"""Launch attempts: every `ecs:StartTask` has its own, and is accounted for under its id."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class AttemptState(StrEnum):
    """What is known of a launch attempt. An OPEN attempt is the durable intent of a StartTask."""

    OPEN = "OPEN"
    STARTED = "STARTED"
    DEFINITE_FAILURE = "DEFINITE_FAILURE"
    UNKNOWN = "UNKNOWN"
    ADOPTED = "ADOPTED"
    ABANDONED = "ABANDONED"
    ENDED = "ENDED"


CLOSED_ATTEMPT_STATES = frozenset({AttemptState.DEFINITE_FAILURE, AttemptState.ABANDONED, AttemptState.ENDED})
"""An attempt in one of these holds no room any more."""


class StopCategory(StrEnum):
    """Kinds of causes; what is retried depends on it (`core/lifecycle/causes.py`)."""

    CAPACITY = "CAPACITY"
    CANNOT_START = "CANNOT_START"
    IMAGE = "IMAGE"
    INSTANCE_LOST = "INSTANCE_LOST"
    ATTRIBUTE = "ATTRIBUTE"
    OOM = "OOM"
    EXIT = "EXIT"
    ESSENTIAL_EXITED = "ESSENTIAL_EXITED"
    NEVER_FITS = "NEVER_FITS"
    REJECTED = "REJECTED"
    STOPPED_BY_OTHERS = "STOPPED_BY_OTHERS"
    START_TIMEOUT = "START_TIMEOUT"
    RUN_TIMEOUT = "RUN_TIMEOUT"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerExit:
    """What ECS said of one container. A missing exit code is never 0: it did not run, or its host died."""

    name: str
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReason:
    """Why something ended; ECS's own words are kept as they were."""

    category: StopCategory
    code: str
    message: str
    containers: tuple[ContainerExit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One launch. `attempt_id` is ECS's `startedBy`: at most 36 characters (ECS API, StartTask).

    `stop_wish` is why we want its ECS task stopped: CANCELLED, START_TIMEOUT or RUN_TIMEOUT.
    """

    attempt_id: str
    task_id: str
    number: int
    counted: bool
    state: AttemptState
    container_instance_arn: str
    ec2_instance_id: str
    task_definition_arn: str
    created_ms: int
    started_ms: int | None = None
    stopped_ms: int | None = None
    ecs_task_arn: str = ""
    stop_wish: StopCategory | None = None
    stop_reason: StopReason | None = None

    @property
    def holds_room(self) -> bool:
        """True until it is known that its ECS task does not exist or has stopped."""
        return self.state not in CLOSED_ATTEMPT_STATES

    @property
    def may_show_up(self) -> bool:
        """True when it is over for us, and nobody knows whether its ECS task was ever there."""
        unseen = self.state is AttemptState.ENDED and not self.ecs_task_arn
        return unseen or self.state is AttemptState.ABANDONED


def returned_ms(attempts: Iterable[Attempt]) -> int | None:
    """When a task, of all its attempts, last came back to the queue in a way that gives it more time.

    From each launch that ended. What a lost answer cost is given back once, and before any of these.
    """
    closed_ms = [(each.state, each.stopped_ms) for each in attempts if each.stopped_ms is not None]
    ended_ms = [at_ms for state, at_ms in closed_ms if state is AttemptState.ENDED]
    abandoned_ms = [at_ms for state, at_ms in closed_ms if state is AttemptState.ABANDONED]
    return max(ended_ms, default=min(abandoned_ms, default=None))
