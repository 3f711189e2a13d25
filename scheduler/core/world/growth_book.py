"""The growth book: what the group can launch, what it was asked for, and what came of it."""

from collections.abc import Callable

from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.container_instance import ContainerInstance
from scheduler.core.model.group import Capacity, InstanceType, ReturnableInstance, Supply
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.world.promises import Promises


class _Rest:
    """A pause that lengthens with every failure in a row."""

    def __init__(self, pauses_ms: tuple[int, ...]) -> None:
        self._pauses_ms = pauses_ms
        self._failures = 0
        self.until_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        self.until_ms = now_ms + self._pauses_ms[min(self._failures, len(self._pauses_ms) - 1)]
        self._failures += 1

    def end(self) -> None:
        """The row of failures is over too."""
        self._failures, self.until_ms = 0, None

    def lasts(self, now_ms: int) -> bool:
        if self.until_ms is not None and now_ms >= self.until_ms:
            self.until_ms = None
        return self.until_ms is not None


class GrowthBook:
    """Types at their learned or declared size, and the instances bought that have not arrived.

    `growing` is true while a SetDesiredCapacity is under way. Growth rests after a failed one, and after a
    failed launch: the two are counted apart, since EC2 may lack what the group was granted.
    """

    def __init__(self, policy: Policy) -> None:
        """No types are known."""
        self._policy = policy
        self._declared: tuple[InstanceType, ...] = ()
        self._learned: dict[str, Resources] = {}
        self._promises = Promises(policy)
        self._daemons = NOTHING
        self._failed_desired = 0
        self._ask_rest = _Rest(policy.growth_pauses_ms)
        self._launch_rest = _Rest(policy.growth_pauses_ms)
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

    def keep_for_daemons(self, footprint: Resources) -> None:
        """A census showed daemons that take this much of each instance."""
        if footprint != self._daemons:
            self._daemons = footprint
            self._judge()

    # ---- asks

    def ask(self, call: SetDesiredCapacity) -> None:
        """More instances were granted."""
        self._promises.give(call.types, call.asks or (NOTHING,) * len(call.types))

    def fail(self, call: SetDesiredCapacity, now_ms: int) -> None:
        """An ask was refused or lost: whatever it was, the same again at once would meet the same."""
        self._ask_rest.begin(now_ms)
        self._failed_desired = call.desired

    def fail_launch(self, now_ms: int) -> None:
        """A launch failed: more of them would fail as well, however readily they are granted."""
        self._launch_rest.begin(now_ms)

    def launches_recovered(self) -> None:
        """No launch is awaited any more."""
        self._launch_rest.end()

    def has_grown(self, desired: int) -> bool:
        """True when the group has reached what the last failed ask wanted, whoever asked for it."""
        if not self._failed_desired or desired < self._failed_desired:
            return False
        self.succeed()
        return True

    def succeed(self) -> None:
        """An ask succeeded."""
        self._failed_desired = 0
        self._ask_rest.end()

    def next_ms(self) -> int | None:
        """When growth has rested, if it rests."""
        ends = [each.until_ms for each in (self._ask_rest, self._launch_rest) if each.until_ms is not None]
        return max(ends, default=None)

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
        rests = [each.lasts(now_ms) for each in (self._ask_rest, self._launch_rest)]
        return Capacity(
            group=supply.group,
            types=self.types,
            in_flight=supply.in_flight,
            in_flight_types=self._in_flight_types(supply),
            growing=self.growing,
            resting=any(rests),
            futile=supply.futile,
            asked=self._failed_desired,
            silent=supply.silent,
            returnable=returnable,
            shrinking=shrinking,
            suspects=suspects,
            disappointing=self.disappointing(now_ms),
            daemons=self._daemons,
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
        """At what its instances registered, or are expected to, less what daemons take of it.

        Of memory the operating system and the agent keep some; CPU is 1,024 units a vCPU, all of them for
        tasks (ECS API: ContainerDefinition, cpu).
        """
        learned = self._learned.get(declared.name)
        registered = declared.allocatable.with_memory_share(self._policy.declared_memory_factor)
        if learned is not None:
            registered = learned.on(declared.allocatable.architecture)
        allocatable = (registered - self._daemons).floored()
        return InstanceType(
            name=declared.name,
            allocatable=allocatable,
            learned=learned is not None,
            kept=registered - allocatable,
        )
