"""Cases M of placement and scaling: boundaries to keep, and what the seed got wrong."""

from collections import Counter

import pytest

from scheduler.core.autoscaling.candidates import Candidates
from scheduler.core.autoscaling.scale_down import Situation, scale_down
from scheduler.core.model.attempt import StopCategory
from scheduler.core.model.container_instance import ContainerInstance, InstanceHealth
from scheduler.core.model.resources import Resources
from scheduler.core.model.scaling import Limits
from scheduler.core.model.task import TaskState, Timeouts
from scheduler.core.world.fleet import Fleet
from scheduler.core.world.ledger import Ledger
from tests.builders import a_candidate, a_group, a_member, an_index, an_instance, instance_arn
from tests.clocks import START_MS
from tests.conformance.scenes import AS_THE_SEED, DAY, REGISTERED, Scene, Used, percent

SMALL = Resources(cpu=1_024, memory_mib=4_006)
REGULAR = Resources(cpu=2_048, memory_mib=8_006)
LARGE_4X = Resources(cpu=10_240, memory_mib=40_006)
FULL = Used(100, 100)
WEEK_MS = 7 * DAY * 60_000
STALE = 7 * DAY + 1 / 60


@pytest.mark.parametrize(
    ("age_ms", "expected"), [(WEEK_MS - 1, InstanceHealth.SCHEDULABLE), (WEEK_MS, InstanceHealth.STALE)]
)
def test_M01_an_instance_is_stale_at_seven_days_and_not_a_millisecond_before(
    age_ms: int, expected: InstanceHealth
) -> None:
    """Without the jitter, which is ours: by default ages differ by a tenth."""
    fleet = Fleet(AS_THE_SEED, Ledger())
    fleet.see_group(a_group(a_member(1)))
    fleet.see_instances([an_instance(1, launched_ms=START_MS - age_ms)], START_MS)
    assert fleet.health[instance_arn(1)] is expected


def goes(*rooms: ContainerInstance, age_ms: int = 0) -> bool:
    """Whether instance 1, idle for long and so old, goes at the seed's choices, beside others."""
    candidate = a_candidate(1, launched_ms=START_MS - age_ms)
    situation = Situation(
        group=a_group(desired=len(rooms), max_size=50),
        limits=Limits(floor=0, ceiling=50),
        candidates=Candidates([candidate]),
        size=len(rooms),
        able=len(rooms),
        zones=Counter({"us-east-1a": len(rooms)}),
        wanted=frozenset(),
        replacing=False,
        rooms=an_index(*rooms),
    )
    return bool(scale_down(situation, AS_THE_SEED, START_MS).removals)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (49 * 60 + 59.9, False),
        (50 * 60, True),
        (59 * 60 + 59, True),
        (60 * 60, False),
        (109 * 60, False),
        (110 * 60, True),
    ],
)
def test_M02_an_idle_instance_goes_in_the_last_ten_minutes_of_its_hours(age_s: float, expected: bool) -> None:
    """Beside a busy one at 50 %."""
    half = an_instance(2, remaining=percent(50, 50))
    assert goes(an_instance(1), half, age_ms=int(age_s * 1_000)) is expected


@pytest.mark.parametrize(("free", "expected"), [(300, True), (299, False)])
def test_M06_exactly_thirty_percent_are_enough(free: int, expected: bool) -> None:
    """Of the busy one that stays, at the end of the idle one's hour."""
    thousand = Resources(cpu=1_000, memory_mib=1_000)
    busy = an_instance(2, registered=thousand, remaining=Resources(cpu=free, memory_mib=free))
    idle = an_instance(1, registered=thousand)
    assert goes(idle, busy, age_ms=55 * 60_000) is expected


def test_M07_what_is_booting_is_waited_for() -> None:
    """Three are on their way when the request comes: nothing more is asked for."""
    scene = Scene((FULL,) * 5)
    scene.account.set_desired(8)
    scene.play(SMALL)
    assert (scene.where(), scene.scaled_to()) == ([0], [])


def test_M08_the_group_grows_to_its_max_size_and_no_further() -> None:
    """Once, whatever waits; what got nothing waits on, and is told why."""
    scene = Scene((FULL,) * 5, max_size=7).play(*[LARGE_4X] * 30)
    assert scene.scaled_to() == [7]
    assert scene.where().count(None) == 28
    assert "GROUP_AT_MAX_SIZE" in scene.service.conditions()


def test_M09_a_request_that_is_repeated_is_counted_once() -> None:
    """Differs from the seed in the other half: two requests fit on one instance, which is what is bought."""
    half = Resources(cpu=8_192, memory_mib=32_006)
    scene = Scene((FULL,))
    for _ in range(2):
        scene.service.submit(1, half, request_id="u")
    scene.play()
    assert (scene.where(), scene.scaled_to()) == ([0], [2])
    assert Scene((FULL,)).play(half, half).scaled_to() == [2]


def test_M10_overflow_spreads_what_stands_behind() -> None:
    """Without the big one the small one goes to the fuller instance."""
    instances = (Used(50, 50), Used(10, 10))
    assert Scene(instances).play(percent(95, 95), SMALL).where() == [0, 2]
    assert Scene(instances).play(SMALL).where() == [1]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 10])
def test_M30_fragmented_demand_is_packed_and_not_summed(count: int) -> None:
    """Of 51 % each, one fits on an instance: as many are bought, at once."""
    scene = Scene((Used(51, 51),)).play(*[percent(51, 51)] * count, minutes=3)
    assert scene.scaled_to() == [1 + count]
    assert scene.where() == [0] * count


def test_M31_ten_large_ones_are_bought_for_at_once() -> None:
    """In one wave of boots, not in three."""
    assert Scene((FULL,)).play(*[LARGE_4X] * 10, minutes=3).scaled_to() == [11]


def test_M32_what_fits_on_one_instance_buys_one() -> None:
    """Sixteen small ones fill it to the last CPU unit."""
    assert Scene((FULL,)).play(*[SMALL] * 16).scaled_to() == [2]


@pytest.mark.parametrize("memory_mib", [64_418, 64_419])
def test_M33_M34_a_request_as_large_as_an_instance_buys_one_and_runs(memory_mib: int) -> None:
    """All of its CPU, and all of its memory or all but a MiB: equal fits."""
    whole = Resources(cpu=REGISTERED.cpu, memory_mib=memory_mib)
    scene = Scene((Used(50, 50),)).play(whole)
    assert (scene.where(), scene.scaled_to()) == ([0], [2])


@pytest.mark.parametrize(
    "ask", [Resources(cpu=16_385, memory_mib=1_000), Resources(cpu=19_660, memory_mib=77_302)]
)
def test_M35_B15_a_request_larger_than_any_instance_fails_at_once(ask: Resources) -> None:
    """In one dimension or in both, and nothing is bought; `Schedule` refuses it once it knows the types."""
    scene = Scene((Used(0, 0),)).play(ask, minutes=1)
    (task,) = scene.service.tasks()
    assert task.status.state is TaskState.FAILED
    assert task.status.stop_reason is not None
    assert task.status.stop_reason.category is StopCategory.NEVER_FITS
    assert scene.scaled_to() == []


def test_M36_many_idle_ones_go_together() -> None:
    """All sixteen at the end of their hour; the thirty in the middle of theirs stay."""
    instances = (Used(0, 0, 52),) * 16 + (Used(0, 0),) * 30
    scene = Scene(instances).play(minutes=8)
    assert scene.gone() == list(range(1, 17))


def test_M37_the_fresh_one_is_kept_and_the_stale_one_goes() -> None:
    """Both are idle, and one has to stay."""
    assert Scene((Used(0, 0, STALE), Used(0, 0, 55))).play().gone() == [1]


def test_M38_a_request_gets_its_instance_although_stale_ones_go() -> None:
    """What leaves is no capacity for what comes."""
    scene = Scene((Used(0, 0, STALE),) * 2 + (Used(50, 50),) * 8).play(percent(60, 60))
    assert scene.where() == [0]
    assert scene.gone() == [1, 2]


def test_M40_what_waits_is_counted_until_it_runs() -> None:
    """Whatever of the same shape is placed meanwhile: of three, one finds room and two are bought for."""
    free = Scene((Used(80, 80),)).play(REGULAR, REGULAR, REGULAR)
    assert (free.where(), free.scaled_to()) == ([1, 0, 0], [2])


def test_M41_what_waited_too_long_is_bought_for_no_more() -> None:
    """Its queue timeout ends its demand: when the group may grow at last, it does not."""
    scene = Scene((FULL,), max_size=1)
    scene.service.submit(1, SMALL, timeouts=Timeouts(queue_ms=60_000))
    scene.play(minutes=3)
    scene.account.set_group_limits(0, 5)
    scene.play()
    assert scene.service.states() == {TaskState.EXPIRED: 1}
    assert scene.scaled_to() == []
