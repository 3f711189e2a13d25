"""Plans: everything that one seed stands for, as a value that prints."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal

from scheduler.core.model.task import ContainerSize
from scheduler.simulated_aws.settings import LaunchSourceKind, RangeMs


class MishapKind(StrEnum):
    """What can befall the service; each is carried out by a row of `mishaps.py`."""

    THROTTLE = "throttle"
    ERROR_BEFORE = "error before the effect"
    ERROR_AFTER = "error after the effect"
    LOST_CALL = "lost call"
    LOST_ANSWER = "lost answer"
    LATE_EFFECT = "late effect"
    PARTIAL_READ = "partial read"
    SLOW_ANSWERS = "slow answers"
    AGENT_AWAY = "agent away"
    MASS_DISCONNECT = "mass disconnect"
    REREGISTRATION = "re-registration"
    SPOT_KILL = "spot kill"
    TERMINATION = "termination by a human"
    FAILED_LAUNCHES = "failed launches"
    NEVER_JOINS = "never joins"
    TASKS_NEVER_START = "tasks never start"
    STOPS_HANG = "stops hang"
    LISTING_GAP = "listing gap"
    UNHEALTHY = "replaced as unhealthy"
    REBALANCED = "zones rebalanced"
    GROUP_LIMITS = "group limits changed"
    DESIRED_CHANGED = "desired changed"
    FOREIGN_TASK = "foreign task"
    DRAINED = "drained by others"
    SECOND_SCHEDULER = "second scheduler"
    CRASH = "crash"
    CRASH_AT_COMMIT = "crash at a commit"
    CRASH_AT_CALL = "crash at a call"
    STORE_FULL = "store full"
    STORE_LOST = "store lost"
    STORE_RESTORED = "store restored"
    CLOCK_SET = "clock set"
    WISH = "operator's wish"
    REVISION_GONE = "revision deregistered by others"
    REVISIONS_OF_OTHERS = "revisions of others"
    REGISTRATION_COLLIDES = "registrations collide"
    BLACK_HOLE = "black hole"
    OLD_STORE_RESTORED = "old store restored"
    WARM_POOL = "warm pool"
    UNREACHABLE = "AWS unreachable"
    CREDENTIALS_EXPIRED = "credentials expired"
    ACCESS_DENIED = "access denied"


SLOW_EFFECT_MS: RangeMs = (100, 4_000)
SLOW_OUTCOME_MS: RangeMs = (1_000, 30_000)
"""How long calls take while answers are slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request of a client, and what the client does about it later.

    `invalid` requests are to be refused. `repeats_s` are pauses after which the very same request is sent
    again, `changed_s` one after which another is sent under its id. With a `size` it is a Bamboo agent, whose
    `cpu` and `memory_mib` are not asked for; `extras` are containers beside the main one. With `when`, a task
    state or removal step, it is sent as something enters that for the first time after `at_s`. With a `build`
    the agent is its `result`-th. A `broken` one fails to start wherever it goes, an `exclusive` one wants its
    container instance for itself.
    """

    at_s: int
    tenant: str
    priority: int
    cpu: int
    memory_mib: int
    image: int
    run_s: int
    exit_code: int = 0
    queue_s: int | None = None
    start_s: int | None = None
    run_timeout_s: int | None = None
    may_run_again: bool = False
    cancel_after_s: int | None = None
    repeats_s: tuple[int, ...] = ()
    changed_s: int | None = None
    invalid: bool = False
    size: ContainerSize | None = None
    extras: int = 0
    when: str = ""
    build: str = ""
    result: int = 0
    broken: bool = False
    exclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A client that reserves room for the agents of a build, of which some come (`Job.build`).

    `again_s` are pauses after which it asks for the same again, `changed_s` one after which it asks for other
    pieces, `released_s` one after which it releases them. With `total` it asks for an amount, not for tasks.
    """

    at_s: int
    tenant: str
    key: str
    size: ContainerSize
    results: int
    expiry_s: int
    total: bool = False
    again_s: tuple[int, ...] = ()
    changed_s: int | None = None
    released_s: int | None = None

    def result_ids(self) -> tuple[str, ...]:
        """Of its agents, whether they come or not."""
        return tuple(result_id(self.key, each) for each in range(self.results))


def result_id(build: str, number: int) -> str:
    """The result id of a build's agent."""
    return f"{build}-JOB{number}-1"


class RevisionOwner(StrEnum):
    """Who registered a revision in the family before the plan begins."""

    US = "us"
    ANOTHER_SERVICE = "another service"
    SOMEBODY = "somebody who tags nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRevision:
    """A revision that is there when the plan begins, last used `age_days` ago.

    It is of the configuration of the `job`-th job, or of one that nobody asks for any more. The store knows
    of it if it is `known`; a store that knows of none has no index of the family at all.
    """

    age_days: int
    owner: RevisionOwner = RevisionOwner.US
    job: int | None = None
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A client that follows the logs of the `job`-th job's task, anew after every `breaks_after` pages."""

    job: int
    at_s: int
    breaks_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """Something that goes wrong. What the numbers mean is said in `mishaps.py`, kind by kind.

    With `when`, a task state or removal step, it goes wrong as something enters that for the `nth` time after
    `at_s`. With `there` it befalls the very instance whose removal has entered that step.
    """

    at_s: int
    kind: MishapKind
    operation: str = ""
    pick: int = 0
    count: int = 1
    for_s: int = 0
    when: str = ""
    nth: int = 1
    there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The simulated account's group, and habits of AWS that last the whole run.

    Others take `foreign_calls_per_s` of the bucket from which ECS is read, and `foreign_acts_per_s` of that
    of StartTask. `scaling_bucket`: what Auto Scaling grants at once, and a second.
    """

    instance_types: tuple[str, ...]
    launch_source: LaunchSourceKind
    min_size: int
    max_size: int
    desired: int
    launch_ms: RangeMs
    agent_registration_ms: RangeMs
    read_lag_ms: int = 0
    group_lag_ms: int = 0
    throttling: bool = False
    foreign_calls_per_s: float = 0.0
    foreign_acts_per_s: float = 0.0
    scaling_bucket: tuple[float, float] = (100, 10)
    draining_refuses: bool = True
    warm_agents_wait: bool = True
    terminated_keeps_started_at: bool = False
    detach_removes_tag: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The service's settings in this run, and how quickly it is answered."""

    store: Literal["memory", "sqlite"] = "memory"
    observe_only: bool = False
    keep_last_instance: bool = True
    idle_timeout_s: int = 120
    task_poll_s: int = 5
    cluster_poll_s: int = 10
    disconnected_after_s: int = 1_200
    queue_timeout_s: int = 1_920
    start_timeout_s: int = 900
    max_starting: int = 4
    instance_max_age_s: int = 604_800
    max_reserved: int = 500
    to_effect_ms: RangeMs = (2, 80)
    to_outcome_ms: RangeMs = (2, 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is played. Mishaps end at `quiet_s`: from then on everything must come to a good end.

    With `wishes_end` nobody takes back what operators wished for: a wish ends by itself.
    """

    seed: int
    quiet_s: int
    account: Account
    tuning: Tuning
    jobs: tuple[Job, ...]
    mishaps: tuple[Mishap, ...]
    builds: tuple[Build, ...] = ()
    revisions: tuple[OldRevision, ...] = ()
    followers: tuple[Follower, ...] = ()
    wishes_end: bool = False

    def lines(self) -> Iterator[str]:
        """The plan for a reader; what is as it is by default is left out."""
        yield f"plan of seed {self.seed}, quiet after {self.quiet_s} s"
        yield f"  account  {_told(self.account)}"
        yield f"  tuning   {_told(self.tuning)}"
        for name, parts in self._parts():
            for part in parts:
                yield f"  {name:<8} {_told(part)}"

    def _parts(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        yield "revision", self.revisions
        yield "job", self.jobs
        yield "build", self.builds
        yield "follower", self.followers
        yield "mishap", self.mishaps


def _told(part: Any) -> str:
    """The fields that are not their defaults."""
    told = ((each.name, getattr(part, each.name), each.default) for each in fields(part))
    return " ".join(f"{name}={value}" for name, value, default in told if value != default)
