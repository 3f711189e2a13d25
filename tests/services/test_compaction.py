"""Compaction: the store does not grow for ever, and nobody waits long for that."""

from collections.abc import Iterable

import pytest

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.records import ScalingRecorded
from scheduler.core.model.task import TaskState
from scheduler.ports.store import RevisionCompacted
from scheduler.services import compaction as compaction_module
from scheduler.services.compaction import FORGET_EVERY_MS, SCRUB_EVERY_MS, TASKS_PER_SLICE, Compaction
from tests.builders import a_scaling_event, submitted, task_id, transitioned
from tests.clocks import VirtualClock
from tests.services.fakes import FULL

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS


class Counted(MemoryStore):
    """A store that counts what it is asked to forget, and fails at it when told to."""

    def __init__(self) -> None:
        super().__init__(scaling_events_kept=5)
        self.compactions: list[int] = []
        self.forgotten: list[int] = []
        self.scrubs: list[bool] = []
        self.failing = False
        self.is_read = False

    def compact(self, before_revision: int) -> None:
        if self.failing:
            raise FULL
        self.compactions.append(before_revision)
        super().compact(before_revision)

    def forget_tasks(self, stopped_before_ms: int, limit: int) -> int:
        if self.failing:
            raise FULL
        self.forgotten.append(super().forget_tasks(stopped_before_ms, limit))
        return self.forgotten[-1]

    def scrub(self) -> bool:
        self.scrubs.append(not self.is_read)
        return not self.is_read


class Kept:
    """A store with its compaction, on a clock."""

    def __init__(self, *, history: int = 1_000_000) -> None:
        self.store = Counted()
        self.clock = VirtualClock()
        self.compaction = Compaction(self.store, self.clock, task_retention_ms=WEEK_MS, history=history)

    def submit(self, *numbers: int) -> None:
        self.store.commit([[submitted(number, at_ms=self.clock.now_ms())] for number in numbers])
        self.compaction.go_on()

    def end(self, numbers: Iterable[int]) -> None:
        now_ms = self.clock.now_ms()
        self.store.commit(
            [[submitted(each), transitioned(each, TaskState.FAILED, at_ms=now_ms)] for each in numbers]
        )

    def go_on(self, times: int = 1) -> list[int]:
        """What each look forgets."""
        self.store.forgotten.clear()
        for _ in range(times):
            self.compaction.go_on()
        return self.store.forgotten


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction_module, "COMPACT_EVERY", 20)


# --- history ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("often")
def test_the_history_is_kept_bounded() -> None:
    """Every so many revisions the older ones are forgotten; the last `history` can still be resumed from."""
    kept = Kept(history=5)
    for number in range(1, 42):
        kept.submit(number)
    with pytest.raises(RevisionCompacted) as refused:
        kept.store.events_after(0, 1)
    assert refused.value.oldest == 36
    assert len(kept.store.events_after(35, 100)) == 6
    assert kept.store.compactions == [0, 16, 36]


@pytest.mark.usefixtures("often")
def test_scaling_events_count_too() -> None:
    """A cluster without tasks may still log what is done to it."""
    kept = Kept()
    kept.go_on()
    kept.store.commit([[ScalingRecorded(event=a_scaling_event(number))] for number in range(20)])
    kept.go_on()
    with pytest.raises(RevisionCompacted):
        kept.store.scaling_events_after(0, 1)


def test_every_start_compacts() -> None:
    """A service that is restarted every day would else never come to it."""
    kept = Kept(history=1)
    kept.submit(1, 2, 3)
    kept.submit(4)
    assert kept.store.compactions == [2]


# --- tasks -----------------------------------------------------------------------------------------


def test_stopped_tasks_are_readable_for_a_week() -> None:
    """And not much longer: who looks a minute later does not find them."""
    kept = Kept()
    kept.end([1])
    kept.clock.advance_ms(WEEK_MS)
    kept.go_on()
    assert kept.store.get(task_id(1)) is not None
    kept.clock.advance_ms(FORGET_EVERY_MS)
    kept.go_on()
    assert kept.store.get(task_id(1)) is None


def test_stopped_tasks_are_forgotten_in_slices() -> None:
    """One slice a commit, until none is due."""
    kept = Kept()
    kept.end(range(2 * TASKS_PER_SLICE + 1))
    kept.clock.advance_ms(WEEK_MS + 1)
    assert kept.go_on(times=5) == [TASKS_PER_SLICE, TASKS_PER_SLICE, 1]


def test_stopped_tasks_are_looked_for_once_a_minute() -> None:
    """Not at every commit."""
    kept = Kept()
    assert kept.go_on(times=3) == [0]
    kept.clock.advance_ms(FORGET_EVERY_MS)
    assert kept.go_on(times=3) == [0]


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    """What was looked for at a time that is yet to come again is looked for now."""
    kept = Kept()
    kept.go_on()
    kept.clock.jump_ms(-DAY_MS)
    assert kept.go_on(times=2) == [0]


# --- secrets ---------------------------------------------------------------------------------------


def test_what_has_ended_is_scrubbed_soon() -> None:
    """Some seconds after a task event, not after each, and not again while nothing more happens."""
    kept = Kept()
    kept.go_on()
    kept.clock.advance_ms(SCRUB_EVERY_MS)
    kept.go_on(times=2)
    kept.end([1])
    kept.go_on(times=2)
    kept.end([2])
    kept.go_on(times=2)
    assert kept.store.scrubs == [True, True]
    kept.clock.advance_ms(SCRUB_EVERY_MS)
    kept.go_on(times=2)
    assert kept.store.scrubs == [True, True, True]


def test_every_start_scrubs() -> None:
    """The process before may have been killed between the end of a task and the scrub."""
    kept = Kept()
    kept.go_on()
    assert kept.store.scrubs == [True]


def test_a_scrub_that_a_reader_was_in_the_way_of_is_repeated() -> None:
    """Until it goes well, with the pause between two."""
    kept = Kept()
    kept.store.is_read = True
    kept.go_on(times=2)
    kept.store.is_read = False
    kept.clock.advance_ms(SCRUB_EVERY_MS)
    kept.go_on(times=2)
    assert kept.store.scrubs == [False, True]


# --- failures --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("often")
def test_a_store_that_cannot_forget_fails_nobody() -> None:
    """What is old only stays longer; it goes when the store can be written again."""
    kept = Kept()
    kept.end([1])
    kept.clock.advance_ms(WEEK_MS + 1)
    kept.store.failing = True
    assert kept.go_on(times=2) == []
    kept.store.failing = False
    kept.clock.advance_ms(FORGET_EVERY_MS)
    assert kept.go_on() == [1]
    kept.submit(*range(2, 30))
    assert kept.store.compactions == [0]
