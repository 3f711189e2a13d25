"""The table of task states."""

from itertools import product

import pytest

from scheduler.core.lifecycle.transitions import EDGES, IllegalTransition, check_edge
from scheduler.core.model.task import TERMINAL_STATES, TaskState


def reachable(start: TaskState) -> set[TaskState]:
    found, open_states = {start}, [start]
    while open_states:
        new = EDGES[open_states.pop()] - found
        found |= new
        open_states += new
    return found


def test_every_state_is_reachable_from_the_queue() -> None:
    """No state is written down in vain."""
    assert reachable(TaskState.QUEUED) == set(TaskState)


def test_terminal_states_have_no_exits() -> None:
    """A task that ended stays ended, and every other one can still end."""
    assert {state for state in TaskState if not EDGES[state]} == TERMINAL_STATES
    assert all(reachable(state) & TERMINAL_STATES for state in TaskState)


@pytest.mark.parametrize(("previous", "state"), list(product(TaskState, TaskState)))
def test_only_edges_are_taken(previous: TaskState, state: TaskState) -> None:
    """A plan that wants an edge which does not exist is a defect, and stops there."""
    if state in EDGES[previous]:
        check_edge(previous, state)
        return
    with pytest.raises(IllegalTransition, match=f"{previous} -> {state}"):
        check_edge(previous, state)


def test_what_is_to_be_stopped_never_waits_again() -> None:
    """A cancelled task comes to an end, whatever its attempt was doing."""
    assert TaskState.QUEUED not in reachable(TaskState.STOPPING)
