"""Faults: failures that the account is told to show, at a chosen call."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, get_args

from scheduler.simulated_aws.errors import ApiError, ConnectionDropped, throttled
from scheduler.simulated_aws.partial_reads import PARTIAL_READS

FaultKind = Literal[
    "error_before", "error_after", "dropped_before", "dropped_after", "dropped_late", "throttle", "partial"
]
"""`before` and `after` say whether the effect happens: after means applied, and the caller is told a lie.

`late`: it is applied `delay_ms` after the caller gave up, when others may have been carried out meanwhile.
`partial` is no error: a read's answer leaves out a `share` of what is there.
"""

ANY_OPERATION = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Spare `skip` calls of the operation, then strike `count` of them; `share` is of a partial answer."""

    operation: str
    kind: FaultKind
    code: str = "ServerException"
    message: str = "Service Unavailable. Please try again later."
    http_status: int = 500
    skip: int = 0
    count: int = 1
    share: float = 1.0
    delay_ms: int = 20_000

    def __post_init__(self) -> None:
        """Refuse what no fault can be: plans also arrive as JSON."""
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(FaultKind))}, not {self.kind}")
        if self.kind == "partial" and self.operation not in PARTIAL_READS:
            raise ValueError(f"only {', '.join(PARTIAL_READS)} can be partial, not {self.operation}")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share must be from 0 to 1, not {self.share}")
        if self.delay_ms < 0:
            raise ValueError(f"delay_ms must be a number from 0, not {self.delay_ms}")

    @property
    def strikes_before(self) -> bool:
        """Whether the call is refused before it has any effect."""
        return not self.kind.endswith("_after")

    def error(self, service: str) -> ApiError | ConnectionDropped:
        """What the caller gets instead of an answer."""
        if self.kind.startswith("dropped"):
            return ConnectionDropped(f"{self.operation}: {self.kind}")
        if self.kind == "throttle":
            return throttled(service)
        return ApiError(self.code, self.message, self.http_status)


@dataclass(slots=True)
class _Armed:
    """A fault and how many calls it still spares and strikes."""

    fault: Fault
    spare: int
    strikes: int


class FaultPlan:
    """The faults still to come. May be added to from any thread, at any time."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Arm a fault; its `skip` counts from now."""
        with self._lock:
            self._armed.append(_Armed(fault, fault.skip, fault.count))

    def clear(self) -> None:
        """Disarm all faults."""
        with self._lock:
            self._armed.clear()

    def draw(self, operation: str) -> Fault | None:
        """The fault that strikes this call, if any, in the order they were added.

        A struck call is not seen by later faults, so two faults of one operation strike one after the other.
        """
        if not self._armed:
            return None
        with self._lock:
            struck = next((armed.fault for armed in self._armed if _strikes(armed, operation)), None)
            self._armed = [armed for armed in self._armed if armed.strikes > 0]
        return struck


def _strikes(armed: _Armed, operation: str) -> bool:
    if armed.fault.operation not in (operation, ANY_OPERATION):
        return False
    if armed.spare > 0:
        armed.spare -= 1
        return False
    armed.strikes -= 1
    return True
