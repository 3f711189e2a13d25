"""Cases D, and those of M on reservations: what a build reserves, and what becomes of it."""

import pytest

from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.scaling import ScalingKind
from tests.conformance.reserving import amount, come, left, pieces, release, reserve, standing
from tests.conformance.scenes import AS_THE_SEED, Scene, Used
from tests.conformance.sick import a_service, share
from tests.lab.worlds import MINUTE_MS, VirtualService


def with_usage(*percents: int, min_size: int | None = None, max_size: int = 50) -> VirtualService:
    """Instances of the cases, of each of which so much is used."""
    service = a_service(len(percents), min_size=min_size, max_size=max_size, run_minutes=600)
    for percent in percents:
        if percent:
            service.submit(1, share(percent, percent), tenant="others")
    service.let_pass(1)
    return service


def test_d01_a_zero_one_removes() -> None:
    """What was reserved is free again."""
    service = a_service(1)
    reserve(service, amount(100, 100))
    reserve(service, NOTHING)
    assert standing(service) == []


def test_d02_a_second_zero_one_makes_no_entry() -> None:
    """Neither in memory nor in the store."""
    service = a_service(1)
    reserve(service, amount(100, 100))
    for _ in range(2):
        release(service)
    assert standing(service) == []
    assert not [key for key in service.store.load().facts if key.startswith("reservation/")]


def test_d03_one_of_an_hour_ago_is_over() -> None:
    """Its room is anybody's."""
    service = a_service(1)
    reserve(service, amount(100, 100))
    service.let_pass(60)
    assert standing(service) == []


@pytest.mark.parametrize(("age_ms", "kept"), [(40 * MINUTE_MS - 1, True), (40 * MINUTE_MS, False)])
def test_m05_it_ends_after_forty_minutes(age_ms: int, kept: bool) -> None:
    """To the millisecond; differs from the seed, which kept it for a minute more."""
    service = a_service(1)
    made = reserve(service, amount(100, 100))
    world = service.engine.loop._world
    world.reservations.tend(made.at_ms + age_ms)
    assert bool(standing(service)) is kept


def test_m11_the_group_grows_for_it() -> None:
    """Twelve agents of size REGULAR and a remainder: four pieces fit beside what runs, nine need two more."""
    service = with_usage(50)
    come(service, "OTHER-1", build_key="333-444")
    made = reserve(service, amount(25_600, 100_000))
    assert made.pieces == (pieces(2_048, 8_006, 12), pieces(1_024, 3_928))
    service.let_pass(1)
    assert service.desired == 3


@pytest.mark.parametrize(("total", "kept"), [(amount(10_000, 40_000), True), (amount(100, 100), False)])
def test_m12_it_keeps_an_idle_instance(total: Resources, kept: bool) -> None:
    """With what the seed kept free: what is reserved is not free, and without it the instance goes."""
    scene = Scene(instances=(Used(50, 50), Used(50, 50), Used(0, 0, 55)), policy=AS_THE_SEED)
    scene.service.let_pass(0.2)
    reserve(scene.service, total)
    scene.service.let_pass(3)
    assert scene.gone() == ([] if kept else [3])


def test_m12_it_keeps_those_that_it_needs() -> None:
    """With our own choices: not by sums, but those on which its pieces find room; the others go."""
    service = with_usage(51, 51, 0, 0, min_size=1)
    reserve(service, amount(20_000, 80_000), expiry_ms=20 * MINUTE_MS)
    service.let_pass(15)
    assert service.has_size(3)
    service.let_pass(15)
    assert service.has_size(2)


def test_m13_each_result_uses_up_its_own_part() -> None:
    """Differs from the seed, where the first one ended all of it; another build's result changes nothing."""
    service = a_service(1)
    reserve(service, amount(4_096, 16_008), "R1", "R2")
    come(service, "R9")
    assert left(service) == 2
    come(service, "R1")
    assert left(service) == 1
    come(service, "R2")
    assert left(service) == 0


def test_m46_memory_alone_is_reserved_too() -> None:
    """With CPU in the group's ratio; differs from the seed, which took it for a release."""
    service = a_service(1)
    made = reserve(service, amount(0, 8_000))
    assert made.pieces == (pieces(2_035, 8_000),)
    assert left(service) == 1


def test_m47_it_makes_the_group_grow_by_itself() -> None:
    """Without any task: eight pieces fit on the idle instance, five are left for another."""
    service = a_service(1)
    reserve(service, amount(25_600, 100_000))
    service.let_pass(1)
    assert service.desired == 2
    [grown] = service.log(ScalingKind.GROW)
    assert grown.code == "RESERVATION"
    assert grown.message == (
        "container instances are bought: 1 for reservations of 2048 CPU units and 8006 MiB"
    )
