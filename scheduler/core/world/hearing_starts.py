"""Hearing of starts: what launches that went well or failed teach of instances and configurations."""

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.removal import RemovalCause
from scheduler.core.model.task import QueuedTask, TaskState
from scheduler.core.placement.images import Holder
from scheduler.core.world.parts import Parts
from scheduler.core.world.starts import FailedStart, failed_start, good_start_ms

_QUARANTINE = "INSTANCES_QUARANTINED"
_RESTING = "CONFIGURATIONS_FAIL_TO_START"


def note_start(parts: Parts, attempt: Attempt, task: QueuedTask, now_ms: int) -> None:
    """What became of a launch, if that is known by now."""
    good_ms, failure = good_start_ms(attempt), failed_start(attempt, task)
    if good_ms is not None:
        parts.starts.succeed(attempt.ec2_instance_id, task.definition_key, good_ms)
        _note_image(parts, attempt, task)
        for each in parts.breakers.close(task.definition_key, good_ms):
            line_up(parts, each)
    elif failure is not None:
        parts.starts.fail(failure)
        _blame_configuration(parts, failure, now_ms)
        judge_starts(parts)
    tell_of_starts(parts)


def _note_image(parts: Parts, attempt: Attempt, task: QueuedTask) -> None:
    """Its layers are there now, for the next task of it."""
    instance = parts.fleet.instances.get(attempt.container_instance_arn)
    if instance is not None:
        parts.fleet.rooms.images.note(task.image, Holder(instance.launched_ms, instance.arn))


def line_up(parts: Parts, task: QueuedTask) -> None:
    """A task waits for room, or aside for its definition."""
    known = task.definition_key in parts.definitions.registered
    parts.backlog.add(task, aside=not known)
    if not known:
        parts.definitions.wait(task)


def judge_starts(parts: Parts) -> None:
    """Who is in quarantine; told to the fleet, which gives them no room away."""
    group = parts.fleet.group
    members = group.members if group else {}
    leaving = [each.ec2_instance_id for each in parts.removals if each.cause is RemovalCause.BLACK_HOLE]
    parts.quarantine.judge(
        parts.starts.black_holes(),
        leaving=[each for each in leaving if each in members],
        members=len(members),
    )
    parts.fleet.suspect(parts.quarantine.held.keys())
    tell_of_starts(parts)


def tell_of_starts(parts: Parts) -> None:
    """The conditions that stand while instances are in quarantine or configurations rest."""
    for reason, message in (
        (_QUARANTINE, parts.quarantine.message()),
        (_RESTING, parts.breakers.message()),
    ):
        parts.troubles.pop(reason, None)
        if message:
            parts.troubles[reason] = message


def _blame_configuration(parts: Parts, failure: FailedStart, now_ms: int) -> None:
    """It trips if it follows the configuration, and again whenever that fails once more."""
    key = failure.key
    able = parts.fleet.counts[InstanceHealth.SCHEDULABLE]
    if not parts.breakers.is_tripped(key) and not parts.starts.follows(key, able):
        return
    if not parts.breakers.trip(failure, now_ms):
        return
    for track in parts.attempts.tracks.values():
        task = track.task
        if track.state is not TaskState.QUEUED or task.definition_key != key or parts.breakers.holds(task):
            continue
        if key in parts.definitions.registered:
            parts.backlog.remove(task)
            parts.breakers.shelve(task)
