"""The plan: what one decision wants, before anything is written or sent."""

from dataclasses import dataclass

from scheduler.core.model.attempt import Attempt, StopReason
from scheduler.core.model.calls import Call
from scheduler.core.model.digest import Unplaced
from scheduler.core.model.records import Settled
from scheduler.core.model.scaling import Hold, KeptInstance, ScalingEvent
from scheduler.core.model.task import QueuedTask, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """This task goes to this container instance, under this task definition."""

    task: QueuedTask
    container_instance_arn: str
    ec2_instance_id: str
    task_definition_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A task changes its state; `attempt` is its present attempt after the change."""

    task_id: str
    previous: TaskState
    state: TaskState
    attempt: Attempt | None = None
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything one decision wants. It takes effect only by: commit, apply, send.

    `settled` opens the intents of this plan's acts, closes those that were heard of, and keeps facts and
    scaling events. `scaling` are the events of this plan alone, `kept` the idle instances that stay and why.
    `hold` is why the plan has no acts, if so.
    """

    placements: tuple[Placement, ...] = ()
    transitions: tuple[Transition, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    settled: tuple[Settled, ...] = ()
    calls: tuple[Call, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    scaling: tuple[ScalingEvent, ...] = ()
    kept: tuple[KeptInstance, ...] = ()
    hold: Hold | None = None
