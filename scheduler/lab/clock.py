"""The virtual clock: time passes only when it is told to."""

from scheduler.ports.clock import Clock

START_MS = 1_790_000_000_000
"""An arbitrary start, 2026-09-21: nothing may depend on it."""


class VirtualClock:
    """The clock port on virtual time; a waiting driver is told that any duration takes no real time."""

    def __init__(self, start_ms: int = START_MS) -> None:
        """Domain time begins at `start_ms`."""
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Domain time, as last set."""
        return self._now_ms

    def real_seconds(self, domain_ms: int) -> float:
        """Virtual time costs none."""
        return 0.0

    def advance_ms(self, duration_ms: int) -> int:
        """Let time pass; returns the new now."""
        if duration_ms < 0:
            raise ValueError("time does not pass backwards; use jump_ms for a clock that is set")
        self._now_ms += duration_ms
        return self._now_ms

    def jump_ms(self, offset_ms: int) -> int:
        """Set the wall clock forwards or backwards, as an operator or NTP might."""
        self._now_ms += offset_ms
        return self._now_ms


class WrongClock:
    """Another clock, off by a constant: what a process shows that began on a machine whose clock is wrong."""

    def __init__(self, clock: Clock, offset_ms: int) -> None:
        """`offset_ms` is added to what `clock` shows."""
        self._clock = clock
        self._offset_ms = offset_ms

    def now_ms(self) -> int:
        """Domain time of that process."""
        return self._clock.now_ms() + self._offset_ms

    def real_seconds(self, domain_ms: int) -> float:
        """Durations are right all the same."""
        return self._clock.real_seconds(domain_ms)
