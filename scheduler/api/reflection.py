"""Server reflection, v1 and v1alpha, with comments and describable methods.

Our own, because grpcio-reflection serves v1alpha only, answers "not found" for a method's name, and has no
comments: Python's descriptor pool forgets them. So everything is read from the descriptor set that protoc
wrote with its source info.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from importlib.resources import files
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc import aio

# v1 is v1alpha under its final name: the messages are the same on the wire.
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ExtensionNumberResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


def served_descriptors() -> FileDescriptorSet:
    """Our API and all that is served beside it, as `make generate` wrote them."""
    return FileDescriptorSet.FromString((files("ecs_scheduler.v1") / "api.binpb").read_bytes())


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class DescriptorIndex:
    """Where everything in a descriptor set is declared."""

    def __init__(self, descriptors: FileDescriptorSet) -> None:
        self._files = {file.name: file for file in descriptors.file}
        self._file_of_symbol: dict[str, str] = {}
        self._file_of_extension: dict[tuple[str, int], str] = {}
        self._closures: dict[str, tuple[bytes, ...]] = {}
        for file in descriptors.file:
            self._file_of_symbol |= dict.fromkeys(_symbols(file), file.name)
            for extension in _extensions(file.extension, file.message_type):
                key = (extension.extendee.lstrip("."), extension.number)
                self._file_of_extension[key] = file.name

    def by_filename(self, name: str) -> tuple[bytes, ...]:
        """The file and all it imports, itself first; nothing when it is unknown."""
        if name not in self._files:
            return ()  # and nothing is kept: clients may ask for as many names as they like
        if name not in self._closures:
            self._closures[name] = tuple(
                self._files[each].SerializeToString() for each in self._with_imports(name, {})
            )
        return self._closures[name]

    def by_symbol(self, symbol: str) -> tuple[bytes, ...]:
        """The file that declares the symbol, and its imports."""
        return self.by_filename(self._file_of_symbol.get(symbol, ""))

    def by_extension(self, message: str, number: int) -> tuple[bytes, ...]:
        """The file that declares the extension, and its imports."""
        return self.by_filename(self._file_of_extension.get((message, number), ""))

    def extension_numbers(self, message: str) -> list[int] | None:
        """Numbers by which the message is extended; None when there is no such message."""
        if message not in self._file_of_symbol:
            return None
        return sorted(number for extended, number in self._file_of_extension if extended == message)

    def _with_imports(self, name: str, seen: dict[str, None]) -> Iterable[str]:
        """In an insertion-ordered dict: each file once, an importing one before what it imports."""
        if name in self._files and name not in seen:
            seen[name] = None
            for imported in self._files[name].dependency:
                self._with_imports(imported, seen)
        return seen


class ReflectionServicer:
    """Answers what a reflection client asks of the index."""

    def __init__(self, index: DescriptorIndex, services: Iterable[str]) -> None:
        self._index = index
        self._services = sorted((*services, *SERVICES))

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """One for each version of the protocol."""
        method = grpc.stream_stream_rpc_method_handler(
            self.info, ServerReflectionRequest.FromString, ServerReflectionResponse.SerializeToString
        )
        return tuple(
            grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": method})
            for service in SERVICES
        )

    async def info(
        self, requests: AsyncIterator[ServerReflectionRequest], context: aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[ServerReflectionResponse]:
        """One answer for each question, in order."""
        async for request in requests:
            response = ServerReflectionResponse(valid_host=request.host, original_request=request)
            self._answer(request, response)
            yield response

    def _answer(self, request: ServerReflectionRequest, response: ServerReflectionResponse) -> None:
        question = request.WhichOneof("message_request")
        if question == "list_services":
            listed = [ServiceResponse(name=name) for name in self._services]
            response.list_services_response.CopyFrom(ListServiceResponse(service=listed))
        elif question == "all_extension_numbers_of_type":
            self._answer_extensions(request.all_extension_numbers_of_type, response)
        elif found := self._found(question, request):
            response.file_descriptor_response.CopyFrom(FileDescriptorResponse(file_descriptor_proto=found))
        else:
            _not_found(response)

    def _found(self, question: str | None, request: ServerReflectionRequest) -> tuple[bytes, ...]:
        extension = request.file_containing_extension
        searches: dict[str | None, Callable[[], tuple[bytes, ...]]] = {
            "file_by_filename": lambda: self._index.by_filename(request.file_by_filename),
            "file_containing_symbol": lambda: self._index.by_symbol(request.file_containing_symbol),
            "file_containing_extension": lambda: self._index.by_extension(
                extension.containing_type, extension.extension_number
            ),
        }
        return searches[question]() if question in searches else ()

    def _answer_extensions(self, message: str, response: ServerReflectionResponse) -> None:
        numbers = self._index.extension_numbers(message)
        if numbers is None:
            _not_found(response)
        else:
            response.all_extension_numbers_response.CopyFrom(
                ExtensionNumberResponse(base_type_name=message, extension_number=numbers)
            )


def _not_found(response: ServerReflectionResponse) -> None:
    code, _ = grpc.StatusCode.NOT_FOUND.value
    response.error_response.CopyFrom(ErrorResponse(error_code=code, error_message="not found"))


def _symbols(file: FileDescriptorProto) -> Iterator[str]:
    """Full names of all that can be asked for: types, fields, values, extensions, services and methods."""
    for message in file.message_type:
        yield from _message_symbols(file.package, message)
    for enum in file.enum_type:
        yield from _enum_symbols(file.package, enum)
    yield from _names(file.package, file.extension)
    for service in file.service:
        full_name = _join(file.package, service.name)
        yield full_name
        yield from _names(full_name, service.method)


def _message_symbols(scope: str, message: DescriptorProto) -> Iterator[str]:
    full_name = _join(scope, message.name)
    yield full_name
    for part in (message.field, message.oneof_decl, message.extension):
        yield from _names(full_name, part)
    for enum in message.enum_type:
        yield from _enum_symbols(full_name, enum)
    for nested in message.nested_type:
        yield from _message_symbols(full_name, nested)


def _enum_symbols(scope: str, enum: EnumDescriptorProto) -> Iterator[str]:
    yield _join(scope, enum.name)
    # A value belongs to the scope of its enum, not to the enum (C++ scoping, protobuf language guide).
    yield from _names(scope, enum.value)


def _names(scope: str, declared: Iterable[_Named]) -> Iterator[str]:
    return (_join(scope, one.name) for one in declared)


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _extensions(
    declared: Iterable[FieldDescriptorProto], messages: Iterable[DescriptorProto]
) -> Iterator[FieldDescriptorProto]:
    """Extensions of a file, those declared inside messages included."""
    yield from declared
    for message in messages:
        yield from _extensions(message.extension, message.nested_type)
