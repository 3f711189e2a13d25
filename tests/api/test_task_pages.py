"""Pages of tasks: whatever their size, and whatever is accepted meanwhile, they make up one listing."""

from collections.abc import Iterable, Iterator
from itertools import cycle, zip_longest

from hypothesis import given
from hypothesis import strategies as st

from ecs_scheduler.v1.scheduler_pb2 import ListTasksResponse
from scheduler.adapters.memory import MemoryStore
from scheduler.api import page_token
from scheduler.api.task_pages import MAX_PAGE_SIZE, read_page
from scheduler.ports.store import TaskFilter
from tests.builders import submitted, task_id, transitioned
from tests.strategies import MODEST

BAMBOO = TaskFilter(tenant="bamboo")
SIZES = st.lists(st.integers(min_value=1, max_value=7), min_size=1, max_size=5)
COMMITS = st.lists(st.lists(st.integers(min_value=0, max_value=45), max_size=4), max_size=12)
"""Numbers of tasks that are accepted or change after each page; even ones may be there from the start."""


def holding(numbers: Iterable[int], **changes: object) -> MemoryStore:
    store = MemoryStore()
    store.commit([[submitted(number, **changes)] for number in numbers])
    return store


def pages(store: MemoryStore, sizes: list[int], **limits: int) -> Iterator[ListTasksResponse]:
    """Every page up to the end marker; the next one is read when it is asked for."""
    after = ""
    for size in cycle(sizes):
        page = read_page(store, BAMBOO, after, page_size=size, **limits)
        yield page
        if not page.next_page_token:
            return
        after = page_token.decode(page.next_page_token, store.epoch, BAMBOO)


def ids(listed: Iterable[ListTasksResponse]) -> list[str]:
    return [task.task_id for page in listed for task in page.tasks]


def commit(store: MemoryStore, number: int) -> None:
    """Accepts the task, or moves it on if it is there already."""
    known = store.get(task_id(number)) is not None
    store.commit([[transitioned(number) if known else submitted(number)]])


@MODEST
@given(st.integers(min_value=0, max_value=20), SIZES)
def test_pages_are_one_listing(present: int, sizes: list[int]) -> None:
    """Pages of any size, one after the other, are what the store lists, and each but the last is full."""
    store = holding(range(present))
    listed = list(pages(store, sizes))
    assert ids(listed) == [task.task_id for task in store.list_tasks(BAMBOO, "", present)]
    assert all(len(page.tasks) == size for page, size in zip(listed[:-1], cycle(sizes), strict=False))
    assert listed[-1].tasks or not present


@MODEST
@given(st.integers(min_value=0, max_value=20), SIZES, COMMITS)
def test_nothing_is_missed_or_doubled(present: int, sizes: list[int], commits: list[list[int]]) -> None:
    """What was there at the first page is listed once, whatever is accepted or changed between two pages."""
    there = range(0, 2 * present, 2)
    store = holding(there)
    seen: list[str] = []
    for page, meanwhile in zip_longest(pages(store, sizes), commits, fillvalue=None):
        seen += [] if page is None else ids([page])
        for number in meanwhile or ():
            commit(store, number)
    assert seen == sorted(set(seen))
    assert set(seen) >= set(map(task_id, there))


def test_page_is_cut_to_its_size() -> None:
    """A page ends before the task with which it would be too long; it says that there is more."""
    store = holding(range(5), labels={"note": "x" * 200})
    listed = list(pages(store, [MAX_PAGE_SIZE], max_bytes=700))
    assert [len(page.tasks) for page in listed] == [2, 2, 1]


def test_task_beyond_the_limit_is_a_page() -> None:
    """A task that is too long by itself is still listed: a page without tasks would end nothing."""
    store = holding(range(2))
    assert [len(page.tasks) for page in pages(store, [5], max_bytes=1)] == [1, 1]
