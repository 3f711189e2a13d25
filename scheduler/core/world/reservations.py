"""The reservations that stand: who has reserved, what is used up, what lapsed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from scheduler.core.autoscaling.reservations import REGULAR, left_of, succeed, use
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.reservation import (
    BuildKey,
    Reservation,
    ReservationOutcomes,
    Reserved,
    StandingReservation,
    Use,
    count_of,
    forgotten_reservation_fact,
    outcomes_fact,
    read_outcomes,
    read_reservation,
    reservation_fact,
    standing_build,
)
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import QueuedTask, TaskState
from scheduler.core.world.attempts import Track

USUAL_SHAPES_KEPT = 10_000
"""Builds whose usual shape is remembered; the one that asked longest ago goes first."""

USED_UP_KEPT = 1_000
"""Reservations of a tenant of which nothing is left and that are remembered; what ends first goes first."""


class Reservations:
    """One reservation a build at most. What changes of them is kept as facts, which `tend` hands over.

    A reservation of which nothing is left stays until it expires: a late repeat brings nothing back. Beyond
    USED_UP_KEPT of a tenant it does not, and a repeat reserves anew: that is room for a while, and no task.
    """

    def __init__(self) -> None:
        """Nobody has reserved anything."""
        self.outcomes = ReservationOutcomes()
        self._standing: dict[BuildKey, StandingReservation] = {}
        self._usual: dict[BuildKey, Resources] = {}
        self._news: list[FactRecorded] = []

    def __iter__(self) -> Iterator[StandingReservation]:
        """Those that stand."""
        return iter(self._standing.values())

    def of(self, build: BuildKey) -> StandingReservation | None:
        """That of a build."""
        return self._standing.get(build)

    def usual(self, build: BuildKey) -> Resources:
        """What the build's last agent asked for, REGULAR if there was none."""
        return self._usual.get(build, REGULAR)

    # ---- facts

    def remember(self, key: str, value: str, revision: int, tasks: Iterable[QueuedTask]) -> None:
        """Takes in a fact: what a client asks for, which then stands behind `revision`, or what we have kept.

        Result ids whose tasks are among `tasks` have come already.
        """
        build = standing_build(key)
        if build is not None:
            self._restore(build, value)
        elif value:
            asked = read_reservation(value)
            self._begin(asked, revision)
            for task in tasks:
                if (task.tenant, task.build_key) == asked.build:
                    self.claim(task)

    def _restore(self, build: BuildKey, value: str) -> None:
        """Ours. While we live it is known, and the last of several is as we know it."""
        if value:
            self._set(read_reservation(value))
        else:
            self._standing.pop(build, None)

    def remember_outcomes(self, value: str) -> None:
        """Takes in what became of reserved pieces so far."""
        self.outcomes = read_outcomes(value)

    def _begin(self, new: Reservation, revision: int) -> None:
        """It takes the place of the build's former one; the same again only lasts longer.

        One without pieces was made to end the former one.
        """
        self._news.append(forgotten_reservation_fact(new))
        known = self.of(new.build)
        if known is not None:
            new = succeed(replace(new, uses=()), known.reservation)
            self._count(lapsed=max(0, count_of(known.left) - count_of(left_of(new))))
        if new.pieces:
            self._put(new if new.place is not None else replace(new, place=revision))
        elif known is not None:
            self._end(known)

    def _put(self, reservation: Reservation) -> None:
        self._set(reservation)
        self._news.append(reservation_fact(reservation))

    def _set(self, reservation: Reservation) -> None:
        left = left_of(reservation)
        self._standing[reservation.build] = StandingReservation(reservation=reservation, left=left)

    def _end(self, standing: StandingReservation) -> None:
        del self._standing[standing.reservation.build]
        self._news.append(forgotten_reservation_fact(standing.reservation))

    # ---- tasks

    def claim(self, task: QueuedTask) -> QueuedTask:
        """A task has come: it uses up its part and takes the place in the queue that was kept for it."""
        build = (task.tenant, task.build_key)
        if task.build_key:
            self._note_shape(build, task.ask)
        standing = self._standing.get(build)
        if standing is None or task.result_id not in standing.reservation.result_ids:
            return task
        reservation = standing.reservation
        used = next((each for each in reservation.uses if each.result_id == task.result_id), None)
        if used is None:
            used = self._use(standing, task)
        if used.task_id != task.task_id or not used.pieces or reservation.place is None:
            return task
        return replace(task, enqueue_revision=min(task.enqueue_revision, reservation.place))

    def _use(self, standing: StandingReservation, task: QueuedTask) -> Use:
        reservation = standing.reservation
        pieces = use(reservation, standing.left, task.ask)
        used = Use(result_id=task.result_id, task_id=task.task_id, ask=task.ask, pieces=pieces)
        self._put(replace(reservation, uses=(*reservation.uses, used)))
        now_left = count_of(self._standing[reservation.build].left)
        self._count(used=pieces, lapsed=count_of(standing.left) - pieces - now_left)
        return used

    def _note_shape(self, build: BuildKey, ask: Resources) -> None:
        self._usual.pop(build, None)
        self._usual[build] = ask
        if len(self._usual) > USUAL_SHAPES_KEPT:
            del self._usual[next(iter(self._usual))]

    def _count(self, *, used: int = 0, lapsed: int = 0) -> None:
        if used or lapsed:
            outcomes = self.outcomes
            self.outcomes = ReservationOutcomes(used=outcomes.used + used, lapsed=outcomes.lapsed + lapsed)
            self._news.append(outcomes_fact(self.outcomes))

    # ---- time

    def tend(self, now_ms: int) -> list[FactRecorded]:
        """Lets go of what is over; returns what is to be made durable since the last time."""
        over = [each for each in self if each.reservation.expires_ms <= now_ms]
        for each in over or self._beyond_kept():
            self._count(lapsed=count_of(each.left))
            self._end(each)
        news, self._news = self._news, []
        return news

    def _beyond_kept(self) -> list[StandingReservation]:
        """Used-up ones that are not remembered, though they have not expired."""
        used_up: dict[str, list[StandingReservation]] = {}
        for each in self:
            if not each.left:
                used_up.setdefault(each.reservation.tenant, []).append(each)
        return [
            each
            for known in used_up.values()
            for each in sorted(known, key=lambda each: -each.reservation.expires_ms)[USED_UP_KEPT:]
        ]

    def next_ms(self) -> int | None:
        """When the next one is over."""
        return min((each.reservation.expires_ms for each in self), default=None)

    # ---- what a decision sees

    def reserved(self, tracks: Mapping[str, Track]) -> tuple[Reserved, ...]:
        """The room to be held: for tasks to come, and for those that have come and wait."""
        return tuple(room for each in self for room in _rooms(each, tracks))


def _rooms(standing: StandingReservation, tracks: Mapping[str, Track]) -> Iterator[Reserved]:
    """Room for a task that waits ranks right behind it.

    That for tasks to come ranks behind all of its revision, and as of ordinary priority: theirs is not known.
    """
    reservation = standing.reservation
    for each in reservation.uses:
        track = tracks.get(each.task_id) if each.pieces else None
        if track is not None and track.state is TaskState.QUEUED:
            task = track.task
            rank = (-task.priority, task.enqueue_revision, f"{task.task_id}~")
            yield Reserved(rank=rank, ask=task.ask, count=1, task_id=task.task_id)
    for piece in standing.left:
        rank = (0, reservation.place or 0, f"~{reservation.tenant}/{reservation.build_key}")
        yield Reserved(rank=rank, ask=piece.ask, count=piece.count)
