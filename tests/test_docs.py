"""The documentation is true: what it names exists, what can be set is named, what can be run parses."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from scheduler.cli.app import app
from scheduler.config import PREFIX
from scheduler.core.model.container_instance import InstanceHealth
from scheduler.core.model.policy import Policy
from scheduler.services.digest import digest_of
from scripts import policy_reference, state_machines

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# Every page that is ours: environments and caches bring pages of their own.
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
ADRS = sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
RPCS = sorted(
    name
    for proto in (ROOT / "protos").rglob("*.proto")
    for name in re.findall(r"rpc (\w+)\(", proto.read_text())
)

REFERENCE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)+[\w-]+\.py)(?::([A-Za-z_][\w.]*))?")
"""`file.py` or `file.py:name`, from the root for tests and scripts, else from `scheduler/`."""

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


# ---- names of code


def source_of(reference: str) -> Path:
    """The file that a page means."""
    if reference.split("/")[0] in ("tests", "scripts", "scheduler", "benchmarks"):
        return ROOT / reference
    return ROOT / "scheduler" / reference


@cache
def names_in(source: Path) -> frozenset[str]:
    """Functions, classes, methods and constants of a module."""
    return frozenset(_names(ast.parse(source.read_text()).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for each in body:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.ClassDef(name=name, body=inner):
                yield prefix + name
                yield from _names(inner, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name
            case _:
                continue


@every_page
def test_every_name_of_code_exists(page: Path) -> None:
    """A file, function or class that a page names is there."""
    for path, name in REFERENCE.findall(page.read_text()):
        source = source_of(path)
        assert source.exists(), path
        assert not name or name.rstrip(".") in names_in(source), f"{path}:{name}"


def test_architecture_walks_through_the_code() -> None:
    """The two straight lines of the architecture name functions, not only files."""
    named = [name for _, name in REFERENCE.findall((DOCS / "architecture.md").read_text()) if name]
    assert len(named) > 40


# ---- links


@every_page
def test_every_relative_link_resolves(page: Path) -> None:
    """Nobody who follows a link within the project ends nowhere."""
    for target in LINK.findall(page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links_of(index: Path) -> set[str]:
    return set(LINK.findall(index.read_text()))


@pytest.mark.parametrize("adr", ADRS)
def test_every_decision_is_in_the_index(adr: str) -> None:
    """A record that the index lacks is not found."""
    assert adr in links_of(DOCS / "adr" / "README.md")


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md") if path.name != "README.md"))
def test_every_page_is_in_the_index(page: str) -> None:
    """The index leads to every page."""
    assert page in links_of(DOCS / "README.md")


# ---- width

WIDTH = 120
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MARGIN = re.compile(r"^ *((?:[*-]|\d+\.) )?")


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent != DOCS / "adr"], ids=page_id)
def test_prose_fits_120_columns(page: Path) -> None:
    """Lines are no longer, but in tables and blocks, and where there is nowhere to break one."""
    lines = BLOCK.sub("", page.read_text()).splitlines()
    prose = [MARGIN.sub("", line) for line in lines if len(line) > WIDTH and not line.startswith("|")]
    assert [line for line in prose if " " in line] == []


# ---- settings, RPCs, conditions, permissions


def literals(pattern: str) -> set[str]:
    """Strings in the service's sources that match wholly."""
    found = set()
    for source in (ROOT / "scheduler").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(pattern, node.value) else set()
    return found


@cache
def settings() -> set[str]:
    """Every variable that the service or its commands read."""
    suffixes = re.findall(r'PREFIX \+ "([A-Z_]+)"', (ROOT / "scheduler" / "config.py").read_text())
    own = {PREFIX + suffix for suffix in suffixes} | {PREFIX + each.name.upper() for each in fields(Policy)}
    return own | literals(r"ECS_[A-Z0-9_]+[A-Z0-9]|AWS_(DEFAULT_)?REGION|(DD|DATADOG)_[A-Z_]+")


@pytest.mark.parametrize("name", sorted(settings()))
def test_every_setting_is_documented(name: str) -> None:
    """Whatever can be set is in the configuration page, under its whole name."""
    assert re.search(rf"`{name}`", (DOCS / "configuration.md").read_text())


def test_no_setting_is_made_up() -> None:
    """What the pages call a setting is one."""
    for page in PAGES:
        named = set(re.findall(r"\bECS_SCHEDULER_[A-Z0-9_]+\b", page.read_text()))
        assert named <= settings(), page


def test_policy_settings_are_as_in_the_code() -> None:
    """Defaults, units and reasons of the policy; else run `python -m scripts.policy_reference`."""
    text = policy_reference.PAGE.read_text()
    assert text == policy_reference.page(text)


def test_state_machines_are_as_in_the_code() -> None:
    """Every state and every edge; else run `python -m scripts.state_machines`."""
    assert state_machines.PAGE.read_text() == state_machines.page()


@pytest.mark.parametrize("rpc", RPCS)
def test_every_rpc_is_documented(rpc: str) -> None:
    """An RPC is told of where people read, not only in its proto."""
    assert any(f"`{rpc}`" in page.read_text() for page in PAGES if page.parent != DOCS / "adr")


NO_CONDITIONS = {"HAZARDS_NOT_READ", "LAUNCH_FAILED"}
"""What holds for a moment at the start, and the kind of a scaling event."""


def test_every_condition_has_its_remedy() -> None:
    """Each reason that GetCluster can show is in the operator's page."""
    world = ROOT / "scheduler" / "core" / "world"
    named = [
        world / "failing_calls.py",
        world / "hearing.py",
        world / "hearing_capacity.py",
        world / "hearing_starts.py",
        world / "interlocks.py",
        ROOT / "scheduler" / "adapters" / "aws" / "hazards.py",
        Path(digest_of.__code__.co_filename),
    ]
    texts = "".join(each.read_text() for each in named)
    reasons = set(re.findall(r'"([A-Z]{2,}(?:_[A-Z]+)+)"', texts)) - NO_CONDITIONS
    assert len(reasons) >= 30
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert reasons == set(rows)


def test_every_reason_to_wait_is_explained() -> None:
    """Whatever an instance is counted under when it takes no task is in the placement page."""
    packer = (ROOT / "scheduler" / "core" / "placement" / "packer.py").read_text()
    reasons = set(re.findall(r'"((?:not enough|not the|too many|refused) [a-z ]+)"', packer))
    assert len(reasons) >= 4
    reasons |= {health.value for health in InstanceHealth if health is not InstanceHealth.SCHEDULABLE}
    page = (DOCS / "placement.md").read_text()
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in page] == []


def test_every_log_event_is_explained() -> None:
    """Whoever reads the log finds each event in the operator's page."""
    sources = "".join(source.read_text() for source in (ROOT / "scheduler").rglob("*.py"))
    events = set(re.findall(r'\blog\.(?:info|warning|error|exception)\(\s*"([^"]+)"', sources))
    page = (DOCS / "operations.md").read_text()
    assert [event for event in sorted(events) if f"`{event}`" not in page] == []


def test_every_permission_is_documented() -> None:
    """The operations that the adapter calls are those that IAM must allow, and no others."""
    operations = (ROOT / "scheduler" / "adapters" / "aws" / "operations.py").read_text()
    permission = r"\b(?:ecs|autoscaling|ec2|logs|sts):[A-Z]\w+"
    assert set(re.findall(permission, operations)) == set(
        re.findall(permission, (DOCS / "iam.md").read_text())
    )


# ---- what can be run


def fences(*kinds: str) -> list[tuple[Path, str]]:
    return [(page, body) for page in PAGES for kind, body in FENCE.findall(page.read_text()) if kind in kinds]


def test_python_blocks_parse() -> None:
    """A block that says it is Python is."""
    for _, body in fences("python"):
        compile(body, "block", "exec")


def commands() -> Iterator[str]:
    """Every command of a console block: what follows `$`, while a backslash or a quotation goes on."""
    for _, body in fences("console"):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            candidates = ("\n".join(lines[:count]) for count in range(1, len(lines) + 1))
            whole = (each for each in candidates if not each.endswith("\\") and each.count("'") % 2 == 0)
            yield next(whole, part)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_console_commands_parse(command: str) -> None:
    """A shell understands every command that a page shows."""
    shell = subprocess.run(
        ["bash", "-n"], input=command, capture_output=True, text=True, timeout=10, check=False
    )
    assert shell.returncode == 0, shell.stderr


def own_commands() -> list[list[str]]:
    """Commands of ours among them, word by word."""
    words = map(shlex.split, commands())
    return [each[each.index("ecs-scheduler") :] for each in words if "ecs-scheduler" in each]


@pytest.mark.parametrize("words", own_commands(), ids=" ".join)
def test_our_commands_have_the_options_shown(words: list[str]) -> None:
    """A command and its options are those of the command line."""
    group: Any = typer.main.get_command(app)
    named = [word for word in words[1:] if not word.startswith("-")]
    if not named:
        return
    command = group.commands[named[0]]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    used = {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"}
    assert used <= known
