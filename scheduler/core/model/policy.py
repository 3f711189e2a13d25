"""Every number that steers a decision, each with its unit and its reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from scheduler.core.model.reservation import Pieces

Share = Annotated[float, "from 0 to 1"]
"""A share that may be nothing or all."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be set to, both ends included: three zeros too many are a slip, and are refused."""

    least: int
    most: int


Few = Annotated[int, Range(1, 100)]
Count = Annotated[int, Range(1, 1_000)]
Many = Annotated[int, Range(1, 100_000)]
Pause = Annotated[int, Range(100, 600_000)]
"""Between two calls: a tenth of a second, or AWS is asked all the time, to ten minutes."""
Wait = Annotated[int, Range(1_000, 21_600_000)]
"""From a second, within which nothing at AWS can be told from nothing, to six hours."""
Span = Annotated[int, Range(1_000, 86_400_000)]
"""From a second to a day."""
QueueTime = Annotated[int, Range(1_000, 604_800_000)]
"""From a second to a week, as a request may ask for."""
Age = Annotated[int, Range(60_000, 31_622_400_000)]
"""From a minute to a year."""


class Placement(StrEnum):
    """Which of the instances that hold a task gets it."""

    BEST_FIT = "best_fit"
    SPREAD = "spread"
    SEED = "seed"


class ScaleDown(StrEnum):
    """When an idle instance may go."""

    IDLE = "idle"
    BILLING_HOUR = "billing_hour"


class ForeignInstances(StrEnum):
    """What becomes of idle container instances outside the group that never were members of it."""

    REPORT = "report"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of the thinking part. Defaults are the product's; `docs/configuration.md` lists them."""

    placement: Placement = Placement.BEST_FIT
    """Which of the instances that hold a task gets it: the fullest, so that others empty out and can go; the
    emptiest; or, as the system before this one did, the one with the least memory left, and with the most for
    a task behind one that fits nowhere."""

    max_starting_per_instance: Few = 4
    """Tasks that may start on one instance at a time. More of them pull images at once and all start late."""

    declared_memory_factor: float = 0.93
    """Share of a type's declared memory that an instance is expected to register, before one has. An
    m4.4xlarge declares 65,536 MiB and registers 64,419. Of CPU it registers all: 1,024 units a vCPU."""

    visibility_window_ms: Wait = 60_000
    """How long a lost StartTask is looked for. ECS's lists lag by seconds, seldom by more than a minute."""

    resolve_pauses_ms: tuple[Pause, ...] = (1_000, 2_000, 4_000, 8_000, 15_000, 15_000)
    """Pauses between the searches for a lost StartTask; the last one repeats."""

    lost_readings: Few = 3
    """Readings in a row that answer MISSING before a started task is believed to be lost."""

    lost_after_ms: Wait = 120_000
    """How long these readings must span: one stale answer of AWS ends no build."""

    unseen_ms: Wait = 30_000
    """How old the last reading of a task that had not begun may be, when its instance is lost, for it to be
    launched again. After a longer gap it may have run unseen."""

    max_unknown_attempts: Count = 50
    """Lost starts at a time beyond which no task is placed: AWS is not well, and each costs searches."""

    stray_pauses_ms: tuple[Wait, ...] = (30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000)
    """When an abandoned start is looked out for once more, pause by pause, to stop it if it shows up."""

    missing_grace_ms: Wait = 300_000
    """How long DescribeTasks may answer MISSING for a started task. ECS documents up to five minutes."""

    capacity_pauses_ms: tuple[Pause, ...] = (1_000, 2_000, 4_000)
    """Rest of a task after StartTask found no room, by consecutive failures; the last one repeats."""

    queue_timeout_ms: QueueTime = 1_920_000
    """How long a task waits for room unless it asks otherwise: Bamboo gives up after 32 minutes."""

    requeue_grace_ms: Wait = 300_000
    """What a task has left at least when it comes back to the queue after a launch that failed. After a start
    without an answer it gets this once, after a refused start never: else it might wait for ever."""

    start_timeout_ms: Span = 900_000
    """How long ECS may take to run what it accepted, unless the task asks otherwise; images are large."""

    stop_repeat_ms: Pause = 30_000
    """Pause before StopTask is sent again for a task that has not stopped."""

    max_attempts: Few = 3
    """Launches of a task that may fail for reasons that are not its own, before it fails."""

    max_image_attempts: Few = 2
    """The same when an image cannot be pulled: another instance is tried once; usually it is a typo."""

    retry_pauses_ms: tuple[Pause, ...] = (5_000, 15_000)
    """Rest of a task before its second, third... launch; the last one repeats."""

    retry_suspect_ms: Wait = 60_000
    """How long tasks of the same shape avoid an instance on which one could not be started."""

    purchase_grace_ms: Wait = 90_000
    """How long a disconnected instance still counts as capacity for buying. Agents blink every hour."""

    growth_pauses_ms: tuple[Pause, ...] = (2_000, 10_000, 60_000)
    """Rest of growth after a raise of desired capacity failed, by consecutive failures; the last one
    repeats. A refused one is refused again, and repeating it would starve the readings of the group."""

    settling_ms: Wait = 60_000
    """How long a fresh instance is watched for daemon tasks that take the room it was bought for."""

    disappointment_ms: Wait = 600_000
    """How long nothing is bought for a shape after an instance bought for it did not hold it."""

    task_poll_ms: Pause = 2_000
    """Pause between two readings of the tasks under way. Of thousands each is read as often as our share of
    the reads allows: 3,000 at 10 calls a second every 3 seconds."""

    cluster_poll_ms: Pause = 5_000
    """Pause between two readings of the container instances and the group while nothing is expected."""

    eager_poll_ms: Pause = 1_000
    """The same while instances are in flight and not late: a fresh one is used within a second of its
    registration."""

    types_poll_ms: Wait = 600_000
    """Pause between two readings of the types that the group can launch."""

    stale_after_ms: Wait = 30_000
    """Age at which a reading of AWS counts as stale in GetCluster."""

    idle_timeout_ms: Span = 120_000
    """How long an instance is idle before it is removed. Demand comes in bursts, and a boot takes as long."""

    scale_down: ScaleDown = ScaleDown.IDLE
    """Whether an idle instance goes at any time, or only in the last ten minutes of an hour of its life, for
    who pays by the hour."""

    free_ratio: Share = 0.0
    """Share of CPU and of memory that must be free on the schedulable instances that stay for an idle one to
    go. None by default: on a CI's own load 0.30, with the ends of hours, cost 14 to 22 % more instance hours
    and no build waited less."""

    headroom: tuple[Pieces, ...] = ()
    """Room that is kept free beside all that waits and is reserved, and bought where it is missing: agents of
    a size and how many (`LARGE:2,SMALL:5`), or CPU units, MiB and how many (`4096:16000:2`)."""

    keep_last_instance: bool = True
    """Whether one instance stays when the group's min size and the operator's floor would let the last go."""

    instance_max_age_ms: Age = 604_800_000
    """Age at which an instance is replaced: disks fill and images age. Years of use have taught a week."""

    stale_share: Share = 0.2
    """Share of the group that is replaced for its age at a time; one always. If most of it is too old at
    once, the service's clock may be wrong, and the cluster is to go on working."""

    instance_age_jitter: float = 0.1
    """Share by which this age differs between instances, so that a burst launched together does not expire
    together."""

    disconnected_after_ms: Span = 1_200_000
    """How long an agent is disconnected, in one piece, before its instance is replaced. Most come back within
    minutes; a build on it may go on all the while."""

    disconnected_readings: Few = 3
    """Readings that must have shown it so since our own start: our downtime is no evidence."""

    disconnected_readings_ms: Wait = 120_000
    """How long these readings must span."""

    blink_window_ms: Span = 3_600_000
    """Over how long blinks are added up: an agent that was away for more than half of it counts as lost."""

    mass_failure_ms: Wait = 600_000
    """If more agents than is likely disconnect within this time, it is the region, the agent or the image,
    and nothing is replaced: builds go on without ECS."""

    mass_failure_share: float = 0.1
    """How many are likely, as a share of the group's members..."""

    mass_failure_least: Few = 2
    """... but never fewer than this."""

    drain_disconnected: bool = False
    """Whether an instance whose agent is lost is only drained while tasks are on it, so that no build of one
    that works on without its agent is ended. It may then stay for as long as its tasks do."""

    never_joined_after_ms: Wait = 300_000
    """How long a member may take to join the cluster, at least; twice the slowest boots if that is more."""

    never_joined_until_ms: Span = 3_000_000
    """Age from which a member that is not in the cluster is left alone: old ones blink out of listings."""

    max_replacements_per_hour: Count = 10
    """Members that never joined and are replaced, beyond which it is the image and none is."""

    launches_late_after_ms: Wait = 600_000
    """How long instances may be in flight without one that arrives, at least, before that is told and growth
    backs off; twice the slowest boots if that is more."""

    absence_ms: Wait = 600_000
    """Over how long removals that are justified by absence alone are counted."""

    absence_share: float = 0.1
    """Share of the group that these may touch in that time; one always."""

    daemon_grace_ms: Wait = 60_000
    """How long a fresh instance, or one that is taken back, waits for the daemon tasks that run on others."""

    daemon_services: tuple[str, ...] = ()
    """Names of ECS services whose tasks make no instance busy, beside those that ECS shows as daemons: for
    roles that may not call DescribeServices."""

    console_timeout_ms: Wait = 30_000
    """How long the end of a sick instance waits for its console output to be saved."""

    start_window_ms: Span = 3_600_000
    """Over how long starts that failed are counted. One that hangs takes a quarter of an hour to fail."""

    black_hole_failures: Few = 3
    """Starts in a row that fail on an instance before it is taken for a black hole..."""

    black_hole_configurations: Few = 2
    """... of so many images, and of so many builds, at least: one bad build is no instance's fault."""

    quarantine_share: float = 0.1
    """Share of the group that may be in quarantine; one always. More at a time are no instances' fault."""

    quarantine_pause_ms: Wait = 600_000
    """Pause between two removals of instances in quarantine: a wrong judgement is to cost little."""

    breaker_failures: Few = 3
    """Starts of a configuration in a row, on as many instances, that fail before its tasks rest."""

    breaker_pauses_ms: tuple[Wait, ...] = (60_000, 300_000, 900_000)
    """How long they rest, by how often that was so; the last one repeats."""

    breaker_trial_ms: Wait = 120_000
    """How long after the rest the first of them tries alone: an image is pulled and started by then."""

    foreign_instances: ForeignInstances = ForeignInstances.REPORT
    """What becomes of idle container instances that are in the cluster, not in the group, and never were seen
    to be. Told by default: they may be anybody's. Those that were members are terminated in any case."""

    rival_window_ms: Wait = 120_000
    """How old the newest mark of a second scheduler must be before we act: a living one makes more."""

    census_poll_ms: Pause = 30_000
    """Pause between two readings of all tasks of the cluster, ours and others'."""

    hazards_poll_ms: Wait = 600_000
    """Pause between two readings of the group's features that fight this service."""

    launches_poll_ms: Pause = 10_000
    """Pause between two readings of failed launches while instances are in flight."""

    max_removals: Count = 200
    """Removals under way beyond which no idle or old instance goes: a thousand cost 29 ms a step."""

    removal_repeat_ms: Pause = 5_000
    """Pause before the act of a removal's step is sent again."""

    inspect_pause_ms: Pause = 3_000
    """Pause between two readings of what still runs on an instance that is drained."""

    registration_pauses_ms: tuple[Pause, ...] = (1_000, 2_000, 5_000, 10_000)
    """Rest after RegisterTaskDefinition was throttled or collided, by consecutive failures."""

    scanned_revisions_max: Many = 2_000
    """Revisions of the family that a start without an index looks at, newest first, one request each. At our
    share of AWS's reads that takes 7 minutes; what is older is registered anew when it is needed."""

    revision_unused_ms: Age = 2_592_000_000
    """How long a revision of ours must have been of no use before it is deregistered: 30 days. A family holds
    a million revisions for good, so this is tidiness, and the cost of a mistake one registration."""

    revision_pause_ms: Pause = 10_000
    """Pause between two deregistrations. They share a budget with registrations, which refills 5 tokens in
    that time at our share of AWS's rate, and leave 4 of them."""

    reservation_ms: Span = 2_400_000
    """How long a reservation lasts unless it asks otherwise: 40 minutes, in which a stage of builds ends."""

    max_reserved_tasks: Many = 500
    """Tasks that a tenant may have reserved room for at a time: a decision looks for room for each."""

    max_lines_per_tenant: Many = 1_000
    """Lines of equal priority and shape in which a tenant's tasks may wait; who would begin one more is
    refused. A decision looks at each of them: a thousand shapes cost it 10 ms."""

    max_placements_per_decision: Count = 100
    """Upper bound of StartTask calls that one decision sends: a crash leaves tens of unknown intents."""

    task_retention_ms: Age = 604_800_000
    """How long a task stays readable after it has stopped, and its request id taken: a week, for who looks at
    a broken build after a holiday. The events that watches resume from are kept no longer."""
