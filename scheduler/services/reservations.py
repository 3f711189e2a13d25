"""Reservations, as the API sees them: admitted here, granted by the loop, made durable by the writer."""

from collections.abc import Callable, Iterator

from scheduler.core.agents.sizes import LEAST_MEMORY_MIB
from scheduler.core.model.errors import Violation
from scheduler.core.model.reservation import Reservation, reservation_fact
from scheduler.core.validate.rows import Table
from scheduler.core.validate.rules import RESERVE, RESERVED_RESOURCES
from scheduler.ports.clock import Clock
from scheduler.services.asking import Ask, AskGrant
from scheduler.services.errors import InvalidRequest, ServiceError
from scheduler.services.granting import ReservedTasks, ReserveOrder
from scheduler.services.writer import Done, Writer

MAX_SHAPES = 20
MAX_TASKS = 10_000


class ReservationService:
    """Takes and releases reservations.

    The caller sees to it that one at a time is granted and kept: two at once could pass a tenant's cap.
    """

    def __init__(self, *, ask: Callable[[Ask], None], writer: Writer, clock: Clock) -> None:
        """`ask` puts a question to the loop."""
        self._ask = ask
        self._writer = writer
        self._clock = clock
        self._last_ms = 0

    def admit(self, order: ReserveOrder) -> None:
        """Raises InvalidRequest, with every field that is wrong."""
        violations = tuple(_violations(order))
        if violations:
            raise InvalidRequest(violations)

    def grant(self, order: ReserveOrder, answer: Callable[[Reservation | ServiceError], None]) -> None:
        """Asks what the order would become; the loop calls `answer`."""
        self._ask(AskGrant(order=order, at_ms=self._stamp_ms(), answer=answer))

    def keep(self, reservation: Reservation, done: Done) -> None:
        """Makes it durable in place of the build's former one; `done` is called on the writer's thread."""
        self._writer.submit(reservation_fact(reservation), done)

    def nothing(self, order: ReserveOrder) -> Reservation:
        """What releases the build's reservation, if it has one."""
        at_ms = self._stamp_ms()
        return Reservation(
            tenant=order.tenant,
            build_key=order.build_key,
            result_ids=(),
            pieces=(),
            at_ms=at_ms,
            expires_ms=at_ms,
        )

    def _stamp_ms(self) -> int:
        """Now, and later than the last: which of two reservations counts must be certain."""
        self._last_ms = max(self._clock.now_ms(), self._last_ms + 1)
        return self._last_ms


def _violations(order: ReserveOrder) -> Iterator[Violation]:
    yield from _judged(RESERVE, order, "")
    if order.tasks and order.total is not None:
        yield Violation(field_path="total", expected="not set with tasks")
    if not order.tasks and order.total is None:
        yield Violation(field_path="tasks", expected="tasks or total; a total of nothing releases")
    if len(order.tasks) > MAX_SHAPES:
        yield Violation(field_path="tasks", expected=f"at most {MAX_SHAPES} entries")
    if order.total is not None:
        yield from _judged(RESERVED_RESOURCES, order.total, "total.")
    for index, tasks in enumerate(order.tasks):
        yield from _tasks_violations(tasks, f"tasks[{index}].")
    if not order.is_zero and not order.result_ids:
        yield Violation(field_path="result_ids", expected="at least one")


def _tasks_violations(tasks: ReservedTasks, path: str) -> Iterator[Violation]:
    if tasks.size is None and tasks.resources is None:
        yield Violation(field_path=f"{path}shape", expected="a size from XSMALL to LARGE_8X, or resources")
    if tasks.resources is not None:
        yield from _judged(RESERVED_RESOURCES, tasks.resources, f"{path}resources.")
        if tasks.resources.memory_mib < LEAST_MEMORY_MIB:
            least = f"a number from {LEAST_MEMORY_MIB}"
            yield Violation(field_path=f"{path}resources.memory_mib", expected=least)
    if tasks.architecture is None:
        yield Violation(field_path=f"{path}architecture", expected="X86_64, ARM64 or not set")
    if not 0 <= tasks.count <= MAX_TASKS:
        yield Violation(field_path=f"{path}count", expected=f"a number from 0 to {MAX_TASKS:,}")


def _judged(table: Table, message: object, path: str) -> list[Violation]:
    found: list[Violation] = []
    for row in table:
        row.judge(message, path, found)
    return found
