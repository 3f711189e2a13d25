"""The system's clocks and ids: the only adapters without a contract of an outside thing."""

import re
import time
import uuid

import pytest

from scheduler.adapters.system import ScaledClock, SteadyTime, SystemClock, SystemIds
from scheduler.ports.clock import Clock
from scheduler.ports.ids import Ids
from tests.clocks import START_MS

TASK_ID = re.compile(r"t-[0-9a-z]{26}")


def test_system_clock_is_real_time() -> None:
    """Domain time is the machine's, and a domain second takes one."""
    clock: Clock = SystemClock()
    file_clock_ms = time.clock_gettime_ns(time.CLOCK_REALTIME) // 1_000_000
    assert abs(clock.now_ms() - file_clock_ms) < 5_000
    assert clock.real_seconds(1_500) == 1.5


def test_time_never_steps_back() -> None:
    """Later readings are never smaller, on either clock."""
    for clock in (SystemClock(), ScaledClock(0, 0, 10.0)):
        readings = [clock.now_ms() for _ in range(100)]
        assert readings == sorted(readings)


def test_scaled_clock_starts_at_its_epoch() -> None:
    """At the real epoch it shows the domain epoch; before and after, `rate` times the distance."""
    real_ms = SystemClock().now_ms()
    clock: Clock = ScaledClock(real_epoch_ms=real_ms - 60_000, epoch_ms=START_MS, rate=10)
    assert 600_000 <= clock.now_ms() - START_MS < 650_000
    assert clock.real_seconds(10_000) == 1.0


def test_two_scaled_clocks_agree() -> None:
    """The same three numbers show the same time, in whatever process."""
    real_ms = SystemClock().now_ms()
    first, second = (ScaledClock(real_ms, START_MS, 10) for _ in range(2))
    assert 0 <= second.now_ms() - first.now_ms() < 1_000 or first.now_ms() <= second.now_ms()


@pytest.mark.parametrize("rate", [0, -1])
def test_time_must_move_forward(rate: float) -> None:
    """A rate that is not above 0 is refused."""
    with pytest.raises(ValueError, match="rate"):
        ScaledClock(0, 0, rate)


def test_task_ids_sort_by_time() -> None:
    """Ids of later milliseconds sort after earlier ones; within one, each after the one before."""
    ids: Ids = SystemIds()
    made = [ids.task_id(START_MS + n // 100) for n in range(1_000)]
    assert made == sorted(set(made))
    assert all(TASK_ID.fullmatch(task_id) for task_id in made)


def test_task_ids_of_two_processes_differ() -> None:
    """Randomness, and not only time, tells ids apart."""
    assert SystemIds().task_id(START_MS) != SystemIds().task_id(START_MS)


def test_attempt_id_fits_started_by() -> None:
    """An attempt's id is a UUID4 of 36 characters, new each time."""
    ids = SystemIds()
    made = ids.attempt_id()
    assert (len(made), uuid.UUID(made).version) == (36, 4)
    assert made != ids.attempt_id()


def test_a_clock_that_is_set_while_we_run_is_not_noticed() -> None:
    """Timers neither stand still nor rush when an operator or NTP sets the machine's clock."""
    wall, steady = [1_000_000_000_000], [5_000_000_000]
    steady_time = SteadyTime(lambda: wall[0], lambda: steady[0])
    before = steady_time.now_ms()
    wall[0] -= 3_600_000_000_000
    steady[0] += 7_000_000
    assert steady_time.now_ms() - before == 7
