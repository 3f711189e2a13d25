"""The attempts: every task that is not terminal, its present attempt, and what was heard of it.

Evidence is kept until the decision that it leads to is committed: a commit that fails loses nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scheduler.core.model.answers import STARTING_STATUSES, EcsTask, Failure
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory
from scheduler.core.model.evidence import AttemptEvidence
from scheduler.core.model.task import TERMINAL_STATES, QueuedTask, TaskState

_LOOKED_FOR = (AttemptState.OPEN, AttemptState.UNKNOWN)
_NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Track:
    """One task that is not terminal.

    `launches` counts attempts that used up its retries, `refusals` starts in a row that found no room.
    `returned_ms` is when it last came back to the queue in a way that gives it more time.
    """

    task: QueuedTask
    state: TaskState
    attempt: Attempt | None = None
    attempts_made: int = 0
    launches: int = 0
    refusals: int = 0
    returned_ms: int | None = None


@dataclass(slots=True)
class _Heard:
    failure: Failure | None = None
    seen: EcsTask | None = None
    absent_as_of_ms: int | None = None
    absent_since_ms: int | None = None
    absences: int = 0
    starting_as_of_ms: int | None = None
    unknown_since_ms: int | None = None

    def is_absent(self, as_of_ms: int) -> None:
        """One more reading in a row that did not find it."""
        self.absent_as_of_ms = as_of_ms
        self.absences += 1
        if self.absent_since_ms is None:
            self.absent_since_ms = as_of_ms

    def is_there(self, seen: EcsTask, as_of_ms: int) -> None:
        """A reading found it."""
        self.seen = seen
        self.absent_as_of_ms = self.absent_since_ms = None
        self.absences = 0
        if seen.last_status in STARTING_STATUSES:
            self.starting_as_of_ms = as_of_ms


def _lacking(attempt: Attempt, heard: _Heard) -> frozenset[str]:
    """The attempt's own instance, if it was refused for want of an attribute."""
    reason = heard.failure.reason if heard.failure is not None else None
    lacks = reason is not None and reason.category is StopCategory.ATTRIBUTE
    return frozenset({attempt.container_instance_arn}) if lacks else _NOBODY


class Attempts:
    """Tracks by task id, attempts by their id and by the ARN of their ECS task.

    `lacking` are, by task id, the instances without an attribute that a task needs.
    """

    def __init__(self) -> None:
        """No tasks."""
        self.tracks: dict[str, Track] = {}
        self.lacking: dict[str, frozenset[str]] = {}
        self.counts: Counter[TaskState] = Counter()
        self._definitions: Counter[str] = Counter()
        self._task_of: dict[str, str] = {}
        self._attempt_of: dict[str, str] = {}
        self._heard: dict[str, _Heard] = {}
        self._news: dict[str, None] = {}

    def begin(self, track: Track) -> None:
        """A task is accepted, or was read from the store."""
        self.tracks[track.task.task_id] = track
        self.counts[track.state] += 1
        self._definitions[track.task.definition_key] += 1
        if track.attempt is not None:
            self._follow(track.attempt)

    def move(self, task_id: str, state: TaskState, attempt: Attempt | None) -> Track:
        """A task changed its state; a terminal one is forgotten. Returns its track."""
        track = self.tracks[task_id]
        self.counts[track.state] -= 1
        track.state = state
        if state in TERMINAL_STATES:
            del self.tracks[task_id]
            self.lacking.pop(task_id, None)
            self._release(track.task.definition_key)
        else:
            self.counts[state] += 1
        if attempt is not None:
            self.record(attempt)
        return track

    def lack(self, task_id: str, container_instance_arn: str) -> None:
        """An instance has not what the task needs, whatever room there is."""
        self.lacking[task_id] = self.lacking.get(task_id, _NOBODY) | {container_instance_arn}

    def need(self, definition_key: str) -> bool:
        """Whether a task that is not terminal, in whatever state, is of this configuration."""
        return definition_key in self._definitions

    def record(self, attempt: Attempt) -> Track | None:
        """What is known of an attempt changed."""
        track = self.tracks.get(attempt.task_id)
        if track is not None:
            before = track.attempt
            is_new = before is None or before.attempt_id != attempt.attempt_id
            track.attempts_made += is_new and attempt.holds_room
            track.launches += attempt.counted - (before is not None and not is_new and before.counted)
            track.attempt = attempt if attempt.holds_room else None
        if attempt.holds_room and track is not None:
            self._follow(attempt)
        else:
            self._drop(attempt)
        return track

    def track_of(self, attempt_id: str) -> Track | None:
        """The task whose present attempt this is."""
        return self.tracks.get(self._task_of.get(attempt_id, ""))

    def fail(self, attempt_id: str, failure: Failure, now_ms: int) -> None:
        """StartTask failed, or its answer was lost."""
        heard = self._hear(attempt_id)
        if heard is not None:
            heard.failure = failure
            if not failure.definite and heard.unknown_since_ms is None:
                heard.unknown_since_ms = now_ms

    def lose(self, attempt_id: str, since_ms: int) -> None:
        """The answer to StartTask may have been lost with our own life: it is looked for from now on."""
        heard = self._hear(attempt_id)
        if heard is not None:
            heard.unknown_since_ms = since_ms

    def see(self, seen: EcsTask, as_of_ms: int, attempt_id: str = "") -> None:
        """An ECS task was read; an older reading than the newest known is dropped."""
        heard = self._hear(attempt_id or self._attempt_of.get(seen.arn, ""))
        if heard is not None and (heard.seen is None or seen.version >= heard.seen.version):
            heard.is_there(seen, as_of_ms)

    def miss(self, attempt_id: str, as_of_ms: int) -> None:
        """A search that was sent at `as_of_ms` did not find the attempt's ECS task."""
        heard = self._hear(attempt_id)
        if heard is not None:
            heard.is_absent(as_of_ms)

    def miss_task(self, task_arn: str, as_of_ms: int) -> None:
        """ECS answered MISSING for a task that it once had."""
        heard = self._hear(self._attempt_of.get(task_arn, ""))
        if heard is not None:
            heard.is_absent(as_of_ms)
            heard.seen = None

    def evidence(self, able: int, is_able: Callable[[str], bool]) -> tuple[AttemptEvidence, ...]:
        """Attempts of which something was heard since they were last looked at.

        `able`: how many instances work, or are about to; `is_able` tells whether an ARN is one of theirs.
        """
        return tuple(
            self._evidence_of(attempt_id, able, is_able)
            for attempt_id in self._news
            if attempt_id in self._task_of
        )

    def looked_at(self, evidence: Iterable[AttemptEvidence]) -> None:
        """What this evidence led to is committed."""
        for each in evidence:
            self._news.pop(each.attempt.attempt_id, None)

    def _evidence_of(self, attempt_id: str, able: int, is_able: Callable[[str], bool]) -> AttemptEvidence:
        track = self.tracks[self._task_of[attempt_id]]
        heard = self._heard[attempt_id]
        assert track.attempt is not None, "an attempt that is followed is its task's present one"
        lacking = self.lacking.get(track.task.task_id, _NOBODY) | _lacking(track.attempt, heard)
        return AttemptEvidence(
            attempt=track.attempt,
            state=track.state,
            main_container=track.task.main_container,
            failure=heard.failure,
            seen=heard.seen,
            absent_as_of_ms=heard.absent_as_of_ms,
            absent_since_ms=heard.absent_since_ms,
            absences=heard.absences,
            starting_as_of_ms=heard.starting_as_of_ms,
            unknown_since_ms=heard.unknown_since_ms,
            lacking=len(lacking),
            untried=able - sum(map(is_able, lacking)),
            launches=track.launches,
            may_run_again=track.task.may_run_again,
        )

    def _follow(self, attempt: Attempt) -> None:
        self._task_of[attempt.attempt_id] = attempt.task_id
        heard = self._heard.setdefault(attempt.attempt_id, _Heard())
        if attempt.ecs_task_arn:
            self._attempt_of[attempt.ecs_task_arn] = attempt.attempt_id
        if attempt.state not in _LOOKED_FOR:
            heard.failure = None

    def _release(self, definition_key: str) -> None:
        self._definitions[definition_key] -= 1
        if not self._definitions[definition_key]:
            del self._definitions[definition_key]

    def _drop(self, attempt: Attempt) -> None:
        self._task_of.pop(attempt.attempt_id, None)
        self._heard.pop(attempt.attempt_id, None)
        self._news.pop(attempt.attempt_id, None)
        self._attempt_of.pop(attempt.ecs_task_arn, None)

    def _hear(self, attempt_id: str) -> _Heard | None:
        heard = self._heard.get(attempt_id)
        if heard is not None:
            self._news[attempt_id] = None
        return heard
