"""The backlog: lines that keep their order, and cost the same however long they are."""

from dataclasses import dataclass
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.model.task import QueuedTask
from scheduler.core.world.backlog import Backlog, Line
from tests.builders import M4_4XLARGE, REGULAR, a_task, task_id
from tests.clocks import START_MS
from tests.strategies import MODEST

MANY = 10_000

happenings = st.lists(
    st.tuples(st.sampled_from(["add", "aside", "offer", "remove"]), st.integers(0, 8)), max_size=40
)


def heads(backlog: Backlog) -> list[list[str]]:
    return [[task.task_id for task in group.heads] for group in backlog.groups()]


def a_backlog_of(*tasks: QueuedTask) -> Backlog:
    backlog = Backlog()
    for task in tasks:
        backlog.add(task)
    return backlog


@MODEST
@given(happened=happenings)
def test_a_line_is_in_order_and_counted(happened: list[tuple[str, int]]) -> None:
    """Whoever comes, steps aside, leaves and returns: by acceptance, each once, and the count holds all."""
    backlog, model = Backlog(), dict[int, bool]()
    for what, number in happened:
        task = a_task(number)
        if what in ("add", "aside") and number not in model:
            model[number] = what == "add"
            backlog.add(task, aside=what == "aside")
        elif what == "offer" and number in model:
            model[number] = True
            backlog.offer(task.task_id)
        elif what == "remove" and model.pop(number, None) is not None:
            backlog.remove(task)
        offered = [task_id(each) for each in sorted(model) if model[each]]
        assert heads(backlog) == ([offered] if model else [])
        assert sum(group.count for group in backlog.groups()) == len(model)


def test_a_task_that_comes_back_has_its_old_place() -> None:
    """Its place is the revision that accepted it, for life."""
    backlog = a_backlog_of(*(a_task(number) for number in range(1, 5)))
    backlog.remove(a_task(2))
    backlog.rest(a_task(2), START_MS)
    backlog.wake(START_MS)
    assert heads(backlog) == [[task_id(number) for number in range(1, 5)]]


def test_a_resting_task_is_offered_when_its_rest_is_over() -> None:
    """Not a millisecond earlier; until then it counts for growth."""
    backlog = Backlog()
    backlog.rest(a_task(), START_MS + 1_000)
    backlog.wake(START_MS + 999)
    assert (heads(backlog), backlog.groups()[0].count) == ([[]], 1)
    assert backlog.next_ms() == START_MS + 1_000
    backlog.wake(START_MS + 1_000)
    assert (heads(backlog), backlog.next_ms()) == ([[task_id(1)]], None)


def test_a_rest_ends_with_its_stay_in_the_queue() -> None:
    """A task that left while it rested and waits for its definition now is not offered by its old rest."""
    backlog = Backlog()
    backlog.rest(a_task(), START_MS + 1_000)
    backlog.remove(a_task())
    backlog.add(a_task(), aside=True)
    backlog.wake(START_MS + 1_000)
    assert heads(backlog) == [[]]


def test_lines_differ_by_tenant_priority_and_shape() -> None:
    """And by nothing else: a decision looks at lines, not at tasks."""
    unlike = (a_task(1), a_task(2, tenant="other"), a_task(3, priority=1), a_task(4, ask=M4_4XLARGE))
    alike = (a_task(5, definition_key="definition-2"), a_task(6, main_container="build"))
    backlog = a_backlog_of(*unlike, *alike)
    assert [group.count for group in backlog.groups()] == [3, 1, 1, 1]


def test_an_empty_line_is_forgotten() -> None:
    """Shapes that nobody asks for any more cost nothing."""
    backlog = a_backlog_of(a_task())
    backlog.remove(a_task())
    assert backlog.groups() == ()


def test_a_view_of_a_long_line_holds_none_of_its_tasks() -> None:
    """The group is a window: ten thousand tasks are neither copied nor walked to look at three."""
    backlog = a_backlog_of(*(a_task(number) for number in range(MANY)))
    (group,) = backlog.groups()
    assert isinstance(group.heads, Line)
    assert (group.count, group.first[1]) == (MANY, 0)
    assert [task.enqueue_revision for task in islice(group.heads, 3)] == [0, 1, 2]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared(QueuedTask):
    """A task that counts how often it is compared."""

    tally: list[int]

    def __eq__(self, other: object) -> bool:
        self.tally[0] += 1
        return self is other

    def __hash__(self) -> int:
        return hash(self.task_id)


def compared(number: int, tally: list[int]) -> Compared:
    return Compared(
        task_id=task_id(number),
        tenant="bamboo",
        priority=0,
        ask=REGULAR,
        definition_key="definition-1",
        main_container="agent",
        enqueue_revision=number,
        submitted_ms=START_MS,
        tally=tally,
    )


def test_leaving_a_long_line_does_not_look_through_it() -> None:
    """Ten thousand tasks came in by the side, because their definition was registered late."""
    tally, line = [0], Line()
    tasks = [compared(number, tally) for number in range(MANY)]
    line.enter(compared(MANY, tally))
    for task in tasks:
        line.enter(task)
    for task in (tasks[0], tasks[MANY // 2], tasks[-1]):
        line.leave(task)
    assert tally[0] <= 10
    assert len(list(line)) == MANY - 2
