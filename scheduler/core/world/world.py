"""The World: everything known, and the view of it that a decision is made from.

Two ways in: `apply` for committed records (what is true for good) and `hear` for outcomes of calls (what
AWS said). Nothing else changes it, and it never asks for the time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from scheduler.core.autoscaling.changes import held_key, wished
from scheduler.core.lifecycle.removal import RemovalEvidence
from scheduler.core.lifecycle.transitions import check_edge
from scheduler.core.lifecycle.wishes import REASONS
from scheduler.core.model.answers import INSTANCE_UNFIT, Failure, Outcome
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory
from scheduler.core.model.calls import Call, InspectInstance, Lane, StopTask
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.facts import DEFINITION_PREFIX
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
from scheduler.core.model.removal import REMOVE, RemovalCause, RemovalStep, read_removal
from scheduler.core.model.resources import Resources
from scheduler.core.model.revision import DEREGISTER_DEFINITION
from scheduler.core.model.scaling import ScalingEvent, ScalingKind
from scheduler.core.model.task import TERMINAL_STATES, QueuedTask, TaskState
from scheduler.core.view import ClusterView
from scheduler.core.world.attempts import Track
from scheduler.core.world.failing_calls import forget_gone
from scheduler.core.world.hearing import hear
from scheduler.core.world.hearing_starts import line_up, note_start, tell_of_starts
from scheduler.core.world.parts import Parts
from scheduler.core.world.remembering import note_absence, remember
from scheduler.core.world.timeouts import earns_time, set_deadline, wishes_of
from scheduler.core.world.upkeep import removals_of, returnable, returning, shrinking, upkeep_of


class World(Parts):
    """The parts, and the rules by which records, outcomes and time change them."""

    # ---- what is true for good

    def apply(self, records: Iterable[StoredRecord], now_ms: int) -> None:
        """Folds committed records in."""
        for each in records:
            self.revision = max(self.revision, each.revision)
            match each.record:
                case TaskSubmitted() as submitted:
                    self._accept(submitted.queued(each.revision))
                case TaskTransitioned() as moved:
                    self._move(moved, now_ms)
                case AttemptRecorded(attempt=attempt):
                    self._record(attempt, now_ms)
                case CancelRequested(task_id=task_id):
                    self.cancel(task_id)
                case IntentRecorded() as intent:
                    self._settle(intent, now_ms)
                case FactRecorded(key=key, value=value):
                    self.remember(key, value)
                case ScaleRequested(wish=wish):
                    self.wish = wish
                    self.settled.append(ScalingRecorded(event=wished(wish)))
                case ScalingRecorded(event=event):
                    self._tell(event)
                    note_absence(self, event, now_ms)

    def resume(self, track: Track, now_ms: int, *, since_ms: int, cancelled: bool) -> None:
        """Takes in a task that the store kept, in its state since `since_ms`.

        An attempt without an outcome is looked for from now on, never repeated.
        """
        track.task = self.reservations.claim(track.task)
        self.attempts.begin(track)
        set_deadline(self, track, since_ms)
        if cancelled:
            self.cancel(track.task.task_id)
        if track.attempt is None:
            self._wait(track.task)
            return
        self._account(track.attempt, track, now_ms)
        if not track.attempt.ecs_task_arn:
            self.attempts.lose(track.attempt.attempt_id, now_ms)
            self.agenda.searches.begin(track.attempt, now_ms)

    def cancel(self, task_id: str) -> None:
        """A client does not want the task any more; one that has ended or is STOPPING is left alone."""
        track = self.attempts.tracks.get(task_id)
        if track is not None and track.state is not TaskState.STOPPING:
            self.cancelled[task_id] = None

    def close_intent(self, intent: IntentRecorded) -> None:
        """An act that was under way when the last process ended: it is decided anew from fresh readings."""
        self.settled.append(replace(intent, state=IntentState.ABANDONED))

    def recall(self, event: ScalingEvent, now_ms: int) -> None:
        """Takes in what the scaling log tells of an earlier life, whose clock may have been ahead."""
        note_absence(self, event, min(event.at_ms, now_ms))

    def resume_removal(self, intent: IntentRecorded, now_ms: int) -> None:
        """A removal that was under way when the last process ended: it goes on with the same step."""
        self._settle(intent, now_ms)

    def remember(self, key: str, value: str) -> None:
        """Takes in a fact."""
        if key.startswith(DEFINITION_PREFIX):
            self._define(key.removeprefix(DEFINITION_PREFIX), value)
        else:
            remember(self, key, value)

    def _define(self, definition_key: str, arn: str) -> None:
        """A definition is registered, or (without an ARN) not any more: who needs it waits for it again."""
        if arn:
            for task in self.definitions.register(definition_key, arn):
                if self.breakers.rests(definition_key):
                    self.backlog.remove(task)
                    self.breakers.shelve(task)
                else:
                    self.backlog.offer(task.task_id)
            return
        self.definitions.withdraw(definition_key)
        if not self.attempts.need(definition_key):
            return
        for track in self.attempts.tracks.values():
            if track.state is TaskState.QUEUED and track.task.definition_key == definition_key:
                self._leave(track.task)
                self._wait(track.task)

    # ---- what AWS said

    def sent(self, call: Call, now_ms: int) -> None:
        """A call is under way."""
        self.agenda.sent(call, now_ms)
        self.removals.sent(call, now_ms)
        self.family_scan.sent(call)

    def hear(self, outcome: Outcome, now_ms: int) -> None:
        """Folds the outcome of a call in (`hearing.py` has one rule a kind of call)."""
        self.agenda.heard(outcome, now_ms)
        hear(self, outcome, now_ms)

    # ---- what a decision sees

    def view(self, now_ms: int, slots: Mapping[Lane, int], *, explain: bool) -> ClusterView:
        """The view at `now_ms`. It stays valid until the next `apply` or `hear`."""
        self.backlog.wake(now_ms)
        self._try_again(now_ms)
        self.settled += self.reservations.tend(now_ms)
        supply = replace(self.fleet.supply(now_ms), futile=self.late_launches.futile)
        if back := returning(self):
            supply = replace(supply, silent=(*supply.silent, *back))
        able = self.fleet.counts[InstanceHealth.SCHEDULABLE] + len(supply.silent) + supply.in_flight
        silent, health = {each.arn for each in supply.silent}, self.fleet.health
        self.agenda.look_for_failed_launches(now_ms, awaited=supply.in_flight > 0)
        removals = removals_of(self)
        if (supply.in_flight and not self.late_launches.late) or removals:
            self.agenda.hurry(now_ms)
        return ClusterView(
            now_ms=now_ms,
            ready=None not in (self.instances_read_ms, self.group_read_ms, self.census_read_ms),
            explain=explain,
            backlog=self.backlog.groups(),
            rooms=self.fleet.rooms,
            ec2_ids=self.fleet.ec2_ids,
            health=self.fleet.counts,
            suspects=frozenset(self.suspects),
            definitions=self.definitions.registered,
            wanted_definitions=self.definitions.wanted(now_ms),
            stale_revision=self.revisions.stale(now_ms, self.attempts.need),
            rejected=self.definitions.rejected(self.policy.max_placements_per_decision),
            evidence=self.attempts.evidence(
                able, lambda arn: arn in silent or health.get(arn) is InstanceHealth.SCHEDULABLE
            ),
            lacking=self.attempts.lacking,
            resting=tuple(self.breakers.resting()) if explain else (),
            wishes=tuple(wishes_of(self, now_ms)),
            lost_attempts=self.agenda.searches.lost(),
            reserved=self.reservations.reserved(self.attempts.tracks),
            capacity=self.growth.capacity(
                supply,
                now_ms,
                suspects=self._failed_starts(now_ms),
                returnable=returnable(self, removals),
                shrinking=shrinking(self),
            ),
            registered_by_type=self.fleet.registered_by_type,
            settled=tuple(self.settled),
            upkeep=upkeep_of(self, supply, removals, now_ms),
            due=self._due(removals, now_ms),
            slots=slots,
        )

    def _due(self, removals: tuple[RemovalEvidence, ...], now_ms: int) -> tuple[Call, ...]:
        acts = list(self.removals.due(removals, now_ms, frozen=self.fleet.frozen))
        looks = [each for each in acts if isinstance(each, InspectInstance)]
        others = (each for each in acts if not isinstance(each, InspectInstance))
        return (*self.agenda.due(now_ms, looks), *others, *self.family_scan.due(now_ms))

    def looked_at(self, view: ClusterView) -> None:
        """What the view led to is committed: its news are old now."""
        self.attempts.looked_at(view.evidence)
        self.revisions.looked(view.now_ms, view.stale_revision)
        del self.settled[: len(view.settled)]

    def next_ms(self) -> int:
        """When something falls due by itself."""
        times = [
            self.agenda.next_ms(),
            self.backlog.next_ms(),
            self.definitions.next_ms(),
            self.deadlines.next_ms(),
            self.growth.next_ms(),
            self.removals.next_ms(),
            self.revisions.next_ms(),
            self.family_scan.next_ms(),
            self.breakers.next_ms(),
            self.reservations.next_ms(),
        ]
        return min(each for each in times if each is not None)

    def _failed_starts(self, now_ms: int) -> frozenset[tuple[str, Resources]]:
        """Suspects beyond the next reading. One that only refused is full for a moment, and has room."""
        return frozenset(pair for pair, until_ms in self.suspects.items() if until_ms > now_ms)

    # ---- records, one by one

    def _accept(self, task: QueuedTask) -> None:
        task = self.reservations.claim(task)
        track = Track(task=task, state=TaskState.QUEUED)
        self.attempts.begin(track)
        self._wait(task)
        set_deadline(self, track, task.submitted_ms)

    def _wait(self, task: QueuedTask) -> None:
        key = task.definition_key
        if key in self.definitions.registered and self.breakers.rests(key):
            self.breakers.shelve(task)
        else:
            line_up(self, task)

    def _leave(self, task: QueuedTask) -> None:
        """It waits no longer, wherever it waited."""
        if not self.breakers.leave(task):
            self.backlog.remove(task)
        self.definitions.leave(task)

    def _try_again(self, now_ms: int) -> None:
        """Tasks of a configuration that failed everywhere, when their rest is over."""
        for task in self.breakers.release(now_ms):
            line_up(self, task)
        tell_of_starts(self)

    def _move(self, moved: TaskTransitioned, now_ms: int) -> None:
        check_edge(self.attempts.tracks[moved.task_id].state, moved.state)
        track = self.attempts.move(moved.task_id, moved.state, moved.attempt)
        if moved.previous is TaskState.QUEUED:
            self._leave(track.task)
        elif moved.state is TaskState.QUEUED and moved.attempt and earns_time(track, moved.attempt):
            track.returned_ms = moved.at_ms
        set_deadline(self, track, moved.at_ms)
        if moved.state in TERMINAL_STATES or moved.state is TaskState.STOPPING:
            self.cancelled.pop(moved.task_id, None)
        if moved.attempt is not None:
            self._account(moved.attempt, track, now_ms)
        if moved.state is TaskState.QUEUED:
            self._requeue(track, moved.attempt, now_ms)
        elif moved.state is not TaskState.ASSIGNED:
            track.refusals = 0
        if moved.attempt is not None:
            note_start(self, moved.attempt, track.task, now_ms)

    def _record(self, attempt: Attempt, now_ms: int) -> None:
        track = self.attempts.record(attempt)
        if track is not None:
            self._account(attempt, track, now_ms)

    def _account(self, attempt: Attempt, track: Track, now_ms: int) -> None:
        """Room, readings and searches follow what is known of the attempt."""
        self.settled += self.revisions.use(attempt.task_definition_arn, now_ms)
        self.ledger.record(attempt, track.task.ask, track.state)
        self.fleet.refresh(attempt.ec2_instance_id)
        if not attempt.holds_room:
            self.agenda.forget(attempt)
            if attempt.may_show_up:
                self.agenda.searches.look_out(attempt, now_ms)
        elif attempt.state is AttemptState.UNKNOWN:
            self.agenda.searches.begin(attempt, now_ms)
        elif attempt.ecs_task_arn:
            self.agenda.searches.end(attempt.attempt_id)
            self.agenda.watch(attempt.ecs_task_arn, now_ms)
        if attempt.holds_room and attempt.stop_wish is not None:
            self._stop(attempt, attempt.stop_wish, now_ms)

    def _stop(self, attempt: Attempt, wish: StopCategory, now_ms: int) -> None:
        """Stops the attempt's ECS task, or takes back a start that was to be sent again."""
        self.deadlines.set(attempt.task_id, None)
        if attempt.ecs_task_arn:
            call = StopTask(ecs_task_arn=attempt.ecs_task_arn, reason=REASONS[wish])
            self.agenda.stop(call, now_ms)
        elif self.agenda.drop_repeat(attempt.attempt_id):
            never_sent = Failure(definite=True, code=wish.value, message=REASONS[wish])
            self.attempts.fail(attempt.attempt_id, never_sent, now_ms)

    def _requeue(self, track: Track, attempt: Attempt | None, now_ms: int) -> None:
        """Back to its old place after a rest; the instance is suspect for this shape."""
        if attempt is not None and attempt.state is AttemptState.ENDED:
            pause = _step(self.policy.retry_pauses_ms, track.launches - 1)
            self._suspect(track, attempt, now_ms + self.policy.retry_suspect_ms)
        else:
            pause = _step(self.policy.capacity_pauses_ms, track.refusals)
            track.refusals += 1
            if attempt is not None and attempt.state is AttemptState.DEFINITE_FAILURE:
                self._suspect(track, attempt, now_ms + self._unfit_ms(attempt))
        key = track.task.definition_key
        if key in self.definitions.registered and not self.breakers.rests(key):
            self.backlog.rest(track.task, now_ms + pause)
        else:
            self._wait(track.task)

    def _unfit_ms(self, attempt: Attempt) -> int:
        """A reading soon shows why there was no room; what ECS has against an instance it may never show."""
        unfit = attempt.stop_reason is not None and attempt.stop_reason.code == INSTANCE_UNFIT
        return self.policy.retry_suspect_ms if unfit else 0

    def _suspect(self, track: Track, attempt: Attempt, until_ms: int) -> None:
        self.suspects[attempt.container_instance_arn, track.task.ask] = until_ms
        reason = attempt.stop_reason
        if reason is not None and reason.category is StopCategory.ATTRIBUTE:
            self.attempts.lack(track.task.task_id, attempt.container_instance_arn)

    def _settle(self, intent: IntentRecorded, now_ms: int) -> None:
        under_way = intent.state is IntentState.OPEN
        if intent.kind == REMOVE:
            self._remove(intent, now_ms)
        elif intent.kind == "deregister":
            change = self.deregistering.add if under_way else self.deregistering.discard
            change(intent.key)
        elif intent.kind == DEREGISTER_DEFINITION:
            self.revisions.settle(intent.key, now_ms, under_way=under_way)
        elif intent.kind == "set_desired":
            self.growth.growing = under_way
        elif under_way:
            self.definitions.begin(intent.key)
        else:
            self.definitions.finish(intent.key)
            if intent.state is IntentState.ABANDONED:
                self.definitions.rest(intent.key, now_ms)

    def _remove(self, intent: IntentRecorded, now_ms: int) -> None:
        """A removal began, took its next step, or is over."""
        if intent.state is not IntentState.OPEN:
            self.removals.end(intent.key, now_ms)
            self.fleet.release(intent.key)
            forget_gone(self, now_ms)
            return
        removal = read_removal(intent.key, intent.payload)
        is_new = self.removals.of(intent.key) is None
        self.removals.record(removal, now_ms)
        replaced = removal.replaced and removal.step is not RemovalStep.DRAINING
        self.fleet.claim(removal.ec2_instance_id, replaced=replaced)
        if is_new and removal.cause is RemovalCause.BLACK_HOLE:
            self.quarantine.drained(removal.since_ms)

    def _tell(self, event: ScalingEvent) -> None:
        """What is held is told once; once something is done again, it may be told anew."""
        if event.held:
            self.told.add(held_key(event))
        elif event.kind not in _NOT_DONE:
            self.told.clear()


_NOT_DONE = frozenset(
    {
        ScalingKind.CONDITION_BEGAN,
        ScalingKind.CONDITION_ENDED,
        ScalingKind.LAUNCH_FAILED,
        ScalingKind.EVIDENCE,
        ScalingKind.WISHED,
    }
)
"""Scaling events that tell of no act of ours."""


def _step(pauses: tuple[int, ...], failures: int) -> int:
    """The pause after so many failures; the last one repeats."""
    return pauses[min(max(0, failures), len(pauses) - 1)]
