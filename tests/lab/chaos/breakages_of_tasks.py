"""Breakages of what is done about tasks: starts, searches, ends, stops and timeouts."""

from dataclasses import replace

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core import decide
from scheduler.core.lifecycle import reconcile, wishes
from scheduler.core.model.answers import EcsTask, Failure, Outcome, TasksSeen
from scheduler.core.model.attempt import Attempt, AttemptState, StopCategory, StopReason
from scheduler.core.model.calls import Call, StartTask, StopTask
from scheduler.core.model.evidence import AttemptEvidence, StopWish
from scheduler.core.model.plan import Transition
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.core.world import hearing, hearing_capacity, timeouts, world
from scheduler.core.world.agenda import Agenda
from scheduler.core.world.attempts import Track
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger
from scheduler.core.world.parts import Parts
from scheduler.core.world.searches import Searches
from scheduler.core.world.world import World
from scheduler.ports.cloud import CloudError, TaskLaunch
from tests.lab.chaos.breakages import Breakage, Patch


def start_again_when_unanswered(patch: Patch) -> None:
    """A start without an answer is sent again, as the default retries of an AWS SDK do."""
    once = AwsCloud.start_task

    def start_task(cloud: AwsCloud, launch: TaskLaunch) -> EcsTask:
        try:
            return once(cloud, launch)
        except CloudError:
            return once(cloud, launch)

    patch.setattr(AwsCloud, "start_task", start_task)


def take_no_answer_for_a_no(patch: Patch) -> None:
    """A start without an answer is taken for one that was refused for want of room."""
    once = AwsCloud.start_task
    full = StopReason(category=StopCategory.CAPACITY, code="RESOURCE", message="")

    def start_task(cloud: AwsCloud, launch: TaskLaunch) -> EcsTask:
        try:
            return once(cloud, launch)
        except CloudError as error:
            raise CloudError(replace(error.failure, definite=True, reason=full)) from error

    patch.setattr(AwsCloud, "start_task", start_task)


def ask_until_it_runs(patch: Patch) -> None:
    """A start is answered once its task runs: until then it is asked for, again and again."""
    once = AwsCloud.start_task

    def start_task(cloud: AwsCloud, launch: TaskLaunch) -> EcsTask:
        task = once(cloud, launch)
        for _ in range(100):
            found, _missing = cloud.describe_tasks((task.arn,))
            if any(each.last_status == "RUNNING" for each in found):
                break
        return task

    patch.setattr(AwsCloud, "start_task", start_task)


def take_a_throttle_for_a_refusal(patch: Patch) -> None:
    """A throttled start is counted as the task's own failure."""

    def throttled(parts: Parts, call: StartTask, failure: Failure, now_ms: int) -> None:
        parts.attempts.fail(call.attempt_id, replace(failure, reason=None), now_ms)

    patch.setattr(hearing, "_throttled_start", throttled)


def abandon_at_once(patch: Patch) -> None:
    """One search that finds nothing is enough: lists are taken for complete."""
    real = reconcile.reconcile

    def hasty(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> reconcile.Change | None:
        return real(evidence, now_ms, replace(policy, visibility_window_ms=0))

    patch.setattr(decide, "reconcile", hasty)


def believe_missing_at_once(patch: Patch) -> None:
    """One reading that does not know a task is believed."""
    real = reconcile.reconcile

    def hasty(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> reconcile.Change | None:
        credulous = replace(policy, lost_readings=1, lost_after_ms=0, missing_grace_ms=0)
        return real(evidence, now_ms, credulous)

    patch.setattr(decide, "reconcile", hasty)


def call_everything_a_success(patch: Patch) -> None:
    """Whoever stops has succeeded."""

    def always(stop: StopReason, main: str) -> bool:
        return True

    patch.setattr(reconcile, "succeeded", always)


def call_nothing_a_success(patch: Patch) -> None:
    """Whoever stops has failed."""

    def never(stop: StopReason, main: str) -> bool:
        return False

    patch.setattr(reconcile, "succeeded", never)


def run_again_what_has_run(patch: Patch) -> None:
    """Whatever an instance took with it is launched again, though it may have run."""
    real = reconcile.reconcile

    def generous(evidence: AttemptEvidence, now_ms: int, policy: Policy) -> reconcile.Change | None:
        return real(replace(evidence, may_run_again=True), now_ms, policy)

    patch.setattr(decide, "reconcile", generous)


def end_what_is_only_asked_to_stop(patch: Patch) -> None:
    """A cancelled task is told as ended when it is asked to stop."""
    real = wishes.grant

    def grant(wish: StopWish) -> Transition | Attempt:
        change = real(wish)
        if not isinstance(change, Transition) or change.attempt is None:
            return change
        return replace(
            change,
            state=TaskState.CANCELLED,
            attempt=replace(change.attempt, state=AttemptState.ENDED),
        )

    patch.setattr(decide, "grant", grant)


def forget_what_is_taken(patch: Patch) -> None:
    """Nothing is booked: room is what ECS says it is."""
    patch.setattr(Ledger, "record", lambda ledger, attempt, ask, state: None)


def free_the_room_of_what_stops(patch: Patch) -> None:
    """Room is free once its task is asked to stop, as ECS shows it."""
    real = Ledger.record

    def record(ledger: Ledger, attempt: Attempt, ask: Resources, state: TaskState) -> None:
        stopping = state is TaskState.STOPPING
        real(ledger, replace(attempt, state=AttemptState.ENDED) if stopping else attempt, ask, state)

    patch.setattr(Ledger, "record", record)


def share_what_is_taken_whole(patch: Patch) -> None:
    """A task that wants its instance for itself is booked with what its containers ask for."""
    real = Ledger.record

    def record(ledger: Ledger, attempt: Attempt, ask: Resources, state: TaskState) -> None:
        real(ledger, attempt, ask.alone(False), state)

    patch.setattr(Ledger, "record", record)


def overlook_who_is_there(patch: Patch) -> None:
    """An instance is as good as empty for a task that wants it for itself, if there is room on it."""
    patch.setattr(Fleet, "is_occupied", lambda fleet, ec2_instance_id: False)


def stop_what_nobody_knows(patch: Patch) -> None:
    """Tasks of others are taken for strays."""
    real = hearing_capacity.census

    def census(parts: Parts, outcome: Outcome) -> None:
        real(parts, outcome)
        for task in outcome.answer.tasks if isinstance(outcome.answer, TasksSeen) else ():
            if parts.attempts.track_of(task.started_by) is None:
                parts.agenda.stop(StopTask(ecs_task_arn=task.arn, reason="unknown"), outcome.sent_ms)

    patch.setattr(hearing_capacity, "census", census)


def forget_what_was_given_up(patch: Patch) -> None:
    """Nobody looks out for the task of an attempt that was abandoned."""
    patch.setattr(Searches, "look_out", lambda searches, attempt, now_ms: searches.end(attempt.attempt_id))


def take_what_is_found_for_a_stray(patch: Patch) -> None:
    """Whatever a search finds had been given up before."""
    patch.setattr(Searches, "is_stray", lambda searches, attempt_id: True)


def ask_to_stop_once(patch: Patch) -> None:
    """A StopTask that was sent is not repeated, whatever becomes of it."""
    real = Agenda.sent

    def sent(agenda: Agenda, call: Call, now_ms: int) -> None:
        real(agenda, call, now_ms)
        if isinstance(call, StopTask):
            agenda.unstop(call.ecs_task_arn)

    patch.setattr(Agenda, "sent", sent)


def count_timeouts_from_the_submission(patch: Patch) -> None:
    """A task that waited for long is stopped as soon as it runs."""
    real = timeouts.set_deadline

    def set_deadline(parts: Parts, track: Track, since_ms: int) -> None:
        real(parts, track, track.task.submitted_ms)

    patch.setattr(world, "set_deadline", set_deadline)


def cancel_only_what_runs(patch: Patch) -> None:
    """What waits has nothing to be stopped: its cancellation is not looked at."""
    real = World.cancel

    def cancel(known: World, task_id: str) -> None:
        track = known.attempts.tracks.get(task_id)
        if track is not None and track.state is not TaskState.QUEUED:
            real(known, task_id)

    patch.setattr(World, "cancel", cancel)


def take_stopping_for_stopped(patch: Patch) -> None:
    """What ECS means to stop has stopped: its desired status says so."""
    real = reconcile._follow

    def follow(
        evidence: AttemptEvidence, seen: EcsTask, now_ms: int, policy: Policy
    ) -> reconcile.Change | None:
        status = "STOPPED" if seen.desired_status == "STOPPED" else seen.last_status
        return real(evidence, replace(seen, last_status=status), now_ms, policy)

    patch.setattr(reconcile, "_follow", follow)


def give_everybody_a_limit(patch: Patch) -> None:
    """Who asked for no run timeout gets one of half a minute."""
    real = timeouts.set_deadline

    def set_deadline(parts: Parts, track: Track, since_ms: int) -> None:
        real(parts, track, since_ms)
        if track.state is TaskState.RUNNING and track.task.timeouts.run_ms is None:
            parts.deadlines.set(track.task.task_id, since_ms + 30_000)

    patch.setattr(world, "set_deadline", set_deadline)


def give_up_after_one_launch(patch: Patch) -> None:
    """What did not start on one instance is not tried on another."""
    patch.setattr(reconcile, "_has_launches_left", lambda evidence, stop, policy: False)


def launch_without_end(patch: Patch) -> None:
    """What failed to start for no reason of its own is launched until it does."""

    def always(evidence: AttemptEvidence, stop: StopReason, policy: Policy) -> bool:
        return stop.category in (StopCategory.CANNOT_START, StopCategory.START_TIMEOUT, StopCategory.IMAGE)

    patch.setattr(reconcile, "_has_launches_left", always)


TABLE = (
    Breakage(start_again_when_unanswered, ("a_task_is_started_once",)),
    Breakage(take_no_answer_for_a_no, ("a_task_is_started_once",)),
    Breakage(ask_until_it_runs, ("budgets_are_kept",)),
    Breakage(take_a_throttle_for_a_refusal, ("nothing_fails_without_a_cause",)),
    Breakage(abandon_at_once, ("a_task_is_started_once",)),
    Breakage(believe_missing_at_once, ("nothing_runs_on", "a_task_is_started_once")),
    Breakage(call_everything_a_success, ("success_is_an_exit_with_0",)),
    Breakage(call_nothing_a_success, ("an_end_is_told_as_it_was",)),
    Breakage(run_again_what_has_run, ("nothing_runs_twice",)),
    Breakage(end_what_is_only_asked_to_stop, ("the_service_never_fails",)),
    Breakage(forget_what_is_taken, ("room_is_never_given_twice",)),
    Breakage(free_the_room_of_what_stops, ("room_is_never_given_twice",)),
    Breakage(share_what_is_taken_whole, ("nobody_shares_with_an_exclusive_task",)),
    Breakage(overlook_who_is_there, ("nobody_shares_with_an_exclusive_task",)),
    Breakage(stop_what_nobody_knows, ("nothing_foreign_is_stopped",)),
    Breakage(forget_what_was_given_up, ("strays_are_stopped",)),
    Breakage(take_what_is_found_for_a_stray, ("nothing_wanted_is_stopped",)),
    Breakage(ask_to_stop_once, ("what_is_cancelled_is_stopped", "every_task_ends")),
    Breakage(count_timeouts_from_the_submission, ("no_timeout_comes_early",)),
    Breakage(give_everybody_a_limit, ("no_timeout_comes_early",)),
    Breakage(give_up_after_one_launch, ("launches_are_used_up",)),
    Breakage(launch_without_end, ("launches_are_used_up",)),
    Breakage(cancel_only_what_runs, ("what_is_cancelled_is_not_started",)),
    Breakage(take_stopping_for_stopped, ("nothing_ends_before_its_task",)),
)
