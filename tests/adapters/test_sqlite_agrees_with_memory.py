"""Two stores that know nothing of each other answer alike, whatever is committed to them."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.adapters.memory import MemoryStore
from scheduler.adapters.sqlite import SqliteStore
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory
from scheduler.core.model.records import (
    AttemptRecorded,
    FactRecorded,
    IntentRecorded,
    IntentState,
    Record,
    ScaleRequested,
    ScalingRecorded,
)
from scheduler.core.model.scaling import ScalingKind, WishKind
from scheduler.core.model.task import TaskState, Timeouts
from scheduler.ports.store import RevisionCompacted, Store, StoreError, TaskFilter
from tests.builders import (
    a_scaling_event,
    a_wish,
    attempt,
    cancel_requested,
    containers_spec,
    stop_reason,
    submitted,
    task_id,
    transitioned,
)

Batches = Sequence[Sequence[Record]]


@dataclass(frozen=True)
class Compact:
    before_revision: int


@dataclass(frozen=True)
class Forget:
    stopped_before_ms: int
    limit: int


Step = Batches | Compact | Forget

SCALING_EVENTS_KEPT = 3

PRESENT = (1, 3, 5)
"""Tasks that are there from the start; task n has request n // 2, so that 2 and 4 are refused."""

FILTERS = (
    TaskFilter(),
    TaskFilter(tenant="b"),
    TaskFilter(build_key="PLAN", states=frozenset({TaskState.QUEUED, TaskState.RUNNING})),
    TaskFilter(labels=(("a", ""),)),
    TaskFilter(task_ids=frozenset({task_id(1), task_id(6)})),
)

words = st.text(alphabet="ab'\"\\%_$.é\n", max_size=4)
times = st.integers(0, 9)
maybe_times = st.none() | times
timeouts = st.builds(Timeouts, queue_ms=maybe_times, start_ms=maybe_times, run_ms=maybe_times)
attempts: st.SearchStrategy[Attempt] = st.builds(
    attempt,
    st.sampled_from(PRESENT),
    st.integers(1, 12),
    state=st.sampled_from(AttemptState),
    stop_wish=st.sampled_from([None, StopCategory.CANCELLED]),
    stop_reason=st.sampled_from([None, stop_reason()]),
)


@st.composite
def submissions(draw: st.DrawFn) -> Record:
    number = draw(st.integers(1, 6))
    return submitted(
        number,
        request_id=f"request-{number // 2}",
        tenant="a" if number < 4 else "b",
        priority=draw(st.integers(-1, 1)),
        labels=draw(st.dictionaries(words, words, max_size=2)),
        spec=containers_spec(A=draw(words)),
        build_key=draw(st.sampled_from(["", "PLAN"])),
        timeouts=draw(timeouts),
        may_run_again=draw(st.booleans()),
        at_ms=draw(times),
    )


@st.composite
def transitions(draw: st.DrawFn) -> Record:
    launched = draw(attempts)
    return transitioned(
        task_id=launched.task_id,
        state=draw(st.sampled_from(TaskState)),
        previous=draw(st.sampled_from(TaskState)),
        at_ms=draw(times),
        attempt=draw(st.sampled_from([None, launched])),
        stop_reason=draw(st.sampled_from([None, stop_reason()])),
    )


wishes = st.builds(
    a_wish,
    st.integers(1, 3),
    kind=st.sampled_from(WishKind),
    group=words,
    size=times,
    at_ms=times,
    expires_ms=maybe_times,
)
scaling_events = st.builds(
    a_scaling_event,
    kind=st.sampled_from(ScalingKind),
    message=words,
    ec2_instance_id=words,
    desired_before=maybe_times,
    desired_after=maybe_times,
    held=words,
)
records = st.one_of(
    submissions(),
    transitions(),
    st.builds(AttemptRecorded, attempt=attempts),
    st.builds(IntentRecorded, kind=words, key=words, state=st.sampled_from(IntentState), payload=words),
    st.builds(FactRecorded, key=words, value=words),
    st.builds(cancel_requested, st.sampled_from(PRESENT), times),
    st.sampled_from([transitioned(2), cancel_requested(2)]),
    st.builds(ScaleRequested, wish=wishes),
    st.builds(ScalingRecorded, event=scaling_events),
)
commits = st.lists(st.lists(records, max_size=4), max_size=4)
compactions = st.builds(Compact, st.integers(0, 40))
forgettings = st.builds(Forget, times, st.integers(1, 3))
steps = st.lists(commits | compactions | forgettings, max_size=8)


@given(steps=steps)
@settings(max_examples=60, deadline=None)
def test_stores_agree(steps: list[Step]) -> None:
    """After any commits, refused and failed ones too, and anything forgotten, every read is the same."""
    first: Batches = [[submitted(n, request_id=f"request-{n // 2}", tenant="ab"[n > 3])] for n in PRESENT]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "scheduler.db"
        memory = MemoryStore(scaling_events_kept=SCALING_EVENTS_KEPT)
        with closing(SqliteStore(path, scaling_events_kept=SCALING_EVENTS_KEPT)) as sqlite:
            for step in [first, *steps]:
                assert taken(sqlite, step) == taken(memory, step)
                assert everything(sqlite) == everything(memory)
        with closing(SqliteStore(path)) as reopened:
            assert everything(reopened) == everything(memory)


def taken(store: Store, step: Step) -> Any:
    """What came of a step: results, or the error."""
    match step:
        case Compact():
            return answer(partial(store.compact, step.before_revision))
        case Forget():
            return answer(partial(store.forget_tasks, step.stopped_before_ms, step.limit))
        case _:
            return answer(partial(store.commit, step))


def everything(store: Store) -> list[Any]:
    """All that can be read."""
    state = store.load()
    return [
        store.revision(),
        (state.revision, list(state.live), tuple(state.intents), dict(state.facts)),
        (state.wish, store.scaling_sequence()),
        [store.get(task_id(number)) for number in range(1, 7)],
        [store.list_tasks(wanted, after, 3) for wanted in FILTERS for after in ("", task_id(3))],
        [answer(partial(store.events_after, revision, 5)) for revision in (0, 3, 20, 40)],
        [answer(partial(store.scaling_events_after, sequence, 3)) for sequence in (0, 2, 5, 9)],
        [store.find_request(tenant, f"request-{n}") for tenant in "ab" for n in range(4)],
    ]


def answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (StoreError, RevisionCompacted) as error:
        return type(error), str(error)
