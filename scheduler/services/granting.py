"""Granting: what a reservation would consist of, judged by the loop on what it knows."""

from dataclasses import dataclass, replace
from hashlib import sha256

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.autoscaling.reservations import cut, number_of_pieces, succeed
from scheduler.core.model.reservation import Pieces, Reservation, count_of
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.model.task import ContainerSize
from scheduler.core.world.world import World
from scheduler.services.errors import ServiceError, TooMuchReserved
from scheduler.services.placement import never_fits


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedTasks:
    """`count` tasks: agents of a `size` without extra containers, or tasks that ask for `resources`.

    Neither is set, or the architecture is None, only before validation.
    """

    count: int
    size: ContainerSize | None = None
    resources: Resources | None = None
    architecture: Architecture | None = Architecture.ANY
    exclusive: bool = False

    @property
    def ask(self) -> Resources:
        """What each of them asks for."""
        amount = self.resources or MAIN_SIZES[self.size] + SIDEKICK
        return amount.on(self.architecture or Architecture.ANY).alone(self.exclusive)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveOrder:
    """What a client asks of `ReserveCapacity`: for so many tasks, or so much in `total`, one of both."""

    tenant: str
    build_key: str
    result_ids: tuple[str, ...]
    tasks: tuple[ReservedTasks, ...] = ()
    total: Resources | None = None
    expiry_ms: int | None = None

    @property
    def is_zero(self) -> bool:
        """It asks for nothing: what is reserved is released."""
        return not any(each.count for each in self.tasks) and self.total in (None, NOTHING)

    @property
    def asked(self) -> str:
        """A hash, the same for who asks for the same."""
        return sha256(repr((self.tasks, self.total)).encode()).hexdigest()


def granted(world: World, order: ReserveOrder, at_ms: int) -> Reservation | ServiceError:
    """The reservation that the order becomes, or why it is refused. The same again keeps its pieces."""
    known = world.reservations.of((order.tenant, order.build_key))
    lasts_ms = world.policy.reservation_ms if order.expiry_ms is None else order.expiry_ms
    pieces = _pieces(world, order, known.reservation if known else None)
    if isinstance(pieces, ServiceError):
        return pieces
    reservation = Reservation(
        tenant=order.tenant,
        build_key=order.build_key,
        result_ids=order.result_ids,
        pieces=pieces,
        at_ms=at_ms,
        expires_ms=at_ms + lasts_ms,
        asked=order.asked,
    )
    return replace(succeed(reservation, known.reservation), place=None) if known else reservation


def _pieces(
    world: World, order: ReserveOrder, known: Reservation | None
) -> tuple[Pieces, ...] | ServiceError:
    """Counted before anything is cut: a total may be of millions of pieces."""
    if known and (known.asked, known.result_ids) == (order.asked, order.result_ids):
        return known.pieces
    total, shape = order.total or NOTHING, world.reservations.usual((order.tenant, order.build_key))
    count = sum(each.count for each in order.tasks) + number_of_pieces(total, shape)
    reserved = sum(
        count_of(each.left)
        for each in world.reservations
        if each.reservation.tenant == order.tenant and each.reservation.build_key != order.build_key
    )
    most = world.policy.max_reserved_tasks
    if reserved + count > most:
        return TooMuchReserved(order.tenant, count, reserved, most)
    types = world.growth.types
    pieces = _merged(order.tasks) or cut(total, shape, types)
    refusals = (never_fits(each.ask, types) for each in pieces)
    return next((each for each in refusals if each is not None), pieces)


def _merged(tasks: tuple[ReservedTasks, ...]) -> tuple[Pieces, ...]:
    counts: dict[Resources, int] = {}
    for each in tasks:
        counts[each.ask] = counts.get(each.ask, 0) + each.count
    return tuple(Pieces(ask=ask, count=count) for ask, count in counts.items() if count)
