"""Faults: failures that the account is told to show, at a chosen call."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, get_args

from scheduler.simulated_aws.errors import ApiError, ConnectionDropped

FaultKind = Literal["error_before", "error_after", "dropped_before", "dropped_after", "throttle"]
"""`before` and `after` say whether the effect happens: after means applied, and the caller is told a lie."""

ANY_OPERATION = "*"

# The codes that botocore's retry handler recognises as throttling, as each service sends them.
_THROTTLES = {
    "ecs": ("ThrottlingException", "Rate exceeded", 400),
    "autoscaling": ("Throttling", "Rate exceeded", 400),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "sts": ("Throttling", "Rate exceeded", 400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Spare `skip` calls of the operation, then strike `count` of them."""

    operation: str
    kind: FaultKind
    code: str = "ServerException"
    message: str = "Service Unavailable. Please try again later."
    http_status: int = 500
    skip: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse a kind that no fault has: plans also arrive as JSON."""
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(FaultKind))}, not {self.kind}")

    @property
    def strikes_before(self) -> bool:
        """Whether the call is refused before it has any effect."""
        return not self.kind.endswith("_after")

    def error(self, service: str) -> ApiError | ConnectionDropped:
        """What the caller gets instead of an answer."""
        if self.kind.startswith("dropped"):
            return ConnectionDropped(f"{self.operation}: {self.kind}")
        if self.kind == "throttle":
            return ApiError(*_THROTTLES[service])
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
