"""The table of errors: complete, bounded, and silent about what nobody should read."""

from collections.abc import Iterator

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from scheduler.api.status import (
    DOMAIN,
    MAX_VIOLATIONS,
    DefaultDeadlinePassed,
    Failure,
    MalformedMessage,
    failure_of,
)
from scheduler.core.model.errors import Violation
from scheduler.core.model.group import InstanceType
from scheduler.core.model.resources import Resources
from scheduler.ports.store import StoreCorrupt, StoreError
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
from tests.builders import a_group

ROWS: list[tuple[Exception, StatusCode, str]] = [
    (
        InvalidRequest((Violation(field_path="a", expected="b"),)),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    ),
    (
        NeverFits(Resources(cpu=9), InstanceType(name="m5.large", allocatable=Resources(cpu=2)), ("cpu",)),
        StatusCode.FAILED_PRECONDITION,
        "NEVER_FITS",
    ),
    (
        NotAllowed((Violation(field_path="a", expected="b"),)),
        StatusCode.PERMISSION_DENIED,
        "NOT_ALLOWED",
    ),
    (RequestIdTaken("t-1"), StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN"),
    (TaskNotFound("t-1"), StatusCode.NOT_FOUND, "TASK_NOT_FOUND"),
    (WishIdTaken(), StatusCode.ALREADY_EXISTS, "REQUEST_ID_TAKEN"),
    (GroupNotFound("builds", "ci"), StatusCode.NOT_FOUND, "GROUP_NOT_FOUND"),
    (SizeOutOfRange(51, a_group()), StatusCode.OUT_OF_RANGE, "SIZE_OUT_OF_RANGE"),
    (TooManyLines("bamboo", 1_000), StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LINES"),
    (TooMuchReserved("bamboo", 3, 499, 500), StatusCode.RESOURCE_EXHAUSTED, "TOO_MUCH_RESERVED"),
    (GroupUnread(), StatusCode.UNAVAILABLE, "GROUP_UNREAD"),
    (ServiceUnavailable("later"), StatusCode.UNAVAILABLE, "SERVICE_UNAVAILABLE"),
    (ServiceStopping(), StatusCode.UNAVAILABLE, "SERVICE_STOPPING"),
    (ResumeTokenInvalid(), StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID"),
    (ResumeTokenForeign(), StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_FOREIGN"),
    (ResumeTokenCompacted(7), StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED"),
    (WatchLagging(1_000), StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGING"),
    (MalformedMessage(), StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE"),
    (ContainerNotFound("db", ["agent"]), StatusCode.NOT_FOUND, "CONTAINER_NOT_FOUND"),
    (TaskNotStarted("QUEUED", ended=False), StatusCode.FAILED_PRECONDITION, "TASK_NOT_STARTED"),
    (LogsUnreadable("logs with syslog"), StatusCode.FAILED_PRECONDITION, "LOGS_UNREADABLE"),
    (LogsForbidden("logs:GetLogEvents"), StatusCode.FAILED_PRECONDITION, "LOGS_FORBIDDEN"),
    (LogStreamNotFound(1, "gone"), StatusCode.NOT_FOUND, "LOG_STREAM_NOT_FOUND"),
    (LogTokenExpired(), StatusCode.OUT_OF_RANGE, "LOG_TOKEN_EXPIRED"),
    (LogReaderLagging(), StatusCode.RESOURCE_EXHAUSTED, "LOG_READER_LAGGING"),
    (TooManyLogTails(50, "bamboo"), StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LOG_TAILS"),
    (TooManyLogTails(100), StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_LOG_TAILS"),
    (LogsUnavailable("ReadTimeoutError"), StatusCode.UNAVAILABLE, "LOGS_UNAVAILABLE"),
    (DefaultDeadlinePassed(30), StatusCode.DEADLINE_EXCEEDED, "DEFAULT_DEADLINE_PASSED"),
    (StoreError("disk full"), StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
]


def details(failure: Failure) -> Status:
    [(_, serialized)] = failure.trailers
    return Status.FromString(serialized)


def bad_request(violations: tuple[Violation, ...]) -> BadRequest:
    failure = failure_of(InvalidRequest(violations))
    assert failure is not None
    found = BadRequest()
    assert details(failure).details[1].Unpack(found)
    return found


def violations(count: int, text: str = "something else") -> tuple[Violation, ...]:
    return tuple(Violation(field_path=f"labels[{number}]", expected=text) for number in range(count))


@pytest.mark.parametrize(("error", "code", "reason"), ROWS)
def test_every_error_has_its_row(error: Exception, code: StatusCode, reason: str) -> None:
    """Each error has its code, its reason, and an ErrorInfo first among its details."""
    failure = failure_of(error)
    assert failure is not None
    assert (failure.code, failure.reason) == (code, reason)
    info = ErrorInfo()
    assert details(failure).details[0].Unpack(info)
    assert (info.reason, info.domain) == (reason, DOMAIN)


def test_no_error_of_the_services_is_forgotten() -> None:
    """The rows above are all errors that the services can raise."""
    assert {type(error) for error, _, _ in ROWS} >= set(kinds_of(ServiceError))


def kinds_of(base: type[Exception]) -> Iterator[type[Exception]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def test_what_is_not_allowed_is_named() -> None:
    """Each field that asks for too much, as for one that is wrong."""
    asked = (Violation(field_path="spec.role", expected="x"), Violation(field_path="spec.b", expected="y"))
    failure = failure_of(NotAllowed(asked))
    assert failure is not None
    assert failure.message == "spec.role is not allowed here: expected x (and 1 more)"
    named = BadRequest()
    assert details(failure).details[1].Unpack(named)
    assert [each.field for each in named.field_violations] == ["spec.role", "spec.b"]


def test_few_violations_are_all_named() -> None:
    """Up to the cap every violation is named."""
    named = bad_request(violations(MAX_VIOLATIONS - 1)).field_violations
    assert [one.field for one in named] == [f"labels[{number}]" for number in range(MAX_VIOLATIONS - 1)]


def test_many_violations_are_counted() -> None:
    """Beyond the cap the last violation tells how many more there are."""
    named = bad_request(violations(100)).field_violations
    assert len(named) == MAX_VIOLATIONS
    assert named[-1].description == "81 more fields are wrong"


@pytest.mark.parametrize("text", ["x", "x" * 10_000, "\N{SNOWMAN}" * 10_000])
def test_details_stay_small(text: str) -> None:
    """However long the texts are, the details stay below 4 KiB, or C-core clients would lose the error."""
    failure = failure_of(InvalidRequest(violations(1_000, text)))
    assert failure is not None
    assert len(failure.trailers[0][1]) < 4_096


def test_subclass_is_answered_like_its_base() -> None:
    """A more special store error has the store's row, and its text stays inside."""
    failure = failure_of(StoreCorrupt("/secret/path"))
    assert failure is not None
    assert failure.reason == "STORE_UNAVAILABLE"
    assert b"secret" not in failure.trailers[0][1]


def test_unknown_error_has_no_row() -> None:
    """What nobody expected is not dressed up."""
    assert failure_of(KeyError("x")) is None
