"""Turns `protos/` into `generated/`: messages, stubs, their types, and one descriptor set.

Run by `make generate`; `tests/test_generated.py` runs it again and compares. Python, not buf,
because buf cannot run the built-in `grpc_python` generator, and because its output differs from
protoc's byte by byte: one tool writes, and the comparison stays exact.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet, SourceCodeInfo
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "ecs_scheduler"
DESCRIPTOR_SET = Path(PACKAGE, "v1", "api.binpb")

# What the server serves beside our own API. A reflection client asks for the file of every listed
# service, and a JSON transcoder renders error details only if it finds their types.
SERVED_BESIDE_OURS = (
    health_pb2.DESCRIPTOR.name,
    reflection_pb2.DESCRIPTOR.name,
    status_pb2.DESCRIPTOR.name,
    error_details_pb2.DESCRIPTOR.name,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Regenerate everything under the output directory, replacing what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "generated")
    generate(ROOT / "protos", parser.parse_args(arguments).output)


def generate(protos: Path, output: Path) -> None:
    """Build beside, then swap: a proto that does not compile leaves the output as it was."""
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, PACKAGE)
        package.mkdir()
        (package / "py.typed").touch()
        sources = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
        if sources:
            compile_protos(protos, sources, Path(scratch))
            describe(Path(scratch, DESCRIPTOR_SET))
        shutil.rmtree(output / PACKAGE, ignore_errors=True)
        shutil.copytree(package, output / PACKAGE)


def compile_protos(protos: Path, sources: Sequence[str], output: Path) -> None:
    """Run protoc once: the outputs must agree on one reading of the sources."""
    mypy_plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
    flags = [
        f"-I{protos}",
        f"-I{well_known_types()}",
        f"--plugin=protoc-gen-mypy_grpc={mypy_plugin}",
        *(f"--{kind}_out={output}" for kind in ("python", "pyi", "grpc_python", "mypy_grpc")),
        f"--descriptor_set_out={output / DESCRIPTOR_SET}",
        "--include_imports",
        "--include_source_info",
    ]
    (output / DESCRIPTOR_SET).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "grpc_tools.protoc", *flags, *sources]
    protoc = subprocess.run(command, capture_output=True, text=True, check=False)
    if protoc.returncode != 0:
        raise SystemExit(protoc.stderr)


def well_known_types() -> Path:
    """Where grpc_tools keeps google/protobuf/*.proto."""
    spec = find_spec("grpc_tools")
    if spec is None or spec.origin is None:
        raise SystemExit("grpc_tools is missing: use `make generate`")
    return Path(spec.origin).with_name("_proto")


def describe(path: Path) -> None:
    """Add the files served beside our own API, and keep only the comments of ours."""
    described = FileDescriptorSet.FromString(path.read_bytes())
    known = {file.name for file in described.file}
    for file in served_beside_ours():
        if file.name not in known:
            known.add(file.name)
            described.file.append(file)
    for file in described.file:
        keep_comments_only(file)
    path.write_bytes(described.SerializeToString(deterministic=True))


def served_beside_ours() -> Iterator[FileDescriptorProto]:
    """Health, both versions of reflection, and error details, each after its imports."""
    for name in SERVED_BESIDE_OURS:
        yield from with_imports(name)
    yield reflection_v1()


def reflection_v1() -> FileDescriptorProto:
    """The v1 file, which grpcio-reflection lacks: v1alpha under its later name, the same on the wire."""
    file = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.ClearField("options")  # they say deprecated, which v1 is not
    renamed = text_format.MessageToString(file).replace("v1alpha", "v1")
    return text_format.Parse(renamed, FileDescriptorProto())


def with_imports(name: str) -> Iterator[FileDescriptorProto]:
    """A file after everything it imports, as a FileDescriptorSet wants it."""
    file = FileDescriptorProto()
    descriptor_pool.Default().FindFileByName(name).CopyToProto(file)
    for imported in file.dependency:
        yield from with_imports(imported)
    yield file


def keep_comments_only(file: FileDescriptorProto) -> None:
    """Drop what no reader of reflection asks for: bare positions, and comments of files that are not ours."""
    ours = file.name.startswith(f"{PACKAGE}/")
    kept = [place for place in file.source_code_info.location if ours and is_commented(place)]
    file.ClearField("source_code_info")
    if kept:
        file.source_code_info.location.extend(kept)


def is_commented(place: SourceCodeInfo.Location) -> bool:
    """Whether anything is written above, behind or apart before this place."""
    return bool(place.leading_comments or place.trailing_comments or place.leading_detached_comments)


if __name__ == "__main__":
    main()
