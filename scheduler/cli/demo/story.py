"""The story: what the service has told of tasks, container instances and capacity so far."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ecs_scheduler.v1.capacity_pb2 import ScalingEvent, ScalingKind
from ecs_scheduler.v1.container_instance_pb2 import (
    ContainerInstance,
    ContainerInstanceHealth,
    RemovalCause,
)
from ecs_scheduler.v1.scaling_pb2 import Cluster
from ecs_scheduler.v1.task_pb2 import Attempt, AttemptState, Task, TaskEvent
from scheduler.cli import capacity_words, words

_LOST_STARTS = {
    AttemptState.ATTEMPT_STATE_ADOPTED: ("ADOPTED", "its lost start was found, and is not sent again"),
    AttemptState.ATTEMPT_STATE_ABANDONED: ("ABANDONED", "its lost start was not found"),
}
_REMOVAL_STEPS = frozenset(
    {
        ScalingKind.SCALING_KIND_DRAIN,
        ScalingKind.SCALING_KIND_DETACH,
        ScalingKind.SCALING_KIND_TERMINATE,
        ScalingKind.SCALING_KIND_DEREGISTER,
    }
)


class Condition(StrEnum):
    """What is to be seen of a container instance."""

    BUSY = "busy"
    IDLE = "idle"
    DISCONNECTED = "disconnected"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing worth telling. `mishap`: it was done to the service, not by it."""

    at_ms: int
    head: str
    text: str
    mishap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Demand and capacity at a moment."""

    at_ms: int
    queued: int
    instances: int


class Story:
    """A fold over watch events, readings of the cluster, and what the plot does to it."""

    def __init__(self, expected: int) -> None:
        """`expected` is how many tasks there will be."""
        self.expected = expected
        self.tasks: dict[str, Task] = {}
        self.cluster = Cluster()
        self.instances: tuple[ContainerInstance, ...] = ()
        self.entries: list[Entry] = []
        self.samples: list[Sample] = []
        self._told: set[str] = set()
        """Ids of attempts and instances that have had their entry."""

    def tell(self, entry: Entry) -> Entry:
        """Something that is worth an entry."""
        self.entries.append(entry)
        return entry

    def hear(self, event: TaskEvent) -> Entry | None:
        """A task changed. Worth an entry is only what became of a start whose answer was lost."""
        task = event.task
        self.tasks[task.task_id] = task
        attempt = task.attempts[-1] if task.attempts else Attempt()
        if attempt.state not in _LOST_STARTS or attempt.attempt_id in self._told:
            return None
        self._told.add(attempt.attempt_id)
        head, text = _LOST_STARTS[attempt.state]
        at_ms = task.update_time.ToMilliseconds()
        return self.tell(Entry(at_ms=at_ms, head=head, text=f"{task.build_key}: {text}"))

    def hear_scaling(self, event: ScalingEvent) -> Entry | None:
        """Something was done to capacity. Of a removal the first step is worth an entry, and the last."""
        if event.kind in _REMOVAL_STEPS:
            if event.ec2_instance_id in self._told:
                return None
            self._told.add(event.ec2_instance_id)
        elif event.kind == ScalingKind.SCALING_KIND_TAKE_BACK:
            self._told.discard(event.ec2_instance_id)
        at_ms, head = event.event_time.ToMilliseconds(), capacity_words.kind(event)
        return self.tell(Entry(at_ms=at_ms, head=head, text=_scaling_text(event)))

    def see(self, now_ms: int, cluster: Cluster, instances: Iterable[ContainerInstance]) -> None:
        """The cluster was read."""
        self.cluster = cluster
        self.instances = tuple(sorted(instances, key=lambda each: each.launch_time.ToMilliseconds()))
        queued = self.by_state()["QUEUED"]
        self.samples.append(Sample(at_ms=now_ms, queued=queued, instances=len(self.instances)))

    @property
    def over(self) -> bool:
        """Every task that was expected has ended."""
        states = [task.state for task in self.tasks.values()]
        return len(states) == self.expected and words.TERMINAL.issuperset(states)

    @property
    def peak(self) -> int:
        """The most container instances that were there at one reading."""
        return max((each.instances for each in self.samples), default=0)

    @property
    def placed(self) -> int:
        """How many tasks ECS has, or had."""
        states = self.by_state()
        return states.total() - states["QUEUED"] - states["ASSIGNED"]

    @property
    def settled(self) -> bool:
        """The group is at its min size again, and nothing of what was more is left."""
        group, conditions = self.cluster.group, self.by_condition()
        staying = conditions[Condition.IDLE] + conditions[Condition.BUSY]
        return (
            group.desired_capacity == group.min_size == staying == len(self.instances) == conditions.total()
        )

    def by_state(self) -> Counter[str]:
        """How many tasks are in each state."""
        return Counter(words.state(task.state) for task in self.tasks.values())

    def by_tenant(self) -> dict[str, list[Task]]:
        """Each tenant's tasks, in the order in which they were accepted."""
        tenants: dict[str, list[Task]] = {}
        for _, task in sorted(self.tasks.items()):
            tenants.setdefault(task.tenant, []).append(task)
        return dict(sorted(tenants.items()))

    def by_condition(self) -> Counter[Condition]:
        """How many container instances are to be seen in each condition."""
        return Counter(filter(None, map(condition, self.instances)))

    def idle(self) -> Iterator[ContainerInstance]:
        """Container instances without anything to do, the first launched first."""
        return (each for each in self.instances if condition(each) is Condition.IDLE)

    def beginning_ms(self) -> int | None:
        """When the first task was accepted; the demo counts its time from here."""
        return min((task.create_time.ToMilliseconds() for task in self.tasks.values()), default=None)


def condition(instance: ContainerInstance) -> Condition | None:
    """What is to be seen of it; None while it only arrives."""
    health = instance.health
    lost = instance.removal.cause == RemovalCause.REMOVAL_CAUSE_DISCONNECTED
    if lost or health == ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_DISCONNECTED:
        return Condition.DISCONNECTED
    if instance.HasField("removal"):
        return Condition.LEAVING
    if health == ContainerInstanceHealth.CONTAINER_INSTANCE_HEALTH_SCHEDULABLE:
        return Condition.BUSY if instance.tasks else Condition.IDLE
    return None


def _scaling_text(event: ScalingEvent) -> str:
    """Instance, desired capacity, reason; of a condition that ended only its name is still true."""
    if event.kind == ScalingKind.SCALING_KIND_CONDITION_ENDED:
        return event.code
    parts = (short(event.ec2_instance_id), capacity_words.change(event), event.message)
    return ", ".join(part for part in parts if part)


def short(ec2_instance_id: str) -> str:
    """Enough of an id to tell a dozen instances apart."""
    return ec2_instance_id[:8]


def waited(task: Task, now_ms: int) -> timedelta:
    """From acceptance until it ran, or ended without, or until now."""
    if task.HasField("start_time"):
        until_ms = task.start_time.ToMilliseconds()
    else:
        until_ms = task.stop_time.ToMilliseconds() if task.state in words.TERMINAL else now_ms
    return timedelta(milliseconds=until_ms - task.create_time.ToMilliseconds())
