"""A new life from the journal alone: what a store keeps of it, and a World made from that."""

from collections.abc import Iterable, Sequence

from scheduler.core.model.attempt import Attempt, returned_ms
from scheduler.core.model.policy import Policy
from scheduler.core.model.records import (
    AttemptRecorded,
    CancelRequested,
    FactRecorded,
    IntentRecorded,
    IntentState,
    ScaleRequested,
    ScalingRecorded,
    StoredRecord,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.removal import REMOVE
from scheduler.core.model.scaling import ScalingEvent
from scheduler.core.model.task import TERMINAL_STATES, TaskState
from scheduler.core.world.attempts import Track
from scheduler.core.world.world import World


class Kept:
    """Folds a journal as a store does: the latest of everything, and no task that has ended."""

    def __init__(self, journal: Iterable[StoredRecord]) -> None:
        self.facts: dict[str, str] = {}
        self.intents: dict[tuple[str, str], IntentRecorded] = {}
        self.wishes: list[ScaleRequested] = []
        self.scaling: list[ScalingEvent] = []
        self.submitted: dict[str, StoredRecord] = {}
        self.states: dict[str, tuple[TaskState, int]] = {}
        self.attempts: dict[str, dict[str, Attempt]] = {}
        self.cancelled: set[str] = set()
        for each in journal:
            self._keep(each)

    def _keep(self, stored: StoredRecord) -> None:
        match stored.record:
            case TaskSubmitted(task_id=task_id, at_ms=at_ms):
                self.submitted[task_id] = stored
                self.states[task_id] = TaskState.QUEUED, at_ms
            case TaskTransitioned(task_id=task_id, state=state, at_ms=at_ms, attempt=attempt):
                self.states[task_id] = state, at_ms
                self._keep_attempt(attempt)
            case AttemptRecorded(attempt=attempt):
                self._keep_attempt(attempt)
            case CancelRequested(task_id=task_id):
                self.cancelled.add(task_id)
            case IntentRecorded() as intent:
                self.intents[intent.kind, intent.key] = intent
            case FactRecorded(key=key, value=value):
                self.facts[key] = value
            case ScaleRequested() as wish:
                self.wishes.append(wish)
            case ScalingRecorded(event=event):
                self.scaling.append(event)

    def _keep_attempt(self, attempt: Attempt | None) -> None:
        if attempt is not None:
            self.attempts.setdefault(attempt.task_id, {})[attempt.attempt_id] = attempt


def reborn(journal: Sequence[StoredRecord], policy: Policy, now_ms: int) -> World:
    """The World of a process that starts now."""
    kept, world = Kept(journal), World(policy, "ci")
    for key, value in kept.facts.items():
        if value:
            world.remember(key, value)
    world.wish = kept.wishes[-1].wish if kept.wishes else None
    for event in kept.scaling:
        world.recall(event, now_ms)
    for intent in kept.intents.values():
        if intent.state is IntentState.OPEN and intent.kind == REMOVE:
            world.resume_removal(intent, now_ms)
        elif intent.state is IntentState.OPEN:
            world.close_intent(intent)
    for task_id, (state, since_ms) in kept.states.items():
        if state not in TERMINAL_STATES:
            track = _track(kept, task_id, state)
            world.resume(track, now_ms, since_ms=since_ms, cancelled=task_id in kept.cancelled)
    world.revision = max((each.revision for each in journal), default=0)
    return world


def _track(kept: Kept, task_id: str, state: TaskState) -> Track:
    attempts = list(kept.attempts.get(task_id, {}).values())
    accepted = World(Policy(), "ci")
    accepted.apply([kept.submitted[task_id]], 0)
    return Track(
        task=accepted.attempts.tracks[task_id].task,
        state=state,
        attempt=next((each for each in attempts if each.holds_room), None),
        attempts_made=len(attempts),
        launches=sum(each.counted for each in attempts),
        returned_ms=returned_ms(attempts),
    )
