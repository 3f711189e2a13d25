"""Why logs cannot be had: errors whose text is meant for the client."""

from collections.abc import Sequence

from scheduler.services.errors import ServiceError, ServiceUnavailable


class ContainerNotFound(ServiceError):
    """The task has no container of that name."""

    def __init__(self, container: str, containers: Sequence[str]) -> None:
        super().__init__(f"the task has no container {container}; it has {', '.join(containers)}")
        self.containers = tuple(containers)


class TaskNotStarted(ServiceError):
    """No container of the task has run yet, or none ever did."""

    def __init__(self, state: str, *, ended: bool) -> None:
        wait = "" if ended else "; follow waits for it"
        super().__init__(f"the task is {state} and was never started by ECS{wait}")
        self.state = state


class LogsUnreadable(ServiceError):
    """The container's log driver writes where the service cannot read."""


class LogsForbidden(ServiceError):
    """The service's own role may not read logs."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"the service's role lacks the permission {permission}")
        self.permission = permission


class LogStreamNotFound(ServiceError):
    """The launch has ended, and there is no log stream of it."""

    def __init__(self, attempt: int, said: str) -> None:
        super().__init__(f"launch {attempt} has ended and left no logs, or they are gone: {said}")


class LogTokenExpired(ServiceError):
    """CloudWatch Logs does not go on from the resume token any more: it knows a place for 24 hours."""

    def __init__(self) -> None:
        super().__init__("the resume_token is too old for CloudWatch Logs; read again without a token")


class LogReaderLagging(ServiceError):
    """The others that follow the stream are far ahead. Nothing is lost to who resumes."""

    def __init__(self) -> None:
        super().__init__("the client reads more slowly than the log grows; resume with the last token")


class TooManyLogTails(ServiceError):
    """As many logs are read as the account's request rate allows, or as one tenant may read of these."""

    def __init__(self, most: int, tenant: str = "") -> None:
        whose = f" of tenant {tenant}" if tenant else ""
        super().__init__(
            f"{most} logs{whose} are being read, and that is the most; try again when one has ended"
        )
        self.most = most
        self.tenant = tenant


class LogsUnavailable(ServiceUnavailable):
    """CloudWatch Logs does not answer as it should."""

    def __init__(self, said: str) -> None:
        super().__init__(f"CloudWatch Logs cannot be read at present ({said})", retry_after_ms=5_000)
