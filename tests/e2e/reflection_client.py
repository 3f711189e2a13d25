"""A client that knows no generated code of ours: what it can say and read, the server has told it.

It does what grpcurl does, with the same output: `list`, `describe`, and calls with JSON.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

# protobuf's own reflection messages are v1alpha; the wire format of v1 is the same.
from grpc_reflection.v1alpha import reflection_pb2

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


class ReflectionClient:
    """Talks to one server by what its reflection says."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._pool = descriptor_pool.DescriptorPool()
        self._files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def services(self) -> list[str]:
        """Names of the services, sorted."""
        [answer] = self._ask(reflection_pb2.ServerReflectionRequest(list_services=""))
        return sorted(service.name for service in answer.list_services_response.service)

    def describe(self, symbol: str) -> str:
        """A method with its comment, as the proto has it."""
        method = self._method(*symbol.rsplit(".", 1))
        sides = [
            ("stream " if streams else "") + f".{side.full_name}"
            for streams, side in (
                (method.client_streaming, method.input_type),
                (method.server_streaming, method.output_type),
            )
        ]
        comment = "".join(f"//{line}\n" for line in self._comment(method))
        return f"{symbol} is a method:\n{comment}rpc {method.name} ( {sides[0]} ) returns ( {sides[1]} );"

    def call(self, path: str, body: str, messages: int) -> Iterator[dict[str, Any]]:
        """At most so many messages of the answer to `package.Service/Method`, as JSON has them."""
        method = self._method(*path.split("/"))
        request = json_format.Parse(body or "{}", self._class(method.input_type.full_name)())
        answer_class = self._class(method.output_type.full_name)
        # On the wire a single answer is a stream of one message.
        ask = self._channel.unary_stream(f"/{path}", type(request).SerializeToString, answer_class.FromString)
        answers = ask(request, timeout=60)
        for answer in islice(answers, messages):
            yield json_format.MessageToDict(answer, descriptor_pool=self._pool)
        answers.cancel()

    def _method(self, service: str, name: str) -> MethodDescriptor:
        self._fetch(service)
        found: ServiceDescriptor = self._pool.FindServiceByName(service)
        return found.methods_by_name[name]

    def _class(self, name: str) -> type[Message]:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))

    def _fetch(self, symbol: str) -> None:
        [answer] = self._ask(reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol))
        parsed = map(
            descriptor_pb2.FileDescriptorProto.FromString,
            answer.file_descriptor_response.file_descriptor_proto,
        )
        new = {file.name: file for file in parsed if file.name not in self._files}
        self._files |= new
        for name in _imports_first(new):
            self._pool.Add(new[name])

    def _comment(self, method: MethodDescriptor) -> list[str]:
        file = self._files[method.containing_service.file.name]
        path = [6, method.containing_service.index, 2, method.index]  # descriptor.proto: service, method
        for place in file.source_code_info.location:
            if place.path == path:
                return place.leading_comments.rstrip("\n").split("\n")
        return []

    def _ask(self, *questions: reflection_pb2.ServerReflectionRequest) -> list[Any]:
        ask = self._channel.stream_stream(
            REFLECTION,
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        return list(ask(iter(questions), timeout=10))


def _imports_first(files: dict[str, descriptor_pb2.FileDescriptorProto]) -> Iterable[str]:
    """The names, each after those that it imports."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in files and name not in done:
            for imported in files[name].dependency:
                visit(imported)
            done[name] = None

    for name in files:
        visit(name)
    return done


def pretty(message: dict[str, Any]) -> str:
    """As grpcurl prints it."""
    return json.dumps(message, indent=2)
