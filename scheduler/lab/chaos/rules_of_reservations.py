"""Invariants of reservations: who uses them, how long they last, and what they hold.

Found by `invariants.py`, where all of them are listed. What stands is read from facts that became durable.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from scheduler.core.autoscaling.reservations import left_of
from scheduler.core.model.records import FactRecorded, TaskTransitioned
from scheduler.core.model.reservation import (
    RESERVATION_PREFIX,
    BuildKey,
    Reservation,
    Reserved,
    count_of,
    read_reservation,
    standing_build,
)
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import TaskState
from scheduler.lab.chaos.scene import Ending, Scene
from scheduler.services.control_loop import Step


def a_place_is_used_once(scene: Scene, step: Step) -> str | None:
    """What is reserved for a result is used by one task, of the same tenant and build, and never exceeded."""
    known = dict(scene.book.reservations)
    for key, new in _standing_in(step):
        former = known.get(key)
        if wrong := _misused(scene, new, former):
            return f"{key}: {wrong}"
        known[key] = new
    return None


def _misused(scene: Scene, new: Reservation, former: Reservation | None) -> str | None:
    users = {each.result_id: each.task_id for each in new.uses}
    before = {each.result_id: each.task_id for each in former.uses} if former else {}
    if len(users) < len(new.uses) or not users.keys() <= set(new.result_ids):
        return f"used as {new.uses} by results {new.result_ids}"
    if sum(each.pieces for each in new.uses) > count_of(new.pieces):
        return f"{new.uses} use more than {new.pieces}"
    forgotten = before.keys() & set(new.result_ids) - users.keys()
    if forgotten:
        return f"what {sorted(forgotten)} used is reserved again"
    for result_id, task_id in users.items():
        if before.get(result_id, task_id) != task_id:
            return f"{result_id} was used by {before[result_id]} and then by {task_id}"
        if scene.book.owners.get(task_id) != new.build:
            return f"{result_id} is used by {task_id} of {scene.book.owners.get(task_id)}"
    return None


def a_reservation_ends_in_time(scene: Scene, step: Step) -> str | None:
    """The first step after a reservation's expiry lets it go; none before does, unless it is released."""
    changed = dict(_facts_in(step))
    for key, each in scene.book.reservations.items():
        if standing_build(key) is None:
            continue
        if each.expires_ms <= step.now_ms and key not in changed:
            return f"{key} stands {(step.now_ms - each.expires_ms) // 1_000} s after its expiry"
        if changed.get(key) == "" and not _may_end(scene, step, each.build):
            return f"{key} is let go {(each.expires_ms - step.now_ms) // 1_000} s before its expiry"
    return None


def _may_end(scene: Scene, step: Step, build: BuildKey) -> bool:
    """Whether anything that is known of a build is over: its latest may be shorter, or without pieces."""
    known = [*scene.book.reservations.values(), *(each for _, each in _standing_in(step))]
    own = (each for each in known if each.build == build)
    return any(each.expires_ms <= step.now_ms or not each.pieces for each in own)


def tenants_reserve_within_their_cap(scene: Scene, step: Step) -> str | None:
    """No tenant has more pieces reserved at a time than it may."""
    standing = [each for key, each in scene.book.reservations.items() if standing_build(key) is not None]
    reserved = Counter[str]()
    for each in standing:
        reserved[each.tenant] += count_of(left_of(each))
    most = scene.plan.tuning.max_reserved
    return next((f"{tenant} has {count}" for tenant, count in reserved.items() if count > most), None)


def held_room_is_not_given_away(scene: Scene, step: Step) -> str | None:
    """No task is placed on room that is held for a reservation which stands before it in the queue.

    Told of what stands first, whose pieces are alike: what ranks behind it leaves room for as many of them as
    there was when its turn came. A task that is placed itself holds none any more.
    """
    placed = list(placed_in(step)) if step.view.reserved else []
    ids = {task_id for task_id, _ in placed}
    holding = (each for each in step.view.reserved if each.task_id not in ids)
    first = min(holding, key=lambda each: each.rank, default=None)
    if first is None or not placed:
        return None
    ranks = _ranks(step, placed)
    before = [each for each in placed if ranks[each[0]] < first.rank]
    behind = [each for each in placed if ranks[each[0]] > first.rank]
    there = _pieces(scene, step, first, before, startable=True)
    left = _pieces(scene, step, first, placed)
    if not behind or left >= min(there, first.count):
        return None
    return f"{behind} are placed, and {first} has room for {left} pieces instead of {there}"


def nothing_is_held_in_the_end(scene: Scene, ending: Ending) -> str | None:
    """Once all reservations have expired, nothing is left of them in the store."""
    held = [key for key in ending.store.load().facts if key.startswith(RESERVATION_PREFIX)]
    return f"{held} are stored" if held else None


# ---- what a step says


def _facts_in(step: Step) -> Iterator[tuple[str, str]]:
    for each in step.records:
        if isinstance(each, FactRecorded) and each.key.startswith(RESERVATION_PREFIX):
            yield each.key, each.value


def _standing_in(step: Step) -> Iterator[tuple[str, Reservation]]:
    for key, value in _facts_in(step):
        if value and standing_build(key) is not None:
            yield key, read_reservation(value)


def placed_in(step: Step) -> Iterator[tuple[str, str]]:
    """Each task that a step gives a place to, and its container instance."""
    for each in step.records:
        if (
            isinstance(each, TaskTransitioned)
            and each.state is TaskState.ASSIGNED
            and each.attempt is not None
        ):
            yield each.task_id, each.attempt.container_instance_arn


def _ranks(step: Step, placed: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int, str]]:
    """The places in the queue of those that are placed."""
    wanted = {task_id for task_id, _ in placed}
    tasks = (task for group in step.view.backlog for task in group.heads)
    return {
        each.task_id: (-each.priority, each.enqueue_revision, each.task_id)
        for each in tasks
        if each.task_id in wanted
    }


def _pieces(
    scene: Scene, step: Step, held: Reserved, placed: Iterable[tuple[str, str]], *, startable: bool = False
) -> int:
    """For how many pieces there is room once these are placed, if need be only where a task could start."""
    taken: dict[str, list[Resources]] = {}
    for task_id, arn in placed:
        taken.setdefault(arn, []).append(scene.book.asks[task_id])
    ask, count = held.ask, 0
    for size, room in step.view.rooms.spots():
        if ask.architecture and ask.architecture != size.registered.architecture:
            continue
        free, here = room.free, taken.get(room.arn, ())
        if startable and room.slots <= len(here):
            continue
        if ask.exclusive and (here or not room.empty):
            continue
        for each in here:
            free -= each.on(free.architecture)
        pieces = min(
            have // of
            for have, of in ((free.cpu, ask.cpu), (free.memory_mib, ask.memory_mib), (free.gpus, ask.gpus))
            if of
        )
        count += min(pieces, 1) if ask.exclusive else pieces
    return count
