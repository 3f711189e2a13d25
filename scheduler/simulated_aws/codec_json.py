"""AWS JSON 1.0 and 1.1 (ECS, CloudWatch Logs): the operation in X-Amz-Target, JSON both ways.

Facts: Smithy's "AWS JSON 1.0 and 1.1 protocols": a timestamp is a number of epoch seconds with a fraction,
a blob is base64 text, unknown members of a request are ignored, and null means absent.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from scheduler.simulated_aws.codec_base import (
    Answer,
    Call,
    Coder,
    Lazily,
    Mismatch,
    Refusal,
    aware,
    find_operation,
    of_type,
)
from scheduler.simulated_aws.errors import ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direction:
    """What differs between reading a request and writing an answer; the walk along the shape is the same."""

    scalars: Mapping[str, Coder]
    names: Callable[[str, str], tuple[str, str]]
    """(member, wire name) -> (name it comes under, name it leaves under)."""
    tolerant: bool
    """Ignore unknown members (a request of a newer client), or refuse them (a mistake in the simulation)."""


class JsonCodec:
    """Speaks for one service whose model says `protocol: json`."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._readers: Lazily[Coder] = Lazily(self._reader)
        self._writers: Lazily[Coder] = Lazily(self._writer)

    def read_call(self, headers: Mapping[str, str], body: bytes) -> Call:
        """See `Codec`."""
        prefix, _, operation = headers.get("X-Amz-Target", "").rpartition(".")
        if prefix != self._model.metadata["targetPrefix"]:
            raise _unknown_operation()
        try:
            params = self._readers[operation](json.loads(body or b"{}"))
        except (Mismatch, ValueError, RecursionError) as error:
            raise ApiError("SerializationException", str(error)) from error
        return Call(service=self._model.service_name, operation=operation, params=params)

    def write_result(self, operation: str, result: Mapping[str, Any], request_id: str) -> Answer:
        """See `Codec`."""
        return self._answer(200, self._writers[operation](result), request_id)

    def write_error(self, error: Refusal, request_id: str) -> Answer:
        """See `Codec`. The code is in the body and in a header; SDKs read either."""
        content = {"__type": error.code, "message": error.message}
        answer = self._answer(error.http_status, content, request_id)
        return replace(answer, headers={**answer.headers, "x-amzn-ErrorType": error.code})

    def _answer(self, status: int, content: Mapping[str, Any], request_id: str) -> Answer:
        version = self._model.metadata["jsonVersion"]
        headers = {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id}
        return Answer(status=status, headers=headers, body=json.dumps(content).encode())

    def _reader(self, operation: str) -> Coder:
        found = find_operation(self._model, operation)
        if found is None:
            raise _unknown_operation()
        return _coder(found.input_shape, _READING) if found.input_shape else _nothing

    def _writer(self, operation: str) -> Coder:
        shape = self._model.operation_model(operation).output_shape
        return _coder(shape, _WRITING) if shape else _nothing


def _unknown_operation() -> ApiError:
    return ApiError("UnknownOperationException", "The requested operation is not supported by this service.")


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _coder(shape: Shape, direction: _Direction) -> Coder:
    if isinstance(shape, StructureShape):
        return _DOCUMENT if shape.is_document_type else _structure(shape, direction)
    if isinstance(shape, ListShape):
        return _list(shape, direction)
    if isinstance(shape, MapShape):
        return _map(shape, direction)
    return direction.scalars[shape.type_name]


def _structure(shape: StructureShape, direction: _Direction) -> Coder:
    renamed: dict[str, tuple[str, Shape]] = {}
    for member, member_shape in shape.members.items():
        known_as, leaves_as = direction.names(member, member_shape.serialization.get("name", member))
        renamed[known_as] = (leaves_as, member_shape)
    coders: Lazily[Coder] = Lazily(lambda name: _coder(renamed[name][1], direction))
    tolerant, check = direction.tolerant, of_type(dict)

    def code(value: Any) -> dict[str, Any]:
        coded = {}
        for name, item in check(value).items():
            if item is None:
                continue
            if name not in renamed:
                if tolerant:
                    continue
                raise Mismatch(f"{shape.name} has no member of this name", (name,))
            try:
                coded[renamed[name][0]] = coders[name](item)
            except Mismatch as mismatch:
                raise mismatch.under(name) from None
        return coded

    return code


def _list(shape: ListShape, direction: _Direction) -> Coder:
    member, check = _coder(shape.member, direction), of_type(list, tuple)
    return lambda value: [member(item) for item in check(value)]


def _map(shape: MapShape, direction: _Direction) -> Coder:
    key, member, check = _coder(shape.key, direction), _coder(shape.value, direction), of_type(dict)
    return lambda value: {key(name): member(item) for name, item in check(value).items()}


def _read_timestamp(value: Any) -> datetime:
    try:
        return datetime.fromtimestamp(_number(value), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise Mismatch(f"{value!r} is not a time") from error


def _read_blob(value: Any) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except ValueError as error:
        raise Mismatch("not base64 text") from error


def _write_blob(value: Any) -> str:
    return b64encode(of_type(bytes, bytearray)(value)).decode()


_DOCUMENT = of_type(dict, list, str, int, float, bool)  # any JSON value, by the caller's own rules
_text, _number, _whole = of_type(str), of_type(int, float), of_type(int)
_PLAIN: Mapping[str, Coder] = {
    "string": _text,
    "character": _text,
    "boolean": of_type(bool),
    "integer": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
}
_READING = _Direction(
    scalars={**_PLAIN, "timestamp": _read_timestamp, "blob": _read_blob},
    names=lambda member, wire: (wire, member),
    tolerant=True,
)
_WRITING = _Direction(
    scalars={**_PLAIN, "timestamp": lambda value: aware(value).timestamp(), "blob": _write_blob},
    names=lambda member, wire: (member, wire),
    tolerant=False,
)
