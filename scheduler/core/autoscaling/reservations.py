"""Reservations as arithmetic: totals cut into pieces, and which pieces a task uses up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.model.group import InstanceType
from scheduler.core.model.reservation import Pieces, Reservation, count_of
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import ContainerSize

REGULAR = MAIN_SIZES[ContainerSize.REGULAR] + SIDEKICK
"""What an agent of the usual size asks for: the shape of a build of which nothing is known."""


def number_of_pieces(total: Resources, shape: Resources) -> int:
    """Into how many pieces `cut` cuts, told without cutting."""
    return max(-(-have // of) for have, of in zip(_counted(total), _steps(total, shape), strict=True))


def cut(total: Resources, shape: Resources, types: Sequence[InstanceType]) -> tuple[Pieces, ...]:
    """`total` in pieces of `shape`, the remainder last.

    When one dimension is used up before the other, what remains would be pieces of memory (or CPU) alone,
    which no task asks for: they get the other in the ratio of the group's first type.

    Worked number: 25,600 CPU units and 100,000 MiB in pieces of 2,048 and 8,006 are twelve of these and one
    of 1,024 and 3,928.
    """
    pieces: list[Pieces] = []
    for piece in _cut(total, shape):
        ask = _completed(piece, types[0].allocatable if types else REGULAR)
        if pieces and pieces[-1].ask == ask:
            pieces[-1] = Pieces(ask=ask, count=pieces[-1].count + 1)
        else:
            pieces.append(Pieces(ask=ask, count=1))
    return tuple(pieces)


def use(reservation: Reservation, left: Sequence[Pieces], ask: Resources) -> int:
    """How many pieces of `left` (as `left_of` orders them) a task of the next result id uses up.

    One if a piece holds it; else several, but no more than its share of what is left: whoever reserves
    three pieces for three result ids finds two of them after the first.
    """
    pieces = count_of(tuple(left))
    if any(_holds(each.ask, ask) for each in left):
        return 1
    share = -(-pieces // max(1, len(reservation.result_ids) - len(reservation.uses)))
    taken, covered = 0, NOTHING
    for each in _largest_first(left):
        if taken == share or _holds(covered, ask):
            break
        taken, covered = taken + 1, covered + each
    return taken


def succeed(new: Reservation, former: Reservation) -> Reservation:
    """`new` in place of its build's former one. The same again only lasts longer.

    Result ids that have come already have used up their parts of it.
    """
    if (former.result_ids, former.pieces) == (new.result_ids, new.pieces):
        return replace(new, place=former.place, uses=former.uses)
    for each in former.uses:
        if each.result_id in new.result_ids:
            pieces = use(new, left_of(new), each.ask)
            new = replace(new, uses=(*new.uses, replace(each, pieces=pieces)))
    return new


def left_of(reservation: Reservation) -> tuple[Pieces, ...]:
    """What is not used up: nothing once every result id has come, whatever they asked for."""
    if len(reservation.uses) >= len(reservation.result_ids):
        return ()
    counts = {each.ask: each.count for each in reservation.pieces}
    for each in reservation.uses:
        _take(counts, each.ask, each.pieces)
    return tuple(Pieces(ask=ask, count=count) for ask, count in counts.items() if count)


def _take(counts: dict[Resources, int], ask: Resources, pieces: int) -> None:
    """The smallest one that holds it, else the largest."""
    for _ in range(pieces):
        there = [each for each, count in counts.items() if count]
        holding = [each for each in there if _holds(each, ask)]
        counts[min(holding) if holding else max(there)] -= 1


def _holds(room: Resources, ask: Resources) -> bool:
    """Whatever the architecture: a reservation that names none serves tasks of any."""
    return ask.on(room.architecture).fits_in(room)


def _largest_first(pieces: Sequence[Pieces]) -> Iterator[Resources]:
    for each in sorted(pieces, key=lambda each: each.ask, reverse=True):
        yield from [each.ask] * each.count


def _counted(amount: Resources) -> tuple[int, int, int]:
    return (amount.cpu, amount.memory_mib, amount.gpus)


def _steps(total: Resources, shape: Resources) -> tuple[int, int, int]:
    """What a piece takes of each dimension; one GPU if the shape has none, since they are whole."""
    cpu = shape.cpu or total.cpu or 1
    return (cpu, shape.memory_mib or total.memory_mib or 1, shape.gpus or 1)


def _cut(total: Resources, shape: Resources) -> Iterator[Resources]:
    cpu, memory_mib, gpus = _steps(total, shape)
    step = Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus)
    left = total
    while any(_counted(left)):
        piece = left.smaller(step)
        yield piece.on(shape.architecture).alone(shape.exclusive)
        left -= piece


def _completed(piece: Resources, like: Resources) -> Resources:
    """Rounded up: a piece is never of nothing in a dimension that tasks ask for."""
    if piece.cpu == 0 and like.memory_mib:
        cpu = -(-piece.memory_mib * like.cpu // like.memory_mib)
        return piece + Resources(cpu=cpu)
    if piece.memory_mib == 0 and like.cpu:
        memory_mib = -(-piece.cpu * like.memory_mib // like.cpu)
        return piece + Resources(memory_mib=memory_mib)
    return piece
