"""The census: every task of the cluster that is to run, and whose it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock

from scheduler.adapters.aws.cluster import Cluster
from scheduler.adapters.aws.daemons import DaemonServices
from scheduler.adapters.aws.tasks import task_mark
from scheduler.core.model.answers import EcsTask


class Census:
    """Describes each task once, with its tags. Any thread may take it.

    Where a task runs, who started it and its mark never change, and a cluster of 2,000 tasks would cost 20
    descriptions of the account's 20 a second (ECS API: request throttling) each time. What does change,
    status and version, is as it was then: later readings of the task are newer.
    """

    def __init__(self, cluster: Cluster, daemons: DaemonServices) -> None:
        self._cluster = cluster
        self._daemons = daemons
        self._lock = Lock()
        self._known: dict[str, EcsTask] = {}

    def take(self) -> tuple[EcsTask, ...]:
        """Every task whose desired status is RUNNING."""
        arns = self._cluster.task_arns(desiredStatus="RUNNING")
        with self._lock:
            known = {arn: self._known[arn] for arn in arns if arn in self._known}
        fresh = {task.arn: task for task in self._described([arn for arn in arns if arn not in known])}
        with self._lock:
            # Who is not listed any more will not be again, and is forgotten.
            self._known = known | {arn: task for arn, task in fresh.items() if task.container_instance_arn}
        return tuple((known | fresh).values())

    def _described(self, arns: Sequence[str]) -> Iterator[EcsTask]:
        """What is listed and not described yet is as if it were not listed yet: reads lag behind starts."""
        shapes, _ = self._cluster.tasks(arns, include=["TAGS"])
        for task, shape in zip(self._daemons.marked(shapes), shapes, strict=True):
            # "Recently stopped tasks might appear in the returned results" (ECS API: ListTasks).
            if task.desired_status == "RUNNING":
                yield replace(task, mark=task_mark(shape))
