"""The growth book: what the group can launch, what it was asked for, and what came of it."""

from collections.abc import Callable

from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import Capacity, InstanceType, ReturnableInstance, Supply
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.world.promises import Promises


class GrowthBook:
    """Types at their learned or declared size, and the instances bought that have not arrived.

    `growing` is true while a SetDesiredCapacity is under way. After a failed one growth rests.
    """

    def __init__(self, policy: Policy) -> None:
        """No types are known."""
        self._policy = policy
        self._declared: tuple[InstanceType, ...] = ()
        self._learned: dict[str, Resources] = {}
        self._promises = Promises(policy)
        self._failures = 0
        self._failed_desired = 0
        self._rest_until_ms: int | None = None
        self.types: tuple[InstanceType, ...] = ()
        self.growing = False

    def declare(self, types: tuple[InstanceType, ...]) -> None:
        """EC2 told the sizes of the group's types."""
        self._declared = types
        self._judge()

    def learn(self, name: str, registered: Resources) -> None:
        """An instance of a type registered this little."""
        self._learned[name] = registered
        self._judge()

    # ---- asks

    def ask(self, call: SetDesiredCapacity) -> None:
        """More instances were granted."""
        self._promises.give(call.types, call.asks or (NOTHING,) * len(call.types))

    def fail(self, call: SetDesiredCapacity, now_ms: int) -> None:
        """An ask was refused or lost: whatever it was, the same again at once would meet the same."""
        self.rest(now_ms)
        self._failed_desired = call.desired

    def rest(self, now_ms: int) -> None:
        """A launch failed: more of them would fail as well."""
        pauses = self._policy.growth_pauses_ms
        self._rest_until_ms = now_ms + pauses[min(self._failures, len(pauses) - 1)]
        self._failures += 1

    def has_grown(self, desired: int) -> bool:
        """True when the group has reached what the last failed ask wanted, whoever asked for it."""
        if desired < self._failed_desired:
            return False
        self.end_rest()
        return True

    def end_rest(self) -> None:
        """An ask succeeded."""
        self._failures = self._failed_desired = 0
        self._rest_until_ms = None

    def next_ms(self) -> int | None:
        """When growth has rested, if it rests."""
        return self._rest_until_ms

    # ---- arrivals

    def arrive(self, instance: ContainerInstance, offered: Resources, *, in_flight: int, now_ms: int) -> None:
        """An instance is able to work for the first time; `in_flight` are still owed after it."""
        self._promises.keep(instance, offered, in_flight=in_flight, now_ms=now_ms)

    def settle(self, offered: Callable[[str], Resources | None], now_ms: int) -> None:
        """Looks again at what fresh instances offer: daemon tasks start in their first seconds."""
        self._promises.settle(offered, now_ms)

    def look_ahead(self, supply: Supply, now_ms: int) -> None:
        """The group lists what it launched, long before it arrives: a type too small is no surprise then."""
        by_name = {each.name: each.allocatable for each in self.types}
        launched = [by_name[name] for name in supply.launched_types[: supply.in_flight] if name in by_name]
        self._promises.look_ahead(launched, supply.in_flight, now_ms)

    def disappointing(self, now_ms: int) -> frozenset[Resources]:
        """Shapes for which an instance was bought a while ago that did not hold them."""
        return self._promises.broken(now_ms)

    # ---- what a decision sees

    def capacity(
        self,
        supply: Supply,
        now_ms: int,
        *,
        suspects: frozenset[tuple[str, Resources]] = frozenset(),
        returnable: tuple[ReturnableInstance, ...] = (),
        shrinking: int = 0,
    ) -> Capacity:
        """What growth starts from."""
        if self._rest_until_ms is not None and now_ms >= self._rest_until_ms:
            self._rest_until_ms = None
        return Capacity(
            group=supply.group,
            types=self.types,
            in_flight=supply.in_flight,
            in_flight_types=self._in_flight_types(supply),
            growing=self.growing,
            resting=self._rest_until_ms is not None,
            repeated=self._failures > 0,
            silent=supply.silent,
            returnable=returnable,
            shrinking=shrinking,
            suspects=suspects,
            disappointing=self.disappointing(now_ms),
        )

    def _in_flight_types(self, supply: Supply) -> tuple[str, ...]:
        """What the group shows of them is certain and survives a restart; the others are as asked."""
        asked = self._promises.latest_types(supply.in_flight)
        launched = supply.launched_types[: supply.in_flight]
        unseen = supply.in_flight - len(launched)
        return (*launched, *(asked[-unseen:] if unseen else ()))

    def _judge(self) -> None:
        self.types = tuple(
            sorted(
                (self._sized(each) for each in self._declared), key=lambda each: (each.allocatable, each.name)
            )
        )

    def _sized(self, declared: InstanceType) -> InstanceType:
        learned = self._learned.get(declared.name)
        if learned is not None:
            allocatable = learned.on(declared.allocatable.architecture)
            return InstanceType(name=declared.name, allocatable=allocatable, learned=True)
        factor = self._policy.declared_size_factor
        return InstanceType(name=declared.name, allocatable=declared.allocatable.scaled(factor))
