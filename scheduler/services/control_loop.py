"""The control loop: a step function over one inbox.

    inbox -> World -> view -> decide -> records and calls

A step never waits, sleeps or locks. What it wants takes effect only by: commit, apply, send. The drivers do
that: threads in production, one heap on a virtual clock in the lab.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.decide import decide
from scheduler.core.lifecycle.transitions import check_edge
from scheduler.core.model.answers import Committed, Message, Outcome
from scheduler.core.model.attempt import Attempt, AttemptState
from scheduler.core.model.calls import Call, StartTask
from scheduler.core.model.digest import ClusterDigest, Unplaced, empty_digest
from scheduler.core.model.facts import FAMILY_SCANNED
from scheduler.core.model.plan import Placement, Plan, Transition
from scheduler.core.model.records import AttemptRecorded, Record, StoredRecord, TaskTransitioned
from scheduler.core.model.removal import REMOVE
from scheduler.core.model.task import TaskState
from scheduler.core.view import ClusterView
from scheduler.core.world.attempts import Track
from scheduler.core.world.world import World
from scheduler.ports.ids import Ids
from scheduler.ports.store import StoredState
from scheduler.services.asking import Ask, AskGrant, AskInstances, AskPlan
from scheduler.services.digest import condition_changes, digest_of, instances_of
from scheduler.services.foresight import plan_for
from scheduler.services.granting import granted
from scheduler.services.lanes import Lanes

EXPLAIN_PAUSE_MS = 250
"""Pause between two digests: counting rejects over a large fleet costs more than placing."""

COALESCE_MS = 20
"""What arrives within this time is decided on together."""

_BUSY_LANE_MS = 1_000
"""Pause while all that is due waits for calls under way; their outcomes end it earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step wants: `records` to be committed, then `calls` to be sent."""

    now_ms: int
    view: ClusterView
    records: tuple[Record, ...]
    calls: tuple[Call, ...]
    unplaced: tuple[Unplaced, ...]


class ControlLoop:
    """Folds messages into the World and decides. One thread at a time; no thread of its own."""

    def __init__(self, world: World, lanes: Lanes, ids: Ids, cluster: str) -> None:
        """`cluster` names the ECS cluster in the digest."""
        self._world = world
        self._lanes = lanes
        self._ids = ids
        self._explained_ms: int | None = None
        self.digest: ClusterDigest = empty_digest(cluster)

    def resume(self, stored: StoredState, now_ms: int) -> None:
        """Rebuilds the World from the store. Attempts without an outcome are looked for, never repeated.

        In the order of their keys: what was reserved is known before what clients have asked for since.
        """
        self._world.revision = stored.revision
        for key, value in sorted(stored.facts.items()):
            self._world.remember(key, value)
        if FAMILY_SCANNED not in stored.facts:
            self._world.family_scan.begin()
        self._world.wish = stored.wish
        for event in stored.scaling:
            self._world.recall(event, now_ms)
        for intent in stored.intents:
            if intent.kind == REMOVE:
                self._world.resume_removal(intent, now_ms)
            else:
                self._world.close_intent(intent)
        for live in stored.live:
            track = Track(
                task=live.queued,
                state=live.state,
                attempt=live.attempt,
                attempts_made=live.attempts_made,
                launches=live.launches,
                returned_ms=live.returned_ms,
            )
            self._world.resume(track, now_ms, since_ms=live.updated_ms, cancelled=live.cancelled)

    def step(self, now_ms: int, messages: Sequence[Message | Ask]) -> Step:
        """Hears the messages and decides. Nothing takes effect until `confirm`."""
        for message in messages:
            self._hear(message, now_ms)
        self._answer([each for each in messages if isinstance(each, Ask)], now_ms)
        explain = self._explained_ms is None or now_ms - self._explained_ms >= EXPLAIN_PAUSE_MS
        view = self._world.view(now_ms, self._lanes.slots(now_ms), explain=explain)
        plan = decide(view, self._world.policy)
        opened = [self._opened(each, now_ms) for each in plan.placements]
        records = _journal(plan, opened, now_ms)
        calls = (*plan.calls, *(self._start(each) for each in opened))
        return Step(
            now_ms=now_ms,
            view=view,
            records=records,
            calls=calls,
            unplaced=plan.unplaced,
        )

    def confirm(self, step: Step, stored: Sequence[StoredRecord]) -> int:
        """The step's records are durable as `stored`: they become true, and its calls are under way.

        Returns when to look again, if nothing is heard before.
        """
        self._world.looked_at(step.view)
        self._world.apply(stored, step.now_ms)
        for call in step.calls:
            self._world.sent(call, step.now_ms)
            self._lanes.sent(call, step.now_ms)
        if step.view.explain:
            self._explained_ms = step.now_ms
            before, self.digest = self.digest, digest_of(self._world, step.unplaced, step.now_ms, self.digest)
            self._world.settled += condition_changes(before, self.digest, step.now_ms)
        return self._wake_ms(step.now_ms, busy=bool(stored))

    def _answer(self, questions: Sequence[Ask], now_ms: int) -> None:
        """Answers from what is known now; nothing comes of it."""
        for question in questions:
            match question:
                case AskInstances():
                    question.answer(instances_of(self._world))
                case AskGrant():
                    question.answer(granted(self._world, question.order, question.at_ms))
                case AskPlan():
                    question.answer(plan_for(self._world, question.wish, now_ms))

    def _hear(self, message: Message | Ask, now_ms: int) -> None:
        match message:
            case Committed(records=records):
                self._world.apply(records, now_ms)
            case Outcome() as outcome:
                self._lanes.heard(outcome, now_ms)
                self._world.hear(outcome, now_ms)
            case _:
                return

    def _opened(self, placement: Placement, now_ms: int) -> Attempt:
        task = placement.task
        number = self._world.attempts.tracks[task.task_id].attempts_made + 1
        return Attempt(
            attempt_id=self._ids.attempt_id(),
            task_id=task.task_id,
            number=number,
            counted=True,
            state=AttemptState.OPEN,
            container_instance_arn=placement.container_instance_arn,
            ec2_instance_id=placement.ec2_instance_id,
            task_definition_arn=placement.task_definition_arn,
            created_ms=now_ms,
        )

    def _start(self, attempt: Attempt) -> StartTask:
        instance = self._world.fleet.instances.get(attempt.container_instance_arn)
        return StartTask(
            attempt_id=attempt.attempt_id,
            task_id=attempt.task_id,
            container_instance_arn=attempt.container_instance_arn,
            task_definition_arn=attempt.task_definition_arn,
            storage_driver=instance.storage_driver if instance else "",
        )

    def _wake_ms(self, now_ms: int, *, busy: bool) -> int:
        """At once after a change; else when something falls due, but never faster than coalescing.

        What is due already waits for a token, or for a call of its lane to come back, which wakes us.
        """
        if busy:
            return now_ms
        due_ms = self._world.next_ms()
        if due_ms <= now_ms:
            due_ms = now_ms + _BUSY_LANE_MS
            if self._lanes.any_empty():
                due_ms = min(due_ms, self._lanes.next_token_ms(now_ms))
        return max(due_ms, now_ms + COALESCE_MS)


def _journal(plan: Plan, opened: list[Attempt], now_ms: int) -> tuple[Record, ...]:
    """The plan as durable records: what ended first, so that readers see causes before effects."""
    transitions = [_record(each, now_ms) for each in plan.transitions]
    assigned = [
        TaskTransitioned(
            task_id=each.task_id,
            previous=TaskState.QUEUED,
            state=TaskState.ASSIGNED,
            at_ms=now_ms,
            attempt=each,
        )
        for each in opened
    ]
    return (
        *transitions,
        *(AttemptRecorded(attempt=each) for each in plan.attempts),
        *plan.settled,
        *assigned,
    )


def _record(transition: Transition, now_ms: int) -> TaskTransitioned:
    check_edge(transition.previous, transition.state)
    return TaskTransitioned(
        task_id=transition.task_id,
        previous=transition.previous,
        state=transition.state,
        at_ms=now_ms,
        attempt=transition.attempt,
        stop_reason=transition.stop_reason,
    )
