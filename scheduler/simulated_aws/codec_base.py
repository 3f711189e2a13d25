"""What the codecs of all three protocols share: calls, answers, service models and values that do not fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

SERVICES = ("autoscaling", "ec2", "ecs", "logs", "sts")
"""Services that can be spoken. For each, botocore's folder name is also the SigV4 signing name."""

Coder = Callable[[Any], Any]
"""Turns one value into its other form, by the shape it was made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as boto3's caller wrote it."""

    service: str
    operation: str
    params: dict[str, Any]


class Backend(Protocol):
    """Carries calls out; `SimulatedAws` is one. Both fronts, HTTP and in-process, speak to nothing else."""

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Params and result are shaped as boto3's. Raise `ApiError`, or `ConnectionDropped` for no answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refusal(Protocol):
    """An error answer's content; `ApiError` is one."""

    code: str
    message: str
    http_status: int


class Codec(Protocol):
    """Reads the requests of one service and writes its answers."""

    def read_call(self, headers: Mapping[str, str], body: bytes) -> Call:
        """Raise `ApiError` if the request is malformed or the operation unknown. `headers` ignore case."""
        ...

    def write_result(self, operation: str, result: Mapping[str, Any], request_id: str) -> Answer:
        """Raise `Mismatch` if AWS's model has no such member, or the value is of another type."""
        ...

    def write_error(self, error: Refusal, request_id: str) -> Answer:
        """An error in the protocol's own form; always possible."""
        ...


class Mismatch(Exception):
    """A value does not fit its shape. `path` names the members from the top down to it."""

    def __init__(self, reason: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(path)}: {reason}" if path else reason)
        self.reason, self.path = reason, path

    def under(self, member: str) -> "Mismatch":
        """The same, seen from the structure that has `member`."""
        return Mismatch(self.reason, (member, *self.path))


_T = TypeVar("_T")


class Lazily(dict[str, _T], Generic[_T]):
    """A table whose entries are made when first looked up.

    EC2's answers have hundreds of members of which a caller meets ten, and shapes may contain themselves:
    making everything at once would be slow for the first and endless for the second. Where `make` raises,
    nothing is kept.
    """

    def __init__(self, make: Callable[[str], _T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> _T:
        entry = self[name] = self._make(name)
        return entry


@cache
def service_model(service: str) -> ServiceModel:
    """Botocore's own model of a service: the same data that unmodified boto3 speaks by."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def find_operation(model: ServiceModel, name: str) -> OperationModel | None:
    """The operation called `name` on the wire, or None if the service has none."""
    try:
        return model.operation_model(name)
    except OperationNotFoundError:
        return None


def of_type(*types: type) -> Coder:
    """A coder that passes values of these types and refuses others; bool is an int only where it is named."""

    def checked(value: Any) -> Any:
        if isinstance(value, types) and (not isinstance(value, bool) or bool in types):
            return value
        expected = " or ".join(each.__name__ for each in types)
        raise Mismatch(f"{value!r} is not of type {expected}")

    return checked


def aware(value: Any) -> datetime:
    """The timestamp itself; without a time zone it would mean another moment on each machine."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise Mismatch(f"{value!r} is not a datetime with a time zone")
