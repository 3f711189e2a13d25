"""AWS query (Auto Scaling, STS) and EC2 query: a form in, XML out.

Facts: Smithy's "AWS Query protocol" and "AWS EC2 query protocol". They differ in the names of a request's
members and items, and in the envelope of an answer.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.model import ListShape, ServiceModel, Shape

from scheduler.simulated_aws.codec_base import Answer, Call, Coder, Lazily, Mismatch, Refusal, find_operation
from scheduler.simulated_aws.codec_form import Naming, form_reader, parse_form
from scheduler.simulated_aws.codec_xml import Writer, content_writer, element, escape
from scheduler.simulated_aws.errors import ApiError


class Dialect(Naming, Protocol):
    """What the two protocols do differently."""

    malformed: str
    """The error code for a value that cannot be read."""

    def result(self, operation: str, namespace: str, content: str, request_id: str) -> str:
        """The whole document of a result."""
        ...

    def error(self, error: Refusal, namespace: str, request_id: str) -> str:
        """The whole document of an error."""
        ...


class QueryDialect:
    """The AWS query protocol."""

    tolerant = True
    malformed = "ValidationError"  # AWS docs, Auto Scaling "Common Error Types"

    def member_name(self, shape: Shape, name: str) -> str:
        """A flattened list goes by the name of its items."""
        if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
            name = str(shape.member.serialization.get("name", name))
        return str(shape.serialization.get("name", name))

    def item_name(self, shape: ListShape) -> str | None:
        """`Names.member.1`, unless flattened."""
        if shape.serialization.get("flattened"):
            return None
        return str(shape.member.serialization.get("name", "member"))

    def result(self, operation: str, namespace: str, content: str, request_id: str) -> str:
        """The result has an element of its own beside the metadata."""
        result = element(f"{operation}Result", content)
        metadata = element("ResponseMetadata", element("RequestId", request_id))
        return f'<{operation}Response xmlns="{namespace}">{result}{metadata}</{operation}Response>'

    def error(self, error: Refusal, namespace: str, request_id: str) -> str:
        """Sender's fault is 4xx, Receiver's is 5xx."""
        fault = element("Type", "Sender" if error.http_status < 500 else "Receiver")
        inner = element("Error", fault + _code_and_message(error)) + element("RequestId", request_id)
        return f'<ErrorResponse xmlns="{namespace}">{inner}</ErrorResponse>'


class Ec2Dialect:
    """The EC2 query protocol. It refuses unknown members (EC2 API, "Error codes": UnknownParameter)."""

    tolerant = False
    malformed = "InvalidParameterValue"

    def member_name(self, shape: Shape, name: str) -> str:
        """`queryName`, else `locationName` with a capital."""
        if "queryName" in shape.serialization:
            return str(shape.serialization["queryName"])
        located = str(shape.serialization.get("name", name))
        return located[:1].upper() + located[1:]

    def item_name(self, shape: ListShape) -> str | None:
        """Every list is flattened: `InstanceId.1`."""
        return None

    def result(self, operation: str, namespace: str, content: str, request_id: str) -> str:
        """The members stand beside the request id."""
        inner = element("requestId", request_id) + content
        return f'<{operation}Response xmlns="{namespace}">{inner}</{operation}Response>'

    def error(self, error: Refusal, namespace: str, request_id: str) -> str:
        """EC2's own envelope, with RequestID in capitals."""
        inner = element("Errors", element("Error", _code_and_message(error)))
        return element("Response", inner + element("RequestID", request_id))


class QueryCodec:
    """Speaks for one service whose model says `protocol: query` or `protocol: ec2`."""

    def __init__(self, model: ServiceModel, dialect: Dialect) -> None:
        self._model, self._dialect = model, dialect
        self._namespace: str = model.metadata["xmlNamespace"]
        self._readers: Lazily[Coder] = Lazily(self._reader)
        self._writers: Lazily[Writer] = Lazily(self._writer)

    def read_call(self, headers: Mapping[str, str], body: bytes) -> Call:
        """See `Codec`."""
        form = parse_form(body)
        operation, version = form.pop("Action", ""), form.pop("Version", "")
        if not isinstance(operation, str) or not operation:
            raise ApiError("MissingAction", "The request is missing an action or a required parameter.")
        if version != self._model.metadata["apiVersion"]:
            raise ApiError("NoSuchVersion", f"The version {version} of the API does not exist.")
        try:
            params = self._readers[operation](form)
        except Mismatch as mismatch:
            raise ApiError(self._dialect.malformed, str(mismatch)) from mismatch
        return Call(service=self._model.service_name, operation=operation, params=params)

    def write_result(self, operation: str, result: Mapping[str, Any], request_id: str) -> Answer:
        """See `Codec`."""
        content = self._writers[operation](result)
        return _answer(200, self._dialect.result(operation, self._namespace, content, request_id))

    def write_error(self, error: Refusal, request_id: str) -> Answer:
        """See `Codec`."""
        return _answer(error.http_status, self._dialect.error(error, self._namespace, request_id))

    def _reader(self, operation: str) -> Coder:
        found = find_operation(self._model, operation)
        if found is None:
            raise ApiError("InvalidAction", f"The action {operation} is not valid for this web service.")
        return form_reader(found.input_shape, self._dialect) if found.input_shape else lambda _: {}

    def _writer(self, operation: str) -> Writer:
        shape = self._model.operation_model(operation).output_shape
        return content_writer(shape) if shape else lambda _: ""


def _code_and_message(error: Refusal) -> str:
    return element("Code", escape(error.code)) + element("Message", escape(error.message))


def _answer(status: int, document: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()
    return Answer(status=status, headers={"Content-Type": "text/xml;charset=UTF-8"}, body=body)
