"""The candidates for removal: maintained one by one, and never other than sorted anew."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.model.group import Candidate
from tests.builders import a_candidate, instance_arn
from tests.clocks import START_MS
from tests.strategies import MODEST

NUMBERS = st.integers(1, 6)
AGES = st.sampled_from([None, 0, 1_000, 2_000])
CHANGES = st.lists(
    st.builds(
        lambda number, idle_ms, too_old: a_candidate(number, idle_ms=idle_ms, too_old=too_old),
        NUMBERS,
        AGES,
        st.booleans(),
    )
    | NUMBERS.map(instance_arn),
    max_size=30,
)


def maintained(changes: list[Candidate | str]) -> tuple[Candidates, dict[str, Candidate]]:
    """After these were put or discarded, and what is left by a plain book."""
    candidates, book = Candidates(), dict[str, Candidate]()
    for change in changes:
        if isinstance(change, str):
            candidates.discard(change)
            book.pop(change, None)
        else:
            candidates.put(change)
            book[change.arn] = change
    return candidates, book


@MODEST
@given(changes=CHANGES)
def test_maintained_candidates_equal_rebuilt_ones(changes: list[Candidate | str]) -> None:
    """Whatever was put and discarded before, only what holds now counts."""
    candidates, book = maintained(changes)
    assert candidates == Candidates(book.values())
    assert len(candidates) == len(book)
    assert {each.arn: each for each in candidates} == book
    assert [candidates.get(arn) for arn in book] == list(book.values())


@MODEST
@given(changes=CHANGES, idle_ms=st.sampled_from([0, 500, 1_000, 1_500, 2_000, 2_500]))
def test_those_that_are_due_are_found_by_time(changes: list[Candidate | str], idle_ms: int) -> None:
    """Idle for as long or longer, the longest first; the old ones apart, idle or busy."""
    candidates, book = maintained(changes)
    until_ms = START_MS - idle_ms
    idle = [each for each in book.values() if each.idle_since_ms is not None and not each.too_old]
    due = [each for each in idle if (each.idle_since_ms or 0) <= until_ms]
    order = sorted(due, key=lambda each: (each.idle_since_ms or 0, each.arn))
    assert candidates.idle(until_ms) == order
    assert {each.arn for each in candidates.idle()} == {each.arn for each in idle}
    assert {each.arn for each in candidates.old()} == {each.arn for each in book.values() if each.too_old}
