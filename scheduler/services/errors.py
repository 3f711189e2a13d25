"""What the services refuse, and why: errors without a word of gRPC. `api/status.py` gives each its code."""

from scheduler.core.model.errors import Violation
from scheduler.core.model.group import InstanceGroup, InstanceType
from scheduler.core.model.resources import Resources


class ServiceError(Exception):
    """Anything that a service refuses. Its text is meant for the client."""


class InvalidRequest(ServiceError):
    """Fields of the request are wrong; all of them are named, not only the first."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(f"{len(violations)} invalid field(s)")
        self.violations = violations


class NotAllowed(ServiceError):
    """A valid request asks for what the operator has not allowed (to its tenant); every field is named."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        first, rest = violations[0], len(violations) - 1
        more = f" (and {rest} more)" if rest else ""
        super().__init__(f"{first.field_path} is not allowed here: expected {first.expected}{more}")
        self.violations = violations


class NeverFits(ServiceError):
    """No type that the group can launch will ever hold the task.

    `lacking` names the dimensions (fields of `Resources`) of which `largest` has too little.
    """

    def __init__(self, ask: Resources, largest: InstanceType, lacking: tuple[str, ...]) -> None:
        super().__init__(f"no instance type of the group can hold the task; the largest is {largest.name}")
        self.ask = ask
        self.largest = largest
        self.lacking = lacking


class RequestIdTaken(ServiceError):
    """The tenant used the request id before, for a different request."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"the request_id was used for a different request, which became task {task_id}")
        self.task_id = task_id


class TaskNotFound(ServiceError):
    """The tenant has no such task. Another tenant's task is answered the same: nobody can probe for it."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"no task {task_id}")
        self.task_id = task_id


class ServiceUnavailable(ServiceError):
    """It may work a little later: the same request, with the same id, after the delay."""

    def __init__(self, message: str, retry_after_ms: int = 1_000) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class ServiceStopping(ServiceUnavailable):
    """This server is going away; another one, or the next start, continues."""

    def __init__(self) -> None:
        super().__init__("the server is stopping")


class WishIdTaken(ServiceError):
    """The request id was used before, for a different wish."""

    def __init__(self) -> None:
        super().__init__("the request_id was used for a different wish")


class GroupNotFound(ServiceError):
    """Another Auto Scaling group than the one that the service leads."""

    def __init__(self, group: str, led: str) -> None:
        super().__init__(f"the service leads no group {group}; it leads {led}")
        self.group = group
        self.led = led


class SizeOutOfRange(ServiceError):
    """A size that the group's own limits do not allow."""

    def __init__(self, size: int, group: InstanceGroup) -> None:
        super().__init__(
            f"{size} is outside the group's min size {group.min_size} and max size {group.max_size}"
        )
        self.size = size
        self.group = group


class TooMuchReserved(ServiceError):
    """With this the tenant would have reserved room for more tasks than it may."""

    def __init__(self, tenant: str, count: int, reserved: int, most: int) -> None:
        super().__init__(
            f"{tenant} may reserve room for {most} tasks; its other builds have reserved {reserved}, "
            f"and this one asks for {count}"
        )
        self.tenant = tenant
        self.most = most
        self.reserved = reserved


class TooManyLines(ServiceError):
    """With this the tenant's tasks would wait in more lines of equal priority and shape than they may."""

    def __init__(self, tenant: str, most: int) -> None:
        super().__init__(
            f"{tenant} has tasks of {most} different priorities and resources waiting, and may add no other; "
            "ask for what waits already, or again later"
        )
        self.tenant = tenant
        self.most = most


class GroupUnread(ServiceUnavailable):
    """Nothing can be said of the group's size before AWS has told it."""

    def __init__(self) -> None:
        super().__init__("the Auto Scaling group was not read since the start")


class ResumeTokenInvalid(ServiceError):
    """The resume token was never made by this service."""

    def __init__(self) -> None:
        super().__init__("the resume_token is not one of ours")


class ResumeTokenForeign(ServiceError):
    """The resume token names another store, or a future that this one does not have."""

    def __init__(self) -> None:
        super().__init__("the resume_token is of another store; watch again without a token")


class ResumeTokenCompacted(ServiceError):
    """The changes after the resume token are no longer kept; `oldest_revision` is the first that is."""

    def __init__(self, oldest_revision: int) -> None:
        super().__init__(
            f"changes before revision {oldest_revision} are compacted; watch again without a token"
        )
        self.oldest_revision = oldest_revision


class WatchLagging(ServiceError):
    """The client read too slowly and its buffer is full. Nothing is lost to who resumes."""

    def __init__(self, buffer_size: int) -> None:
        super().__init__(f"more than {buffer_size} changes waited for the client; resume with the last token")
        self.buffer_size = buffer_size
