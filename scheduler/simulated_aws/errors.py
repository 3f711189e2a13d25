"""What a call can end with other than an answer."""

from typing import Literal


class ApiError(Exception):
    """A refusal, shaped as AWS's error answers are: a code, a message and an HTTP status."""

    def __init__(
        self,
        code: str,
        message: str,
        http_status: int = 400,
        *,
        fault: Literal["client", "server"] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status
        self.fault = fault or ("server" if http_status >= 500 else "client")


class ConnectionDropped(Exception):
    """The connection closes without an answer; whether the call took effect, the caller cannot know."""


class NeverConnected(ConnectionDropped):
    """No connection was made: the call certainly had no effect."""


# The codes that botocore's retry handler recognises as throttling, as each service sends them.
_THROTTLES = {
    "ecs": ("ThrottlingException", "Rate exceeded", 400),
    "autoscaling": ("Throttling", "Rate exceeded", 400),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "logs": ("ThrottlingException", "Rate exceeded", 400),
    "sts": ("Throttling", "Rate exceeded", 400),
}


def throttled(service: str) -> ApiError:
    """A service's refusal of one call too many: it had no effect."""
    return ApiError(*_THROTTLES[service])


def invalid_parameter(message: str) -> ApiError:
    """ECS's and CloudWatch Logs' refusal of a parameter (ECS API: Common errors of every operation)."""
    return ApiError("InvalidParameterException", message)


def client_exception(message: str) -> ApiError:
    """ECS's refusal of an action on something that does not exist or does not allow it."""
    return ApiError("ClientException", message)


def validation_error(message: str) -> ApiError:
    """Auto Scaling's refusal of a parameter or of an action outside the group's limits."""
    return ApiError("ValidationError", message)


def invalid_parameter_value(message: str) -> ApiError:
    """EC2's refusal of a parameter's value (EC2 API: Error codes)."""
    return ApiError("InvalidParameterValue", message)
