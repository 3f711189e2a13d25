"""The story: what has been heard of the tasks and the cluster so far."""

from collections import Counter
from datetime import timedelta

from ecs_scheduler.v1.scaling_pb2 import Cluster
from ecs_scheduler.v1.task_pb2 import Task, TaskEvent
from scheduler.cli import words


class Story:
    """A fold over watch events and readings of the cluster."""

    def __init__(self, expected: int) -> None:
        """`expected` is how many tasks there will be."""
        self.expected = expected
        self.tasks: dict[str, Task] = {}
        self.cluster = Cluster()
        self.peak_instances = 0

    def hear(self, event: TaskEvent) -> None:
        """A task changed."""
        self.tasks[event.task.task_id] = event.task

    def see(self, cluster: Cluster) -> bool:
        """The cluster was read. Whether its group or its container instances changed."""
        before, self.cluster = capacity(self.cluster), cluster
        self.peak_instances = max(self.peak_instances, cluster.instances.schedulable)
        return capacity(cluster) != before

    @property
    def over(self) -> bool:
        """Every task that was expected has ended."""
        states = [task.state for task in self.tasks.values()]
        return len(states) == self.expected and words.TERMINAL.issuperset(states)

    @property
    def succeeded(self) -> bool:
        """It is over, and every task succeeded."""
        return self.over and set(self.by_state()) == {"SUCCEEDED"}

    def by_state(self) -> Counter[str]:
        """How many tasks are in each state."""
        return Counter(words.state(task.state) for task in self.tasks.values())

    def by_tenant(self) -> dict[str, list[Task]]:
        """Each tenant's tasks, in the order in which they were accepted."""
        tenants: dict[str, list[Task]] = {}
        for _, task in sorted(self.tasks.items()):
            tenants.setdefault(task.tenant, []).append(task)
        return dict(sorted(tenants.items()))

    def beginning_ms(self) -> int | None:
        """When the first task was accepted; the demo counts its time from here."""
        return min((task.create_time.ToMilliseconds() for task in self.tasks.values()), default=None)


def capacity(cluster: Cluster) -> tuple[int, int, int]:
    """Desired, in flight, able to work."""
    return (cluster.group.desired_capacity, cluster.group.in_flight, cluster.instances.schedulable)


def waited(task: Task, now_ms: int) -> timedelta:
    """From acceptance until it ran, or ended without, or until now."""
    if task.HasField("start_time"):
        until_ms = task.start_time.ToMilliseconds()
    else:
        until_ms = task.stop_time.ToMilliseconds() if task.state in words.TERMINAL else now_ms
    return timedelta(milliseconds=until_ms - task.create_time.ToMilliseconds())


def ran(task: Task, now_ms: int) -> timedelta | None:
    """How long it has been running, or ran; None if it does not."""
    if not task.HasField("start_time"):
        return None
    until_ms = task.stop_time.ToMilliseconds() if task.state in words.TERMINAL else now_ms
    return timedelta(milliseconds=until_ms - task.start_time.ToMilliseconds())
