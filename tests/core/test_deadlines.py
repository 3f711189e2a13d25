"""Deadlines: one a task, due until the task moves on."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.world.deadlines import Deadlines
from tests.strategies import MODEST


def test_a_deadline_is_due_when_it_passes_and_stays_so() -> None:
    """A decision that could not be committed sees it again."""
    deadlines = Deadlines()
    deadlines.set("a", 10)
    assert deadlines.due(9) == ()
    assert deadlines.due(10) == deadlines.due(11) == ("a",)


def test_a_task_that_moved_on_is_not_due() -> None:
    """Its new deadline counts, or none."""
    deadlines = Deadlines()
    deadlines.set("a", 10)
    deadlines.set("a", 30)
    deadlines.set("b", 10)
    deadlines.set("b", None)
    assert deadlines.due(20) == ()
    assert deadlines.due(30) == ("a",)


settings_of = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 50), st.integers(0, 5)), max_size=40
)


@MODEST
@given(steps=settings_of)
def test_due_is_what_was_set_last_and_has_passed(steps: list[tuple[str, int | None, int]]) -> None:
    """Whatever is set, cleared and asked in between."""
    deadlines, known, now_ms = Deadlines(), dict[str, int | None](), 0
    for task_id, at_ms, passed_ms in steps:
        deadlines.set(task_id, at_ms)
        known[task_id] = at_ms
        now_ms += passed_ms
        passed = {each for each, at in known.items() if at is not None and at <= now_ms}
        assert set(deadlines.due(now_ms)) == passed
