"""A store that has much to look through."""

import threading

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.task import Task
from scheduler.ports.store import StoreError, TaskFilter


class SlowStore(MemoryStore):
    """Lists when it is `let`, which must not need the thread that asked; `asked` once it was."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: StoreError | None = None
        self.asked = threading.Event()
        self.let = threading.Event()

    def list_tasks(self, wanted: TaskFilter, after_task_id: str, limit: int) -> list[Task]:
        self.asked.set()
        if not self.let.wait(10):
            raise TimeoutError("nobody could let it go on")
        if self.failure is not None:
            raise self.failure
        return super().list_tasks(wanted, after_task_id, limit)
