"""The wire between the service and the account: it tells whose doing an effect is, and loses what it must."""

from collections import deque
from collections.abc import Callable, Collection
from random import Random
from typing import Any, NamedTuple, Protocol

from scheduler.lab.chaos.draw import ACTS
from scheduler.lab.chaos.process import Fuse, Killed, Later, Struck
from scheduler.lab.chaos.truth import Entry, Origin, Truth
from scheduler.lab.clock import VirtualClock
from scheduler.simulated_aws.account import SimulatedAws
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped
from scheduler.simulated_aws.faults import ANY_OPERATION, Fault
from scheduler.simulated_aws.journal import Effect

ACTS_OF_AWS = frozenset((*ACTS, "DeregisterTaskDefinition"))
"""Operations that change something."""

_Awaited = str | tuple[str, str]
"""An effect, or the operation and the kind of a fault."""


class Cut(NamedTuple):
    """For as long as it lasts every call of the operation, or of any, ends so and has no effect."""

    operation: str
    error: Callable[[str], ApiError | ConnectionDropped]
    """Of a service, in its words."""


class Listener(Protocol):
    """Hears what happens to the account."""

    def heard(self, entry: Entry) -> None:
        """An entry of the journal, before the truth takes it."""
        ...


class Wire:
    """Every call of every life of the service goes through here, and every entry of the journal."""

    def __init__(self, account: SimulatedAws, clock: VirtualClock, random: Random) -> None:
        """Nobody listens yet."""
        self.account = account
        self.truth = Truth()
        self.listeners: list[Listener] = []
        self._clock = clock
        self._random = random
        self._taken = 0
        self._late: list[tuple[str, int, Struck]] = []
        self._awaited: dict[_Awaited, deque[Struck]] = {}
        self._cuts: list[Cut] = []
        self._fuse = Fuse()
        self._kills: Collection[str] = ()
        self._kill_after = False
        self.later: Later = lambda at_ms, act: None
        self.truth.limits.append((0, account.settings.min_size, account.settings.max_size))
        self.take(Origin.AWS)

    def take(
        self, origin: Origin, *, late: bool = False, unheard: bool = False, posthumous: bool = False
    ) -> None:
        """Folds in what the journal has since the last time."""
        entries = self.account.journal.entries
        while self._taken < len(entries):
            said = entries[self._taken]
            self._taken += 1
            entry = Entry(
                at_ms=said["time_ms"],
                effect=said["effect"],
                origin=origin,
                fields=said,
                late=late,
                unheard=late or unheard,
                posthumous=posthumous,
            )
            for each in self.listeners:
                each.heard(entry)
            self.truth.take(entry)
            self._strike(entry)

    def _strike(self, entry: Entry) -> None:
        """Of calls that fail only the living service's count: faults strike whoever calls."""
        key: _Awaited = entry.effect
        heard = True
        if entry.effect == Effect.FAULT_INJECTED:
            key = entry.fields["operation"], entry.fields["kind"]
            heard = entry.origin is Origin.SERVICE and not entry.posthumous
        if awaited := self._awaited.get(key):
            struck = awaited.popleft()
            if heard:
                struck()

    def befall(self, mishap: Callable[[], object]) -> None:
        """Carries out what no call of the service's does."""
        self.account.advance()
        self.take(Origin.AWS)
        try:
            mishap()
        finally:
            self.take(Origin.MISHAP)

    def arm(self, fault: Fault, struck: Struck) -> None:
        """The account's next calls fail so. Of one operation and kind they strike as they were armed."""
        self.account.faults.add(fault)
        self._awaited.setdefault((fault.operation, fault.kind), deque()).extend([struck] * fault.count)

    def expect(self, effect: Effect, count: int, struck: Struck) -> None:
        """The next `count` effects of the kind are what a mishap does; those of an earlier one are not."""
        self._awaited[effect] = deque([struck] * count)

    def delay(self, operation: str, after_ms: int, struck: Struck) -> None:
        """The next call of this operation is answered by nobody, and has its effect so much later."""
        self._late.append((operation, after_ms, struck))

    def cut(self, cut: Cut) -> Callable[[], None]:
        """Until what this returns is called."""
        self._cuts.append(cut)

        def mend() -> None:
            self._cuts = [each for each in self._cuts if each is not cut]

        return mend

    def kill_at(self, calls: int, struck: Struck, *, of: Collection[str], after: bool) -> None:
        """The process dies at the call after so many `of` these operations, before or after its effect."""
        self._fuse.light(calls, struck)
        self._kills, self._kill_after = of, after

    def heal(self) -> None:
        """Nothing of the sort any more."""
        self.account.faults.clear()
        self._awaited.clear()
        self._late.clear()
        self._cuts.clear()
        self._fuse.put_out()

    def leaves(self, *, alive: bool) -> bool:
        """Whether a call is made at all: of a process that is dead by then half never left it."""
        return alive or self._random.random() >= 0.5

    def carry(
        self, service: str, operation: str, params: dict[str, Any], by: Origin, *, alive: Callable[[], bool]
    ) -> dict[str, Any]:
        """One call. Only the service itself is killed at a call, never its rival."""
        dies = by is Origin.SERVICE and operation in self._kills and self._fuse.burns_down()
        if dies and not self._kill_after:
            raise Killed
        cut = next((each for each in self._cuts if each.operation in (operation, ANY_OPERATION)), None)
        if cut is not None:
            raise cut.error(service)
        self._postpone(service, operation, params, by, alive=alive)
        heard = False
        try:
            answer = self.account.call(service, operation, params)
            heard = alive() and not dies
            return answer
        finally:
            self.take(by, unheard=not heard, posthumous=not alive())
            if dies:
                raise Killed

    def _postpone(
        self, service: str, operation: str, params: dict[str, Any], by: Origin, *, alive: Callable[[], bool]
    ) -> None:
        late = next((each for each in self._late if each[0] == operation), None)
        if late is None:
            return
        self._late.remove(late)
        _, after_ms, struck = late
        if by is Origin.SERVICE:
            struck()

        def effect() -> None:
            self.account.advance()
            self.take(Origin.AWS)
            try:
                self.account.call(service, operation, params)
            except (ApiError, ConnectionDropped):
                return
            finally:
                self.take(by, late=True, posthumous=not alive())

        self.later(self._clock.now_ms() + after_ms, effect)
        raise ConnectionDropped(f"{operation}: no answer in time")


class Line:
    """The backend of one life's clients."""

    def __init__(
        self,
        wire: Wire,
        by: Origin,
        *,
        alive: Callable[[], bool],
        asked: Callable[[str, dict[str, Any]], None],
    ) -> None:
        """`alive` tells whether that life goes on; `asked` is told of each call before it is made."""
        self._wire = wire
        self._by = by
        self._alive = alive
        self._asked = asked

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """As the account's own."""
        if not self._wire.leaves(alive=self._alive()):
            raise ConnectionDropped(f"{operation}: the process that sent it is dead")
        self._wire.account.advance()
        self._wire.take(Origin.AWS)
        self._asked(operation, params)
        return self._wire.carry(service, operation, params, self._by, alive=self._alive)
