"""Reservations: room that a build wants for agents it is about to ask for, and how the store keeps them."""

from dataclasses import dataclass
from json import dumps, loads
from typing import Any

from scheduler.core.model.records import FactRecorded
from scheduler.core.model.resources import Architecture, Resources

RESERVATION_PREFIX = "reservation/"
RESERVATION_OUTCOMES = "reservation_outcomes"
STANDING = "0"

BuildKey = tuple[str, str]
"""Tenant and build key: a build has one reservation at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """`count` pieces of room, each for a task that asks for `ask`."""

    ask: Resources
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The task of a result id has come and used up so many pieces, which may be none."""

    result_id: str
    task_id: str
    ask: Resources
    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Room for the tasks of `result_ids`, until `expires_ms`. One without pieces releases what is reserved.

    By `asked` a repeat is known. `place` is the revision behind which it stands in the queue, as if its tasks
    had come then; None until the World has taken it in. The latest `at_ms` of a build counts.
    """

    tenant: str
    build_key: str
    result_ids: tuple[str, ...]
    pieces: tuple[Pieces, ...]
    at_ms: int
    expires_ms: int
    asked: str = ""
    place: int | None = None
    uses: tuple[Use, ...] = ()

    @property
    def build(self) -> BuildKey:
        """Whose it is."""
        return (self.tenant, self.build_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReservation:
    """A reservation that counts, and what of it is not used up."""

    reservation: Reservation
    left: tuple[Pieces, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationOutcomes:
    """How many reserved pieces were used by their tasks, and how many lapsed, since the store was made."""

    used: int = 0
    lapsed: int = 0

    @property
    def hit_rate(self) -> float | None:
        """The share that was used; None before any piece came to its end."""
        ended = self.used + self.lapsed
        return self.used / ended if ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Room to be held in a decision, at the place `rank` in the queue's total order.

    With `task_id` it is held for a task that waits, in case that it cannot be placed at the moment; growth
    counts such a task by itself.
    """

    rank: tuple[int, int, str]
    ask: Resources
    count: int
    task_id: str = ""


def count_of(pieces: tuple[Pieces, ...]) -> int:
    """How many pieces these are together."""
    return sum(each.count for each in pieces)


def reservation_prefix(tenant: str, build_key: str) -> str:
    """How the keys of a build's facts begin. Those of another build may begin so as well."""
    return f"{RESERVATION_PREFIX}{tenant}/{build_key}/"


def reservation_key(reservation: Reservation) -> str:
    """The key of its fact: clients and the loop each write their own, so that neither undoes the other's.

    What stands has one key a build, which sorts before those of what clients ask for, which sort by time.
    """
    last = STANDING if reservation.place is not None else str(reservation.at_ms)
    return reservation_prefix(*reservation.build) + last


def standing_build(key: str) -> BuildKey | None:
    """The build, if the key is that of what stands."""
    head, _, last = key.removeprefix(RESERVATION_PREFIX).rpartition("/")
    tenant, _, build_key = head.partition("/")
    return (tenant, build_key) if last == STANDING else None


def reservation_fact(reservation: Reservation) -> FactRecorded:
    """A reservation, whole."""
    value = {
        "tenant": reservation.tenant,
        "build_key": reservation.build_key,
        "result_ids": reservation.result_ids,
        "pieces": [(*_amounts(each.ask), each.count, each.ask.exclusive) for each in reservation.pieces],
        "at_ms": reservation.at_ms,
        "expires_ms": reservation.expires_ms,
        "asked": reservation.asked,
        "place": reservation.place,
        "uses": [
            (each.result_id, each.task_id, *_amounts(each.ask), each.pieces, each.ask.exclusive)
            for each in reservation.uses
        ],
    }
    return FactRecorded(key=reservation_key(reservation), value=dumps(value, separators=(",", ":")))


def forgotten_reservation_fact(reservation: Reservation) -> FactRecorded:
    """It is over."""
    return FactRecorded(key=reservation_key(reservation), value="")


def read_reservation(value: str) -> Reservation:
    """What `reservation_fact` wrote; rows of an earlier version end before `exclusive`."""
    read = loads(value)
    pieces = tuple(Pieces(ask=_resources(each[:4], *each[5:]), count=each[4]) for each in read.pop("pieces"))
    uses = tuple(
        Use(result_id=each[0], task_id=each[1], ask=_resources(each[2:6], *each[7:]), pieces=each[6])
        for each in read.pop("uses")
    )
    return Reservation(pieces=pieces, uses=uses, result_ids=tuple(read.pop("result_ids")), **read)


def outcomes_fact(outcomes: ReservationOutcomes) -> FactRecorded:
    """What became of reserved pieces, as `used lapsed`."""
    return FactRecorded(key=RESERVATION_OUTCOMES, value=f"{outcomes.used} {outcomes.lapsed}")


def read_outcomes(value: str) -> ReservationOutcomes:
    """What `outcomes_fact` wrote."""
    used, lapsed = value.split()
    return ReservationOutcomes(used=int(used), lapsed=int(lapsed))


def _amounts(ask: Resources) -> tuple[int, int, int, str]:
    return (ask.cpu, ask.memory_mib, ask.gpus, ask.architecture.value)


def _resources(amounts: list[Any], exclusive: bool = False) -> Resources:
    cpu, memory_mib, gpus, architecture = amounts
    ask = Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus, architecture=Architecture(architecture))
    return ask.alone() if exclusive else ask
