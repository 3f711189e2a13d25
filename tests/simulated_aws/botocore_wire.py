"""The other end of the wire: botocore's own serializer and parser, and values of any shape for them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.utils import parse_to_aware_datetime
from hypothesis import strategies as st

from scheduler.simulated_aws.codec_base import Answer


def request_of(operation: OperationModel, params: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """Headers and body as botocore sends them, unsigned; a parameter that is required may be missing."""
    protocol = operation.service_model.resolved_protocol
    serializer: Any = create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    body = request["body"]
    return request["headers"], body if isinstance(body, bytes) else urlencode(body).encode()


def parsed(operation: OperationModel, answer: Answer) -> dict[str, Any]:
    """What botocore gives its caller for this answer, ResponseMetadata included."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    response = {"status_code": answer.status, "headers": headers, "body": answer.body}
    parser: Any = create_parser(operation.service_model.resolved_protocol)
    return dict(parser.parse(response, operation.output_shape))


def with_times(value: Any, shape: Shape | None) -> Any:
    """A published example's value with its timestamps, which are written as text, made datetimes."""
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        return {name: with_times(item, shape.members[name]) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [with_times(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {name: with_times(item, shape.value) for name, item in value.items()}
    return parse_to_aware_datetime(value) if shape and shape.type_name == "timestamp" else value


# Surrogates cannot be encoded; XML 1.0 (section 2.2) cannot carry the other control characters at all.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=8)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "string": TEXTS | st.sampled_from(["<&>", "\r\n\t", " ", "a.b=c&d"]),
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "timestamp": TIMES,
    "blob": st.binary(max_size=8),
}


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape. Nothing is empty: a form cannot say that a structure without members is there."""
    if isinstance(shape, StructureShape):
        return _structures(shape)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member), min_size=1, max_size=12)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key), values(shape.value), min_size=1, max_size=3)
    return SCALARS[shape.type_name]


def _structures(shape: StructureShape) -> st.SearchStrategy[dict[str, Any]]:
    if shape.is_document_type or not shape.members:
        return st.just({})
    most = 1 if shape.is_tagged_union else 5
    names = st.lists(st.sampled_from(sorted(shape.members)), min_size=1, max_size=most, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: values(shape.members[name]) for name in chosen})
    )
