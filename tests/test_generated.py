"""What is checked in under `generated/` is what the protos say, and is complete."""

import filecmp
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from scripts import generate

GENERATED = generate.ROOT / "generated"


def files(directory: Path) -> list[str]:
    found = (path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(str(path.relative_to(directory)) for path in found)


@pytest.fixture
def descriptors() -> FileDescriptorSet:
    return FileDescriptorSet.FromString((GENERATED / generate.DESCRIPTOR_SET).read_bytes())


def test_generated_is_current(tmp_path: Path) -> None:
    """Generating again changes nothing: no file is stale, missing, left over or edited by hand."""
    generate.main([str(tmp_path)])
    assert files(tmp_path) == files(GENERATED)
    _, changed, unreadable = filecmp.cmpfiles(tmp_path, GENERATED, files(tmp_path), shallow=False)
    assert (changed, unreadable) == ([], []), "run: make generate"


def test_no_protos(tmp_path: Path) -> None:
    """Without protos there is a typed package and nothing in it."""
    (tmp_path / "protos").mkdir()
    generate.generate(tmp_path / "protos", tmp_path / "generated")
    assert files(tmp_path / "generated") == ["ecs_scheduler/py.typed"]


def test_bad_proto_leaves_output(tmp_path: Path) -> None:
    """A proto that does not compile is named, and what was generated before stays."""
    output = tmp_path / "generated"
    generate.generate(tmp_path / "protos", output)
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "bad.proto").write_text("messag Task {}")
    with pytest.raises(SystemExit, match=r"bad\.proto"):
        generate.generate(tmp_path / "protos", output)
    assert files(output) == ["ecs_scheduler/py.typed"]


@pytest.mark.parametrize(
    "service",
    [
        "ecs_scheduler.v1.SchedulerService",
        "ecs_scheduler.v1.ScalingService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ],
)
def test_served_service_described(descriptors: FileDescriptorSet, service: str) -> None:
    """Whatever the server serves can be described from the set alone, each file after its imports."""
    pool = DescriptorPool()
    for file in descriptors.file:
        pool.AddSerializedFile(file.SerializeToString())
    assert pool.FindServiceByName(service).methods


def test_comments_of_ours_only(descriptors: FileDescriptorSet) -> None:
    """The API's comments are served; those of google's files would only make the set large."""
    commented = {file.name for file in descriptors.file if file.source_code_info.location}
    ours = {file.name for file in descriptors.file if file.name.startswith("ecs_scheduler/")}
    assert commented == ours
