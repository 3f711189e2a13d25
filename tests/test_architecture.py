"""The walls stand, and each of them is seen to stop what it is there to stop."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = sorted((ROOT / "scheduler").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
PACKAGES = sorted({source.parent for source in SOURCES})
LOCKS = sorted(ROOT.glob("requirements*.lock"))

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
# Cases and limits written as data grow with what they describe, not with the complexity of the code.
DATA_TABLES: frozenset[str] = frozenset()

# What each contract is there to stop: contract, module that breaks it, what that module imports.
VIOLATIONS = [
    ("The shell may look inward", "core/bad.py", "scheduler.ports.clock"),
    ("The shell may look inward", "services/bad.py", "scheduler.adapters"),
    ("The shell may look inward", "client/bad.py", "scheduler.api"),
    ("The shell may look inward", "unlisted/__init__.py", "dataclasses"),
    ("The core is pure", "core/bad.py", "time"),
    ("The core is pure", "core/bad.py", "sqlite3"),
    ("Inside the core", "core/model/bad.py", "scheduler.core.placement"),
    ("Inside the core", "core/agents/bad.py", "scheduler.core.placement"),
    ("Adapters do not know each other", "adapters/bad.py", "scheduler.adapters.system"),
    ("Protobuf stays at the edges", "services/bad.py", "ecs_scheduler.v1.task_pb2"),
    ("Protobuf stays at the edges", "adapters/bad.py", "google.protobuf"),
    ("AWS's SDK and the database", "services/bad.py", "boto3"),
    ("The simulated AWS knows the clock port", "simulated_aws/bad.py", "scheduler.ports.ids"),
    ("The simulated AWS knows the clock port", "simulated_aws/bad.py", "scheduler.core"),
    ("The simulated AWS is driven", "services/bad.py", "scheduler.simulated_aws"),
]

# A tree that keeps every contract, smaller than ours, so that a case shows its own violation alone.
SOUND_TREE = {
    "core/model/__init__.py": "dataclasses",
    "core/placement/__init__.py": "scheduler.core.model",
    "ports/clock.py": "typing",
    "ports/ids.py": "typing",
    "services/__init__.py": "scheduler.ports.clock",
    "adapters/system.py": "time",
    "adapters/aws/__init__.py": "boto3",
    "api/__init__.py": "grpc",
    "api/convert.py": "ecs_scheduler.v1.task_pb2",
    "client/watch.py": "google.protobuf",
    "simulated_aws/model.py": "scheduler.ports.clock",
    "lab/__init__.py": "scheduler.simulated_aws.model",
    "cli/__init__.py": "scheduler.lab",
}

BANNED = [
    ("import time\n\nNOW = time.time()\n", "time.time"),
    ("from time import monotonic\n\nNOW = monotonic()\n", "time.monotonic"),
    ("import datetime as dt\n\nNOW = dt.datetime.now(dt.UTC)\n", "datetime.datetime.now"),
    ("import uuid\n\nID = uuid.uuid4()\n", "uuid.uuid4"),
    ("from unittest import mock\n\nFAKE = mock.Mock()\n", "unittest.mock"),
]


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


def ruff(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "ruff"), "check", "--no-cache", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


def functions(source: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(source.read_text())
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def write_module(tree: Path, path: str, imported: str) -> None:
    module = tree / "scheduler" / path
    module.parent.mkdir(parents=True, exist_ok=True)
    for package in [module.parent, *module.parent.parents]:
        if package.is_relative_to(tree / "scheduler"):
            (package / "__init__.py").touch()
    module.write_text(f"import {imported}\n")


@pytest.fixture
def sound_tree(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, imported in SOUND_TREE.items():
        write_module(tmp_path, path, imported)
    return tmp_path


def test_contracts_kept() -> None:
    """Every import in the service keeps every contract."""
    report = lint_imports(ROOT)
    assert report.returncode == 0, report.stdout + report.stderr


def test_sound_tree_keeps_contracts(sound_tree: Path) -> None:
    """The contracts allow what the design needs."""
    report = lint_imports(sound_tree)
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.mark.parametrize(("contract", "path", "imported"), VIOLATIONS)
def test_contract_stops_violation(sound_tree: Path, contract: str, path: str, imported: str) -> None:
    """A module that imports what it must not breaks the contract that says so."""
    write_module(sound_tree, path, imported)
    broken = [line for line in lint_imports(sound_tree).stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), broken


@pytest.mark.parametrize(("code", "name"), BANNED)
def test_banned_call_found(tmp_path: Path, code: str, name: str) -> None:
    """Taking the time, an id or a mock is found wherever it is written."""
    (tmp_path / "bad.py").write_text(code)
    report = ruff(tmp_path, "--config", str(ROOT / "pyproject.toml"), "--select", "TID251", "bad.py")
    assert report.returncode == 1
    assert f"`{name}` is banned" in report.stdout


def test_only_system_adapter_takes_time() -> None:
    """In the service one file takes time and ids; no comment elsewhere lifts the ban."""
    config = ["--config", "lint.per-file-ignores = {}", "--ignore-noqa", "--select", "TID251"]
    report = ruff(ROOT, *config, "--output-format", "concise", "scheduler")
    found = {line.split(":")[0] for line in report.stdout.splitlines() if "TID251" in line}
    assert found <= {"scheduler/adapters/system.py"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_file_and_functions_small(source: Path) -> None:
    """No file is over 400 lines and no function over 60."""
    if str(source.relative_to(ROOT)) in DATA_TABLES:
        return
    assert len(source.read_text().splitlines()) <= MAX_FILE_LINES
    for function in functions(source):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= MAX_FUNCTION_LINES, f"{function.name}: {lines} lines"


@pytest.mark.parametrize("source", TESTS, ids=lambda source: str(source.relative_to(ROOT)))
def test_test_has_sentence(source: Path) -> None:
    """Every test says in its docstring which behaviour it proves."""
    tests = [function for function in functions(source) if function.name.startswith("test_")]
    assert not [test.name for test in tests if not ast.get_docstring(test)]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_package_has_door(package: Path) -> None:
    """Every package says at its door what lives there."""
    door = package / "__init__.py"
    assert door.exists()
    assert ast.get_docstring(ast.parse(door.read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_place(lock: Path) -> None:
    """A lock says what to install, checked by hash, and never from where."""
    text = lock.read_text()
    assert "://" not in text
    assert "--hash=sha256:" in text
    assert not [line for line in text.splitlines() if line.startswith("--")]
