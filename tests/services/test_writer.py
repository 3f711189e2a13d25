"""The writer: many callers share one commit, in order, and a failing store loses nobody an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from time import sleep

import pytest

from scheduler.core.model.answers import Committed
from scheduler.core.model.records import (
    AttemptRecorded,
    FactRecorded,
    ScaleRequested,
    ScalingRecorded,
    StoredRecord,
)
from scheduler.core.model.task import TaskState
from scheduler.ports.store import RequestTaken, StoreError, WishTaken, Written
from scheduler.services import writer as writer_module
from scheduler.services.writer import GATHER_S, MAX_BATCHES, PROBE, Reply, Rest, Writer, number
from tests.builders import a_scaling_event, a_wish, attempt, submitted, task_id, transitioned
from tests.services.fakes import FULL, WAIT_S, GatedStore

Answers = SimpleQueue[Reply]


@dataclass
class Listener:
    """Everything that the writer tells, in order."""

    committed: list[Committed] = field(default_factory=list)
    health: list[bool] = field(default_factory=list)
    advances: int = 0
    compactions: int = 0

    def advanced(self) -> None:
        self.advances += 1

    def compact(self) -> None:
        self.compactions += 1

    def announced(self) -> list[tuple[int, str]]:
        """Revision and task of every submission that entered the World."""
        return [_named(each) for message in self.committed for each in message.records]


def _named(stored: StoredRecord) -> tuple[int, str]:
    return stored.revision, getattr(stored.record, "task_id", "")


@contextmanager
def writing(store: GatedStore, listener: Listener, *, rest: Rest = sleep) -> Iterator[Writer]:
    writer = Writer(
        store,
        rest=rest,
        compact=listener.compact,
        committed=listener.committed.append,
        advanced=listener.advanced,
        health=listener.health.append,
    )
    writer.start(lambda: None)
    try:
        yield writer
    finally:
        store.gate.set()
        writer.stop()


def submit(writer: Writer, *tasks: int) -> Answers:
    """Submits tasks; their answers arrive in the queue."""
    answers: Answers = SimpleQueue()
    for each in tasks:
        writer.submit(submitted(each), answers.put)
    return answers


def taken(answers: Answers, count: int) -> list[Reply]:
    return [answers.get(timeout=WAIT_S) for _ in range(count)]


def test_many_callers_share_one_commit() -> None:
    """While the disk is busy with the first caller the others gather, and one commit serves them all."""
    store, listener = GatedStore(), Listener()
    store.gate.clear()
    with writing(store, listener) as writer:
        answers = submit(writer, 1)
        assert store.entered.get(timeout=WAIT_S) == 1
        others = submit(writer, *range(2, 40))
        store.gate.set()
        taken(answers, 1)
        taken(others, 38)
    assert [len(commit) for commit in store.commits] == [1, 38]


def test_a_commit_is_bounded() -> None:
    """A crowd is served in commits of at most MAX_BATCHES: the first of it does not wait for the last."""
    store, listener = GatedStore(), Listener()
    store.gate.clear()
    with writing(store, listener) as writer:
        answers = submit(writer, 1)
        store.entered.get(timeout=WAIT_S)
        others = submit(writer, *range(2, MAX_BATCHES + 12))
        store.gate.set()
        taken(answers, 1)
        taken(others, MAX_BATCHES + 10)
    assert [len(commit) for commit in store.commits] == [1, MAX_BATCHES, 10]


def test_the_order_of_callers_is_kept() -> None:
    """Who came first has the lower revision, in the store and in what enters the World."""
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        taken(submit(writer, *range(1, 30)), 29)
    assert store.submissions() == [task_id(each) for each in range(1, 30)]
    assert listener.announced() == [(each, task_id(each)) for each in range(1, 30)]


def test_the_world_hears_before_the_caller_is_answered() -> None:
    """An answered submission is already on its way into the World."""
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        heard: SimpleQueue[int] = SimpleQueue()
        writer.submit(submitted(1), lambda result: heard.put(len(listener.committed)))
        assert heard.get(timeout=WAIT_S) == 1


def test_every_caller_of_a_failed_commit_is_told() -> None:
    """A full disk: each caller of that commit gets the error, and nothing of theirs is announced."""
    store, listener = GatedStore([None, FULL]), Listener()
    store.gate.clear()
    with writing(store, listener) as writer:
        answers = submit(writer, 1)
        store.entered.get(timeout=WAIT_S)
        others = submit(writer, 2, 3, 4)
        store.gate.set()
        assert taken(answers, 1) == [Written(first_revision=1)]
        assert taken(others, 3) == [FULL] * 3
    assert listener.health == [True, False]
    assert listener.announced() == [(1, task_id(1))]


def test_health_recovers_with_the_store() -> None:
    """After a commit that failed the next one that succeeds says so; the failed one left no trace."""
    store, listener = GatedStore([FULL]), Listener()
    with writing(store, listener) as writer:
        assert taken(submit(writer, 1), 1) == [FULL]
        assert (listener.health, listener.committed, listener.advances) == ([False], [], 0)
        assert taken(submit(writer, 2), 1) == [Written(first_revision=1)]
    assert listener.health == [False, True]
    assert listener.announced() == [(1, task_id(2))]
    assert listener.advances == 1


def test_a_store_that_recovers_is_found_out_without_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks a service that is NOT_SERVING: the writer itself tries until the disk has room again."""
    monkeypatch.setattr(writer_module, "IDLE_S", 0.01)
    store, listener = GatedStore([FULL, FULL, FULL]), Listener()
    with writing(store, listener) as writer:
        assert taken(submit(writer, 1), 1) == [FULL]
        for _ in range(4):
            store.entered.get(timeout=WAIT_S)
    assert listener.health == [False, True]
    assert (store.commits, listener.announced()) == ([[PROBE]], [])


def test_a_writable_store_is_not_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What works is left alone: an idle service does not wear out its disk."""
    monkeypatch.setattr(writer_module, "IDLE_S", 0.001)
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        taken(submit(writer, 1), 1)
        assert not Event().wait(0.02)
    assert len(store.commits) == 1


def test_a_failed_commit_of_the_loop_is_raised() -> None:
    """The loop learns from the exception that nothing took effect."""
    store, listener = GatedStore([FULL]), Listener()
    with writing(store, listener) as writer, pytest.raises(StoreError, match="disk is full"):
        writer.commit((FactRecorded(key="a", value="b"),))
    assert store.load().facts == {}


def test_the_loops_own_records_are_not_announced_to_it() -> None:
    """The loop applies what it committed itself; only submissions come back through the inbox."""
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        taken(submit(writer, 1), 1)
        writer.commit((transitioned(1, attempt=attempt()),))
    assert listener.announced() == [(1, task_id(1))]
    assert listener.advances == 2


def test_a_commit_returns_its_records_with_their_revisions() -> None:
    """The loop gets back what it wrote, numbered as the store did."""
    store, listener = GatedStore(), Listener()
    records = (transitioned(1, attempt=attempt()), FactRecorded(key="a", value="b"))
    with writing(store, listener) as writer:
        taken(submit(writer, 1), 1)
        assert [each.revision for each in writer.commit(records)] == [2, 0]


def test_a_taken_request_refuses_only_itself() -> None:
    """Of two submissions with one request id the second is told of the first; a third is unharmed."""
    store, listener = GatedStore(), Listener()
    store.gate.clear()
    with writing(store, listener) as writer:
        answers: Answers = SimpleQueue()
        for record in (submitted(1), submitted(2, request_id="request-1"), submitted(3)):
            writer.submit(record, answers.put)
        store.gate.set()
        first, second, third = taken(answers, 3)
    assert (first, third) == (Written(first_revision=1), Written(first_revision=2))
    assert second == RequestTaken(task_id=task_id(1), fingerprint="fingerprint-1")
    assert listener.announced() == [(1, task_id(1)), (2, task_id(3))]


def test_stopping_commits_what_was_handed_over() -> None:
    """Nobody who was in time is left without an answer."""
    store, listener = GatedStore(), Listener()
    store.gate.clear()
    with writing(store, listener) as writer:
        answers = submit(writer, *range(1, 10))
    assert [answers.get_nowait() for _ in range(9)] == [Written(first_revision=each) for each in range(1, 10)]


def test_what_is_old_is_forgotten_between_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each commit, when its callers have their answers; never while the store cannot be written."""
    monkeypatch.setattr(writer_module, "IDLE_S", WAIT_S)
    store, listener = GatedStore([None, FULL]), Listener()
    with writing(store, listener) as writer:
        seen: SimpleQueue[int] = SimpleQueue()
        writer.submit(submitted(1), lambda result: seen.put(listener.compactions))
        assert seen.get(timeout=WAIT_S) == 0
        assert taken(submit(writer, 2), 1) == [FULL]
        taken(submit(writer, 3), 1)
    assert listener.compactions == 2


def test_what_is_old_is_forgotten_while_nobody_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets of the last task of the day do not wait on the disk for the first one of the next."""
    monkeypatch.setattr(writer_module, "IDLE_S", 0.001)
    looked: SimpleQueue[None] = SimpleQueue()
    listener = Listener()
    listener.compact = lambda: looked.put(None)  # type: ignore[method-assign]  # the test hears each look
    with writing(GatedStore(), listener):
        for _ in range(3):
            looked.get(timeout=WAIT_S)


def test_a_wish_enters_the_world_like_a_submission() -> None:
    """It is durable before it is answered, and then the loop's to act on; it has no revision."""
    store, listener = GatedStore(), Listener()
    wish = ScaleRequested(wish=a_wish(1))
    with writing(store, listener) as writer:
        answers: Answers = SimpleQueue()
        writer.submit(wish, answers.put)
        assert taken(answers, 1) == [Written(first_revision=1)]
    assert store.load().wish == a_wish(1)
    assert listener.committed == [Committed(records=(StoredRecord(revision=0, record=wish),))]


def test_a_taken_wish_is_answered_and_not_announced() -> None:
    """Who repeats a wish is told which one has its request id; the loop hears nothing new."""
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        answers: Answers = SimpleQueue()
        for size in (1, 2):
            writer.submit(ScaleRequested(wish=a_wish(1, size=size)), answers.put)
        assert taken(answers, 2) == [Written(first_revision=1), WishTaken(wish=a_wish(1, size=1))]
    assert [each.record for message in listener.committed for each in message.records] == [
        ScaleRequested(wish=a_wish(1, size=1))
    ]


def test_scaling_events_are_something_to_watch() -> None:
    """A commit of nothing else tells the watches to look, like one of task events."""
    store, listener = GatedStore(), Listener()
    with writing(store, listener) as writer:
        (stored,) = writer.commit((ScalingRecorded(event=a_scaling_event(1)),))
    assert (stored.revision, listener.advances, store.scaling_sequence()) == (0, 1, 1)


def test_only_task_events_are_numbered() -> None:
    """Revisions are dense over the events of tasks; other records ride along with 0."""
    records = (
        submitted(1),
        AttemptRecorded(attempt=attempt()),
        transitioned(1),
        FactRecorded(key="a", value="b"),
        transitioned(1, TaskState.RUNNING, TaskState.ASSIGNED),
    )
    assert [each.revision for each in number(records, 7)] == [7, 0, 8, 0, 9]


def test_a_commit_that_had_company_is_followed_by_one_that_waits_for_it() -> None:
    """A fast disk would leave each caller alone with a commit of its own; a lone caller never waits."""
    waits: list[float] = []
    store, listener = GatedStore(), Listener()
    store.gate.clear()
    with writing(store, listener, rest=waits.append) as writer:
        answers = submit(writer, 1)
        store.entered.get(timeout=WAIT_S)
        more = submit(writer, 2, 3)
        store.gate.set()
        taken(answers, 1)
        taken(more, 2)
        assert waits == []
        taken(submit(writer, 4), 1)
        assert waits == [GATHER_S]
        taken(submit(writer, 5), 1)
        assert waits == [GATHER_S]
