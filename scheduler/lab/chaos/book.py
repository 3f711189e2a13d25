"""The book: what became durable, commit by commit, and what clients were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.facts import DEFINITION_PREFIX, PAIR_PREFIX
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import (
    AttemptRecorded,
    CancelRequested,
    FactRecorded,
    IntentRecorded,
    IntentState,
    Record,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.removal import REMOVE, Removal, RemovalCause, read_removal
from scheduler.core.model.reservation import RESERVATION_PREFIX, Reservation, read_reservation
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TERMINAL_STATES, TaskState, main_image
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

    proven: bool = False
    """Whether a member of the group was ever seen in the cluster."""

    cancelled_ms: dict[str, int] = field(default_factory=dict)
    """When the cancellation of a task was accepted."""

    ended_ms: dict[str, int] = field(default_factory=dict)
    """When a task came to its end."""

    may_run_again: set[str] = field(default_factory=set)
    """Tasks that may run a second time if their instance is lost."""

    held: set[str] = field(default_factory=set)
    """Attempts that hold room: neither refused, given up nor ended."""

    wishes: set[str] = field(default_factory=set)
    """Attempts that are to be stopped."""

    given_up: dict[str, int] = field(default_factory=dict)
    """Attempts that were abandoned, and not before the window in which they are looked for, and when."""

    forgotten: set[str] = field(default_factory=set)
    """Attempts that were started after this store was copied: it was restored, and knows nothing of them."""

    opened: dict[str, int] = field(default_factory=dict)
    """When attempts became durable, by true time: the service's own clock may be wrong."""

    never_joined: list[int] = field(default_factory=list)
    """When removals of instances that never joined began, in the present life of the service."""

    definitions: dict[str, str] = field(default_factory=dict)
    """ARNs of the revisions that are registered, by configuration."""

    configurations: dict[str, str] = field(default_factory=dict)
    """What each task runs."""

    images: dict[str, str] = field(default_factory=dict)
    """Of each task's main container, as far as the present life of the service was told."""

    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Whose each task is: tenant and build key."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    """What stands and what clients have just asked for, by the keys of their facts."""

    black_holes: list[int] = field(default_factory=list)
    """When removals of black holes began, by true time."""

    entered: list[str] = field(default_factory=list)
    """Task states and removal steps that the last commit entered, in order."""

    def note(self, batches: Sequence[Sequence[Record]], results: Sequence[CommitResult], now_ms: int) -> None:
        """A commit."""
        self.entered.clear()
        for batch, result in zip(batches, results, strict=True):
            for record in batch if written(result) else ():
                self._note(record, now_ms)

    def all_is_over(self) -> bool:
        """Whether every task is in a state that it never leaves, and nothing is reserved."""
        return not self.reservations and TERMINAL_STATES.issuperset(self.states.values())

    def met(self) -> set[str]:
        """Names of all task states and removal steps there are at present."""
        return {*map(str, self.states.values()), *(str(each.step) for each in self.removals.values())}

    def _note(self, record: Record, now_ms: int) -> None:
        match record:
            case TaskSubmitted(task_id=task_id, ask=ask, request=request):
                self.states[task_id], self.asks[task_id] = TaskState.QUEUED, ask
                self.configurations[task_id] = record.definition_key
                self.images[task_id] = main_image(request.spec)
                self.owners[task_id] = (request.tenant, record.build_key)
                self.entered.append(TaskState.QUEUED)
                if request.may_run_again:
                    self.may_run_again.add(task_id)
            case CancelRequested(task_id=task_id):
                self.cancelled_ms.setdefault(task_id, now_ms)
            case TaskTransitioned(task_id=task_id, state=state, attempt=attempt):
                self.states[task_id] = state
                self.entered.append(state)
                if state in TERMINAL_STATES:
                    self.ended_ms[task_id] = now_ms
                if attempt is not None:
                    self._attempt(attempt, now_ms)
            case AttemptRecorded(attempt=attempt):
                self._attempt(attempt, now_ms)
            case FactRecorded(key=key, value=value):
                self._learn(key, value)
            case IntentRecorded() as intent if intent.kind == REMOVE:
                self._remove(intent, now_ms)
            case _:
                return

    def _learn(self, key: str, value: str) -> None:
        if key.startswith(PAIR_PREFIX):
            self.proven = True
        elif key.startswith(DEFINITION_PREFIX):
            self.definitions[key.removeprefix(DEFINITION_PREFIX)] = value
        elif key.startswith(RESERVATION_PREFIX) and value:
            self.reservations[key] = read_reservation(value)
        else:
            self.reservations.pop(key, None)

    def _attempt(self, attempt: Attempt, now_ms: int) -> None:
        (self.held.add if attempt.holds_room else self.held.discard)(attempt.attempt_id)
        if attempt.stop_wish:
            self.wishes.add(attempt.attempt_id)
        waited_ms = now_ms - self.opened.setdefault(attempt.attempt_id, now_ms)
        if attempt.may_show_up and waited_ms >= Policy().visibility_window_ms:
            self.given_up.setdefault(attempt.attempt_id, now_ms)

    def _remove(self, intent: IntentRecorded, now_ms: int) -> None:
        before = self.removals.pop(intent.key, None)
        if intent.state is not IntentState.OPEN:
            return
        self.removals[intent.key] = after = read_removal(intent.key, intent.payload)
        if before is None or before.step is not after.step:
            self.entered.append(after.step)
        if before is None and after.cause is RemovalCause.NEVER_JOINED:
            self.never_joined.append(now_ms)
        if before is None and after.cause is RemovalCause.BLACK_HOLE:
            self.black_holes.append(now_ms)
