"""Durable records: the only way anything in the World changes for good, and what the store keeps.

A *task event* (TaskSubmitted, TaskTransitioned) gets a revision of its own from the writer: revisions
are dense, and one change of state is one revision. The other records ride along without one.
"""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.attempt import Attempt, StopReason
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import ScaleWish, ScalingEvent
from scheduler.core.model.task import QueuedTask, TaskRequest, TaskState, main_image, result_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSubmitted:
    """A request became a task. Refused by the store when (tenant, request_id) is taken."""

    task_id: str
    request: TaskRequest
    fingerprint: str
    ask: Resources
    build_key: str
    definition_key: str
    main_container: str
    at_ms: int

    def queued(self, revision: int) -> QueuedTask:
        """The task as it waits; `revision` has accepted it."""
        request = self.request
        return QueuedTask(
            task_id=self.task_id,
            tenant=request.tenant,
            priority=request.priority,
            ask=self.ask,
            definition_key=self.definition_key,
            main_container=self.main_container,
            timeouts=request.timeouts,
            may_run_again=request.may_run_again,
            enqueue_revision=revision,
            submitted_ms=self.at_ms,
            image=main_image(request.spec),
            build_key=self.build_key,
            result_id=result_id_of(request.spec),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTransitioned:
    """A task went from one state to another; `attempt` is its present attempt after the change."""

    task_id: str
    previous: TaskState
    state: TaskState
    at_ms: int
    attempt: Attempt | None = None
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecorded:
    """What is known of an attempt changed without a change of its task's state."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """A client wants a task cancelled. It is kept with the task, and does nothing to one that has ended."""

    task_id: str
    at_ms: int


class IntentState(StrEnum):
    """Life of an act other than StartTask, whose intent is its attempt.

    ABANDONED: its answer was lost, and it is harmless to decide anew from a fresh reading.
    """

    OPEN = "OPEN"
    DONE = "DONE"
    FAILED_DEFINITE = "FAILED_DEFINITE"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecorded:
    """An act on AWS that must be durable before it is sent, keyed so that it is under way once."""

    kind: str
    key: str
    state: IntentState
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecorded:
    """Something learned that must survive a restart, such as the ARN of a task definition.

    An empty value forgets the fact.
    """

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRequested:
    """An operator wishes for capacity. Refused by the store when its request id is taken."""

    wish: ScaleWish


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRecorded:
    """Something was done to capacity. It gets the next sequence of the scaling log, and no revision."""

    event: ScalingEvent


Settled = IntentRecorded | FactRecorded | ScalingRecorded
"""What a decision keeps beside changes of tasks and attempts."""

Record = (
    TaskSubmitted
    | TaskTransitioned
    | AttemptRecorded
    | CancelRequested
    | IntentRecorded
    | FactRecorded
    | ScaleRequested
    | ScalingRecorded
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A committed record; `revision` is 0 for records that are no task event."""

    revision: int
    record: Record
