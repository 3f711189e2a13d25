"""Reservers: clients that reserve room for a build, ask again, change their minds and release it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.model.reservation import Reservation, reservation_fact
from scheduler.lab.chaos.plan import Build
from scheduler.lab.chaos.process import Killed
from scheduler.lab.chaos.service import Service
from scheduler.lab.chaos.stage import Broken
from scheduler.lab.chaos.world import World
from scheduler.ports.store import StoreError
from scheduler.services.errors import NeverFits, ServiceError, TooMuchReserved
from scheduler.services.granting import ReservedTasks, ReserveOrder
from scheduler.services.reservations import ReservationService
from scheduler.services.writer import Writer

_AGAIN_S = 3
_ANSWER_S = 10
"""How long a client waits for an answer before it asks again."""


class Desk:
    """Where a service is asked for room: one order after the other, as its API has it."""

    def __init__(self, world: World, service: Service) -> None:
        """Nobody has asked."""
        self._world = world
        self._service = service
        self._turn: object = None
        self._made: tuple[int, ReservationService] | None = None

    def ask(self, order: ReserveOrder) -> None:
        """Asks until there is an answer, which may be a refusal."""
        again = partial(self.ask, order)
        if not self._service.driver.up or self._turn is not None:
            self._world.after(_AGAIN_S, again)
            return
        self._turn = turn = object()
        self._world.after(_ANSWER_S, partial(self._give_up, turn, again))
        service = self._reservations()
        service.admit(order)
        if order.is_zero:
            self._keep(turn, service.nothing(order), again)
        else:
            service.grant(order, self._later(turn, again))

    def _later(self, turn: object, again: Callable[[], None]) -> Callable[[Reservation | ServiceError], None]:
        """What the loop answers is kept after its step."""
        return lambda granted: self._world.after(0, partial(self._keep, turn, granted, again))

    def _keep(self, turn: object, granted: Reservation | ServiceError, again: Callable[[], None]) -> None:
        driver = self._service.driver
        if self._turn is not turn or not driver.up:
            return
        if isinstance(granted, ServiceError):
            self._refused(granted)
            return
        try:
            driver.commit(reservation_fact(granted))
        except StoreError:
            self._world.after(_AGAIN_S, again)
        except Killed:
            self._turn = None
            self._world.after(_AGAIN_S, again)
            raise
        else:
            self._world.tell("client", f"reserves {granted}")
        self._turn = None

    def _refused(self, refusal: ServiceError) -> None:
        self._world.tell("client", f"is refused room: {refusal!r}")
        self._turn = None
        if not isinstance(refusal, NeverFits | TooMuchReserved):
            raise Broken("what_is_valid_is_accepted", f"{refusal!r}")

    def _give_up(self, turn: object, again: Callable[[], None]) -> None:
        """Whoever was to answer has been killed."""
        if self._turn is turn:
            self._turn = None
            again()

    def _reservations(self) -> ReservationService:
        """The service as the API of this life has it. Its writer is not started: the driver commits."""
        driver = self._service.driver
        if self._made is None or self._made[0] != driver.life:
            store = driver.engine.store
            writer = Writer(store, committed=lambda _: None, advanced=lambda: None, health=lambda _: None)
            made = ReservationService(ask=driver.ask, writer=writer, clock=self._service.clock)
            self._made = (driver.life, made)
        return self._made[1]


class Reserver:
    """The client of one build."""

    def __init__(self, world: World, desk: Desk, build: Build) -> None:
        """It asks at the desk that all share."""
        self._world = world
        self._desk = desk
        self._build = build

    def begin(self) -> None:
        """Asks when its time comes."""
        build, order = self._build, order_of(self._build)
        self._at(0, order)
        for pause_s in build.again_s:
            self._at(pause_s, order)
        if build.changed_s is not None:
            self._at(build.changed_s, order_of(replace(build, results=build.results + 1)))
        if build.released_s is not None:
            self._at(build.released_s, order_of(replace(build, results=0)))

    def _at(self, pause_s: int, order: ReserveOrder) -> None:
        self._world.after(self._build.at_s + pause_s, partial(self._desk.ask, order))


def order_of(build: Build) -> ReserveOrder:
    """What a build asks for: as many pieces as it has results, or that much in total."""
    agent = MAIN_SIZES[build.size] + SIDEKICK
    tasks = ReservedTasks(count=build.results, size=build.size)
    return ReserveOrder(
        tenant=build.tenant,
        build_key=build.key,
        result_ids=build.result_ids(),
        tasks=() if build.total else (tasks,),
        total=agent.times(build.results) if build.total else None,
        expiry_ms=build.expiry_s * 1_000,
    )


def last_of(build: Build) -> int:
    """When its client asks for the last time."""
    return build.at_s + max((*build.again_s, build.changed_s or 0, build.released_s or 0))
