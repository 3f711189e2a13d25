"""The edges between task states, as data. ECS skips states, and so do the edges."""

from scheduler.core.model.task import TaskState

_S = TaskState

EDGES: dict[TaskState, frozenset[TaskState]] = {
    _S.QUEUED: frozenset({_S.ASSIGNED, _S.EXPIRED, _S.CANCELLED, _S.FAILED}),
    _S.ASSIGNED: frozenset({_S.QUEUED, _S.STARTING, _S.RUNNING, _S.STOPPING, _S.SUCCEEDED, _S.FAILED}),
    _S.STARTING: frozenset({_S.QUEUED, _S.RUNNING, _S.STOPPING, _S.SUCCEEDED, _S.FAILED}),
    # To the queue only what may run again.
    _S.RUNNING: frozenset({_S.QUEUED, _S.STOPPING, _S.SUCCEEDED, _S.FAILED}),
    # An exit that came before our StopTask keeps its real outcome.
    _S.STOPPING: frozenset({_S.CANCELLED, _S.SUCCEEDED, _S.FAILED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
}
"""From each state, where a task may go next."""


class IllegalTransition(Exception):
    """A plan wants an edge that does not exist: a defect of ours, never the outside's."""


def check_edge(previous: TaskState, state: TaskState) -> None:
    """Raises IllegalTransition unless the edge exists."""
    if state not in EDGES[previous]:
        raise IllegalTransition(f"{previous} -> {state}")
