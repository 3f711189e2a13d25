"""Granting: what the loop answers to who wants to reserve, and when it decides on what was reserved."""

from typing import Any

from scheduler.core.model.answers import Committed
from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.policy import Policy
from scheduler.core.model.reservation import Pieces, Reservation, reservation_fact
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import ContainerSize
from scheduler.core.world.world import World
from scheduler.services.asking import AskGrant
from scheduler.services.errors import NeverFits, ServiceError, TooMuchReserved
from scheduler.services.granting import ReservedTasks, ReserveOrder
from tests.builders import M4_4XLARGE, a_type, a_world
from tests.clocks import START_MS
from tests.services.steps import HandDriver, stored

MINUTE_MS = 60_000


def order(*tasks: ReservedTasks, **changes: Any) -> ReserveOrder:
    fields: dict[str, Any] = {"tenant": "bamboo", "build_key": "PLAN", "result_ids": ("R1", "R2")}
    return ReserveOrder(tasks=tasks, **(fields | changes))


def regular(count: int) -> ReservedTasks:
    return ReservedTasks(count=count, size=ContainerSize.REGULAR)


def ask(driver: HandDriver, wanted: ReserveOrder) -> Reservation | ServiceError:
    """The loop's answer."""
    answers: list[Reservation | ServiceError] = []
    driver.loop.step(driver.now_ms, [AskGrant(order=wanted, at_ms=driver.now_ms, answer=answers.append)])
    driver.now_ms += 1
    return answers[0]


def reserve(driver: HandDriver, wanted: ReserveOrder) -> Reservation:
    answer = ask(driver, wanted)
    assert isinstance(answer, Reservation)
    driver.turn(Committed(records=stored(reservation_fact(answer))))
    return answer


def a_driver(**policy: Any) -> HandDriver:
    driver = HandDriver(World(Policy(**policy), "ci"))
    driver.world.growth.declare((a_type("m4.4xlarge", M4_4XLARGE),))
    return driver


def test_a_grant_changes_nothing() -> None:
    """Only what is durable is reserved."""
    driver = a_driver()
    granted = ask(driver, order(regular(2)))
    assert isinstance(granted, Reservation)
    assert granted.pieces == (Pieces(ask=Resources(cpu=2_048, memory_mib=8_006), count=2),)
    assert list(driver.world.reservations) == []


def test_a_total_is_cut_into_what_the_build_last_asked_for() -> None:
    """Not into agents of size REGULAR, once one has come."""
    driver = a_driver()
    driver.turn(driver.submission(1))
    granted = reserve(driver, order(total=Resources(cpu=2_048, memory_mib=16_000), build_key="PLAN-KEY"))
    assert granted.pieces[0].ask == Resources(cpu=2_048, memory_mib=8_000)


def test_the_same_again_has_the_same_pieces() -> None:
    """Although the build asks for something else by now."""
    driver = a_driver()
    wanted = order(total=Resources(cpu=4_096, memory_mib=16_008), build_key="PLAN-KEY")
    first = reserve(driver, wanted)
    driver.turn(driver.submission(1))
    again = reserve(driver, wanted)
    assert again.pieces == first.pieces
    assert again.expires_ms > first.expires_ms


def test_the_cap_counts_what_is_not_used_up() -> None:
    """Of all of the tenant's builds, and of no other tenant's."""
    driver = a_driver(max_reserved_tasks=5)
    reserve(driver, order(regular(3), build_key="A"))
    reserve(driver, order(regular(5), tenant="others"))
    assert isinstance(ask(driver, order(regular(3), build_key="B")), TooMuchReserved)
    assert isinstance(ask(driver, order(regular(2), build_key="B")), Reservation)
    assert isinstance(ask(driver, order(regular(5), build_key="A")), Reservation)


def test_what_never_fits_is_not_granted() -> None:
    """Unless the group's types are not known yet: then it is."""
    huge = order(ReservedTasks(count=1, resources=M4_4XLARGE.times(2)))
    assert isinstance(ask(a_driver(), huge), NeverFits)
    assert isinstance(ask(HandDriver(World(Policy(), "ci")), huge), Reservation)


def test_it_lasts_as_long_as_it_asks() -> None:
    """The policy's time if it does not."""
    driver = a_driver(reservation_ms=7 * MINUTE_MS)
    assert reserve(driver, order(regular(1))).expires_ms == START_MS + 7 * MINUTE_MS
    assert reserve(driver, order(regular(1), expiry_ms=MINUTE_MS)).expires_ms == START_MS + 1 + MINUTE_MS


def test_the_loop_wakes_when_one_expires() -> None:
    """And lets go of it, durably."""
    driver = HandDriver(a_world())
    made = reserve(driver, order(regular(1), expiry_ms=1_000))
    while driver.now_ms < made.expires_ms:
        assert driver.wake_ms <= made.expires_ms
        driver.turn(after_ms=max(1, driver.wake_ms - driver.now_ms))
    driver.turn()
    assert not [key for key in driver.store.load().facts if key.startswith("reservation/")]


def test_the_group_grows_for_it_at_once() -> None:
    """In the decision that hears of it."""
    driver = HandDriver(a_world())
    granted = ask(driver, order(regular(16)))
    assert isinstance(granted, Reservation)
    step = driver.turn(Committed(records=stored(reservation_fact(granted))))
    assert [each.desired for each in step.calls if isinstance(each, SetDesiredCapacity)] == [2]


def test_nothing_is_known_by_its_amounts() -> None:
    """No tasks at all, none of a shape, or a total of nothing."""
    assert order(total=NOTHING).is_zero
    assert order(regular(0)).is_zero
    assert not order(regular(1)).is_zero
