"""Pages of tasks for ListTasks, cut to a number of tasks and to a size."""

from collections.abc import Iterator
from functools import partial

from ecs_scheduler.v1.scheduler_pb2 import ListTasksResponse
from scheduler.api import page_token
from scheduler.api.convert import render
from scheduler.api.searches import Searches
from scheduler.core.model.task import Task
from scheduler.ports.store import Store, TaskFilter
from scheduler.services.watch import ROWS_PER_READ

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 500

MAX_TASKS_BYTES = (1 << 20) - 1_024
"""A page of 1 MiB, less room for its token."""

FRAMING_BYTES = 4
"""Before each task: its field's number, and its length below 2 MiB (protobuf docs: encoding)."""


class TaskPages:
    """Reads pages, each a search."""

    def __init__(self, store: Store, searches: Searches) -> None:
        self._store = store
        self._searches = searches

    async def page(self, wanted: TaskFilter, token: str, page_size: int) -> ListTasksResponse:
        """The page that `token` names. Raises InvalidRequest when it is not for this store and filter."""
        after_task_id = page_token.decode(token, self._store.epoch, wanted)
        read = partial(read_page, self._store, wanted, after_task_id, page_size=page_size)
        return await self._searches.of(read)


def limit_of(page_size: int) -> int:
    """How many a page has at most, by what the client asked for."""
    return min(page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def read_page(
    store: Store,
    wanted: TaskFilter,
    after_task_id: str,
    *,
    page_size: int,
    max_bytes: int = MAX_TASKS_BYTES,
) -> ListTasksResponse:
    """The page behind `after_task_id`; blocks for as long as the store has to search."""
    limit = limit_of(page_size)
    page = ListTasksResponse()
    size_bytes = 0
    # One more than asked for: that there is a next page is known only from a task that is on it.
    for task in _tasks(store, wanted, after_task_id, limit + 1):
        message = render.task(task)
        size_bytes += message.ByteSize() + FRAMING_BYTES
        if page.tasks and (len(page.tasks) == limit or size_bytes > max_bytes):
            page.next_page_token = page_token.encode(store.epoch, wanted, page.tasks[-1].task_id)
            break
        page.tasks.append(message)
    return page


def _tasks(store: Store, wanted: TaskFilter, after_task_id: str, limit: int) -> Iterator[Task]:
    """At most `limit` tasks, in reads that each hold the interpreter's lock no longer than a watch's do."""
    while limit:
        rows = min(limit, ROWS_PER_READ)
        found = store.list_tasks(wanted, after_task_id, rows)
        yield from found
        if len(found) < rows:
            return
        after_task_id = found[-1].task_id
        limit -= rows
