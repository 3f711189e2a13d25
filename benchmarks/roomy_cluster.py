"""A cluster with room for everybody, on an AWS that answers at once: what is left is our own time."""

from time import perf_counter

from benchmarks.full_cluster import REGISTERED, FullCluster
from scheduler.core.agents.bamboo import AGENT_NAME
from scheduler.core.model.answers import EcsTask
from scheduler.core.model.attempt import ContainerExit, StopCategory, StopReason
from scheduler.ports.cloud import TaskLaunch

RUN_S = 5.0
"""How long tasks run: room comes back, and their ends are work for the service between two starts."""

_DONE = StopReason(
    category=StopCategory.EXIT,
    code="EssentialContainerExited",
    message="Essential container in task exited",
    containers=(ContainerExit(name=AGENT_NAME, exit_code=0),),
)


class RoomyCluster(FullCluster):
    """The cloud port on empty instances. It remembers when each task was started."""

    def __init__(self, group: str) -> None:
        """Nothing runs yet."""
        super().__init__(group, remaining=REGISTERED)
        self.starts_s: dict[str, float] = {}
        self._tasks: dict[str, tuple[float, EcsTask]] = {}

    def start_task(self, launch: TaskLaunch) -> EcsTask:
        """Starts it at once; `starts_s` has the time by the id of our task."""
        now_s = perf_counter()
        task = EcsTask(
            arn=f"arn:aws:ecs:eu-west-1:123456789012:task/ci/{launch.started_by}",
            container_instance_arn=launch.container_instance_arn,
            started_by=launch.started_by,
            last_status="RUNNING",
            desired_status="RUNNING",
            version=1,
            ran=True,
        )
        self.starts_s[launch.tags["ecs-scheduler:task"]] = now_s
        self._tasks[task.arn] = (now_s + RUN_S, task)
        return task

    def describe_tasks(self, arns: tuple[str, ...]) -> tuple[tuple[EcsTask, ...], tuple[str, ...]]:
        """They run for a while, and succeed."""
        return tuple(self._now(arn) for arn in arns), ()

    def census(self) -> tuple[EcsTask, ...]:
        """All that run."""
        now = (self._now(arn) for arn in tuple(self._tasks))
        return tuple(task for task in now if task.desired_status == "RUNNING")

    def _now(self, arn: str) -> EcsTask:
        until_s, task = self._tasks[arn]
        if perf_counter() < until_s:
            return task
        return EcsTask(
            arn=arn,
            container_instance_arn=task.container_instance_arn,
            started_by=task.started_by,
            last_status="STOPPED",
            desired_status="STOPPED",
            version=2,
            ran=True,
            stop=_DONE,
        )
