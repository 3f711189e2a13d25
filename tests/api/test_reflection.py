"""Server reflection, as generic tools use it."""

import asyncio
import gc
import json
import sys
import weakref
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_reflection.v1alpha.reflection_pb2 import (
    ExtensionRequest,
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from scheduler.api.reflection import DescriptorIndex
from tests.api.served import Served, serving

BUF = Path(sys.executable).with_name("buf")
VERSIONS = ("v1", "v1alpha")
OURS = ["ecs_scheduler.v1.ScalingService", "ecs_scheduler.v1.SchedulerService"]
EVERY_KIND = [
    "ecs_scheduler.v1.SchedulerService",
    "ecs_scheduler.v1.SchedulerService.Schedule",
    "ecs_scheduler.v1.ScheduleRequest",
    "ecs_scheduler.v1.ScheduleRequest.LabelsEntry",
    "ecs_scheduler.v1.ScheduleRequest.spec",
    "ecs_scheduler.v1.ScheduleRequest.tenant",
    "ecs_scheduler.v1.TaskState",
    "ecs_scheduler.v1.TASK_STATE_QUEUED",
    "grpc.health.v1.Health.Watch",
    "grpc.health.v1.HealthCheckResponse.SERVING",
    "grpc.reflection.v1.ServerReflection.ServerReflectionInfo",
    "google.rpc.BadRequest",
]


async def ask(served: Served, version: str, **question: object) -> ServerReflectionResponse:
    method = served.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    request = ServerReflectionRequest(**question)  # type: ignore[arg-type]  # any question by name
    [response] = [response async for response in method(iter([request]))]
    assert isinstance(response, ServerReflectionResponse)
    return response


def files(response: ServerReflectionResponse) -> list[FileDescriptorProto]:
    found = response.file_descriptor_response.file_descriptor_proto
    return [FileDescriptorProto.FromString(serialized) for serialized in found]


async def buf_curl(served: Served, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        BUF,
        "curl",
        "--protocol=grpc",
        "--http2-prior-knowledge",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.asyncio
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_service_is_listed(version: str) -> None:
    """Ours, health and both versions of reflection itself are listed."""
    async with serving() as served:
        response = await ask(served, version, list_services="")
    assert [service.name for service in response.list_services_response.service] == [
        *OURS,
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_listed_service_can_be_described(version: str) -> None:
    """For each listed service its file and all imports are served, the file itself first."""
    async with serving() as served:
        listed = await ask(served, version, list_services="")
        for service in listed.list_services_response.service:
            found = files(await ask(served, version, file_containing_symbol=service.name))
            declared = {f"{found[0].package}.{one.name}" for one in found[0].service}
            assert service.name in declared
            assert {name for file in found for name in file.dependency} <= {file.name for file in found}


@pytest.mark.asyncio
@pytest.mark.parametrize("symbol", EVERY_KIND)
async def test_every_kind_of_symbol_is_found(symbol: str) -> None:
    """Services, methods, messages, fields, oneofs, enums and their values are all found by name."""
    async with serving() as served:
        assert files(await ask(served, "v1", file_containing_symbol=symbol))


@pytest.mark.asyncio
async def test_comments_are_served() -> None:
    """The file of our service carries the comments of the proto."""
    async with serving() as served:
        [file, *_] = files(await ask(served, "v1", file_containing_symbol=OURS[1]))
    comments = [place.leading_comments for place in file.source_code_info.location]
    assert any("Idempotent by (tenant, request_id)" in comment for comment in comments)


@pytest.mark.asyncio
async def test_file_is_found_by_name() -> None:
    """A file can be asked for by the name under which others import it."""
    async with serving() as served:
        [file, *_] = files(await ask(served, "v1", file_by_filename="ecs_scheduler/v1/task.proto"))
    assert file.package == "ecs_scheduler.v1"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "question",
    [
        {"file_by_filename": "no/such.proto"},
        {"file_containing_symbol": "no.such.Symbol"},
        {
            "file_containing_extension": ExtensionRequest(
                containing_type="no.such.Message", extension_number=1
            )
        },
        {"all_extension_numbers_of_type": "no.such.Message"},
        {},
    ],
)
async def test_what_is_unknown_is_answered_as_an_error(question: dict[str, object]) -> None:
    """An unknown thing is an error response, and the stream goes on."""
    async with serving() as served:
        response = await ask(served, "v1", **question)
    assert response.error_response.error_code == 5


@pytest.mark.asyncio
async def test_message_without_extensions_has_no_numbers() -> None:
    """A known message that nobody extends is answered with an empty list."""
    async with serving() as served:
        name = "ecs_scheduler.v1.Task"
        response = await ask(served, "v1", all_extension_numbers_of_type=name)
    assert response.all_extension_numbers_response.base_type_name == name
    assert not response.all_extension_numbers_response.extension_number


def test_extensions_are_found() -> None:
    """An extension, nested or not, is found by message and number."""
    outer = FieldDescriptorProto(name="outer", number=7, extendee=".p.M")
    inner = FieldDescriptorProto(name="inner", number=5, extendee=".p.M")
    message = DescriptorProto(name="M", extension=[inner])
    file = FileDescriptorProto(name="p.proto", package="p", message_type=[message], extension=[outer])
    index = DescriptorIndex(FileDescriptorSet(file=[file]))
    assert index.extension_numbers("p.M") == [5, 7]
    assert index.by_extension("p.M", 5) == index.by_filename("p.proto") == index.by_symbol("p.M.inner")


@pytest.mark.asyncio
async def test_buf_lists_every_method() -> None:
    """`buf curl --list-methods` shows our methods and those of the standard services."""
    async with serving() as served:
        listed = (await buf_curl(served, "--list-methods", f"http://{served.address}")).split()
    assert "ecs_scheduler.v1.SchedulerService/WatchTasks" in listed
    assert "ecs_scheduler.v1.ScalingService/GetCluster" in listed
    assert "grpc.health.v1.Health/List" in listed


@pytest.mark.asyncio
@pytest.mark.parametrize("version", VERSIONS)
async def test_buf_calls_a_method_it_learned_by_reflection(version: str) -> None:
    """`buf curl` describes and calls a method with JSON, knowing the address alone."""
    async with serving() as served:
        answer = await buf_curl(
            served,
            f"--reflect-protocol=grpc-{version}",
            "--data={}",
            f"http://{served.address}/ecs_scheduler.v1.ScalingService/GetCluster",
        )
    assert json.loads(answer)["cluster"]["cluster"] == "ci"


class Name(str):
    """A text of which one can tell whether somebody keeps it."""


def test_unknown_name_is_not_kept() -> None:
    """Names that are not there leave nothing behind, however many are asked for, and however long."""
    name = Name("no/such.proto")
    kept = weakref.ref(name)
    index = DescriptorIndex(FileDescriptorSet())
    assert index.by_filename(name) == ()
    del name
    gc.collect()
    assert kept() is None
