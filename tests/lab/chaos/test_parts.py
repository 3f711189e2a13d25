"""The parts of the fault machine, each on its own: moments, budgets, leftovers, stores, the watcher."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from scheduler.core.model.task import TaskState
from scheduler.core.world.deadlines import Deadlines
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.budgets import Budgets
from scheduler.lab.chaos.leftovers import leftovers, what_is_over
from scheduler.lab.chaos.moments import Moments
from scheduler.lab.chaos.stage import Broken
from scheduler.lab.chaos.stores import Stores
from scheduler.lab.chaos.truth import Truth
from scheduler.lab.chaos.watcher import Watcher
from scheduler.lab.clock import START_MS, VirtualClock, WrongClock
from tests.builders import submitted, task_id

StoreKind = Literal["memory", "sqlite"]


def test_a_moment_comes_once() -> None:
    """When something enters the state for the n-th time from then on, and not again."""
    moments, done = Moments(), list[str]()
    moments.entered(["RUNNING"])
    moments.wait("RUNNING", 2, lambda: done.append("now"))
    moments.entered(["RUNNING", "QUEUED"])
    assert done == []
    moments.entered(["RUNNING", "RUNNING"])
    assert done == ["now"]


def test_a_bucket_is_empty_after_its_burst() -> None:
    """RegisterTaskDefinition: 20 at once, and one a second (ECS Developer Guide: Request throttling).

    Half of what comes in is ours.
    """
    budgets = Budgets(START_MS)
    calls = [budgets.take("RegisterTaskDefinition", {}, START_MS) for _ in range(21)]
    assert calls == [None] * 20 + ["ecs_task_definition_modify"]
    assert budgets.take("RegisterTaskDefinition", {}, START_MS + 3_000) == "ecs_task_definition_modify"
    assert budgets.take("RegisterTaskDefinition", {}, START_MS + 6_000) is None


def test_instances_that_are_terminated_are_counted_one_by_one() -> None:
    """1,000 at once, whose ids may be in few calls (EC2 Developer Guide: Request throttling)."""
    budgets, ids = Budgets(START_MS), [f"i-{number}" for number in range(400)]
    calls = [budgets.take("TerminateInstances", {"InstanceIds": ids}, START_MS) for _ in range(3)]
    assert calls == [None, None, "ec2_terminated_instances"]


def test_reading_all_instances_without_a_filter_has_a_bucket_of_its_own() -> None:
    """50 at once (EC2 Developer Guide: Request throttling); with a filter it is one read of many."""
    budgets = Budgets(START_MS)
    calls = [budgets.take("DescribeInstances", {}, START_MS) for _ in range(51)]
    assert calls == [None] * 50 + ["ec2_plain_describe_instances"]
    assert budgets.take("DescribeInstances", {"Filters": []}, START_MS) is None


def test_what_is_over_is_found_wherever_it_is_kept() -> None:
    """With the attributes that lead to it."""

    class Parts(Deadlines):
        """One of the World's parts, and a book that grows."""

    Parts.__module__ = Deadlines.__module__
    parts = Parts()
    parts.set(task_id(1), START_MS)
    parts.set(task_id(2), START_MS)
    assert leftovers(parts, what_is_over(Truth(), {task_id(1)})) == (
        f"._at_ms: {task_id(1)}",
        f"._heap: {task_id(1)}",
    )


def test_a_wrong_clock_keeps_its_error() -> None:
    """Time passes on it as on the true one."""
    true = VirtualClock()
    wrong = WrongClock(true, -30_000)
    true.advance_ms(5_000)
    assert wrong.now_ms() == START_MS - 25_000
    assert wrong.real_seconds(1_000) == 0.0


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Stores]:
    """Stores of each kind, in a directory of the test's own."""
    kind: StoreKind = request.param
    return lambda: Stores(kind, tmp_path, "s", lambda batches, results: None)


def test_a_restored_store_is_as_it_was(stores: Callable[[], Stores]) -> None:
    """What was committed after the copy is gone; the identity stays."""
    made = stores()
    store = made.new()
    store.commit([[submitted(1)]])
    backup = made.back_up(store, Book(epoch=store.epoch))
    store.commit([[submitted(2)]])
    restored = made.restore(store, backup)
    assert (restored.epoch, restored.revision()) == (backup.epoch, 1)
    assert restored.get(task_id(2)) is None
    restored.inner.close()


def test_the_watcher_sees_what_is_committed(stores: Callable[[], Stores]) -> None:
    """Across connections that break, and lives of the service."""
    store, watcher, durable = stores().new(), Watcher(), dict[str, TaskState]()
    watcher.follow(store.inner, durable)
    for number in range(1, 50):
        store.commit([[submitted(number)]])
        durable[task_id(number)] = TaskState.QUEUED
        watcher.look(store.inner, durable)
        if number == 10:
            watcher.follow(store.inner, durable)
    store.inner.close()


def test_the_watcher_tells_of_a_task_that_is_left_out(
    stores: Callable[[], Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the present state, with which a watch begins."""
    store, watcher = stores().new(), Watcher()
    store.commit([[submitted(1)]])
    monkeypatch.setattr(store.inner, "list_tasks", lambda *_: [])
    with pytest.raises(Broken, match=task_id(1)):
        watcher.follow(store.inner, {task_id(1): TaskState.QUEUED})
    store.inner.close()


def test_the_watcher_tells_of_a_gap(stores: Callable[[], Stores], monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that a store leaves out breaks the promise."""
    store, watcher = stores().new(), Watcher()
    watcher.follow(store.inner, {})
    whole = store.inner.events_after
    monkeypatch.setattr(store.inner, "events_after", lambda revision, limit: whole(revision + 1, limit))
    store.commit([[submitted(1), submitted(2)]])
    with pytest.raises(Broken, match="a_watch_sees_every_event_once"):
        watcher.look(store.inner, {})
    store.inner.close()
