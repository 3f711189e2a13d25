"""The growth book: what the group can launch, and what it was asked for."""

from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.group import Capacity, InstanceGroup, InstanceType
from scheduler.core.model.resources import Resources


class GrowthBook:
    """Types at their learned or declared size, and the instances in flight by the type they were asked as."""

    def __init__(self, declared_size_factor: float) -> None:
        """No types are known."""
        self._factor = declared_size_factor
        self._declared: tuple[InstanceType, ...] = ()
        self._learned: dict[str, Resources] = {}
        self._asked: list[str] = []
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

    def ask(self, call: SetDesiredCapacity) -> None:
        """More instances were granted."""
        self._asked += call.types

    def capacity(self, group: InstanceGroup | None, in_flight: int) -> Capacity:
        """What growth starts from; instances that arrived are the ones asked for first."""
        self._asked = self._asked[-in_flight:] if in_flight else []
        return Capacity(
            group=group,
            types=self.types,
            in_flight=in_flight,
            in_flight_types=tuple(self._asked),
            growing=self.growing,
        )

    def _judge(self) -> None:
        self.types = tuple(
            sorted(
                (self._sized(each) for each in self._declared), key=lambda each: (each.allocatable, each.name)
            )
        )

    def _sized(self, declared: InstanceType) -> InstanceType:
        learned = self._learned.get(declared.name)
        if learned is not None:
            return InstanceType(name=declared.name, allocatable=learned, learned=True)
        return InstanceType(name=declared.name, allocatable=declared.allocatable.scaled(self._factor))
