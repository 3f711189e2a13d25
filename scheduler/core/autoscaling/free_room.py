"""Free room: what is free of the schedulable instances that stay, as the free ratio counts it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from scheduler.core.model.reservation import Pieces
from scheduler.core.placement.free_index import FreeIndex


class _Amounts(NamedTuple):
    """Of one instance, or of several together."""

    free_cpu: int
    free_memory_mib: int
    cpu: int
    memory_mib: int


class FreeRoom:
    """The amounts of each instance and their sums; made once for a decision, and only where they matter."""

    def __init__(
        self, index: FreeIndex, going: Collection[str] = (), *, reserved: Sequence[Pieces] = ()
    ) -> None:
        """What stands in `index`, but for the ARNs that go; what is `reserved` is free on none of them."""
        self._of = {
            room.arn: _Amounts(room.cpu, room.memory_mib, size.registered.cpu, size.registered.memory_mib)
            for size, room in index.spots()
            if room.arn not in going
        }
        sums = (sum(amounts) for amounts in zip(*self._of.values(), strict=True))
        self._all = _less(_Amounts(*sums) if self._of else _NONE, _taken(reserved))

    def share_without(self, arn: str) -> float:
        """The share of CPU or of memory, the smaller, that is free on the others; all of it without any."""
        left = _less(self._all, self._of.get(arn, _NONE))
        by_cpu = left.free_cpu / left.cpu if left.cpu else 1.0
        by_memory = left.free_memory_mib / left.memory_mib if left.memory_mib else 1.0
        return min(by_cpu, by_memory)

    def forget(self, arn: str) -> None:
        """It goes."""
        self._all = _less(self._all, self._of.pop(arn, _NONE))


_NONE = _Amounts(0, 0, 0, 0)


def _taken(reserved: Sequence[Pieces]) -> _Amounts:
    asks = [each.ask.times(each.count) for each in reserved]
    return _Amounts(sum(each.cpu for each in asks), sum(each.memory_mib for each in asks), 0, 0)


def _less(amounts: _Amounts, others: _Amounts) -> _Amounts:
    return _Amounts(*(have - less for have, less in zip(amounts, others, strict=True)))
