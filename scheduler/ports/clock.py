"""The clock port: time is asked for, never taken."""

from typing import Protocol


class Clock(Protocol):
    """Who calls: the drivers and the edges. The core never does: it is handed `now_ms`.

    Domain time may run faster than real time (a demo) or only when told to (a test). In production it does
    not jump when the machine's clock is set (ADR 0014). Deadlines of RPCs, HTTP timeouts and progress
    messages are real time and do not ask this port.
    """

    def now_ms(self) -> int:
        """Domain time: milliseconds since 1970-01-01T00:00:00Z."""
        ...

    def real_seconds(self, domain_ms: int) -> float:
        """How many real seconds the domain duration `domain_ms` takes to pass."""
        ...
