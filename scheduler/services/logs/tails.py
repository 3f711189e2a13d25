"""All tails of one server: how many there may be, and what each of them hears of its task."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scheduler.core.agents.bamboo import AGENT_NAME, SIDEKICK_NAME
from scheduler.core.model.task import BambooAgentSpec, Task, TaskSpec
from scheduler.ports.store import Store, TaskFilter
from scheduler.services.errors import ServiceStopping, TaskNotFound
from scheduler.services.logs.errors import ContainerNotFound, TooManyLogTails
from scheduler.services.logs.tail import LogsWanted, LogTail, Pages
from scheduler.services.watch import Subscription, WatchHub


class LogTails:
    """Opens tails and counts them. It lives on the hub's thread."""

    def __init__(
        self, pages: Pages, store: Store, hub: WatchHub, *, tails_max: int, tenant_max: int, patience_ms: int
    ) -> None:
        """Of `tails_max` at a time, one tenant's tasks have no more than `tenant_max`."""
        self._pages = pages
        self._store = store
        self._hub = hub
        self._tails_max = tails_max
        self._tenant_max = tenant_max
        self._patience_ms = patience_ms
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, task: Task, wanted: LogsWanted, notify: Callable[[], None]) -> Iterator[LogTail]:
        """A tail of the task's logs until the end of the block. `notify` is called on any thread."""
        task_id, tenant = task.task_id, task.tenant
        self._check_room(tenant)
        # The doorbell: whatever becomes of the task, the tail looks again.
        doorbell = self._hub.subscribe(TaskFilter(task_ids=frozenset({task_id})), self._hub.revision, notify)
        assert doorbell is not None, "the hub's own revision is never behind it"
        tail = LogTail(
            wanted,
            lambda: self._task(task_id, doorbell),
            self._pages,
            patience_ms=self._patience_ms,
            notify=notify,
        )
        self._open[tenant] += 1
        try:
            yield tail
        finally:
            self._open -= Counter((tenant,))
            tail.close()
            self._hub.unsubscribe(doorbell)

    def _check_room(self, tenant: str) -> None:
        """The tenant is told of its own cap first: the other one it could not do anything about."""
        if self._open[tenant] >= self._tenant_max:
            raise TooManyLogTails(self._tenant_max, tenant)
        if self._open.total() >= self._tails_max:
            raise TooManyLogTails(self._tails_max)

    def _task(self, task_id: str, doorbell: Subscription) -> Task:
        """The task as it is now. Raises what ends the tail."""
        if self._hub.closed:
            raise ServiceStopping
        while doorbell.take(limit=self._hub.buffer_size):
            pass
        task = self._store.get(task_id)
        if task is None:
            raise TaskNotFound(task_id)
        return task


def container_of(task: Task, name: str) -> str:
    """The task's container of that name, or its main one. Raises ContainerNotFound."""
    names = [] if task.spec is None else _containers(task.spec)
    if not name and names:
        return names[0]
    if name not in names:
        raise ContainerNotFound(name, names)
    return name


def _containers(spec: TaskSpec) -> list[str]:
    """Names, the main one first."""
    if isinstance(spec, BambooAgentSpec):
        return [AGENT_NAME, SIDEKICK_NAME, *(extra.name for extra in spec.extra_containers)]
    return [container.name for container in spec.containers]
