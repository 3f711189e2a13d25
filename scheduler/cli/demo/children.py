"""Child processes: started on free ports, waited for, and ended whatever happens."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

READY_WITHIN_S = 20.0
ENDS_WITHIN_S = 10.0
_POLL_S = 0.05


class ChildFailed(Exception):
    """A child ended or kept silent instead of getting ready; the message has its last words."""


class Children:
    """Commands of this program as processes; the end of the block ends all of them, last started first.

    Each is a process group of its own: Ctrl-C reaches this process only, which then ends them in order.
    """

    def __init__(self, directory: Path) -> None:
        """`directory` takes what they write."""
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._running):
            _end(child)

    def start(self, *command: str, ready: str, environment: Mapping[str, str] | None = None) -> str:
        """Starts a command and returns what `ready` matches in its output, once it does."""
        output = self._directory / f"{command[0]}.log"
        with output.open("wb") as sink:
            child = subprocess.Popen(
                [sys.executable, "-m", "scheduler", *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**_surroundings(), **(environment or {})},
                start_new_session=True,
            )
        self._running.append(child)
        return _wait_for(child, output, re.compile(ready), command[0])


def _surroundings() -> dict[str, str]:
    """What any process needs: the caller's settings, profiles and proxies are for something else."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG") or name.startswith("PYTHON")
    }


def _wait_for(child: "subprocess.Popen[bytes]", output: Path, ready: "re.Pattern[str]", name: str) -> str:
    for _ in range(int(READY_WITHIN_S / _POLL_S)):
        ended = _ended_within(child, _POLL_S)
        if match := ready.search(output.read_text("utf-8")):
            return match[0]
        if ended:
            break
    last_words = output.read_text("utf-8").strip().splitlines()[-1:]
    raise ChildFailed(f"{name} did not get ready: {' '.join(last_words) or 'it said nothing'}")


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    if not _ended_within(child, ENDS_WITHIN_S):
        child.kill()
        child.wait()


def _ended_within(child: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
