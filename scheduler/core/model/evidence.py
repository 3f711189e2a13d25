"""Evidence: all that was heard of one attempt since it was last looked at."""

from dataclasses import dataclass

from scheduler.core.model.answers import EcsTask, Failure
from scheduler.core.model.attempt import Attempt, StopCategory
from scheduler.core.model.task import QueuedTask, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvidence:
    """What is known of an attempt and what was heard of it.

    `state` is its task's. `failure` is StartTask's own; `seen` the newest reading of its ECS task;
    `absent_as_of_ms` when the newest search or reading that did not find it was sent, `absent_since_ms` the
    first of `absences` in a row; `starting_as_of_ms` when the newest reading was sent that showed it not yet
    running; `unknown_since_ms` when its answer was lost. `lacking` counts the instances without an attribute
    that the task needs, gone or not, and `untried` the others that work or are about to; `launches` counts
    the attempts that used up its retries, this one included.
    """

    attempt: Attempt
    state: TaskState
    main_container: str
    failure: Failure | None = None
    seen: EcsTask | None = None
    absent_as_of_ms: int | None = None
    absent_since_ms: int | None = None
    absences: int = 0
    starting_as_of_ms: int | None = None
    unknown_since_ms: int | None = None
    lacking: int = 0
    untried: int = 0
    launches: int = 1
    may_run_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWish:
    """A task that somebody does not want any more, or that has used up a timeout.

    `category` is CANCELLED, EXPIRED, START_TIMEOUT or RUN_TIMEOUT; `attempt` is None while it waits.
    """

    task: QueuedTask
    state: TaskState
    attempt: Attempt | None
    category: StopCategory
