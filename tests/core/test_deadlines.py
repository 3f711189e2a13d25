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


def test_deadlines_of_tasks_that_moved_on_are_let_go() -> None:
    """Long before their time: of ten thousand only the last thousand or so are still among the next ones."""
    deadlines = Deadlines()
    for number in range(10_000):
        deadlines.set(f"ended-{number}", 30_000 + number)
        deadlines.set(f"ended-{number}", None)
    first_ms = deadlines.next_ms()
    assert first_ms is None or first_ms > 38_000


def test_letting_go_leaves_the_order() -> None:
    """Those of one time are due in the order of their tasks; one that is due already is not told twice."""
    deadlines, once = Deadlines(), Deadlines()
    for each in (deadlines, once):
        each.set("z", 1)
        assert each.due(1) == ("z",)
        for task_id in ("c", "a", "b"):
            each.set(task_id, 10)
    for number in range(5_000):
        deadlines.set("ended", 5 + number)
    deadlines.set("ended", None)
    assert deadlines.due(10) == once.due(10) == ("z", "a", "b", "c")
    assert deadlines.next_ms() != 1


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
