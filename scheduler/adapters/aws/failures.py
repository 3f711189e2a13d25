"""Failures: what an exception or a refusal of AWS says about the effect of the call.

The question of every failed call is whether its effect may have happened all the same. One ordered table
answers it; the first row that matches wins, and what no row knows is unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from scheduler.adapters.aws.operations import Shape
from scheduler.adapters.aws.texts import scrubbed
from scheduler.core.model.answers import (
    BELOW_MIN_SIZE,
    DEFINITION_GONE,
    INSTANCE_UNFIT,
    INSTANCE_UNKNOWN,
    NOT_A_MEMBER,
    NOT_IN_SERVICE,
    Failure,
)
from scheduler.core.model.attempt import StopCategory, StopReason
from scheduler.ports.cloud import CloudError

NO_CREDENTIALS: tuple[type[Exception], ...] = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    NoAuthTokenError,
    SSOError,
)
"""Raised before anything is signed, let alone sent."""

NEVER_CONNECTED: tuple[type[Exception], ...] = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
)

# botocore's throttling codes, less those of other services and less LimitExceededException: of ECS that is
# a quota (ECS API: LimitExceededException), and waiting does not lift it.
_THROTTLES = frozenset(
    {
        "EC2ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

REFUSED_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""AWS docs: Common errors. They are about us, never about what we asked for."""

_FORBIDDEN = ("AccessDenied", "UnauthorizedOperation")
"""How IAM's refusals begin: ECS's, Auto Scaling's and EC2's words for them."""

# Two registrations in one family at a time; a ClientException (400) that botocore does not retry.
_REGISTRATION_COLLISION = "Too many concurrent attempts to create a new revision"

_UNREADABLE: tuple[type[Exception], ...] = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """An exception in the terms of the table; `status` is 0 when there was no answer."""

    error: Exception
    code: str
    message: str
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A row: by AWS's code and, where that stands for much else too, a piece of its message, our code."""

    code: str
    awss: tuple[str, ...]
    said: tuple[str, ...] = ("",)

    def fits(self, seen: Symptom) -> bool:
        """True if this is what AWS means."""
        return seen.code in self.awss and any(text in seen.message for text in self.said)


_UNFIT = Meaning(
    code=INSTANCE_UNFIT,
    awss=("ClientException", "InvalidParameterException"),
    said=("ontainer instance", "ontainer Instance", "ontainerInstance", "container-instance/"),
)
"""Of StartTask alone. Documented for a container instance that cannot take the task is `failures[]`, but
these two codes stand for whatever a caller could have known better (ECS API: StartTask, Errors), and their
sentences are listed nowhere.
"""

MEANINGS: tuple[Meaning, ...] = (
    # StartTask and its like, of a revision that somebody deregistered or deleted, or of another account.
    Meaning(
        code=DEFINITION_GONE,
        awss=("ClientException",),
        said=(
            "TaskDefinition is inactive",
            "TaskDefinition not found",
            "Unable to describe task definition",
            "The specified task definition does not exist",
        ),
    ),
    # DetachInstances: everything is a ValidationError (Auto Scaling API: Common errors); its sentences are
    # "The instance i-… is not in InService or Standby.", "The instance i-… is not part of Auto Scaling group
    # g." and "AutoScalingGroup g has min-size=1, max-size=50, and desired-size=1. To detach 1 instance, …".
    Meaning(code=NOT_IN_SERVICE, awss=("ValidationError",), said=("is not in InService",)),
    Meaning(code=NOT_A_MEMBER, awss=("ValidationError",), said=("is not part of Auto Scaling group",)),
    Meaning(code=BELOW_MIN_SIZE, awss=("ValidationError",), said=(" has min-size=",)),
    # TerminateInstances (EC2 API: Error codes): one such id fails the whole call.
    Meaning(code=INSTANCE_UNKNOWN, awss=("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")),
)
"""What AWS says of the state of things, and not of the request: it is certain, and may be otherwise soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A row, in the terms of `Failure`."""

    matches: Callable[[Symptom], bool]
    definite: bool
    throttled: bool = False
    blames_request: bool = False
    forbidden: bool = False
    never_reached: bool = False


VERDICTS: tuple[Verdict, ...] = (
    # EC2's RequestLimitExceeded is a 503: codes before statuses.
    Verdict(
        matches=lambda seen: seen.code in _THROTTLES or seen.status == 429, definite=True, throttled=True
    ),
    Verdict(matches=lambda seen: _REGISTRATION_COLLISION in seen.message, definite=True, throttled=True),
    Verdict(matches=lambda seen: seen.code in REFUSED_CREDENTIALS, definite=True, never_reached=True),
    Verdict(
        matches=lambda seen: seen.code.startswith(_FORBIDDEN),
        definite=True,
        blames_request=True,
        forbidden=True,
    ),
    # A 4xx that blames the connection, not the request: how much of it arrived, nobody says.
    Verdict(
        matches=lambda seen: seen.code.startswith("RequestTimeout") or seen.status == 408, definite=False
    ),
    # A page of a proxy or a load balancer: AWS has a word for each refusal of its own. Where botocore finds
    # none it gives the status as the code, and of XML that it can read "Unknown".
    Verdict(
        matches=lambda seen: seen.status > 0 and (seen.code in ("", "Unknown") or seen.code.isdecimal()),
        definite=False,
    ),
    Verdict(matches=lambda seen: _meaning(seen) is not None, definite=True),
    Verdict(matches=lambda seen: 400 <= seen.status < 500, definite=True, blames_request=True),
    Verdict(
        matches=lambda seen: isinstance(seen.error, ParamValidationError), definite=True, blames_request=True
    ),
    Verdict(matches=lambda seen: isinstance(seen.error, NEVER_CONNECTED), definite=True, never_reached=True),
    Verdict(matches=lambda seen: isinstance(seen.error, NO_CREDENTIALS), definite=True, never_reached=True),
    # 5xx, a late answer, a closed connection, an answer that cannot be read.
    Verdict(matches=lambda _: True, definite=False),
)
"""In order: the first row that matches decides."""

REFUSALS: dict[str, StopCategory] = {
    "AGENT": StopCategory.CAPACITY,
    "ATTRIBUTE": StopCategory.ATTRIBUTE,
    "INACTIVE": StopCategory.CAPACITY,  # deregistered: another container instance will do
    "LOCATION": StopCategory.CAPACITY,
    "MISSING": StopCategory.CAPACITY,
}
"""StartTask's `failures[].reason` (ECS Developer Guide: API failure reasons). RESOURCE:* and what is not
listed are CAPACITY too: the task is innocent, and another container instance or a later moment may do."""


def failure_of(error: Exception) -> Failure:
    """What an exception says about the effect of the call that raised it."""
    seen = _symptom(error)
    verdict = _verdict(seen)
    return Failure(
        definite=verdict.definite,
        throttled=verdict.throttled,
        blames_request=verdict.blames_request,
        forbidden=verdict.forbidden,
        never_reached=verdict.never_reached,
        code=_meaning(seen) or seen.code,
        message=seen.message,
    )


def is_denied(failure: Failure) -> bool:
    """True if IAM does not allow the action."""
    return failure.forbidden


def start_failure_of(error: Exception) -> Failure:
    """The same for StartTask, where every definite failure has a reason.

    A refusal of the request itself is the task's end. Everything else that did not start it - a throttle, no
    connection, no credentials - is the account's condition or ours, and passes. Nor is it the request's fault
    what ECS has against the container instance: another one may do.
    """
    failure = failure_of(error)
    if not failure.definite:
        return failure
    if failure.blames_request and _UNFIT.fits(_symptom(error)):
        failure = replace(failure, code=_UNFIT.code, blames_request=False)
    category = StopCategory.REJECTED if failure.blames_request else StopCategory.CAPACITY
    return replace(failure, reason=StopReason(category=category, code=failure.code, message=failure.message))


def start_refusal(failures: Sequence[Shape]) -> Failure:
    """What StartTask answered with 200 and no task: `failures[]`, or nothing at all."""
    if not failures:
        return _refusal(StopCategory.CAPACITY, "NO_ANSWER", "StartTask answered with no task and no failure.")
    reasons = list(dict.fromkeys(failure.get("reason", "UNKNOWN") for failure in failures))
    categories = {REFUSALS.get(reason, StopCategory.CAPACITY) for reason in reasons}
    # A missing attribute stays missing on that instance, whatever else it lacked at the moment.
    category = StopCategory.ATTRIBUTE if StopCategory.ATTRIBUTE in categories else StopCategory.CAPACITY
    details = "; ".join(failure["detail"] for failure in failures if failure.get("detail"))
    return _refusal(category, ", ".join(reasons), details)


@contextmanager
def cloud_errors(translate: Callable[[Exception], Failure] = failure_of) -> Iterator[None]:
    """Turns what AWS and the network do into CloudError; also usable as a decorator.

    An answer that lacks what it must have is a lost answer: the effect may have happened.
    """
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise CloudError(translate(error)) from error
    except _UNREADABLE as error:
        failure = Failure(
            definite=False, code="UNREADABLE_ANSWER", message=scrubbed(f"{type(error).__name__}: {error}")
        )
        raise CloudError(failure) from error


def _symptom(error: Exception) -> Symptom:
    if not isinstance(error, ClientError):
        return Symptom(error=error, code=type(error).__name__, message=scrubbed(" ".join(str(error).split())))
    said = error.response.get("Error", {})
    return Symptom(
        error=error,
        code=scrubbed(said.get("Code", "Unknown")),
        message=scrubbed(said.get("Message", "")),
        status=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
    )


def _meaning(seen: Symptom) -> str | None:
    return next((meaning.code for meaning in MEANINGS if meaning.fits(seen)), None)


def _verdict(seen: Symptom) -> Verdict:
    return next(verdict for verdict in VERDICTS if verdict.matches(seen))


def _refusal(category: StopCategory, code: str, message: str) -> Failure:
    code, message = scrubbed(code), scrubbed(message)
    reason = StopReason(category=category, code=code, message=message)
    return Failure(definite=True, code=code, message=message, reason=reason)
