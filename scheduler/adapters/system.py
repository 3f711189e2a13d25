"""The system itself: the only place that reads the clock or makes random ids."""

import os
import time
import uuid
from collections.abc import Callable
from threading import Lock

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's alphabet in lower case: no i, l, o, u, and in ASCII order, so ids sort like numbers."""

_PAIRS = tuple(first + second for first in _BASE32 for second in _BASE32)
_TIME_CHARACTERS = 10
_RANDOM_CHARACTERS = 16
_RANDOM_BYTES = _RANDOM_CHARACTERS * 5 // 8
_DRAWN_AT_ONCE = 128


class SteadyTime:
    """Real time since 1970 that never jumps: read once from the machine, carried on by its monotonic clock.

    An operator or NTP may set the machine's clock while we run. Timers, budgets and the search for a lost
    start must not stand still or rush for it, so a step shows in our times only after the next start.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Reads the machine's clock, once."""
        self._steady_ns = steady_ns
        self._offset_ns = wall_ns() - steady_ns()

    def now_ms(self) -> float:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return (self._offset_ns + self._steady_ns()) / 1_000_000


def elapsed_ms() -> float:
    """Real milliseconds from an unknown origin, to the microsecond: for how long something took."""
    return time.perf_counter() * 1000


class SystemClock:
    """The clock port on the machine's own time, without its jumps."""

    def __init__(self) -> None:
        self._time = SteadyTime()

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return int(self._time.now_ms())

    def real_seconds(self, domain_ms: int) -> float:
        """Domain time is real time."""
        return domain_ms / 1000


class ScaledClock:
    """The clock port `rate` times as fast: at real time `real_epoch_ms` it shows `epoch_ms`.

    The real epoch is handed in, so that two processes with the same three numbers show the same time.
    """

    def __init__(self, real_epoch_ms: int, epoch_ms: int, rate: float) -> None:
        """Raises ValueError unless time moves forward."""
        if rate <= 0:
            raise ValueError(f"rate must be above 0, not {rate}")
        self._time = SteadyTime()
        self._real_epoch_ms = real_epoch_ms
        self._epoch_ms = epoch_ms
        self._rate = rate

    def now_ms(self) -> int:
        """Domain time: 10 min after the real epoch, a rate of 10 shows 100 min after the epoch."""
        return self._epoch_ms + int((self._time.now_ms() - self._real_epoch_ms) * self._rate)

    def real_seconds(self, domain_ms: int) -> float:
        """A rate of 10 lets ten domain seconds pass in one real second."""
        return domain_ms / 1000 / self._rate


class SystemIds:
    """The ids port on the operating system's randomness. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last_ms = -1
        self._time = ""
        self._last_random = 0
        self._drawn = b""

    def task_id(self, now_ms: int) -> str:
        """`t-`, 10 characters of time, 16 of randomness; within one millisecond each is above the last."""
        with self._lock:
            if now_ms == self._last_ms:
                self._last_random += 1
            else:
                self._last_ms, self._last_random = now_ms, self._random()
                self._time = _base32(now_ms, _TIME_CHARACTERS)
            return f"t-{self._time}{_base32(self._last_random, _RANDOM_CHARACTERS)}"

    def _random(self) -> int:
        """Drawn for many at once: the kernel is asked for each task otherwise."""
        if not self._drawn:
            self._drawn = os.urandom(_RANDOM_BYTES * _DRAWN_AT_ONCE)
        drawn, self._drawn = self._drawn[:_RANDOM_BYTES], self._drawn[_RANDOM_BYTES:]
        # One bit less than there is room for, so that counting up from it never overflows.
        return int.from_bytes(drawn, "big") >> 1

    def attempt_id(self) -> str:
        """A UUID4."""
        return str(uuid.uuid4())


def _base32(number: int, characters: int) -> str:
    """`characters` is even: two are looked up at once, since each request pays for an id."""
    return "".join([_PAIRS[number >> 5 * place & 1023] for place in range(characters - 2, -1, -2)])
