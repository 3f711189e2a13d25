"""The book: what became durable, commit by commit, and what clients were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import (
    AttemptRecorded,
    IntentRecorded,
    IntentState,
    Record,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.removal import REMOVE, Removal, read_removal
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.lab.chaos.process import written
from scheduler.ports.store import CommitResult


@dataclass(slots=True)
class Book:
    """One store's life. A lost store begins a new one."""

    epoch: str
    states: dict[str, TaskState] = field(default_factory=dict)
    asks: dict[str, Resources] = field(default_factory=dict)
    removals: dict[str, Removal] = field(default_factory=dict)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Task ids that clients were told, by tenant and request id."""

    given_up: set[str] = field(default_factory=set)
    """Attempts that were abandoned, and not before the window in which they are looked for."""

    def note(self, batches: Sequence[Sequence[Record]], results: Sequence[CommitResult], now_ms: int) -> None:
        """A commit."""
        for batch, result in zip(batches, results, strict=True):
            for record in batch if written(result) else ():
                self._note(record, now_ms)

    def all_ended(self) -> bool:
        """Whether every task is in a state that it never leaves."""
        return TERMINAL_STATES.issuperset(self.states.values())

    def met(self) -> set[str]:
        """Names of all task states and removal steps there are at present."""
        return {*map(str, self.states.values()), *(str(each.step) for each in self.removals.values())}

    def _note(self, record: Record, now_ms: int) -> None:
        match record:
            case TaskSubmitted(task_id=task_id, ask=ask):
                self.states[task_id], self.asks[task_id] = TaskState.QUEUED, ask
            case TaskTransitioned(task_id=task_id, state=state, attempt=attempt):
                self.states[task_id] = state
                if attempt is not None:
                    self._attempt(attempt, now_ms)
            case AttemptRecorded(attempt=attempt):
                self._attempt(attempt, now_ms)
            case IntentRecorded() as intent if intent.kind == REMOVE:
                self._remove(intent)
            case _:
                return

    def _attempt(self, attempt: Attempt, now_ms: int) -> None:
        waited_ms = now_ms - attempt.created_ms
        if attempt.state is AttemptState.ABANDONED and waited_ms >= Policy().visibility_window_ms:
            self.given_up.add(attempt.attempt_id)

    def _remove(self, intent: IntentRecorded) -> None:
        if intent.state is IntentState.OPEN:
            self.removals[intent.key] = read_removal(intent.key, intent.payload)
        else:
            self.removals.pop(intent.key, None)
