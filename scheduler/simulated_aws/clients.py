"""In-process clients: boto3's interface without HTTP, for tests and replay on a virtual clock.

A call is validated, refused and answered as by boto3: the same `ParamValidationError`, `ClientError` and
its modelled subclasses, `ConnectionClosedError`. Three things differ. There is one attempt and no retry, so
that a fault reaches the caller as it is. There is no paginator: callers follow the tokens. A mistake in the
simulation itself is raised as it is and not dressed up as AWS's 500.
"""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Any, cast

from botocore import xform_name
from botocore.errorfactory import BaseClientExceptions, ClientExceptionsFactory
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
)
from botocore.handlers import decode_console_output
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from scheduler.simulated_aws.codec_base import Backend, service_model
from scheduler.simulated_aws.errors import ApiError, ConnectionDropped, NeverConnected

ClientMethod = Callable[..., dict[str, Any]]
_VALIDATOR = ParamValidator()
_LEAVES = (str, int, float)
_VALID_KEPT = 1_000
"""Parameters of one operation that are remembered to be valid."""


class InProcessClient:
    """A boto3 client of one service, except that it calls `backend` directly.

    `InProcessClient(backend, "ecs").describe_tasks(cluster="ci", tasks=[arn])["tasks"]`. Service models are
    read once per process and shared by all clients.
    """

    exceptions: BaseClientExceptions
    """The service's modelled errors by name, as on a boto3 client."""

    def __init__(self, backend: Backend, service: str) -> None:
        self.exceptions = _exceptions(service)
        self._backend, self._service = backend, service
        self._request_numbers = count(1)

    def __getattr__(self, name: str) -> ClientMethod:
        """The method of an operation: made when first asked for, an ordinary attribute from then on."""
        # A private name is never an operation, and copy.copy asks for some before `_service` is there.
        operation = None if name.startswith("_") else _operation_names(self._service).get(name)
        if operation is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        method = self._method(service_model(self._service).operation_model(operation))
        setattr(self, name, method)
        return method

    def close(self) -> None:
        """Nothing to close; boto3's clients have it."""

    def _method(self, operation: OperationModel) -> ClientMethod:
        valid: set[str] = set()

        def method(**params: Any) -> dict[str, Any]:
            _validate_once(operation, params, valid)
            return self._call(operation.name, _copy(params))

        method.__name__ = xform_name(operation.name)
        return method

    def _call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            result = self._backend.call(self._service, operation, params)
        except ApiError as error:
            raise self._client_error(operation, error) from error
        except ConnectionDropped as dropped:
            url = f"in-process:{self._service}"
            if isinstance(dropped, NeverConnected):
                raise EndpointConnectionError(endpoint_url=url) from dropped
            raise ConnectionClosedError(endpoint_url=url) from dropped
        answer = {**_copy(result), "ResponseMetadata": self._metadata(200)}
        if operation == "GetConsoleOutput":
            # On the wire it is base64, and boto3's own handler makes text of it.
            decode_console_output(answer)
        return answer

    def _client_error(self, operation: str, error: ApiError) -> ClientError:
        response = {
            "Error": {"Code": error.code, "Message": error.message},
            "ResponseMetadata": self._metadata(error.http_status),
        }
        # botocore-stubs take the class that `from_code` returns for an instance.
        error_class = cast(Any, self.exceptions.from_code(error.code))
        return cast(ClientError, error_class(response, operation))

    def _metadata(self, http_status: int) -> dict[str, Any]:
        request_id = f"in-process-{next(self._request_numbers)}"
        return {"RequestId": request_id, "HTTPStatusCode": http_status, "HTTPHeaders": {}, "RetryAttempts": 0}


@cache
def _exceptions(service: str) -> BaseClientExceptions:
    """Kept, so that an error class is the same class in all clients of a service."""
    return ClientExceptionsFactory().create_client_exceptions(service_model(service))


@cache
def _operation_names(service: str) -> Mapping[str, str]:
    """AWS's operation names by boto3's method names."""
    return MappingProxyType({xform_name(name): name for name in service_model(service).operation_names})


def _validate_once(operation: OperationModel, params: dict[str, Any], valid: set[str]) -> None:
    """The same reading is asked for again and again: what is among the `valid` is not looked at anew."""
    said = repr(params)
    if said in valid:
        return
    _validate(operation, params)
    if len(valid) >= _VALID_KEPT:
        valid.clear()
    valid.add(said)


def _validate(operation: OperationModel, params: dict[str, Any]) -> None:
    if operation.input_shape is None:
        return
    errors = _VALIDATOR.validate(params, operation.input_shape)
    if errors.has_errors():
        raise ParamValidationError(report=errors.generate_report())


def _copy(value: Any) -> Any:
    """A copy that shares nothing with `value`. As on the wire, a tuple is a list and None is absent.

    Most of an answer are leaves: a third of the time goes if none of them costs a call.
    """
    if isinstance(value, dict):
        return {
            key: item if isinstance(item, _LEAVES) else _copy(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [item if isinstance(item, _LEAVES) else _copy(item) for item in value]
    return value
