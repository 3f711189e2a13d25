"""Breakages of what builds bring: revisions, reservations, starts that fail, and logs that are followed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core import decide
from scheduler.core.model.answers import Failure
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.backlog import BacklogGroup
from scheduler.core.model.calls import StartTask
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.reservation import Reservation
from scheduler.core.model.revision import DAY_MS, Revision
from scheduler.core.placement import packer
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.packer import PackingResult
from scheduler.core.world import hearing, reservations
from scheduler.core.world.hearing_starts import judge_starts
from scheduler.core.world.parts import Parts
from scheduler.core.world.revisions import Revisions
from scheduler.core.world.starts import FailedStart, Starts
from scheduler.ports.logs import LogPlace
from scheduler.services import granting
from scheduler.services.logs.tail import LogTail
from tests.lab.chaos.breakages import Breakage, Patch

# ---- revisions


def deregister_what_is_wanted(patch: Patch) -> None:
    """Only the last use counts, and not who waits."""
    real = Revisions.stale

    def stale(known: Revisions, now_ms: int, is_needed: Callable[[str], bool]) -> Revision | None:
        return real(known, now_ms, lambda _: False)

    patch.setattr(Revisions, "stale", stale)


def deregister_a_day_early(patch: Patch) -> None:
    """The day of the last use counts as a whole one."""
    real = Revisions.stale

    def stale(known: Revisions, now_ms: int, is_needed: Callable[[str], bool]) -> Revision | None:
        return real(known, now_ms + DAY_MS, is_needed)

    patch.setattr(Revisions, "stale", stale)


def deregister_all_before(patch: Patch) -> None:
    """Of a family whatever is older than a revision of no use is of no use as well."""
    real = AwsCloud.deregister_task_definition

    def deregister(cloud: AwsCloud, arn: str) -> None:
        family, _, last = arn.rpartition(":")
        for number in range(1, int(last) + 1):
            real(cloud, f"{family}:{number}")

    patch.setattr(AwsCloud, "deregister_task_definition", deregister)


def keep_revisions_for_ever(patch: Patch) -> None:
    """A revision costs nothing, and may be wanted again."""

    def stale(known: Revisions, now_ms: int, is_needed: Callable[[str], bool]) -> Revision | None:
        return None

    patch.setattr(Revisions, "stale", stale)


# ---- reservations


def judge_each_build_alone(patch: Patch) -> None:
    """What a tenant's other builds have reserved is not counted."""
    patch.setattr(granting, "count_of", lambda pieces: 0)


def bring_back_what_was_used(patch: Patch) -> None:
    """Whoever asks for the same again begins anew."""

    def succeed(new: Reservation, former: Reservation) -> Reservation:
        return replace(new, place=former.place)

    patch.setattr(reservations, "succeed", succeed)


def hold_for_ever(patch: Patch) -> None:
    """Nobody looks at the expiry."""
    real = reservations.Reservations.tend

    def tend(standing: reservations.Reservations, now_ms: int) -> list[FactRecorded]:
        return real(standing, 0)

    patch.setattr(reservations.Reservations, "tend", tend)


def give_held_room_away(patch: Patch) -> None:
    """What is reserved is bought, and then free for whoever comes."""
    real = packer.pack

    def pack(backlog: Sequence[BacklogGroup], index: FreeIndex, **others: object) -> PackingResult:
        return real(backlog, index, **(others | {"reserved": ()}))  # type: ignore[arg-type]  # as they came

    patch.setattr(decide, "pack", pack)


# ---- starts that fail


def blame_the_instance(patch: Patch) -> None:
    """Whatever fails three times in a row on an instance is its fault."""

    def is_black_hole(starts: Starts, ec2_instance_id: str, row: tuple[FailedStart, ...]) -> bool:
        return len(row) >= starts._policy.black_hole_failures

    patch.setattr(Starts, "_is_black_hole", is_black_hole)


def blame_the_instance_for_a_throttle(patch: Patch) -> None:
    """A start that was refused for its rate has failed on its instance."""
    real = hearing._throttled_start

    def throttled(parts: Parts, call: StartTask, failure: Failure, now_ms: int) -> None:
        real(parts, call, failure, now_ms)
        track = parts.attempts.track_of(call.attempt_id)
        if track is None or track.attempt is None:
            return
        attempt, task = track.attempt, track.task
        parts.starts.fail(
            FailedStart(
                at_ms=now_ms,
                begun_ms=attempt.created_ms,
                ec2_instance_id=attempt.ec2_instance_id,
                key=task.definition_key,
                image=task.image,
                build_key=task.build_key,
                category=StopCategory.CANNOT_START,
                message=failure.message,
            )
        )
        judge_starts(parts)

    patch.setattr(hearing, "_throttled_start", throttled)


def blame_nobody(patch: Patch) -> None:
    """What fails to start is tried again, wherever there is room: on a black hole there is most."""
    patch.setattr(Starts, "black_holes", lambda starts: {})


# ---- logs


def read_from_the_beginning(patch: Patch) -> None:
    """A resumed tail shows all lines of its launch again."""
    patch.setattr(LogTail, "_first_place", lambda tail, attempt: LogPlace())


def leave_the_stream_followed(patch: Patch) -> None:
    """Who has read a stream to its end still counts as one that follows it."""

    def leave(tail: LogTail) -> None:
        tail._source = None

    patch.setattr(LogTail, "_leave", leave)


TABLE = (
    Breakage(deregister_what_is_wanted, ("nothing_wanted_is_deregistered",)),
    Breakage(deregister_a_day_early, ("nothing_of_use_is_deregistered",)),
    Breakage(deregister_all_before, ("only_ours_is_deregistered",)),
    Breakage(keep_revisions_for_ever, ("what_is_of_no_use_goes",)),
    Breakage(judge_each_build_alone, ("tenants_reserve_within_their_cap",)),
    Breakage(bring_back_what_was_used, ("a_place_is_used_once",)),
    Breakage(hold_for_ever, ("a_reservation_ends_in_time",)),
    Breakage(give_held_room_away, ("held_room_is_not_given_away",)),
    Breakage(blame_the_instance, ("no_black_hole_without_failures",)),
    Breakage(blame_the_instance_for_a_throttle, ("no_black_hole_without_failures",)),
    Breakage(blame_nobody, ("a_black_hole_is_found",)),
    Breakage(read_from_the_beginning, ("tails_show_every_line_once",)),
    Breakage(leave_the_stream_followed, ("tails_leave_nothing",)),
)
