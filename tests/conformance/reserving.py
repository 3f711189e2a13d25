"""Reservations on a whole service, as its API takes them, and the agents that use them up."""

from typing import Any

from scheduler.core.model.reservation import (
    Pieces,
    Reservation,
    StandingReservation,
    count_of,
    reservation_fact,
)
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.services.errors import ServiceError
from scheduler.services.granting import ReserveOrder, granted
from tests.conformance.agents import agent, schedule
from tests.lab.worlds import VirtualService

BUILD = "111-222"
REGULAR = Resources(cpu=2_048, memory_mib=8_006)


def amount(cpu: int, memory_mib: int) -> Resources:
    return Resources(cpu=cpu, memory_mib=memory_mib)


def reserve(service: VirtualService, total: Resources, *result_ids: str, **changes: Any) -> Reservation:
    """Reserves so much in all, for one result unless told otherwise; nothing releases."""
    fields: dict[str, Any] = {
        "tenant": "bamboo",
        "build_key": BUILD,
        "result_ids": result_ids or ("AAA-BBB-CCC-1",),
        "total": total,
    }
    order = ReserveOrder(**(fields | changes))
    answer = granted(service.engine.loop._world, order, service.clock.now_ms())
    assert not isinstance(answer, ServiceError), answer
    service.driver.commit(reservation_fact(answer))
    service.let_pass(0.01)
    return answer


def release(service: VirtualService) -> None:
    reserve(service, NOTHING)


def ask_for(service: VirtualService, result_id: str, **changes: Any) -> None:
    """The agent of a result is asked for: of size SMALL, of the build, with nothing beside it."""
    spec: dict[str, Any] = {
        "result_id": result_id,
        "build_key": BUILD,
        "extra_containers": (),
        "host_folder_mappings": (),
        "task_role_arn": "",
    }
    schedule(service, agent(**(spec | changes)))


def come(service: VirtualService, result_id: str, **changes: Any) -> None:
    """The same, and the loop has heard of it."""
    ask_for(service, result_id, **changes)
    service.let_pass(0.01)


def standing(service: VirtualService) -> list[StandingReservation]:
    """What the loop has, which what the store has must agree with after a restart."""
    return list(service.engine.loop._world.reservations)


def left(service: VirtualService) -> int:
    """Pieces that are not used up."""
    return sum(count_of(each.left) for each in standing(service))


def pieces(cpu: int, memory_mib: int, count: int = 1) -> Pieces:
    return Pieces(ask=amount(cpu, memory_mib), count=count)
