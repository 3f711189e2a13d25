"""Refusals: an error status with its details, as values."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a failed call said.

    `reason` is ErrorInfo's, empty when something between here and the server answered; each violation is a
    field or a precondition, with what was expected of it.
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    violations: tuple[str, ...] = ()
    retry_after_s: float | None = None

    def __str__(self) -> str:
        """One line: code, reason, message."""
        return " ".join(part for part in (self.code.name, self.reason, self.message) if part)


class Refused(Exception):
    """The service will not have this request, now or later."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def refusal_of(error: aio.AioRpcError) -> Refusal:
    """The status behind a failed call, with as much as its details can be read."""
    status = _status(error)
    reason, retry_after_s = "", None
    for detail in status.details:
        info, retry = ErrorInfo(), RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return Refusal(
        code=error.code(),
        message=error.details() or "",
        reason=reason,
        violations=tuple(_violations(status)),
        retry_after_s=retry_after_s,
    )


def _status(error: aio.AioRpcError) -> Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                break
    return Status()


def _violations(status: Status) -> Iterator[str]:
    for detail in status.details:
        request, precondition = BadRequest(), PreconditionFailure()
        if detail.Unpack(request):
            yield from (f"{each.field}: {each.description}" for each in request.field_violations)
        elif detail.Unpack(precondition):
            yield from (f"{each.subject}: {each.description}" for each in precondition.violations)
