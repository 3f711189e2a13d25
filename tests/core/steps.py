"""A control loop without threads, lanes or a store: view, decide, commit, send, and answers by hand."""

from collections.abc import Iterable
from typing import TypeVar

from scheduler.core.decide import decide
from scheduler.core.model.answers import Answer, Outcome
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.calls import Call, Lane, StartTask
from scheduler.core.model.plan import Placement, Plan
from scheduler.core.model.records import (
    AttemptRecorded,
    Record,
    StoredRecord,
    TaskSubmitted,
    TaskTransitioned,
)
from scheduler.core.model.task import TaskState
from scheduler.core.view import ClusterView
from scheduler.core.world.world import World
from tests.builders import attempt_id
from tests.clocks import START_MS
from tests.core.rebirth import reborn

_Call = TypeVar("_Call")


class Steps:
    """Runs a World step by step.

    `under_way` are the calls that have no answer yet, with their send times; `journal` is all that was ever
    committed, `committed` the same without revisions, for tests to take from.
    """

    def __init__(self, world: World, *, slots: int = 5) -> None:
        self.world = world
        self.now_ms = START_MS
        self.committed: list[Record] = []
        self.journal: list[StoredRecord] = []
        self.under_way: list[tuple[Call, int]] = []
        self._slots = dict.fromkeys(Lane, slots)
        self._revision = 0
        self._opened = 0

    def commit(self, *records: Record) -> None:
        """Makes records durable and true; each task event has the next revision."""
        stored = [self._stored(record) for record in records]
        self.world.apply(stored, self.now_ms)
        self.committed += records
        self.journal += stored

    def restart(self) -> None:
        """The process dies with all that it had not committed; the calls under way are nobody's any more."""
        self.under_way.clear()
        self.world = reborn(self.journal, self.world.policy, self.now_ms)

    def view(self) -> ClusterView:
        """What a decision sees now."""
        return self.world.view(self.now_ms, self._slots, explain=True)

    def step(self) -> Plan:
        """One decision, committed and sent."""
        view = self.view()
        plan = decide(view, self.world.policy)
        opened = [self._open(placement) for placement in plan.placements]
        self.world.looked_at(view)
        self.commit(*_journal(plan, opened, self.now_ms))
        for call in (*plan.calls, *(start_of(each) for each in opened)):
            self.world.sent(call, self.now_ms)
            self.under_way.append((call, self.now_ms))
        return plan

    def answer(self, call: Call, answer: Answer) -> None:
        """What came of a call that is under way."""
        sent_ms = next(sent_ms for each, sent_ms in self.under_way if each == call)
        self.under_way.remove((call, sent_ms))
        self.world.hear(Outcome(call=call, answer=answer, sent_ms=sent_ms), self.now_ms)

    def awaited(self, kind: type[_Call]) -> list[_Call]:
        """The calls of a kind that have no answer yet."""
        return [call for call, _ in self.under_way if isinstance(call, kind)]

    def _stored(self, record: Record) -> StoredRecord:
        is_event = isinstance(record, TaskSubmitted | TaskTransitioned)
        self._revision += is_event
        return StoredRecord(revision=self._revision if is_event else 0, record=record)

    def _open(self, placement: Placement) -> Attempt:
        self._opened += 1
        made = self.world.attempts.tracks[placement.task.task_id].attempts_made
        return Attempt(
            attempt_id=attempt_id(self._opened, made + 1),
            task_id=placement.task.task_id,
            number=made + 1,
            counted=True,
            state=AttemptState.OPEN,
            container_instance_arn=placement.container_instance_arn,
            ec2_instance_id=placement.ec2_instance_id,
            task_definition_arn=placement.task_definition_arn,
            created_ms=self.now_ms,
        )


def start_of(attempt: Attempt) -> StartTask:
    """The call that an attempt is the intent of."""
    return StartTask(
        attempt_id=attempt.attempt_id,
        task_id=attempt.task_id,
        container_instance_arn=attempt.container_instance_arn,
        task_definition_arn=attempt.task_definition_arn,
    )


def _journal(plan: Plan, opened: Iterable[Attempt], now_ms: int) -> Iterable[Record]:
    for each in plan.transitions:
        yield TaskTransitioned(
            task_id=each.task_id,
            previous=each.previous,
            state=each.state,
            at_ms=now_ms,
            attempt=each.attempt,
            stop_reason=each.stop_reason,
        )
    yield from (AttemptRecorded(attempt=each) for each in plan.attempts)
    yield from plan.settled
    for attempt in opened:
        yield TaskTransitioned(
            task_id=attempt.task_id,
            previous=TaskState.QUEUED,
            state=TaskState.ASSIGNED,
            at_ms=now_ms,
            attempt=attempt,
        )
