"""The queue's limit: a tenant begins so many lines and no more, whoever asks at once and whatever dies."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.memory.store import MemoryStore
from scheduler.adapters.system import SystemClock
from scheduler.bootstrap import App, build_engine
from scheduler.core.lifecycle.transitions import EDGES
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import TaskSubmitted
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.lab.stand_ins import SeededIds
from scheduler.ports.store import RequestTaken, StoreError, Written
from scheduler.services.errors import TooManyLines
from scheduler.services.queue_limit import QueueLimit
from scheduler.services.writer import Reply, Writer
from scheduler.simulated_aws.account import SimulatedAws
from tests.builders import REGULAR, submitted, task_id, transitioned
from tests.lab.worlds import CLUSTER, clients_of, settings
from tests.services.fakes import FULL, WAIT_S, GatedStore
from tests.strategies import MODEST

QUEUED, ASSIGNED, CANCELLED = TaskState.QUEUED, TaskState.ASSIGNED, TaskState.CANCELLED


def shaped(number: int, **changes: Any) -> TaskSubmitted:
    """Task `number`, of a shape of its own."""
    return submitted(number, **({"ask": Resources(cpu=number)} | changes))


def limited(*waiting: TaskSubmitted, most: int = 2) -> QueueLimit:
    """Tasks wait already."""
    limit = QueueLimit(MemoryStore(), most=most)
    assert all(isinstance(each, Written) for each in limit.commit([[each] for each in waiting]))
    return limit


def asked(limit: QueueLimit, *records: TaskSubmitted) -> list[type[Reply]]:
    """What comes of requests that share a commit."""
    return [type(each) for each in limit.commit([[each] for each in records])]


def test_a_tenant_begins_so_many_lines() -> None:
    """One more is refused, and the tenant and the limit are named."""
    (refusal,) = limited(shaped(1), shaped(2)).commit([[shaped(3)]])
    assert isinstance(refusal, TooManyLines)
    assert (refusal.tenant, refusal.most) == ("bamboo", 2)


def test_a_line_may_be_as_long_as_it_likes() -> None:
    """A task that is like others that wait is never refused."""
    alike = [shaped(number, ask=Resources(cpu=1)) for number in range(3, 103)]
    assert set(asked(limited(shaped(1), shaped(2)), *alike)) == {Written}


def test_tenants_do_not_share_the_limit() -> None:
    """One that is full takes nothing from others, not even in the same commit."""
    limit = limited(shaped(1), shaped(2))
    assert asked(limit, shaped(3), shaped(4, tenant="other")) == [TooManyLines, Written]


def test_priorities_make_lines() -> None:
    """One shape at a thousand priorities is a thousand lines for a decision."""
    at = [submitted(number, priority=number) for number in range(1, 4)]
    assert asked(limited(*at[:2]), at[2]) == [TooManyLines]


def test_what_makes_a_shape_makes_a_line() -> None:
    """Amounts, architecture and whether it wants an instance for itself."""
    assert asked(limited(submitted(1), most=1), submitted(2, ask=REGULAR.alone())) == [TooManyLines]


def test_those_of_one_commit_are_counted_together() -> None:
    """Two callers at once cannot both begin the last line; but both may stand in it."""
    callers = [shaped(2), shaped(3), shaped(4, ask=Resources(cpu=2))]
    assert asked(limited(shaped(1)), *callers) == [Written, TooManyLines, Written]


@pytest.mark.parametrize("state", [ASSIGNED, CANCELLED])
def test_a_line_ends_with_its_last_task(state: TaskState) -> None:
    """Then another one may begin."""
    limit = limited(shaped(1), shaped(2), shaped(3, ask=Resources(cpu=2)))
    limit.commit([[transitioned(2, state)]])
    assert asked(limit, shaped(4)) == [TooManyLines]
    limit.commit([[transitioned(3, state)]])
    assert asked(limit, shaped(4)) == [Written]


def test_what_comes_back_to_the_queue_always_may() -> None:
    """What was accepted stays accepted, beyond the limit too; it counts again."""
    limit = limited(shaped(1), most=1)
    limit.commit([[transitioned(1, ASSIGNED)]])
    assert asked(limit, shaped(2)) == [Written]
    limit.commit([[transitioned(1, QUEUED, ASSIGNED)]])
    limit.commit([[transitioned(2, CANCELLED)]])
    assert asked(limit, shaped(3), shaped(4, ask=Resources(cpu=1))) == [TooManyLines, Written]


def test_an_accepted_request_gets_its_first_answer() -> None:
    """Its task has left the queue, others have filled it: the repetition is told of the task all the same."""
    limit = limited(shaped(1), most=1)
    limit.commit([[transitioned(1, ASSIGNED)], [shaped(2)]])
    assert asked(limit, shaped(1), shaped(3)) == [RequestTaken, TooManyLines]


def test_what_the_store_did_not_take_counts_for_nothing() -> None:
    """After a full disk the same requests are accepted."""
    limit = QueueLimit(GatedStore(failures=[FULL]), most=1)
    with pytest.raises(StoreError):
        limit.commit([[shaped(1)]])
    assert asked(limit, shaped(2)) == [Written]


def test_a_refused_request_never_meets_the_disk() -> None:
    """Whoever knocks all day costs no commit."""
    store = GatedStore()
    limit = QueueLimit(store, most=1)
    limit.commit([[shaped(1)]])
    assert asked(limit, shaped(2), shaped(3)) == [TooManyLines, TooManyLines]
    assert len(store.commits) == 1


def test_a_restart_knows_what_waits() -> None:
    """Of what runs it knows the line, for it may come back."""
    store = MemoryStore()
    QueueLimit(store, most=3).commit([[shaped(1), shaped(2)], [transitioned(2, ASSIGNED)]])
    limit = QueueLimit(store, most=2)
    assert len(list(limit.resume(store.load().live))) == 2
    assert asked(limit, shaped(3), shaped(4)) == [Written, TooManyLines]
    limit.commit([[transitioned(3, CANCELLED)], [transitioned(2, QUEUED, ASSIGNED)]])
    assert asked(limit, shaped(4), shaped(5, ask=Resources(cpu=2))) == [TooManyLines, Written]


def test_callers_of_the_writer_at_once() -> None:
    """Of twenty callers with twenty shapes as many are accepted as may be, and each hears of its own."""
    writer = Writer(
        QueueLimit(MemoryStore(), most=7),
        committed=lambda message: None,
        advanced=lambda: None,
        health=lambda writable: None,
    )
    writer.start(lambda: None)
    answers = SimpleQueue[Reply]()
    for number in range(1, 21):
        writer.submit(shaped(number), answers.put)
    kinds = [type(answers.get(timeout=WAIT_S)) for _ in range(20)]
    writer.stop()
    assert kinds == [Written] * 7 + [TooManyLines] * 13


def test_the_service_keeps_the_limit() -> None:
    """Its writer commits through it, and the start has told it what the store kept."""
    clock, store, answers = SystemClock(), MemoryStore(), SimpleQueue[Reply]()
    store.commit([[shaped(1, at_ms=clock.now_ms())]])
    cloud = AwsCloud(clients_of(SimulatedAws(clock)), cluster=CLUSTER)
    limits = settings(policy=Policy(max_lines_per_tenant=1))
    app = App(build_engine(limits, clock=clock, ids=SeededIds(0), cloud=cloud, store=store))
    app.start(lambda: None)
    for each in (shaped(2), shaped(3, ask=Resources(cpu=1))):
        app.placement.submit(each, answers.put)
    kinds = [type(answers.get(timeout=WAIT_S)) for _ in range(2)]
    app.stop()
    assert kinds == [TooManyLines, Written]


def test_who_is_refused_proves_no_disk() -> None:
    """A store that cannot be written is not told healthy because somebody was refused without it."""
    store, health = GatedStore(failures=[None, FULL]), list[bool]()
    writer = Writer(
        QueueLimit(store, most=1), committed=lambda _: None, advanced=lambda: None, health=health.append
    )
    writer.start(lambda: None)
    answers = SimpleQueue[Reply]()
    for record in (shaped(1), shaped(2, ask=Resources(cpu=1)), shaped(3)):
        writer.submit(record, answers.put)
        answers.get(timeout=WAIT_S)
    assert health == [True, False]
    writer.stop()


MOST = 3


class Model:
    """The states of all tasks, and lines counted anew from them."""

    def __init__(self) -> None:
        self.states: dict[int, TaskState] = {}
        self.records: dict[int, TaskSubmitted] = {}

    def lines(self, tenant: str) -> set[tuple[int, Resources]]:
        waiting = (self.records[each] for each, state in self.states.items() if state is QUEUED)
        return {(each.request.priority, each.ask) for each in waiting if each.request.tenant == tenant}

    def expects(self, record: TaskSubmitted) -> type[Reply]:
        lines, request = self.lines(record.request.tenant), record.request
        within = len(lines) < MOST or (request.priority, record.ask) in lines
        return Written if within else TooManyLines

    def moves(self) -> Iterator[tuple[int, TaskState]]:
        live = ((each, state) for each, state in self.states.items() if state not in TERMINAL_STATES)
        return ((each, after) for each, state in live for after in sorted(EDGES[state]))


@given(st.data())
@MODEST
def test_the_limit_is_what_counting_anew_would_say(data: st.DataObject) -> None:
    """Whatever is asked for, moves and dies: each request is judged by what waits at that moment."""
    store, model = MemoryStore(), Model()
    limit = QueueLimit(store, most=MOST)
    for number in range(1, 40):
        moves = list(model.moves())
        step = data.draw(st.sampled_from(["ask", "ask", *(["move"] * 2 if moves else []), "die"]))
        if step == "ask":
            changes = {
                "tenant": data.draw(st.sampled_from(["a", "b"])),
                "priority": data.draw(st.integers(0, 1)),
                "ask": Resources(cpu=data.draw(st.integers(1, 3))),
            }
            record = submitted(number, **changes)
            expected = model.expects(record)
            assert asked(limit, record) == [expected]
            if expected is Written:
                model.records[number], model.states[number] = record, QUEUED
        elif step == "move":
            moving, state = data.draw(st.sampled_from(moves))
            limit.commit([[transitioned(moving, state, model.states[moving])]])
            model.states[moving] = state
        else:
            limit = QueueLimit(store, most=MOST)
            assert {each.queued.task_id for each in limit.resume(store.load().live)} == {
                task_id(each) for each, state in model.states.items() if state not in TERMINAL_STATES
            }
