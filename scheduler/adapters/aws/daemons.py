"""Which ECS services run one task on each container instance, by ECS's word, asked once a service."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from threading import Lock

import structlog
from botocore.exceptions import ClientError

from scheduler.adapters.aws.failures import failure_of, is_denied
from scheduler.adapters.aws.operations import EcsReads, Shape
from scheduler.adapters.aws.tasks import ecs_task
from scheduler.core.model.answers import EcsTask
from scheduler.core.model.resources import Resources

_BATCH = 10
"""Services that one DescribeServices takes (ECS API)."""


log = structlog.get_logger()


class DaemonServices:
    """Any thread may ask. A service's scheduling strategy never changes (ECS API: UpdateService has none)."""

    def __init__(self, ecs: EcsReads, cluster: str) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._lock = Lock()
        self._is_daemon: dict[str, bool] = {}
        self._denied = False

    def marked(self, shapes: Sequence[Shape]) -> tuple[EcsTask, ...]:
        """The tasks; those of daemon services bear the mark of it, and what they ask for."""
        tasks = [ecs_task(shape) for shape in shapes]
        self._learn({task.service for task in tasks if task.service})
        return tuple(
            replace(task, daemon=True, ask=_ask(shape)) if self._is_daemon.get(task.service) else task
            for task, shape in zip(tasks, shapes, strict=True)
        )

    def _learn(self, services: Iterable[str]) -> None:
        """A role that may not ask is told so once: the setting of their names is for it."""
        with self._lock:
            unknown = sorted(each for each in services if each not in self._is_daemon)
            for start in range(0, 0 if self._denied else len(unknown), _BATCH):
                self._ask_of(unknown[start : start + _BATCH])

    def _ask_of(self, names: Sequence[str]) -> None:
        try:
            answer = self._ecs.describe_services(cluster=self._cluster, services=list(names))
        except ClientError as error:
            self._denied = is_denied(failure_of(error))
            if not self._denied:
                raise
            log.warning("daemons.undescribed", services=list(names), reason=failure_of(error).message)
            return
        # One that is gone, or not seen yet, is asked for again: its name may come with another strategy.
        for each in answer["services"]:
            if each.get("status") != "INACTIVE":
                self._is_daemon[each["serviceName"]] = each["schedulingStrategy"] == "DAEMON"


def _ask(task: Shape) -> Resources:
    """What its containers reserve: memory by `memoryReservation` where there is one (ECS API: Container)."""
    containers = task.get("containers", ())
    memory = (each.get("memoryReservation") or each.get("memory") or 0 for each in containers)
    return Resources(
        cpu=sum(int(each.get("cpu") or 0) for each in containers),
        memory_mib=sum(int(each) for each in memory),
        gpus=sum(len(each.get("gpuIds", ())) for each in containers),
    )
