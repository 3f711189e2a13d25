"""The readings that all tails share, within one budget."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.answers import Failure
from scheduler.ports.cloud import CloudError
from scheduler.ports.logs import LogLine, LogPage, LogPlace
from scheduler.services.logs.reads import LEAST_PAUSE_MS, READ_AT_ONCE, LogReads, Read, Reading
from tests.clocks import START_MS
from tests.services.played_logs import THROTTLED, source

PAGE = LogPage(lines=(LogLine(time_ms=0, text="a"),), token="1")


def a_reading(stream: int = 1, token: str = "") -> Reading:
    return Reading(source=source(stream), place=LogPlace(token=token))


def wanting(reads: LogReads, *readings: Reading, at_end: bool = False, now_ms: int = START_MS) -> list[Read]:
    """What becomes of them goes to the list."""
    told: list[Read] = []
    for each in readings:
        reads.join(each.source)
        reads.want(each, told.append, now_ms, at_end=at_end, is_live=at_end)
    return told


def hear(reads: LogReads, reading: Reading, now_ms: int = START_MS) -> None:
    for answer, read in reads.heard(reading, PAGE, now_ms):
        answer(read)


def taken(reads: LogReads, now_ms: int) -> int:
    """Readings that begin now, each answered at once."""
    count = 0
    while (reading := reads.take(now_ms)) is not None:
        hear(reads, reading, now_ms)
        count += 1
    return count


def test_one_reading_answers_all_who_want_it() -> None:
    """Also who came while it was under way."""
    reads = LogReads(10)
    told = wanting(reads, a_reading())
    assert reads.take(START_MS) == a_reading()
    told += wanting(reads, a_reading())
    assert reads.take(START_MS) is None
    later: list[Read] = []
    reads.want(a_reading(), later.append, START_MS, at_end=False, is_live=False)
    hear(reads, a_reading())
    assert (len(told), len(later)) == (1, 1)


def test_no_more_are_read_than_the_budget_has() -> None:
    """In the first second the burst, then as many a second."""
    reads = LogReads(5)
    wanting(reads, *(a_reading(number) for number in range(1, 101)))
    assert taken(reads, START_MS) == 5
    assert [taken(reads, START_MS + 1_000 * n) for n in (1, 2, 3)] == [5, 5, 5]


def test_a_throttle_halves_the_rate() -> None:
    """For a minute, and the reading is not lost."""
    reads = LogReads(4)
    told = wanting(reads, a_reading())
    reads.take(START_MS)
    assert reads.heard(a_reading(), THROTTLED, START_MS) == []
    assert reads.next_due_ms(START_MS) == START_MS + 500
    assert taken(reads, START_MS + 500) == 1
    assert len(told) == 1


def test_so_many_are_under_way_at_once() -> None:
    """A lost answer takes its time-out; the others go on meanwhile."""
    reads = LogReads(100)
    wanting(reads, *(a_reading(number) for number in range(1, 10)))
    assert [reads.take(START_MS) is not None for _ in range(READ_AT_ONCE + 1)] == [True] * READ_AT_ONCE + [
        False
    ]
    hear(reads, a_reading(1))
    assert reads.take(START_MS) is not None


def test_a_few_streams_are_looked_at_every_second() -> None:
    """More often would show nothing: Docker's driver sends what it has every five."""
    reads = LogReads(5)
    wanting(reads, a_reading(), at_end=True)
    assert reads.next_due_ms(START_MS) == START_MS + LEAST_PAUSE_MS


def test_the_pause_grows_with_the_streams() -> None:
    """A hundred of them at five readings a second: every twenty seconds."""
    reads = LogReads(5)
    for number in range(1, 101):
        reads.join(source(number))
    reads.want(a_reading(1), lambda _: None, START_MS, at_end=True, is_live=True)
    assert reads.next_due_ms(START_MS) == START_MS + 20_000


def test_first_pages_are_not_held_up_by_looks_at_ends() -> None:
    """Whoever has lines to read goes first."""
    reads = LogReads(5)
    wanting(reads, a_reading(1), at_end=True)
    wanting(reads, a_reading(2))
    assert reads.take(START_MS) == a_reading(2)


def test_whoever_comes_in_a_hurry_takes_the_others_along() -> None:
    """One place is read once, as soon as anybody wants it."""
    reads = LogReads(5)
    told = wanting(reads, a_reading(), at_end=True) + wanting(reads, a_reading())
    assert reads.take(START_MS) == a_reading()
    assert told == []


def test_what_nobody_wants_any_more_is_not_read() -> None:
    """Its reading is dropped, and one under way is heard by nobody."""
    reads = LogReads(5)
    told: list[Read] = []
    reads.join(source())
    reads.want(a_reading(), told.append, START_MS, at_end=False, is_live=False)
    reads.take(START_MS)
    reads.unwant(a_reading(), told.append)
    lost = CloudError(Failure(definite=False, code="ReadTimeoutError", message=""))
    assert reads.heard(a_reading(), lost, START_MS) == []
    assert reads.next_due_ms(START_MS) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3_000), st.booleans()), max_size=40))
def test_everybody_is_answered_once(wishes: list[tuple[int, int, bool]]) -> None:
    """Whatever is wanted when, in a hurry or not, and never faster than the budget."""
    reads, told, now_ms, begun = LogReads(5), 0, START_MS, 0

    def answered(_: Read) -> None:
        nonlocal told
        told += 1

    for number in range(1, 6):
        reads.join(source(number))
    for stream, wait_ms, at_end in wishes:
        reads.want(a_reading(stream), answered, now_ms, at_end=at_end, is_live=False)
        now_ms += wait_ms
        begun += taken(reads, now_ms)
    while (due_ms := reads.next_due_ms(now_ms)) is not None:
        now_ms = max(now_ms, due_ms)
        begun += taken(reads, now_ms)
    assert told == len(wishes)
    assert begun <= 5 + (now_ms - START_MS) * 5 / 1_000 + 1e-6
