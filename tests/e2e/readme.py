"""Console sessions of a page: commands, and what the page says they print."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.programs import ROOT

README = ROOT / "README.md"

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANY_LINES = r"(?:.*\n)*?"
_TASK_ID = re.compile(r"t-[0-9a-z]{26}")

# What differs from one run to the next, by what it stands for.
_ELIDED = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time of day>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (_TASK_ID, "<task>"),
    (re.compile(r"\bi-[0-9a-f]{17}\b"), "<instance>"),
    (re.compile(r"(?<=/ci/)[0-9a-f]{32}"), "<id>"),
    (re.compile(r"(task-definition/[\w-]+):\d+"), r"\1:<number>"),
    (re.compile(r'("resumeToken": )"[\w=-]+"'), r"\1<token>"),
    (re.compile(r'("?revision"?:? )"?\d+"?'), r"\1<number>"),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One command and the lines below it."""

    command: str
    shown: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)

    def agrees(self, printed: str) -> bool:
        """Whether it printed what the page shows; a line `...` stands for any number of lines."""
        lines = elided(self.shown).splitlines()
        pattern = "".join(_ANY_LINES if line.strip() == "..." else re.escape(line) + r"\n" for line in lines)
        return re.fullmatch(pattern, elided(printed).rstrip("\n") + "\n") is not None


def elided(text: str) -> str:
    for pattern, replacement in _ELIDED:
        text = pattern.sub(replacement, text)
    return text


def entries(page: Path = README) -> Iterator[Entry]:
    """Every command that the page shows with its output, in order."""
    for block in _CONSOLE.findall(page.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, shown = _cut(part.splitlines())
            yield Entry(command=command.replace("\\\n", " "), shown=shown)


def _cut(lines: list[str]) -> tuple[str, str]:
    """A command goes on after a backslash and while a quotation is open."""
    for count in range(1, len(lines) + 1):
        command = "\n".join(lines[:count])
        if not command.endswith("\\") and command.count("'") % 2 == 0:
            return command, "\n".join(lines[count:])
    raise ValueError(f"this command has no end: {lines[0]}")


def task_ids(text: str) -> list[str]:
    return _TASK_ID.findall(text)
