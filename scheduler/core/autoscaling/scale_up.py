"""Growth: pack what is unplaced onto free room, then in-flight, then hypothetical instances.

The hypothetical instances used are the growth. There is no sum of lacking capacity and no "+1": ten tasks
of 51 % of an instance need ten instances, and sixteen of 1/16 need one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.model.backlog import BacklogGroup
from scheduler.core.model.group import Capacity, InstanceType
from scheduler.core.model.resources import Resources
from scheduler.core.placement.free_index import FreeIndex
from scheduler.core.placement.packer import PackingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What the group should be asked for.

    `types` are the types of the instances to ask for beyond those in flight, one each, and `asks` the shapes
    that they are bought for. `clamped` are the shapes for which max size leaves no instance, `never` those
    that no type and no present instance can hold.
    """

    types: tuple[str, ...] = ()
    asks: tuple[Resources, ...] = ()
    clamped: frozenset[Resources] = frozenset()
    never: frozenset[Resources] = frozenset()


@dataclass(slots=True)
class _Bin:
    """`count` alike instances, each with `free` left."""

    free: Resources
    count: int


def scale_up(capacity: Capacity, packing: PackingResult) -> Growth:
    """How the group must grow so that everything left over finds room, clamped to its max size."""
    if capacity.group is None or not capacity.types:
        return Growth()
    room = packing.index.fork()  # what is told of rejects is read from the packing afterwards
    bins = [_Bin(each.free, 1) for each in capacity.silent] + _in_flight_bins(capacity)
    spare = max(0, capacity.group.max_size - capacity.group.desired)
    bought: list[tuple[str, Resources]] = []
    clamped: set[Resources] = set()
    never: set[Resources] = set()
    for ask, count in _demand(packing.left):
        instance_type = smallest_that_holds(ask, capacity.types)
        if instance_type is None and not _is_held(ask, capacity, room):
            never.add(ask)
            continue
        avoid = frozenset(arn for arn, each in capacity.suspects if each == ask)
        left = _fill_bins(bins, ask, count - room.fill(ask, count, avoid))
        if left == 0 or instance_type is None or ask in capacity.disappointing:
            continue
        wanted = -(-left // ask.times_that_fit(instance_type.allocatable))
        affordable = min(wanted, spare - len(bought))
        if affordable < wanted:
            clamped.add(ask)
        if affordable > 0:
            bought += [(instance_type.name, ask)] * affordable
            bins.append(_Bin(instance_type.allocatable, affordable))
            _fill_bins(bins, ask, left)
    return Growth(
        types=tuple(name for name, _ in bought),
        asks=tuple(ask for _, ask in bought),
        clamped=frozenset(clamped),
        never=frozenset(never),
    )


def smallest_that_holds(ask: Resources, types: Sequence[InstanceType]) -> InstanceType | None:
    """The first of `types` (smallest first) that holds `ask`, judged on every dimension."""
    return next((each for each in types if ask.fits_in(each.allocatable)), None)


def _is_held(ask: Resources, capacity: Capacity, room: FreeIndex) -> bool:
    """True when an instance that is there registered enough, even if its type once registered less."""
    return any(ask.fits_in(size.registered) for size, _ in room.spots()) or any(
        ask.fits_in(each.registered) for each in capacity.silent
    )


def _demand(left: Sequence[tuple[BacklogGroup, int]]) -> list[tuple[Resources, int]]:
    """Counts by shape, ranked by the shape's best head: higher priority first, then the older."""
    counts: dict[Resources, int] = {}
    for group, count in sorted(left, key=lambda each: (-each[0].priority, each[0].oldest_revision)):
        counts[group.ask] = counts.get(group.ask, 0) + count
    return list(counts.items())


def _in_flight_bins(capacity: Capacity) -> list[_Bin]:
    """One bin a type. Instances that nobody here asked for count as the smallest type."""
    if capacity.in_flight == 0:
        return []
    by_name = {each.name: each.allocatable for each in capacity.types}
    asked = [name for name in capacity.in_flight_types if name in by_name][-capacity.in_flight :]
    names = [capacity.types[0].name] * (capacity.in_flight - len(asked)) + asked
    return [_Bin(by_name[name], names.count(name)) for name in dict.fromkeys(names)]


def _fill_bins(bins: list[_Bin], ask: Resources, count: int) -> int:
    """Takes `ask` `count` times from `bins`, first fit; returns how many found no room.

    Alike instances are filled alike; the one that is filled in part becomes a bin of its own.
    """
    left = count
    for each in bins.copy():
        times = ask.times_that_fit(each.free)
        if left == 0 or times == 0:
            continue
        full, rest = divmod(left, times)
        if full >= each.count:
            each.free -= ask.times(times)
            left -= times * each.count
            continue
        _split(bins, each, full, ask, times=times, rest=rest)
        left = 0
    return left


def _split(bins: list[_Bin], whole: _Bin, full: int, ask: Resources, *, times: int, rest: int) -> None:
    """Of `whole`, `full` instances are filled `times` times, one `rest` times, and the others not."""
    if full:
        bins.append(_Bin(whole.free - ask.times(times), full))
    if rest:
        bins.append(_Bin(whole.free - ask.times(rest), 1))
    whole.count -= full + (1 if rest else 0)
