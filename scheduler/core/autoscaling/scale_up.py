"""Growth: pack what is unplaced onto free room, then in-flight, then hypothetical instances.

The hypothetical instances used are the growth. There is no sum of lacking capacity and no "+1": ten tasks
of 51 % of an instance need ten instances, and sixteen of 1/16 need one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scheduler.core.model.backlog import Place
from scheduler.core.model.group import Capacity, InstanceType
from scheduler.core.model.reservation import Pieces
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import Limits
from scheduler.core.placement.packer import PackingResult
from scheduler.core.placement.remainder import Remainder


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What the group should be asked for.

    `types` are the types of the instances to ask for beyond those in flight, one each, and `asks` the shapes
    that they are bought for: of waiting tasks, then `for_reservations` of those of reservations, then
    `for_headroom` of those of the headroom, then nothing. `clamped` are the waiting shapes for which max size
    leaves no instance, `never` those that no type and no present instance can hold. `returns` are the EC2 ids
    of instances that are being removed and are wanted back; `used` are the ARNs of instances whose room what
    waits would take, or what is reserved or to stay free.
    """

    types: tuple[str, ...] = ()
    asks: tuple[Resources, ...] = ()
    for_reservations: int = 0
    for_headroom: int = 0
    clamped: frozenset[Resources] = frozenset()
    never: frozenset[Resources] = frozenset()
    returns: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Bin:
    """`count` alike instances, each with `free` left. `ec2_instance_id` is that of one to be taken back.

    `empty`: nobody is on them, nor would be.
    """

    free: Resources
    count: int
    ec2_instance_id: str = ""
    touched: bool = False
    empty: bool = True

    def times(self, ask: Resources) -> int:
        """How often each of them has room for `ask`."""
        return ask.times_that_fit(self.free) if self.empty or not ask.exclusive else 0

    def less(self, ask: Resources, times: int) -> Resources:
        """What is left of one that has taken `ask` so often."""
        return NOTHING if ask.exclusive else self.free - ask.times(times)


@dataclass(slots=True)
class _Purchases:
    """What is bought: the type and the shape of each, and the room that comes with it."""

    spare: int
    bought: list[tuple[str, Resources]] = field(default_factory=list)
    bins: list[_Bin] = field(default_factory=list)
    clamped: set[Resources] = field(default_factory=set)

    def buy(self, instance_type: InstanceType, ask: Resources, count: int) -> None:
        """As many of the type as `ask` needs to be there `count` times, or as may be had."""
        wanted = -(-count // ask.times_that_fit(instance_type.allocatable))
        affordable = min(wanted, self.spare - len(self.bought))
        if affordable < wanted:
            self.clamped.add(ask)
        if affordable > 0:
            self.bought += [(instance_type.name, ask)] * affordable
            self.bins.append(_Bin(instance_type.allocatable, affordable))
            _fill_bins(self.bins, ask, count)


@dataclass(slots=True, kw_only=True)
class _Supplies:
    """Where room is looked for, in this order: free, in flight, to be taken back, to be bought."""

    capacity: Capacity
    free: Remainder
    in_flight: list[_Bin]
    returnable: list[_Bin]
    purchases: _Purchases

    def meet(self, ask: Resources, count: int) -> bool:
        """Finds room for `ask` `count` times as far as there is any; False when nothing can ever hold it."""
        instance_type = smallest_that_holds(ask, self.capacity.types)
        if instance_type is None and not _is_held(ask, self.capacity, self.free):
            return False
        left = count - self.free.fill(ask, count, _avoided(ask, self.capacity))
        for bins in (self.in_flight, self.returnable, self.purchases.bins):
            left = _fill_bins(bins, ask, left)
        if left and instance_type is not None and ask not in self.capacity.disappointing:
            self.purchases.buy(instance_type, ask, left)
        return True

    def taken_back(self) -> list[str]:
        """EC2 ids of the instances that are wanted back."""
        return [each.ec2_instance_id for each in self.returnable if each.touched and each.ec2_instance_id]


@dataclass(slots=True)
class _Wanted:
    """How often a shape is asked for, and by whom first."""

    first: Place
    count: int


def scale_up(
    capacity: Capacity,
    packing: PackingResult,
    limits: Limits | None = None,
    *,
    headroom: Sequence[Pieces] = (),
) -> Growth:
    """How the group must grow so that everything left over finds room, clamped to its limits.

    What waits is packed onto free room, then onto what is in flight, then onto idle instances that are being
    removed and can be taken back, and only then is something bought. Then the same for what is reserved,
    and then for the room that is to stay free.
    """
    group = capacity.group
    if group is None or not capacity.types:
        return Growth()
    limits = limits or Limits(floor=group.min_size, ceiling=group.max_size)
    if not (packing.left or packing.unheld or headroom or any(_up_to_floor(capacity, limits, [], []))):
        return Growth()
    purchases = _Purchases(max(0, limits.ceiling - group.desired))
    supplies = _Supplies(
        capacity=capacity,
        free=Remainder(packing.index),
        in_flight=_in_flight(capacity),
        returnable=_returnable(capacity),
        purchases=purchases,
    )
    never = frozenset(ask for ask, count in _demand(packing) if not supplies.meet(ask, count))
    clamped, for_tasks = frozenset(purchases.clamped), len(purchases.bought)
    for each in packing.unheld:
        supplies.meet(each.ask, each.count)
    for_reservations = len(purchases.bought) - for_tasks
    for each in headroom:
        supplies.meet(each.ask, each.count)
    for_headroom = len(purchases.bought) - for_tasks - for_reservations
    returns, bought = _up_to_floor(capacity, limits, supplies.taken_back(), purchases.bought)
    growth = Growth(
        types=tuple(name for name, _ in bought),
        asks=tuple(ask for _, ask in bought),
        for_reservations=for_reservations,
        for_headroom=for_headroom,
        clamped=clamped,
        never=never,
        returns=tuple(returns),
        used=supplies.free.filled(),
    )
    return _of_the_floor(growth, capacity, limits) if capacity.futile else growth


def _of_the_floor(growth: Growth, capacity: Capacity, limits: Limits) -> Growth:
    """Of what would be bought only as many as the floor lacks, for nobody: the group owes others already."""
    assert capacity.group is not None, "the caller has looked"
    lacking = limits.floor - (capacity.group.desired - capacity.shrinking + len(growth.returns))
    types = growth.types[: max(0, lacking)]
    return replace(growth, types=types, asks=(NOTHING,) * len(types), for_reservations=0, for_headroom=0)


def _up_to_floor(
    capacity: Capacity, limits: Limits, returns: list[str], bought: list[tuple[str, Resources]]
) -> tuple[list[str], list[tuple[str, Resources]]]:
    """What the floor still lacks: first taken back, then bought as the smallest type, for nobody."""
    assert capacity.group is not None, "the caller has looked"
    going = [each.ec2_instance_id for each in capacity.returnable if each.ec2_instance_id not in returns]
    lacking = limits.floor - (capacity.group.desired - capacity.shrinking + len(returns) + len(bought))
    back = going[: max(0, lacking)]
    smallest = capacity.types[0].name
    more = min(lacking - len(back), limits.ceiling - capacity.group.desired - len(bought))
    return returns + back, bought + [(smallest, NOTHING)] * max(0, more)


def smallest_that_holds(ask: Resources, types: Sequence[InstanceType]) -> InstanceType | None:
    """The first of `types` (smallest first) that holds `ask`, judged on every dimension."""
    return next((each for each in types if ask.fits_in(each.allocatable)), None)


def largest_suited(ask: Resources, types: Sequence[InstanceType]) -> InstanceType:
    """The last of `types` (smallest first) of an architecture that `ask` may run on, else the last of all."""
    return next((each for each in reversed(types) if ask.suits(each.allocatable)), types[-1])


def _is_held(ask: Resources, capacity: Capacity, free: Remainder) -> bool:
    """True when an instance that is there registered enough, even if its type once registered less.

    The daemons of one that is being removed count as taken there, or have left it.
    """
    registered = (*free.sizes(), *(each.registered for each in capacity.silent))
    beside_daemons = ask + capacity.daemons
    return any(beside_daemons.fits_in(each) for each in registered) or any(
        ask.fits_in(each.free) for each in capacity.returnable
    )


def _avoided(ask: Resources, capacity: Capacity) -> frozenset[str]:
    """Where a start of this shape failed a moment ago: its room there is none."""
    return frozenset(arn for arn, each in capacity.suspects if each == ask)


def _demand(packing: PackingResult) -> list[tuple[Resources, int]]:
    """Counts by shape, ranked by the shape's best head: higher priority first, then the older.

    A task for which room is held already needs no other.
    """
    shapes: dict[Resources, _Wanted] = {}
    for group, count in packing.left:
        shape = shapes.get(group.ask)
        if shape is None:
            shapes[group.ask] = _Wanted(group.first, count)
        else:
            shape.count += count
            shape.first = min(shape.first, group.first)
    ranked = sorted(shapes.items(), key=lambda each: each[1].first)
    lacking = [(ask, wanted.count - packing.awaited[ask]) for ask, wanted in ranked]
    return [(ask, count) for ask, count in lacking if count > 0]


def _in_flight(capacity: Capacity) -> list[_Bin]:
    """What is silent for a moment, then one bin a type of what EC2 owes.

    Instances that nobody here asked for count as the smallest type.
    """
    silent = [_Bin(each.free, 1, empty=each.empty) for each in capacity.silent]
    if capacity.in_flight == 0:
        return silent
    by_name = {each.name: each.allocatable for each in capacity.types}
    asked = [name for name in capacity.in_flight_types if name in by_name][-capacity.in_flight :]
    names = [capacity.types[0].name] * (capacity.in_flight - len(asked)) + asked
    return silent + [_Bin(by_name[name], names.count(name)) for name in dict.fromkeys(names)]


def _returnable(capacity: Capacity) -> list[_Bin]:
    """Idle instances that are being removed, each by itself."""
    return [_Bin(each.free, 1, each.ec2_instance_id) for each in capacity.returnable]


def _fill_bins(bins: list[_Bin], ask: Resources, count: int) -> int:
    """Takes `ask` `count` times from `bins`, first fit; returns how many found no room.

    Alike instances are filled alike; the one that is filled in part becomes a bin of its own.
    """
    left = count
    for each in bins.copy():
        if left == 0:
            break
        times = each.times(ask)
        if times == 0:
            continue
        each.touched = True
        full, rest = divmod(left, times)
        if full >= each.count:
            each.free, each.empty = each.less(ask, times), False
            left -= times * each.count
            continue
        _split(bins, each, full, ask, times=times, rest=rest)
        left = 0
    return left


def _split(bins: list[_Bin], whole: _Bin, full: int, ask: Resources, *, times: int, rest: int) -> None:
    """Of `whole`, `full` instances are filled `times` times, one `rest` times, and the others not."""
    if full:
        bins.append(_Bin(whole.less(ask, times), full, empty=False))
    if rest:
        bins.append(_Bin(whole.less(ask, rest), 1, empty=False))
    whole.count -= full + (1 if rest else 0)
