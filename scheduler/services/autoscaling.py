"""Autoscaling, as the API sees it: the cluster as the loop saw it, the loop's plans, an operator's wishes.

A wish is an intention like a task: it is admitted here, made durable by the writer, and heard by the loop.
How many instances there should be is decided there alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.digest import ClusterDigest, InstanceDigest
from scheduler.core.model.errors import Violation
from scheduler.core.model.records import ScaleRequested
from scheduler.core.model.scaling import ScalePlan, ScaleWish, WishKind
from scheduler.core.validate.rules import SCALE
from scheduler.ports.clock import Clock
from scheduler.services.asking import Ask, AskInstances, AskPlan
from scheduler.services.errors import GroupNotFound, GroupUnread, InvalidRequest, SizeOutOfRange
from scheduler.services.reservations import ReservationService
from scheduler.services.writer import Done, Writer

_SIZED = (WishKind.FLOOR, WishKind.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleOrder:
    """What a client asks of `Scale`: of the group that the service leads, if `group` is empty.

    `kind` is None where it names no wish. Only a dry run may do so: it then asks about the present one.
    """

    request_id: str
    group: str
    kind: WishKind | None
    size: int = 0
    expiry_ms: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFilter:
    """Which container instances; what is set must all match."""

    health: InstanceHealth | None = None
    ec2_instance_ids: frozenset[str] = frozenset()

    def matches(self, digest: InstanceDigest) -> bool:
        """True when everything that is set matches."""
        return (self.health is None or digest.health is self.health) and (
            not self.ec2_instance_ids or digest.instance.ec2_instance_id in self.ec2_instance_ids
        )


class AutoscalingService:
    """Shows capacity and demand, and takes an operator's wishes."""

    def __init__(
        self,
        digest: Callable[[], ClusterDigest],
        *,
        ask: Callable[[Ask], None],
        writer: Writer,
        clock: Clock,
        group: str,
    ) -> None:
        """`digest` gives what the loop last published; `ask` puts a question to it; `group` is its group."""
        self._digest = digest
        self._ask = ask
        self._writer = writer
        self._clock = clock
        self._group = group
        self.reservations = ReservationService(ask=ask, writer=writer, clock=clock)

    def cluster(self) -> ClusterDigest:
        """The last digest; it never asks AWS."""
        return self._digest()

    def admit(self, order: ScaleOrder) -> ScaleWish | None:
        """The wish that the order becomes, and None for a dry run without one.

        Raises InvalidRequest, GroupNotFound, GroupUnread or SizeOutOfRange.
        """
        violations = tuple(_violations(order))
        if violations:
            raise InvalidRequest(violations)
        if order.group not in ("", self._group):
            raise GroupNotFound(order.group, self._group)
        self._check_size(order)
        if order.kind is None:
            return None
        now_ms = self._clock.now_ms()
        return ScaleWish(
            request_id=order.request_id,
            group=self._group,
            kind=order.kind,
            size=order.size,
            at_ms=now_ms,
            expires_ms=None if order.expiry_ms is None else now_ms + order.expiry_ms,
        )

    def scale(self, wish: ScaleWish, done: Done) -> None:
        """Makes the wish durable; `done` is called on the writer's thread. Never blocks."""
        self._writer.submit(ScaleRequested(wish=wish), done)

    def plan(self, wish: ScaleWish | None, answer: Callable[[ScalePlan | None], None]) -> None:
        """Asks what would be done under the wish, None for the present one; the loop calls `answer`."""
        self._ask(AskPlan(wish=wish, answer=answer))

    def container_instances(self, answer: Callable[[tuple[InstanceDigest, ...]], None]) -> None:
        """Asks which container instances are there, in the order of their ARNs; the loop calls `answer`."""
        self._ask(AskInstances(answer=answer))

    def _check_size(self, order: ScaleOrder) -> None:
        if order.kind not in _SIZED:
            return
        digest = self._digest()
        # An accepted wish stays accepted: who repeats it learns that, whatever the group's limits are since.
        if digest.wish is not None and digest.wish.request_id == order.request_id:
            return
        if digest.group is None:
            raise GroupUnread
        if not digest.group.min_size <= order.size <= digest.group.max_size:
            raise SizeOutOfRange(order.size, digest.group)


def same_wish(one: ScaleWish, other: ScaleWish) -> bool:
    """Whether a client asked for the same: when it was accepted is not the client's to say."""
    return _asked(one) == _asked(other)


def _asked(wish: ScaleWish) -> tuple[str, WishKind, int, int | None]:
    lasts_ms = None if wish.expires_ms is None else wish.expires_ms - wish.at_ms
    return (wish.group, wish.kind, wish.size, lasts_ms)


def _violations(order: ScaleOrder) -> Iterator[Violation]:
    of_the_table: list[Violation] = []
    for row in SCALE:
        row.judge(order, "", of_the_table)
    yield from of_the_table
    if order.kind is None and not order.dry_run:
        yield Violation(field_path="wish", expected="floor, target or clear")
    if order.kind not in _SIZED and order.expiry_ms is not None:
        yield Violation(field_path="expiry", expected="not set without floor or target")
