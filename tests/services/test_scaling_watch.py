"""Watches of the scaling log: each at its own pace, rung only when there is something of theirs."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scheduler.adapters.memory import MemoryStore
from scheduler.core.model.records import ScalingRecorded
from scheduler.services.errors import ResumeTokenCompacted, ResumeTokenForeign, ServiceStopping
from scheduler.services.scaling_watch import EVENTS_PER_READ, ScalingWatch, ScalingWatches
from tests.builders import a_scaling_event, submitted


class Log:
    """A store with a scaling log, the watches of it, and a count of how often one was rung."""

    def __init__(self, events: int = 0) -> None:
        self.store = MemoryStore(scaling_events_kept=5)
        self.watches = ScalingWatches(self.store)
        self.rung = 0
        self.add(events)

    def add(self, events: int) -> None:
        self.store.commit([[ScalingRecorded(event=a_scaling_event())] for _ in range(events)])
        self.watches.committed()

    def open(self, sequence: int | None = None) -> ScalingWatch:
        return self.watches.open(sequence, self._ring)

    def _ring(self) -> None:
        self.rung += 1


def sequences(watch: ScalingWatch) -> list[int]:
    return [stored.sequence for stored in watch.read()]


def test_watch_begins_behind_all_there_is() -> None:
    """Without a sequence only what is done from then on is given out; it is synced from the beginning."""
    log = Log(events=2)
    watch = log.open()
    assert (sequences(watch), watch.synced, watch.waits) == ([], True, True)
    log.add(1)
    assert (log.rung, watch.waits) == (1, False)
    assert (sequences(watch), watch.sequence, watch.waits) == ([3], 3, True)


def test_watch_goes_on_behind_a_sequence() -> None:
    """It is synced once it has given out what was there when it began."""
    watch = Log(events=3).open(1)
    assert not watch.synced
    assert sequences(watch) == [2, 3]
    assert watch.synced


def test_long_history_is_read_in_slices() -> None:
    """Between two slices the watch does not wait: there is more."""
    log = Log(events=EVENTS_PER_READ + 1)
    watch = log.open(0)
    assert (len(watch.read()), watch.waits, watch.synced) == (EVENTS_PER_READ, False, False)
    assert (sequences(watch), watch.waits, watch.synced) == ([EVENTS_PER_READ + 1], True, True)


def test_changes_of_tasks_ring_nobody() -> None:
    """Hundreds of commits a second do not concern the log: its watches sleep on."""
    log = Log(events=1)
    watch = log.open()
    watch.read()
    log.watches.committed()
    rung = log.rung
    log.store.commit([[submitted(1)], [submitted(2)]])
    log.watches.committed()
    assert (log.rung, watch.waits) == (rung, watch.waits)
    log.watches.committed()
    assert log.rung == rung


def test_sequence_that_is_not_there_yet() -> None:
    """Who has seen more than there is has seen another store, or a later state of this one."""
    with pytest.raises(ResumeTokenForeign):
        Log(events=1).open(2)


def test_events_that_are_gone() -> None:
    """Who is further behind than what is kept is told where that begins."""
    log = Log()
    watch = log.open()
    log.add(7)
    log.store.compact(0)
    with pytest.raises(ResumeTokenCompacted) as caught:
        watch.read()
    assert caught.value.oldest_revision == 3


def test_end() -> None:
    """When the server stops every watch is rung and ends, and so does one that comes too late."""
    log = Log()
    early = log.open()
    log.watches.end()
    assert log.rung == 1
    for watch in (early, log.open()):
        with pytest.raises(ServiceStopping):
            watch.read()


def test_closed_watch_is_rung_no_more() -> None:
    """A client that went away costs nothing."""
    log = Log()
    log.watches.close(log.open())
    log.add(1)
    assert log.rung == 0


class Watching(RuleBasedStateMachine):
    """Commits, rings, reads and resumptions in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.watches = ScalingWatches(self.store)
        self.told: list[int] = []
        self.due = True
        self.resume(0)

    @rule(count=st.integers(min_value=1, max_value=300))
    def add(self, count: int) -> None:
        self.store.commit([[ScalingRecorded(event=a_scaling_event())] for _ in range(count)])

    @rule()
    def ring(self) -> None:
        self.watches.committed()

    @rule()
    def read_if_due(self) -> None:
        """As a stream does: not before it is rung."""
        if self.due or not self.watch.waits:
            self.due = False
            self.told += [stored.sequence for stored in self.watch.read()]

    @rule(share=st.floats(min_value=0, max_value=1))
    def resume(self, share: float) -> None:
        """The client forgets what it saw after some earlier message, and comes back with its token."""
        seen = int(share * len(self.told))
        del self.told[seen:]
        self.watch = self.watches.open(seen, self._notify)

    def _notify(self) -> None:
        self.due = True

    @invariant()
    def each_once_and_in_order(self) -> None:
        """No event is lost, repeated or out of order."""
        assert self.told == list(range(1, len(self.told) + 1))

    def teardown(self) -> None:
        """Rung once more and read until it waits, the watch has given out all there is."""
        self.ring()
        while self.due or not self.watch.waits:
            self.read_if_due()
        assert len(self.told) == self.store.scaling_sequence()


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
