"""The table of errors: each domain error as a `google.rpc.Status` with details.

Every status carries an ErrorInfo (AIP-193); the others are added where they say more. Details ride in HTTP/2
trailers, and C-core clients replace a status whose trailers pass 8 KiB by RESOURCE_EXHAUSTED: so texts are
cut, violations are capped, and everything together stays below 4 KiB.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status

from scheduler.core.model.errors import Violation
from scheduler.ports.store import StoreError
from scheduler.services.errors import (
    GroupNotFound,
    GroupUnread,
    InvalidRequest,
    NeverFits,
    NotAllowed,
    RequestIdTaken,
    ResumeTokenCompacted,
    ResumeTokenForeign,
    ResumeTokenInvalid,
    ServiceError,
    ServiceStopping,
    ServiceUnavailable,
    SizeOutOfRange,
    TaskNotFound,
    TooManyLines,
    TooMuchReserved,
    WatchLagging,
    WishIdTaken,
)
from scheduler.services.logs.errors import (
    ContainerNotFound,
    LogReaderLagging,
    LogsForbidden,
    LogStreamNotFound,
    LogsUnavailable,
    LogsUnreadable,
    LogTokenExpired,
    TaskNotStarted,
    TooManyLogTails,
)

DOMAIN = "ecs-scheduler"
DETAILS_KEY = "grpc-status-details-bin"
"""The trailer in which gRPC carries a google.rpc.Status."""

MAX_VIOLATIONS = 20
MAX_TEXT_CHARS = 200
VIOLATIONS_BUDGET_BYTES = 3_000
"""Leaves 1 KiB of the 4 for the message and the ErrorInfo."""

STORE_RETRY_MS = 1_000
LAGGING_RETRY_MS = 1_000
TAILS_RETRY_MS = 5_000


class DefaultDeadlinePassed(ServiceError):
    """The client set no deadline and the server's own one passed."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(
            f"not answered within the default deadline of {deadline_s:g} s; the effect is unknown"
        )


class MalformedMessage(ServiceError):
    """The bytes of the request are no message of its type."""

    def __init__(self) -> None:
        super().__init__("the request is not a message of the method's type; check the client's protos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What a status says beyond its code: one sentence, ErrorInfo's metadata, and further details."""

    message: str
    metadata: Mapping[str, str]
    details: Sequence[Message] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    code: grpc.StatusCode
    reason: str
    explain: Callable[[Any], Explained]


def _plain(error: ServiceError) -> Explained:
    return Explained(message=str(error), metadata={})


def _invalid_request(error: InvalidRequest) -> Explained:
    first = error.violations[0]
    rest = len(error.violations) - 1
    message = f"{first.field_path}: expected {first.expected}" + (f" (and {rest} more)" if rest else "")
    return Explained(message=message, metadata={}, details=[_bad_request(error.violations)])


def _not_allowed(error: NotAllowed) -> Explained:
    return Explained(message=str(error), metadata={}, details=[_bad_request(error.violations)])


def _resume_token_invalid(error: ResumeTokenInvalid) -> Explained:
    violation = Violation(field_path="resume_token", expected="a token of an earlier message, or none")
    return Explained(message=str(error), metadata={}, details=[_bad_request((violation,))])


def _never_fits(error: NeverFits) -> Explained:
    failure = PreconditionFailure(
        violations=[
            PreconditionFailure.Violation(
                type="INSTANCE_TYPE",
                subject=dimension,
                description=f"needs {getattr(error.ask, dimension)}, the largest type {error.largest.name} "
                f"has {getattr(error.largest.allocatable, dimension)}",
            )
            for dimension in error.lacking
        ]
    )
    metadata = {"largest_instance_type": error.largest.name}
    return Explained(message=str(error), metadata=metadata, details=[failure])


def _request_id_taken(error: RequestIdTaken) -> Explained:
    return Explained(message=str(error), metadata={"task_id": error.task_id})


def _task_not_found(error: TaskNotFound) -> Explained:
    return Explained(message=str(error), metadata={"task_id": error.task_id})


def _group_not_found(error: GroupNotFound) -> Explained:
    return Explained(message=str(error), metadata={"group": error.group, "led_group": error.led})


def _size_out_of_range(error: SizeOutOfRange) -> Explained:
    metadata = {
        "size": str(error.size),
        "group": error.group.name,
        "min_size": str(error.group.min_size),
        "max_size": str(error.group.max_size),
    }
    return Explained(message=str(error), metadata=metadata)


def _unavailable(error: ServiceUnavailable) -> Explained:
    return Explained(message=str(error), metadata={}, details=[_retry_after(error.retry_after_ms)])


def _store_unavailable(_: StoreError) -> Explained:
    # The error's own text names files: it is for the operator's log.
    message = "the store cannot be used at present; nothing was changed"
    return Explained(message=message, metadata={}, details=[_retry_after(STORE_RETRY_MS)])


def _compacted(error: ResumeTokenCompacted) -> Explained:
    return Explained(message=str(error), metadata={"oldest_revision": str(error.oldest_revision)})


def _lagging(error: WatchLagging) -> Explained:
    metadata = {"buffer_size": str(error.buffer_size)}
    return Explained(message=str(error), metadata=metadata, details=[_retry_after(LAGGING_RETRY_MS)])


def _container_not_found(error: ContainerNotFound) -> Explained:
    return Explained(message=str(error), metadata={"containers": ",".join(error.containers)})


def _task_not_started(error: TaskNotStarted) -> Explained:
    return Explained(message=str(error), metadata={"state": error.state})


def _logs_forbidden(error: LogsForbidden) -> Explained:
    return Explained(message=str(error), metadata={"permission": error.permission})


def _log_reader_lagging(error: LogReaderLagging) -> Explained:
    return Explained(message=str(error), metadata={}, details=[_retry_after(LAGGING_RETRY_MS)])


def _too_many_log_tails(error: TooManyLogTails) -> Explained:
    subject = f"tenant:{error.tenant}" if error.tenant else "log_tails"
    violation = QuotaFailure.Violation(subject=subject, description=f"at most {error.most} logs at a time")
    details = [QuotaFailure(violations=[violation]), _retry_after(TAILS_RETRY_MS)]
    return Explained(message=str(error), metadata={"most": str(error.most)}, details=details)


def _too_much_reserved(error: TooMuchReserved) -> Explained:
    violation = QuotaFailure.Violation(subject=f"tenant:{error.tenant}", description=str(error))
    metadata = {"most": str(error.most), "reserved": str(error.reserved)}
    return Explained(message=str(error), metadata=metadata, details=[QuotaFailure(violations=[violation])])


def _too_many_lines(error: TooManyLines) -> Explained:
    violation = QuotaFailure.Violation(
        subject=f"tenant:{error.tenant}", description=f"tasks wait in at most {error.most} lines"
    )
    metadata = {"most": str(error.most)}
    return Explained(message=str(error), metadata=metadata, details=[QuotaFailure(violations=[violation])])


_TABLE: Mapping[type[Exception], _Row] = {
    kind: _Row(code=code, reason=reason, explain=explain)
    for kind, code, reason, explain in (
        (InvalidRequest, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", _invalid_request),
        (MalformedMessage, grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE", _plain),
        (ResumeTokenInvalid, grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID", _resume_token_invalid),
        (NotAllowed, grpc.StatusCode.PERMISSION_DENIED, "NOT_ALLOWED", _not_allowed),
        (NeverFits, grpc.StatusCode.FAILED_PRECONDITION, "NEVER_FITS", _never_fits),
        (RequestIdTaken, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN", _request_id_taken),
        (WishIdTaken, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN", _plain),
        (TaskNotFound, grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND", _task_not_found),
        (GroupNotFound, grpc.StatusCode.NOT_FOUND, "GROUP_NOT_FOUND", _group_not_found),
        (SizeOutOfRange, grpc.StatusCode.OUT_OF_RANGE, "SIZE_OUT_OF_RANGE", _size_out_of_range),
        (ResumeTokenForeign, grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_FOREIGN", _plain),
        (ResumeTokenCompacted, grpc.StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED", _compacted),
        (WatchLagging, grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGING", _lagging),
        (TooManyLines, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LINES", _too_many_lines),
        (TooMuchReserved, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MUCH_RESERVED", _too_much_reserved),
        (ContainerNotFound, grpc.StatusCode.NOT_FOUND, "CONTAINER_NOT_FOUND", _container_not_found),
        (TaskNotStarted, grpc.StatusCode.FAILED_PRECONDITION, "TASK_NOT_STARTED", _task_not_started),
        (LogsUnreadable, grpc.StatusCode.FAILED_PRECONDITION, "LOGS_UNREADABLE", _plain),
        (LogsForbidden, grpc.StatusCode.FAILED_PRECONDITION, "LOGS_FORBIDDEN", _logs_forbidden),
        (LogStreamNotFound, grpc.StatusCode.NOT_FOUND, "LOG_STREAM_NOT_FOUND", _plain),
        (LogTokenExpired, grpc.StatusCode.OUT_OF_RANGE, "LOG_TOKEN_EXPIRED", _plain),
        (LogReaderLagging, grpc.StatusCode.RESOURCE_EXHAUSTED, "LOG_READER_LAGGING", _log_reader_lagging),
        (TooManyLogTails, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LOG_TAILS", _too_many_log_tails),
        (LogsUnavailable, grpc.StatusCode.UNAVAILABLE, "LOGS_UNAVAILABLE", _unavailable),
        (DefaultDeadlinePassed, grpc.StatusCode.DEADLINE_EXCEEDED, "DEFAULT_DEADLINE_PASSED", _plain),
        (ServiceStopping, grpc.StatusCode.UNAVAILABLE, "SERVICE_STOPPING", _unavailable),
        (GroupUnread, grpc.StatusCode.UNAVAILABLE, "GROUP_UNREAD", _unavailable),
        (ServiceUnavailable, grpc.StatusCode.UNAVAILABLE, "SERVICE_UNAVAILABLE", _unavailable),
        (StoreError, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", _store_unavailable),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed call as the client is told: what `context.abort` takes."""

    code: grpc.StatusCode
    reason: str
    message: str
    trailers: tuple[tuple[str, bytes], ...]


def failure_of(error: Exception) -> Failure | None:
    """The row of the table for this error, or None for one that nobody expected."""
    row = next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), None)
    if row is None:
        return None
    return _failure(row.code, row.reason, row.explain(error))


def internal_failure(error_id: str) -> Failure:
    """For an unexpected error: the client gets an id to quote, and not a word of the error itself."""
    message = f"internal error {error_id}; the server's log has it under this id"
    explained = Explained(message=message, metadata={"error_id": error_id})
    return _failure(grpc.StatusCode.INTERNAL, "INTERNAL", explained)


def _failure(code: grpc.StatusCode, reason: str, explained: Explained) -> Failure:
    metadata = {key: _cut(value) for key, value in explained.metadata.items()}
    message = _cut(explained.message)
    status = Status(code=code.value[0], message=message)
    for detail in (ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata), *explained.details):
        status.details.add().Pack(detail)
    trailers = ((DETAILS_KEY, status.SerializeToString()),)
    return Failure(code=code, reason=reason, message=message, trailers=trailers)


def _bad_request(violations: Sequence[Violation]) -> BadRequest:
    named = list(_within_budget(violations))
    left_out = len(violations) - len(named)
    if left_out:
        more = BadRequest.FieldViolation(field="", description=f"{left_out} more fields are wrong")
        named.append(more)
    return BadRequest(field_violations=named)


def _within_budget(violations: Iterable[Violation]) -> Iterable[BadRequest.FieldViolation]:
    """As many as fit, the place of a last one that tells how many do not left free."""
    size = 0
    for number, violation in enumerate(violations, start=1):
        field = BadRequest.FieldViolation(
            field=_cut(violation.field_path), description=f"expected {_cut(violation.expected)}"
        )
        size += field.ByteSize()
        if number > MAX_VIOLATIONS - 1 or size > VIOLATIONS_BUDGET_BYTES:
            return
        yield field


def _retry_after(delay_ms: int) -> RetryInfo:
    seconds, rest = divmod(delay_ms, 1_000)
    return RetryInfo(retry_delay=Duration(seconds=seconds, nanos=rest * 1_000_000))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1] + "…"
