"""The telemetry port: what the service tells of itself while it works, and everything there is to tell.

`Metric` and `Title` are the whole catalogue: nothing else is ever sent, and `docs/datadog.md` has a row for
each. No tag ever holds the id of a task, of an instance or of a build: each value of a tag makes a series of
its own, which is kept and paid for.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol


class MetricKind(StrEnum):
    """GAUGE: the last value counts. COUNT: values add up. DISTRIBUTION: every value counts."""

    GAUGE = "gauge"
    COUNT = "count"
    DISTRIBUTION = "distribution"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric's name, what becomes of its values, their unit, and the key of its tag, if it has one."""

    name: str
    kind: MetricKind
    unit: str
    tag: str = ""


_GAUGE, _COUNT, _DISTRIBUTION = MetricKind


class Metric(Enum):
    """Every metric there is."""

    QUEUE_DEPTH = MetricSpec("ecs_scheduler.queue.depth", _GAUGE, "tasks", "tenant")
    QUEUE_AGE = MetricSpec("ecs_scheduler.queue.age", _GAUGE, "seconds", "tenant")
    TASKS = MetricSpec("ecs_scheduler.tasks", _GAUGE, "tasks", "state")
    TIME_QUEUED = MetricSpec("ecs_scheduler.task.time_queued", _DISTRIBUTION, "seconds")
    TIME_LAUNCHING = MetricSpec("ecs_scheduler.task.time_launching", _DISTRIBUTION, "seconds")
    TIME_STARTING = MetricSpec("ecs_scheduler.task.time_starting", _DISTRIBUTION, "seconds")
    TIME_TO_RUNNING = MetricSpec("ecs_scheduler.task.time_to_running", _DISTRIBUTION, "seconds")
    DECISION_TIME = MetricSpec("ecs_scheduler.decision.time", _DISTRIBUTION, "milliseconds")
    DESIRED = MetricSpec("ecs_scheduler.instances.desired", _GAUGE, "instances")
    IN_FLIGHT = MetricSpec("ecs_scheduler.instances.in_flight", _GAUGE, "instances")
    RUNNING = MetricSpec("ecs_scheduler.instances.running", _GAUGE, "instances")
    SCHEDULABLE = MetricSpec("ecs_scheduler.instances.schedulable", _GAUGE, "instances")
    IDLE = MetricSpec("ecs_scheduler.instances.idle", _GAUGE, "instances")
    INSTANCE_MINUTES = MetricSpec("ecs_scheduler.instances.minutes", _COUNT, "minutes", "instance_type")
    FREE_RATIO = MetricSpec("ecs_scheduler.free_ratio", _GAUGE, "share", "resource")
    RESERVATION_HITS = MetricSpec("ecs_scheduler.reservations.hit_rate", _GAUGE, "share")
    AWS_CALLS = MetricSpec("ecs_scheduler.aws.calls", _COUNT, "calls", "operation")
    AWS_ERRORS = MetricSpec("ecs_scheduler.aws.errors", _COUNT, "calls", "operation")
    AWS_THROTTLES = MetricSpec("ecs_scheduler.aws.throttles", _COUNT, "calls", "operation")
    DROPPED = MetricSpec("ecs_scheduler.telemetry.dropped", _COUNT, "values")


class Severity(StrEnum):
    """How loud an event is."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class Title(Enum):
    """Every event there is: its title, and how loud it is.

    The first two are those of the system that this one replaces, because users' monitors match them.
    """

    DISCONNECTED_REPLACED = ("bamboo.server.DockerAgentEcsDisconnectedPurgeEvent", Severity.WARNING)
    NEVER_JOINED_REPLACED = ("bamboo.server.DockerAgentEcsStaleAsgInstanceEvent", Severity.WARNING)
    GROUP_GROWN = ("ecs_scheduler.group_grown", Severity.INFO)
    INSTANCE_REMOVED = ("ecs_scheduler.instance_removed", Severity.INFO)
    GROUP_AT_MAX_SIZE = ("ecs_scheduler.group_at_max_size", Severity.WARNING)
    LAUNCH_FAILED = ("ecs_scheduler.launch_failed", Severity.ERROR)
    BLACK_HOLE = ("ecs_scheduler.black_hole", Severity.WARNING)
    CONDITION_BEGAN = ("ecs_scheduler.condition_began", Severity.WARNING)
    CONDITION_ENDED = ("ecs_scheduler.condition_ended", Severity.SUCCESS)

    def __init__(self, text: str, severity: Severity) -> None:
        """Its two halves by name."""
        self.text = text
        self.severity = severity


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric. `tag` is the value of the metric's tag, and empty where it has none."""

    metric: Metric
    value: float
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was done or has happened, as a sentence; alike ones become one event with a count."""

    title: Title
    text: str


class Telemetry(Protocol):
    """Who calls: the loop's thread and those that carry calls out, in the midst of their work.

    Offering neither waits nor fails, whatever becomes of the value: one that cannot be sent is dropped.
    """

    def offer(self, value: Sample | Notice) -> None:
        """Takes the value in; any thread."""
        ...
